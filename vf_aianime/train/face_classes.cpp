// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/face_classes.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <filesystem>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/face/box.h"
#include "pipeline/faces.h"
#include "pipeline/picture_tensor.h"
#include "train/picture_folder.h"

namespace aianime::train {

namespace fs = std::filesystem;

namespace {

constexpr size_t fewest_faces = 2; // one to train on, one to check
constexpr size_t most_classes = 1000;

// Names go into the metadata of a file and into tables.
void check_name(const std::string &name, const std::string &folder) {
    if (io::printable(name, 1000) != name || name.size() > 200)
        throw Error(AIANIME_BAD_DATA,
                    io::printable(folder + "/" + name) + ": the folder's name cannot stand as a class; rename it");
}

std::vector<std::string> class_names(const std::string &folder, const Report &report) {
    std::error_code error;
    if (!fs::is_directory(folder, error))
        throw Error(AIANIME_NOT_FOUND, folder + ": no such folder");
    std::vector<std::string> names;
    size_t beside = 0;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        if (name[0] == '.')
            continue;
        if (!entry.is_directory())
            beside++;
        else
            names.push_back(name);
    }
    if (error)
        throw Error(AIANIME_IO, folder + ": cannot be read: " + error.message());
    if (names.size() < 2 || names.size() > most_classes)
        throw Error(AIANIME_BAD_DATA, folder + ": needs a folder for each class, at least two (" + std::to_string(names.size()) +
                                          " are there); for one attribute, say, beard and no_beard");
    if (beside)
        report.say(folder + ": " + std::to_string(beside) + (beside == 1 ? " file" : " files") +
                   " beside the classes' folders left out");
    std::sort(names.begin(), names.end());
    for (const std::string &name : names)
        check_name(name, folder);
    return names;
}

// The part of a picture that is shown to the network, empty where it has no face.
cv::Rect2f place_of_face(const cv::Mat &picture, const pipeline::FaceFinder *finder) {
    if (!finder)
        return {0, 0, static_cast<float>(picture.cols), static_cast<float>(picture.rows)};
    const std::vector<pipeline::Face> faces = finder->find_points(picture);
    const auto largest = std::max_element(
        faces.begin(), faces.end(), [](const pipeline::Face &a, const pipeline::Face &b) { return a.box.area() < b.box.area(); });
    return largest == faces.end() ? cv::Rect2f() : vision::points_box(largest->points);
}

at::Tensor face_of(const cv::Mat &picture, const cv::Rect2f &box, int64_t side) {
    cv::Mat floats;
    picture.convertTo(floats, CV_32F, 1.0 / 255);
    const at::Tensor cut = nn::cut(pipeline::to_tensor(floats), {box.x, box.y, box.width, box.height}, side).picture;
    return (cut[0] * 255).round().clamp(0, 255).to(at::kByte).contiguous();
}

FaceClass read_class(const std::string &folder, const std::string &name, const pipeline::FaceFinder *finder, int64_t side,
                     const Report &report) {
    FaceClass result{name, {}};
    const PictureFolder pictures(folder + "/" + name, report);
    for (size_t i = 0; i < pictures.size(); i++) {
        const cv::Mat picture = pictures.read(i);
        const cv::Rect2f box = place_of_face(picture, finder);
        if (box.empty())
            report.say(pictures.path(i) + ": no face is seen, left out");
        else
            result.faces.push_back(face_of(picture, box, side));
    }
    if (result.faces.size() < fewest_faces)
        throw Error(AIANIME_BAD_DATA, folder + "/" + name + ": has " + std::to_string(result.faces.size()) +
                                          (result.faces.size() == 1 ? " picture" : " pictures") +
                                          " with a face; at least two are needed, one to train on and one to check");
    return result;
}

} // namespace

std::vector<FaceClass> read_face_classes(const std::string &folder, const pipeline::FaceFinder *finder, int64_t side,
                                         const Report &report) {
    std::vector<FaceClass> classes;
    for (const std::string &name : class_names(folder, report))
        classes.push_back(read_class(folder, name, finder, side, report));
    return classes;
}

} // namespace aianime::train
