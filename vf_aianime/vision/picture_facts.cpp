// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/picture_facts.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "vision/palette.h"

namespace aianime::vision {

namespace {

constexpr int long_side = 256;
constexpr double least_share = 0.1;      // of a colour of the palette
constexpr double least_confidence = 0.6; // of a place
constexpr double grey_chroma = 4, near_grey_chroma = 8;

double clamped(double x) { return std::min(1.0, std::max(0.0, x)); }

// Of the values where `mask` is set (all of them without one); 0 for none.
double percentile(const cv::Mat &values, double share, const cv::Mat &mask = {}) {
    std::vector<float> sorted;
    for (int y = 0; y < values.rows; ++y)
        for (int x = 0; x < values.cols; ++x)
            if (mask.empty() || mask.at<uchar>(y, x))
                sorted.push_back(values.at<float>(y, x));
    if (sorted.empty())
        return 0;
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
}

double share_of(const cv::Mat &mask) { return cv::countNonZero(mask) / static_cast<double>(mask.total()); }

cv::Mat blurred(const cv::Mat &picture, double sigma) {
    cv::Mat result;
    cv::GaussianBlur(picture, result, {}, sigma, sigma, cv::BORDER_REFLECT);
    return result;
}

// Standard deviation around each pixel.
cv::Mat local_deviation(const cv::Mat &lightness, double sigma) {
    const cv::Mat mean = blurred(lightness, sigma);
    cv::Mat deviation = blurred(lightness.mul(lightness), sigma) - mean.mul(mean);
    cv::max(deviation, 0, deviation);
    cv::sqrt(deviation, deviation);
    return deviation;
}

cv::Mat gradient(const cv::Mat &picture, double sigma) {
    const cv::Mat smooth = blurred(picture, sigma);
    cv::Mat x, y, length;
    cv::Sobel(smooth, x, CV_32F, 1, 0, 3, 1 / 8.0);
    cv::Sobel(smooth, y, CV_32F, 0, 1, 3, 1 / 8.0);
    cv::magnitude(x, y, length);
    return length;
}

class Facts {
public:
    Facts(const cv::Mat &rgb, const std::vector<cv::Rect2f> &faces) {
        const double scale = std::min(1.0, long_side / static_cast<double>(std::max(rgb.cols, rgb.rows)));
        cv::Mat small;
        cv::resize(rgb, small, {}, scale, scale, cv::INTER_AREA);
        cv::max(cv::min(small, 1), 0, small);
        cv::cvtColor(small, lab_, cv::COLOR_RGB2Lab);
        cv::Mat planes[3];
        cv::split(lab_, planes);
        lightness_ = planes[0];
        a_ = planes[1];
        b_ = planes[2];
        cv::magnitude(a_, b_, chroma_);
        find_subject(faces);
    }

    PictureFacts run() {
        background();
        light();
        color();
        place();
        return facts_;
    }

private:
    // Faces and what is below them; the middle half without faces. The background is what is well away from it.
    void find_subject(const std::vector<cv::Rect2f> &faces) {
        subject_ = cv::Mat::zeros(lightness_.size(), CV_8U);
        face_ = subject_.clone();
        const double w = lightness_.cols, h = lightness_.rows;
        const auto draw = [&](cv::Mat &mask, double x0, double y0, double x1, double y1) {
            const cv::Point begin(cvRound(x0 * w), cvRound(y0 * h)), end(cvRound(x1 * w), cvRound(y1 * h));
            mask(cv::Rect(begin, end) & cv::Rect({0, 0}, mask.size())) = 255;
        };
        background_ = cv::Mat(subject_.size(), CV_8U, cv::Scalar(255));
        cv::Mat near = subject_.clone();
        for (const cv::Rect2f &face : faces) {
            draw(face_, face.x, face.y, face.br().x, face.br().y);
            draw(subject_, face.x - face.width * 0.2, face.y - face.height * 0.3, face.br().x + face.width * 0.2,
                 face.br().y + face.height * 0.3);
            draw(near, face.x - face.width * 0.5, face.y - face.height * 0.7, face.br().x + face.width * 0.5, 1);
            draw(near, face.x - face.width, face.br().y, face.br().x + face.width, 1);
        }
        if (faces.empty()) {
            draw(subject_, 0.25, 0.25, 0.75, 0.75);
            draw(face_, 0.35, 0.35, 0.65, 0.65);
            draw(near, 0.25, 0.2, 0.75, 1);
        }
        background_.setTo(0, near);
        has_faces_ = !faces.empty();
    }

