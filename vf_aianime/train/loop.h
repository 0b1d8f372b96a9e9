// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "train/parameters.h"
#include "train/random.h"
#include "train/report.h"

namespace aianime::train {

struct LoopOptions {
    std::string title;  // of the progress lines and of the state's file, "unet"
    std::string folder; // <title>.state.safetensors, <title>.loss.csv and <title>.loss.png are kept there
    int64_t steps = 1000;
    double minutes = 0;          // 0: no limit; else the steps end (as if they were all done) after so many minutes of training
    double learning_rate = 1e-3; // after warming up; falls along a half cosine to final_rate times it
    double final_rate = 0.05;
    int64_t warmup = 100; // steps
    double weight_decay = 0.01;
    double beta1 = 0.9, beta2 = 0.99;
    double clip = 1;        // of the gradient's norm; 0: none
    int64_t accumulate = 1; // micro-batches a step
    double average = 0;     // decay of the running mean of the weights that the result has; 0: the last weights
    bool bf16 = false;      // forward passes under autocast
    int64_t sample_every = 0;
    double save_seconds = 120; // between states
    int64_t log_every = 50;
    std::function<double(const std::string &name)> rate_factor = nullptr; // of a parameter's learning rate; null: 1 for all
};

// One micro-batch's loss, a scalar with a graph. Everything random in it must be a function of (step, micro) and of seeds, never of
// what ran before: that is what makes a resumed run the same as one that was never stopped.
using StepLoss = std::function<at::Tensor(int64_t step, int64_t micro)>;
// After every sample_every steps, gradients off, the averaged weights in place.
using Sample = std::function<void(int64_t step)>;

enum class LoopEnd { done, stopped };

// AdamW over `parameters`. Continues from the folder's state where there is one that fits (its options may differ in steps,
// minutes and intervals only: Error (INVALID) otherwise); at the end the parameters hold the result. States are written atomically;
// a disk that is full is told once and training goes on with the last good one. A loss or gradient that is not finite skips the
// step; 20 in a row throw Error (NOT_FINITE) and leave the last good state.
LoopEnd run_loop(const Parameters &parameters, const LoopOptions &options, const StepLoss &loss, const Sample &sample,
                 const Report &report);

} // namespace aianime::train
