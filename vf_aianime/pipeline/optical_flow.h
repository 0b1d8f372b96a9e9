// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <memory>

#include "nn/raft.h"
#include "pipeline/flow_store.h"
#include "vision/compact_flow.h"

namespace aianime::pipeline {

// Optical flow between pictures of one size, by DIS (vision/flow.h) or by RAFT. Pictures below 16 pixels a side get zero flow by
// either. RAFT pads with the border's pixels, to multiples of 8 and at least 128 a side, and sees pictures of more than most_cells
// cells of 8x8 pixels at half, a quarter, ... of their size: it compares each cell with each, which takes most_cells^2 numbers
// (268 MB) and a third on top. Copies share network and store. Thread safety: const functions may run concurrently.
class OpticalFlow {
public:
    static constexpr int64_t most_cells = 8192; // 960x544 pixels

    OpticalFlow() = default; // DIS, nothing is stored
    // network: null for DIS.
    OpticalFlow(std::shared_ptr<const nn::Raft> network, int updates);

    // What is seen of a picture, whatever it is compared with.
    struct View {
        cv::Size size;
        cv::Mat luma, small; // for DIS; at half the size
        nn::Raft::View seen; // for RAFT
    };
    // picture: CV_32FC3 in [0, 1], at least 1x1.
    View look(const cv::Mat &picture) const;

    // CV_32FC2: what is at p in `from` is at p + flow(p) in `to`. Throws Error (NOT_FINITE).
    cv::Mat flow(const View &from, const View &to) const;

    // There and back, by way of the form that is stored (vision/compact_flow.h): the same whether the pair is in the store or not.
    vision::MotionPair between(const View &from, const View &to) const;

    struct Seen {
        FlowStore::Picture name;    // not looked at where nothing is stored
        std::function<View()> view; // asked for only where the pair must be measured
    };
    // keep: others will ask for this pair (FlowStore::whole).
    vision::MotionPair between(const Seen &from, const Seen &to, bool keep) const;

    // The same on cells of twice the size, which is enough for grids that are coarser still.
    vision::MotionPair halved(const Seen &from, const Seen &to, bool keep) const;

    // halved(), of pictures that may lie far apart and never are asked for at their own size: DIS looks at them at half of it, in
    // a quarter of the time.
    vision::MotionPair afar(const View &from, const View &to) const;

    // Of what was measured; null where nothing is stored.
    FlowStore *store() const { return store_.get(); }

private:
    vision::CompactFlows measured(const View &from, const View &to) const;
    vision::CompactFlows stored(const Seen &from, const Seen &to, bool keep) const;

    std::shared_ptr<const nn::Raft> network_; // null: DIS
    int updates_ = nn::Raft::default_updates;
    std::shared_ptr<FlowStore> store_;
};

} // namespace aianime::pipeline
