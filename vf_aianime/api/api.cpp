// SPDX-License-Identifier: LGPL-2.1-or-later
#include "include/aianime.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "api/guard.h"
#include "io/error.h"
#include "nn/aten.h"
#include "pipeline/session.h"

#ifndef AIANIME_VERSION
#error "the Makefile defines AIANIME_VERSION"
#endif

using aianime::Error;
using aianime::pipeline::Session;

struct aianime_engine {
    std::unique_ptr<Session> session;
    int threads = 0;
    aianime_log_fn log = nullptr;
    void *context = nullptr;
    // The first failure ends the session: later calls repeat it until reset().
    aianime_result failure = AIANIME_OK;
};

namespace {

void log_error(aianime_log_fn log, void *context, const std::string &text) noexcept {
    if (log && !text.empty())
        log(context, AIANIME_LOG_ERROR, text.c_str());
}

// Settings of LibTorch that belong to the calling thread.
class ThreadSettings {
public:
    explicit ThreadSettings(int threads) {
        if (threads > 0)
            at::set_num_threads(threads);
    }

private:
    c10::InferenceMode inference_; // no autograd bookkeeping, whatever the caller's thread was set to
};

// Runs a call of a session under the wall, remembers a failure, and says it once.
template <typename Body>
int call(aianime_engine *engine, Body body) noexcept {
    if (!engine || !engine->session)
        return AIANIME_INVALID;
    if (engine->failure != AIANIME_OK)
        return engine->failure;
    std::string error;
    const aianime_result result = aianime::api::guard(
        [&] {
            const ThreadSettings settings(engine->threads);
            return body(*engine->session);
        },
        error);
    if (result >= AIANIME_OK || result == AIANIME_AGAIN || result == AIANIME_EOF)
        return result;
    // A call the caller got wrong leaves the session as it was.
    if (result != AIANIME_INVALID && result != AIANIME_OUT_OF_RANGE && result != AIANIME_STATE)
        engine->failure = result;
    log_error(engine->log, engine->context, error);
    return result;
}

// Callers built with an older header have a smaller struct; nothing was taken out of it since the first.
constexpr size_t first_settings_size = offsetof(aianime_settings, license);

std::optional<aianime_settings> whole_settings(const aianime_settings *given) {
    if (!given || given->struct_size < first_settings_size || given->struct_size > sizeof(aianime_settings))
        return std::nullopt;
    aianime_settings whole = {};
    std::memcpy(&whole, given, given->struct_size);
    whole.struct_size = sizeof(whole);
    return whole;
}

int open_engine(aianime_engine **handle, const aianime_settings *given) noexcept {
    if (!handle)
        return AIANIME_INVALID;
    *handle = nullptr;
    const std::optional<aianime_settings> settings = whole_settings(given);
    if (!settings)
        return AIANIME_INVALID;
    std::string error;
    const aianime_result result = aianime::api::guard(
        [&] {
            auto engine = std::make_unique<aianime_engine>();
            engine->threads = settings->threads;
            engine->log = settings->log;
            engine->context = settings->callback_context;
            const ThreadSettings threads(settings->threads);
            engine->session = std::make_unique<Session>(*settings);
            *handle = engine.release();
            return AIANIME_OK;
        },
        error);
    if (result != AIANIME_OK)
        log_error(settings->log, settings->callback_context, error);
    return result;
}

int send_frame(aianime_engine *handle, const aianime_frame *frame) noexcept {
    if (!frame)
        return AIANIME_INVALID;
    return call(handle, [&](Session &session) {
        session.send(*frame);
        return AIANIME_OK;
    });
}

int receive_frame(aianime_engine *handle, aianime_frame *frame) noexcept {
    if (!frame)
        return AIANIME_INVALID;
    return call(handle, [&](Session &session) { return session.receive(*frame); });
}

int drain_engine(aianime_engine *handle) noexcept {
    return call(handle, [](Session &session) {
        session.drain();
        return AIANIME_OK;
    });
}

int reset_engine(aianime_engine *handle) noexcept {
    if (!handle || !handle->session)
        return AIANIME_INVALID;
    handle->failure = AIANIME_OK;
    return call(handle, [](Session &session) {
        session.reset();
        return AIANIME_OK;
    });
}

void cancel_engine(aianime_engine *handle) noexcept {
    if (handle && handle->session)
        handle->session->cancel();
}

void close_engine(aianime_engine **handle) noexcept {
    if (!handle)
        return;
    if (*handle && (*handle)->session) {
        std::string error;
        const aianime_result result = aianime::api::guard(
            [&] {
                (*handle)->session->finish();
                return AIANIME_OK;
            },
            error);
        if (result != AIANIME_OK)
            log_error((*handle)->log, (*handle)->context, error);
    }
    delete *handle;
    *handle = nullptr;
}

const char *result_text(int result) noexcept {
    switch (result) {
    case AIANIME_OK:
        return "success";
    case AIANIME_AGAIN:
        return "more frames are needed";
    case AIANIME_EOF:
        return "end of stream";
    case AIANIME_INVALID:
        return "invalid argument";
    case AIANIME_OUT_OF_RANGE:
        return "value out of range";
    case AIANIME_STATE:
        return "call in the wrong order";
    case AIANIME_NO_MEMORY:
        return "out of memory";
    case AIANIME_IO:
        return "reading or writing failed";
    case AIANIME_NO_DEVICE:
        return "device not available";
    case AIANIME_NOT_FOUND:
        return "file not found";
    case AIANIME_BAD_DATA:
        return "damaged or unsuitable file";
    case AIANIME_FORBIDDEN:
        return "forbidden format, path or access";
    case AIANIME_NOT_FINITE:
        return "the networks gave values that are not finite";
    case AIANIME_CANCELLED:
        return "cancelled";
    case AIANIME_INTERNAL:
        return "internal error";
    default:
        return "unknown result";
    }
}

#define AIANIME_TEXT2(x) #x
#define AIANIME_TEXT(x) AIANIME_TEXT2(x)

const char *version_text() noexcept {
    return "aianime " AIANIME_VERSION " (LibTorch " AIANIME_TEXT(TORCH_VERSION_MAJOR) "." AIANIME_TEXT(
        TORCH_VERSION_MINOR) "." AIANIME_TEXT(TORCH_VERSION_PATCH) ")";
}

constexpr aianime_api table = {sizeof(aianime_api), AIANIME_API_VERSION, result_text,  version_text,  open_engine, send_frame,
                               receive_frame,       drain_engine,        reset_engine, cancel_engine, close_engine};

} // namespace

const aianime_api *aianime_get_api(int version) { return version == AIANIME_API_VERSION ? &table : nullptr; }