    void light() {
        const double mean = cv::mean(lightness_)[0];
        facts_.brightness = mean < 15   ? Brightness::dark
                            : mean < 32 ? Brightness::dim
                            : mean > 72 ? Brightness::bright
                                        : Brightness::normal;
        const double range = percentile(lightness_, 0.95) - percentile(lightness_, 0.05);
        facts_.contrast = range < 30 ? Contrast::low : range > 85 ? Contrast::high : Contrast::normal;
        const double dark = share_of(lightness_ < 25), bright = share_of(lightness_ > 75);
        facts_.low_key = dark > 0.6 && percentile(lightness_, 0.99) > 45;
        facts_.high_key = bright > 0.6 && dark < 0.05;
        // The sky is bright in any daylight: the subject itself must be dark.
        const double subject = percentile(lightness_, 0.5, face_), around = percentile(lightness_, 0.6, background_);
        facts_.backlit = subject < (has_faces_ ? 38 : 25) && around > 70;
        cast();
    }

    // Greys show the colour of the light: pixels of little chroma must lean to one side, and with them the whole picture. A
    // backdrop has a colour of its own.
    void cast() {
        if (facts_.plain_background)
            return;
        const cv::Mat grey = (chroma_ < 28) & (lightness_ > 25);
        const double a = cv::mean(a_)[0], b = cv::mean(b_)[0];
        const double grey_b = cv::mean(b_, grey)[0], grey_share = share_of(grey);
        few_greys_ = grey_share < 0.1;
        if (a > -2 && b > 12 && (few_greys_ ? b > 25 && share_of(b_ > 5) > 0.85 : grey_b > 9))
            facts_.cast = Cast::warm;
        if (b < -8 && a < 10 && (few_greys_ ? b < -20 && share_of(b_ < -5) > 0.85 : grey_b < -7))
            facts_.cast = Cast::cold;
    }

    void color() {
        facts_.grey = percentile(chroma_, 0.95) < grey_chroma;
        const cv::Mat strong = chroma_ > near_grey_chroma;
        const double strong_share = share_of(strong);
        // Length of the mean direction of hue: 1 where all hues are the same.
        const double sum = cv::mean(chroma_, strong)[0];
        const double length = sum > 0 ? std::hypot(cv::mean(a_, strong)[0], cv::mean(b_, strong)[0]) / sum : 0;
        facts_.monochrome = facts_.grey || strong_share < 0.02 || (length > 0.985 && strong_share > 0.3);
        int strong_names = 0;
        for (const NamedColor &named : colors_of(lab_)) {
            if (facts_.palette.size() < 3 && named.share >= least_share)
                facts_.palette.push_back(named);
            strong_names += named.share > 0.06 && std::hypot(named.lab[1], named.lab[2]) > 30;
        }
        facts_.colorful = strong_names >= 4 && length < 0.6; // shades of a sunset are not
    }

    // Sharp edges: how many there are in places with structure, times the median of how much steeper they are at a small scale than
    // at a large one (Zhuo and Sim, Defocus map estimation from a single image, 2011: gradients before and after blurring). 0: too
    // few.
    double sharpness(const cv::Mat &region) const {
        const cv::Mat fine = gradient(lightness_, 0.7), coarse = gradient(lightness_, 2.8);
        cv::Mat highest;
        cv::dilate(fine, highest, cv::Mat());
        const cv::Mat places = region & structured_;
        const cv::Mat edges = places & (fine >= highest) & (coarse > 0.8);
        const int count = cv::countNonZero(edges);
        if (count <= 20)
            return 0;
        return count / static_cast<double>(cv::countNonZero(places)) * percentile(fine / cv::max(coarse, 1e-3), 0.5, edges);
    }

