// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/guard.h"

#include <opencv2/core.hpp>

#include <new>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::api {

namespace {

// LibTorch appends a back trace to its texts; the first line is for people.
std::string first_line(const std::string &text) { return text.substr(0, text.find('\n')); }

aianime_result torch_result(const std::string &text) {
    // The CPU allocator reports exhaustion as a plain c10::Error.
    return text.find("can't allocate memory") != std::string::npos ? AIANIME_NO_MEMORY : AIANIME_INTERNAL;
}

aianime_result classify(std::string &error) {
    try {
        throw;
    } catch (const Error &caught) {
        error = caught.what();
        return caught.code();
    } catch (const c10::OutOfMemoryError &caught) {
        error = "out of device memory: " + first_line(caught.what_without_backtrace());
        return AIANIME_NO_MEMORY;
    } catch (const c10::Error &caught) {
        error = "LibTorch: " + first_line(caught.what_without_backtrace());
        return torch_result(error);
    } catch (const cv::Exception &caught) {
        error = "OpenCV: " + first_line(caught.what());
        return caught.code == cv::Error::StsNoMem ? AIANIME_NO_MEMORY : AIANIME_INTERNAL;
    } catch (const std::bad_alloc &) {
        error = "out of memory";
        return AIANIME_NO_MEMORY;
    } catch (const std::exception &caught) {
        error = first_line(caught.what());
        return torch_result(error);
    } catch (...) {
        error = "unknown failure";
        return AIANIME_INTERNAL;
    }
}

} // namespace

aianime_result guard(const std::function<aianime_result()> &body, std::string &error) noexcept {
    try {
        return body();
    } catch (...) {
        try {
            return classify(error);
        } catch (...) { // no memory left even for the text
            return AIANIME_NO_MEMORY;
        }
    }
}

} // namespace aianime::api
