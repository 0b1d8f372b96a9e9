// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "include/aianime.h"

namespace aianime::vision {

// Raw code values of single components, whatever their layout in memory. The frame's layout has been checked.

// Width and height of a component: chroma of subsampled pictures is smaller, rounded up.
cv::Size component_size(const aianime_frame &frame, int component);

// Bytes a row of the component reaches from the start of its plane's row.
int64_t component_row_bytes(const aianime_frame &frame, int component);

// Code values as CV_32FC1.
cv::Mat read_component(const aianime_frame &frame, int component);

// Sets every byte that carries samples to 0. write_component and copy_component add to it, because packed layouts let several
// components share a byte.
void clear_samples(aianime_frame &frame);

// CV_32FC1 to code values: rounded to nearest, clipped to the depth; what is not a number becomes 0.
void write_component(const cv::Mat &codes, aianime_frame &frame, int component);

// Exact copy of one component between frames of one format and size.
void copy_component(const aianime_frame &source, aianime_frame &frame, int component);

} // namespace aianime::vision
