// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

#include "train/report.h"

namespace aianime::train {

// The pictures below a folder, in the order of their paths, with the captions that lie beside them (NAME.txt, UTF-8).
// Files that are no pictures are left out silently; pictures that cannot be read and captions in another encoding are told by
// name, the former left out and the latter read as Latin-1. Throws Error (NOT_FOUND) where there is no folder, (BAD_DATA) where
// nothing is left.
class PictureFolder {
public:
    PictureFolder(const std::string &folder, const Report &report);

    size_t size() const { return entries_.size(); }
    const std::string &path(size_t i) const { return entries_[i].path; }
    const std::string &caption(size_t i) const { return entries_[i].caption; } // "" where there is none
    cv::Size extent(size_t i) const { return entries_[i].extent; }             // upright
    // CV_8UC3, R G B, upright, alpha over white. Throws Error (BAD_DATA) where the file has changed since.
    cv::Mat read(size_t i) const;

private:
    struct Entry {
        std::string path, caption;
        cv::Size extent;
    };
    std::vector<Entry> entries_;
};

} // namespace aianime::train
