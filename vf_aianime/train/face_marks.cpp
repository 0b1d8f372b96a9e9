// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/face_marks.h"

#include <algorithm>

namespace aianime::train {

namespace {

cv::Rect2f around(const vision::FacePoints &points, size_t first, size_t end) {
    cv::Point2f low = points[first], high = points[first];
    for (size_t i = first; i < end; i++) {
        low = {std::min(low.x, points[i].x), std::min(low.y, points[i].y)};
        high = {std::max(high.x, points[i].x), std::max(high.y, points[i].y)};
    }
    return {low, high};
}

} // namespace

std::vector<FaceMark> face_marks(const std::vector<pipeline::Face> &faces) {
    std::vector<FaceMark> marks;
    for (const pipeline::Face &face : faces)
        marks.push_back({face.box, around(face.points, 36, 42), around(face.points, 42, 48), around(face.points, 48, 60)});
    return marks;
}

CelBase cel_base(const cv::Mat &rgb, const pipeline::FaceFinder &faces) {
    return cel_base(rgb, face_marks(faces.find_points(rgb)));
}

} // namespace aianime::train
