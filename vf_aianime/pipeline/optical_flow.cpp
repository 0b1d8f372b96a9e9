// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/optical_flow.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <utility>

#include "io/error.h"
#include "nn/aten.h"
#include "pipeline/picture_tensor.h"

namespace aianime::pipeline {

namespace {

constexpr int smallest_side = 16; // vision::flow()'s

// How a picture is shown to the network.
struct Fit {
    cv::Size scaled;
    int64_t left, right, top, bottom; // padding around it

    int64_t height() const { return scaled.height + top + bottom; }
    int64_t width() const { return scaled.width + left + right; }
};

int64_t padded(int side) {
    constexpr int64_t stride = nn::Raft::stride;
    return std::max((side + stride - 1) / stride * stride, nn::Raft::least_side);
}

Fit fit(cv::Size size) {
    constexpr int64_t cell = nn::Raft::stride * nn::Raft::stride;
    while (padded(size.width) * padded(size.height) > OpticalFlow::most_cells * cell)
        size = {(size.width + 1) / 2, (size.height + 1) / 2};
    const int64_t columns = padded(size.width) - size.width, rows = padded(size.height) - size.height;
    return {size, columns / 2, columns - columns / 2, rows / 2, rows - rows / 2};
}

at::Tensor shown(const cv::Mat &picture) {
    const Fit place = fit(picture.size());
    cv::Mat scaled = picture;
    if (place.scaled != picture.size())
        cv::resize(picture, scaled, place.scaled, 0, 0, cv::INTER_AREA);
    return at::replication_pad2d(to_tensor(scaled), {place.left, place.right, place.top, place.bottom});
}

// The network's flow without padding, at the picture's own size and in its pixels.
cv::Mat at_own_size(const at::Tensor &flow, cv::Size size) {
    const Fit place = fit(size);
    const at::Tensor inside =
        flow[0].slice(1, place.top, place.height() - place.bottom).slice(2, place.left, place.width() - place.right);
    const at::Tensor vectors = inside.permute({1, 2, 0}).contiguous();
    cv::Mat found = cv::Mat(place.scaled, CV_32FC2, vectors.data_ptr<float>()).clone();
    if (place.scaled == size)
        return found;
    cv::Mat whole;
    cv::resize(found, whole, size, 0, 0, cv::INTER_LINEAR);
    const cv::Scalar scale(static_cast<double>(size.width) / place.scaled.width,
                           static_cast<double>(size.height) / place.scaled.height);
    return whole.mul(cv::Mat(size, CV_32FC2, scale));
}

} // namespace

OpticalFlow::OpticalFlow(std::shared_ptr<const nn::Raft> network, int updates)
    : network_(std::move(network)), updates_(updates), store_(std::make_shared<FlowStore>()) {}

OpticalFlow::View OpticalFlow::look(const cv::Mat &picture) const {
    if (!network_) {
        const cv::Mat luma = vision::luma(picture);
        cv::Mat small;
        cv::resize(luma, small, {(luma.cols + 1) / 2, (luma.rows + 1) / 2}, 0, 0, cv::INTER_AREA);
        return {picture.size(), luma, small, {}};
    }
    if (std::min(picture.cols, picture.rows) < smallest_side)
        return {picture.size(), {}, {}, {}};
    return {picture.size(), {}, {}, network_->look(shown(picture))};
}

cv::Mat OpticalFlow::flow(const View &from, const View &to) const {
    if (!network_)
        return vision::flow(from.luma, to.luma);
    if (!from.seen.features.defined())
        return cv::Mat::zeros(from.size, CV_32FC2);
    const at::Tensor found = network_->flow(from.seen, to.seen, updates_);
    if (!at::isfinite(found).all().item<bool>())
        throw Error(AIANIME_NOT_FINITE, "coherence.flow_model: the optical flow network gave values that are not finite (damaged "
                                        "weights?); use \"flow\": \"dis\"");
    return at_own_size(found, from.size);
}

vision::CompactFlows OpticalFlow::measured(const View &from, const View &to) const {
    return vision::compact(flow(from, to), flow(to, from), !network_);
}

vision::MotionPair OpticalFlow::between(const View &from, const View &to) const { return vision::expanded(measured(from, to)); }

vision::CompactFlows OpticalFlow::stored(const Seen &from, const Seen &to, bool keep) const {
    const auto measure = [&] {
        const View a = from.view(), b = to.view();
        return measured(a, b);
    };
    return store_ ? store_->whole(from.name, to.name, keep, measure) : measure();
}

vision::MotionPair OpticalFlow::between(const Seen &from, const Seen &to, bool keep) const {
    return vision::expanded(stored(from, to, keep));
}

vision::MotionPair OpticalFlow::halved(const Seen &from, const Seen &to, bool keep) const {
    return vision::halved(stored(from, to, keep));
}

vision::MotionPair OpticalFlow::afar(const View &from, const View &to) const {
    if (network_ || std::min(from.small.cols, from.small.rows) < smallest_side)
        return vision::halved(measured(from, to));
    const cv::Mat there = vision::flow(from.small, to.small), back = vision::flow(to.small, from.small);
    return {{there, vision::consistency(there, back, 2)}, {back, vision::consistency(back, there, 2)}};
}

} // namespace aianime::pipeline