    void background() {
        const double area = cv::countNonZero(background_);
        if (area < static_cast<double>(background_.total()) / 20)
            return; // the subject fills the picture
        structured_ = local_deviation(lightness_, 4) > 2;
        const double structured = cv::countNonZero(background_ & structured_) / area, subject = sharpness(subject_);
        facts_.plain_background = structured < 0.3 && percentile(local_deviation(lightness_, 3), 0.9, background_) < 2.5;
        facts_.blurred_background =
            !facts_.plain_background && structured > 0.25 && subject > 0 && sharpness(background_) < 0.4 * subject;
    }

    // Sky: from the top down, smooth and light, blue or nearly white, not down to the bottom.
    double sky(bool blue) const {
        const cv::Mat smooth = local_deviation(lightness_, 2) < 5;
        const cv::Mat hue = blue ? (b_ < -6) & (a_ < 8) & (lightness_ > 45) : (chroma_ < 10) & (lightness_ > 84);
        const cv::Mat fits = smooth & hue;
        int count = 0;
        for (int x = 0; x < fits.cols; ++x) {
            int y = 0;
            while (y < fits.rows && fits.at<uchar>(y, x))
                ++y;
            count += y < fits.rows * 7 / 10 ? y : 0;
        }
        return count / static_cast<double>(fits.total());
    }

    // Green or olive with structure of some size: leaves, grass, trees out of focus.
    double plants() const {
        const cv::Mat green = (a_ < -4) & (b_ > 6) & (lightness_ > 8) & (lightness_ < 82);
        const cv::Mat structured = local_deviation(lightness_, 3) > 2;
        return share_of(green & structured);
    }

    void place() {
        const double blue = sky(true), white = sky(false);
        facts_.sky = blue + white;
        facts_.plants = plants();
        const bool ground = !facts_.plain_background;
        // Independent hints: each leaves a share of doubt.
        const double doubt = (1 - 0.8 * clamped(facts_.plants / 0.2)) * (1 - (ground ? 0.5 : 0.1) * clamped(blue / 0.15)) *
                             (1 - 0.3 * clamped(white / 0.15));
        // Light of lamps: warm, not bright, not from above.
        const double top = cv::mean(lightness_.rowRange(0, lightness_.rows / 3))[0];
        const double below = cv::mean(lightness_.rowRange(lightness_.rows / 3, lightness_.rows))[0];
        const bool lamps = facts_.cast == Cast::warm && !few_greys_ && below > 22 && below < 55 && top < below &&
                           facts_.sky < 0.01 && facts_.plants < 0.01;
        const double indoors = lamps && ground && !facts_.blurred_background ? 0.6 : 0;
        facts_.place_confidence = std::max(1 - doubt, indoors);
        if (facts_.place_confidence >= least_confidence)
            facts_.place = 1 - doubt >= indoors ? Place::outdoors : Place::indoors;
    }

    cv::Mat lab_, lightness_, a_, b_, chroma_;
    cv::Mat face_, subject_, background_, structured_; // CV_8U masks
    bool has_faces_ = false, few_greys_ = false;
    PictureFacts facts_;
};

} // namespace

PictureFacts picture_facts(const cv::Mat &rgb, const std::vector<cv::Rect2f> &faces) {
    if (rgb.type() != CV_32FC3 || rgb.cols < 16 || rgb.rows < 16)
        throw Error(AIANIME_INVALID, "picture facts are of pictures with three float channels, from 16x16 on");
    cv::Mat finite = rgb.clone();
    cv::patchNaNs(finite.reshape(1), 0);
    return Facts(finite, faces).run();
}

} // namespace aianime::vision
