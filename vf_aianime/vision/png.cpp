// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/png.h"

#include <png.h>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/file.h"
#include "io/text.h"

namespace aianime::vision {

namespace {

constexpr size_t max_file_bytes = size_t{64} << 20;
constexpr uint32_t max_side = 8192;

// libpng's simplified interface; its destructor frees what a failed read leaves.
struct Reader {
    Reader() { image.version = PNG_IMAGE_VERSION; }
    ~Reader() { png_image_free(&image); }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;
    png_image image = {};
};

} // namespace

cv::Mat load_png(const std::string &path) {
    const std::string bytes = io::read_file(path, max_file_bytes);
    Reader reader;
    const auto refuse = [&](const std::string &why) { throw Error(AIANIME_BAD_DATA, io::printable(path) + ": " + why); };
    if (!png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size()))
        refuse(std::string("not a PNG that can be read (") + reader.image.message + ")");
    if (reader.image.width > max_side || reader.image.height > max_side)
        refuse("larger than 8192x8192");
    reader.image.format = PNG_FORMAT_RGB;
    cv::Mat pixels(static_cast<int>(reader.image.height), static_cast<int>(reader.image.width), CV_8UC3);
    const png_color white = {255, 255, 255};
    if (!png_image_finish_read(&reader.image, &white, pixels.data, static_cast<png_int_32>(pixels.step), nullptr))
        refuse(std::string("damaged (") + reader.image.message + ")");
    cv::Mat picture;
    pixels.convertTo(picture, CV_32FC3, 1.0 / 255);
    return picture;
}

void save_png(const std::string &path, const cv::Mat &picture) {
    if (picture.type() != CV_8UC3 || picture.empty())
        throw Error(AIANIME_INTERNAL, "a PNG is written from 8-bit colour pictures");
    png_image image = {};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.cols);
    image.height = static_cast<png_uint_32>(picture.rows);
    image.format = PNG_FORMAT_RGB;
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    std::string text(bytes, '\0');
    const auto stride = static_cast<png_int_32>(picture.step);
    if (!png_image_write_to_memory(&image, text.data(), &bytes, 0, picture.data, stride, nullptr))
        throw Error(AIANIME_IO, io::printable(path) + ": cannot be written (" + image.message + ")");
    io::AtomicFile file(path);
    file.write(text.data(), bytes);
    file.commit();
}

} // namespace aianime::vision
