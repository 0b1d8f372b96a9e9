// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/noise_file.h"

#include <vector>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::pipeline {

namespace {

// "4x64x64".
std::string sides(at::IntArrayRef shape) {
    std::string text;
    for (int64_t side : shape)
        text += (text.empty() ? "" : "x") + std::to_string(side);
    return text;
}

std::string noise_name(const nn::WeightSource &source) {
    const std::vector<std::string> names = source.names();
    if (source.has("noise"))
        return "noise";
    if (names.size() != 1)
        throw Error(AIANIME_BAD_DATA, io::printable(source.description()) +
                                          ": a file of initial noise holds one tensor, or one called "
                                          "\"noise\"; this one holds " +
                                          std::to_string(names.size()));
    return names.front();
}

} // namespace

NoiseFile::NoiseFile(const std::string &path) : path_(io::printable(path)) {
    const nn::WeightSource source = nn::WeightSource::from_file(path);
    const std::string name = noise_name(source);
    if (source.shape(name).size() != 4)
        throw Error(AIANIME_BAD_DATA, path_ + ": " + io::quoted(name) + " is " + sides(source.shape(name)) +
                                          "; initial noise is [frames, channels, height, width]");
    noise_ = source.tensor(name, at::kFloat, at::kCPU);
    if (!at::isfinite(noise_).all().item<bool>())
        throw Error(AIANIME_BAD_DATA, path_ + ": " + io::quoted(name) + " holds values that are not finite");
}

at::Tensor NoiseFile::frame(int64_t identity, int64_t channels, int64_t height, int64_t width) {
    const std::vector<int64_t> wanted = {channels, height, width};
    if (noise_.sizes().slice(1) != at::IntArrayRef(wanted))
        throw Error(AIANIME_BAD_DATA, path_ + ": the noise of a frame is " + sides(noise_.sizes().slice(1)) +
                                          ", this run's latents are " + sides(wanted));
    const int64_t row = rows_.emplace(identity, static_cast<int64_t>(rows_.size())).first->second;
    if (row >= noise_.size(0))
        throw Error(AIANIME_BAD_DATA,
                    path_ + ": it holds the noise of " + std::to_string(noise_.size(0)) + " frames, and this run generates more");
    return noise_[row];
}

} // namespace aianime::pipeline
