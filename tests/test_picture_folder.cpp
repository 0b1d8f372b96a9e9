// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support.h"
#include "train/picture_folder.h"

using namespace aianime;

namespace {

std::string bytes_of(const std::string &extension, const cv::Mat &picture) {
    std::vector<unsigned char> bytes;
    cv::imencode(extension, picture, bytes);
    return {bytes.begin(), bytes.end()};
}

// A JPEG with an Exif block that says: turn by 90 degrees.
std::string held_sideways(const cv::Mat &picture) {
    std::string jpeg = bytes_of(".jpg", picture);
    const std::string tiff("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
    const std::string exif = std::string("Exif\0\0", 6) + tiff;
    const size_t length = exif.size() + 2;
    jpeg.insert(2, std::string("\xff\xe1") + static_cast<char>(length >> 8) + static_cast<char>(length & 255) + exif);
    return jpeg;
}

struct Lines {
    std::vector<std::string> lines;
    train::Report report() {
        train::Report report;
        report.line = [this](const std::string &line) { lines.push_back(line); };
        return report;
    }
    bool tells(const char *part) const {
        return std::any_of(lines.begin(), lines.end(),
                           [part](const std::string &line) { return line.find(part) != std::string::npos; });
    }
};

} // namespace

AIANIME_TEST(pictures_in_order_with_their_captions) {
    const TempFolder folder;
    const cv::Mat blue(20, 30, CV_8UC3, cv::Scalar(250, 20, 10));
    write_file(folder.path("b.png"), bytes_of(".png", blue));
    write_file(folder.path("b.txt"), "\xEF\xBB\xBF  a blue field,\nwide \r\n");
    write_file(folder.path("a/inner.PNG"), bytes_of(".png", blue));
    write_file(folder.path("a/inner.txt"), "caf\xe9");
    write_file(folder.path("c.png"), bytes_of(".png", blue));
    write_file(folder.path("c.txt"), std::string("\xFF\xFE"
                                                 "a\0 \0\x34\x30\n\0",
                                                 10));
    write_file(folder.path("notes.txt"), "no picture");
    write_file(folder.path("list.json"), "{}");
    Lines lines;
    const train::PictureFolder pictures(folder.path(), lines.report());
    ck_assert_int_eq(static_cast<int>(pictures.size()), 3);
    ck_assert(pictures.path(0) == folder.path("a/inner.PNG") && pictures.path(1) == folder.path("b.png"));
    ck_assert_str_eq(pictures.caption(0).c_str(), "caf\xc3\xa9");
    ck_assert(lines.tells("inner.txt") && lines.tells("Latin-1"));
    ck_assert_str_eq(pictures.caption(1).c_str(), "a blue field, wide");
    ck_assert_str_eq(pictures.caption(2).c_str(), "a \xe3\x80\xb4");
    ck_assert(lines.tells("c.txt: not UTF-8, read as UTF-16"));
    const cv::Mat rgb = pictures.read(1);
    ck_assert(rgb.type() == CV_8UC3 && rgb.size() == cv::Size(30, 20) && pictures.extent(1) == rgb.size());
    ck_assert(rgb.at<cv::Vec3b>(5, 5) == cv::Vec3b(10, 20, 250));
}

AIANIME_TEST(kinds_of_pictures) {
    const TempFolder folder;
    cv::Mat clear(8, 8, CV_8UC4, cv::Scalar(0, 0, 200, 0));
    clear.colRange(4, 8).setTo(cv::Scalar(0, 0, 200, 255));
    write_file(folder.path("1.png"), bytes_of(".png", clear));
    write_file(folder.path("2.png"), bytes_of(".png", cv::Mat(8, 8, CV_16UC3, cv::Scalar(65535, 32768, 0))));
    write_file(folder.path("3.png"), bytes_of(".png", cv::Mat(8, 8, CV_8UC1, cv::Scalar(77))));
    write_file(folder.path("4.jpg"), held_sideways(cv::Mat(16, 32, CV_8UC3, cv::Scalar::all(90))));
    const train::PictureFolder pictures(folder.path(), {});
    ck_assert_int_eq(static_cast<int>(pictures.size()), 4);
    const cv::Mat over_white = pictures.read(0);
    ck_assert(over_white.at<cv::Vec3b>(2, 1) == cv::Vec3b(255, 255, 255) && over_white.at<cv::Vec3b>(2, 6) == cv::Vec3b(200, 0, 0));
    ck_assert(pictures.read(1).at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 128, 255));
    ck_assert(pictures.read(2).at<cv::Vec3b>(0, 0) == cv::Vec3b(77, 77, 77));
    ck_assert(pictures.read(3).size() == cv::Size(16, 32) && pictures.extent(3) == cv::Size(16, 32));
}

AIANIME_TEST(what_cannot_be_read_is_left_out) {
    const TempFolder folder;
    const std::string whole = bytes_of(".png", cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(3)));
    write_file(folder.path("good.png"), whole);
    write_file(folder.path("empty.jpg"), "");
    write_file(folder.path("text.png"), "this is no picture");
    cv::Mat noise(64, 64, CV_8UC3);
    cv::randu(noise, 0, 255);
    for (const std::string extension : {".jpg", ".png", ".webp", ".bmp", ".tif"})
        write_file(folder.path("cut" + extension), bytes_of(extension, noise).substr(0, 2000));
    // A cut picture may hold a small one that is whole.
    const std::string small = bytes_of(".jpg", cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(3)));
    std::string holder = bytes_of(".jpg", noise).substr(0, 2500);
    const size_t length = small.size() + 2;
    holder.insert(2, std::string("\xff\xe2") + static_cast<char>(length >> 8) + static_cast<char>(length & 255) + small);
    write_file(folder.path("holder.jpg"), holder);
    write_file(folder.path("more.jpg"), bytes_of(".jpg", noise) + "and something behind it");
    // 60000 x 60000, as its header says.
    write_file(folder.path("vast.ppm.png"), "P6 60000 60000 255\n");
    std::filesystem::create_symlink("loop.png", folder.path("loop.png"));
    Lines lines;
    const train::PictureFolder pictures(folder.path(), lines.report());
    ck_assert_int_eq(static_cast<int>(pictures.size()), 2);
    ck_assert(pictures.path(0) == folder.path("good.png") && pictures.path(1) == folder.path("more.jpg"));
    for (const char *name : {"empty.jpg", "text.png", "cut.jpg", "cut.png", "cut.webp", "cut.bmp", "cut.tif", "holder.jpg", "vast"})
        ck_assert_msg(lines.tells(name), "%s", name);
    ck_assert(!lines.tells("good.png") && !lines.tells("more.jpg"));
    std::filesystem::remove(folder.path("good.png"));
    expect_error([&] { pictures.read(0); }, AIANIME_NOT_FOUND, "good.png");
}

AIANIME_TEST(folders_that_are_no_use) {
    const TempFolder folder;
    expect_error([&] { train::PictureFolder(folder.path("nowhere"), {}); }, AIANIME_NOT_FOUND, "nowhere");
    expect_error([&] { train::PictureFolder(folder.path(), {}); }, AIANIME_BAD_DATA, "no pictures in it");
    write_file(folder.path("text.png"), "this is no picture");
    expect_error([&] { train::PictureFolder(folder.path(), {}); }, AIANIME_BAD_DATA, "can be read");
}

int main() {
    return run_suite("picture_folder", {pictures_in_order_with_their_captions, kinds_of_pictures, what_cannot_be_read_is_left_out,
                                        folders_that_are_no_use});
}
