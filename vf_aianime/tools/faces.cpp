// SPDX-License-Identifier: LGPL-2.1-or-later
// Who is in pictures and videos, as the filter sees it.
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "io/error.h"
#include "io/json_build.h"
#include "io/text.h"
#include "media/picture_file.h"
#include "nn/aten.h"
#include "tools/each_file.h"
#include "tools/face_report.h"
#include "tools/flags.h"
#include "tools/picture_input.h"
#include "tools/verbs.h"
#include "vision/contact_sheet.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"},           {"--output", "output"},         {"--format", "format"},   {"--fps", "fps"},
    {"--score", "score"},       {"--heads", "heads"},           {"--columns", "columns"}, {"--width", "width"},
    {"--detector", "detector"}, {"--recognizer", "recognizer"},
};

constexpr size_t most_drawn = 64; // pictures on a sheet

// "a.safetensors,b.safetensors"
std::vector<std::string> list_of(const std::string &text) {
    std::vector<std::string> list;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin)
            list.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return list;
}

class Run {
public:
    explicit Run(const Flags &flags)
        : output_(flags.text("output")), json_(wants_json(flags)), rate_(flags.has("fps") ? flags.number("fps", 0, 1000) : 2.5),
          score_(flags.has("score") ? std::optional<double>(flags.number("score", 0, 1)) : std::nullopt),
          columns_(static_cast<int>(flags.has("columns") ? flags.integer("columns", 1, 64) : 4)),
          width_(static_cast<int>(flags.has("width") ? flags.integer("width", 16, 4096) : 480)),
          finder_(pipeline::face_folder(), at::kCPU, list_of(flags.text("heads")),
                  {flags.text("detector"), flags.text("recognizer")}),
          report_(io::json_root()), files_(io::list_in(report_.get(), "files")) {}

    void look(const std::string &input) {
        json_object *object = json_ ? io::object_at_end(files_) : nullptr;
        if (object)
            io::add(object, "file", input);
        else
            std::printf("%s\n", io::printable(input).c_str());
        if (is_picture(input))
            look_at_picture(input, object);
        else
            look_at_video(input, object);
    }

    void finish() {
        if (json_)
            std::printf("%s", io::text_of(report_.get()).c_str());
        if (!output_.empty() && !drawn_.empty())
            draw();
    }

private:
    static bool wants_json(const Flags &flags) {
        const std::string format = flags.text("format");
        if (!format.empty() && format != "text" && format != "json")
            throw Error(AIANIME_INVALID, "--format: " + io::quoted(format) + " is neither text nor json");
        return format == "json";
    }

    void look_at_picture(const std::string &input, json_object *object) {
        const cv::Mat rgb = rgb_of(media::read_picture(input));
        const std::vector<pipeline::Face> faces = finder_.find(rgb, score_);
        if (object)
            add_faces(object, faces);
        else
            print_faces(faces);
        std::vector<SeenFace> seen;
        for (const pipeline::Face &face : faces)
            seen.push_back({face, -1});
        keep(rgb, seen);
    }

    void look_at_video(const std::string &input, json_object *object) {
        const PictureSeen seen = [this](double, const cv::Mat &rgb, const std::vector<SeenFace> &faces) { keep(rgb, faces); };
        const std::vector<SurveyedShot> shots = survey_faces(input, finder_, rate_, score_, output_.empty() ? PictureSeen() : seen);
        if (object)
            add_shots(object, shots);
        else
            print_shots(shots);
    }

    // Every picture until there are too many, then every other one of them, and so on: evenly over all of the time.
    void keep(const cv::Mat &rgb, const std::vector<SeenFace> &faces) {
        if (output_.empty() || offered_++ % step_ != 0)
            return;
        const cv::Mat picture = annotated(rgb, faces);
        drawn_.emplace_back();
        cv::cvtColor(picture, drawn_.back(), cv::COLOR_RGB2BGR);
        if (drawn_.size() <= most_drawn)
            return;
        for (size_t i = 0; 2 * i < drawn_.size(); i++)
            drawn_[i] = drawn_[2 * i];
        drawn_.resize((drawn_.size() + 1) / 2);
        step_ *= 2;
    }

    void draw() const {
        if (drawn_.size() == 1) {
            media::write_picture(output_, drawn_.front());
            return;
        }
        std::vector<vision::SheetStack> stacks;
        for (const cv::Mat &picture : drawn_)
            stacks.push_back({{picture}, ""});
        media::write_picture(output_, vision::stacked_sheet(stacks, columns_, width_));
    }

    const std::string output_;
    const bool json_;
    const double rate_;
    const std::optional<double> score_;
    const int columns_, width_;
    const pipeline::FaceFinder finder_;
    io::JsonRoot report_;
    json_object *files_;
    std::vector<cv::Mat> drawn_;
    size_t offered_ = 0, step_ = 1;
};

int run_faces(const Arguments &arguments) {
    const Flags flags("faces", arguments, known_flags);
    if (flags.words().empty())
        throw Error(AIANIME_INVALID, "faces: at least one picture or video is needed");
    Run run(flags);
    const aianime_result result = each_file(flags.words(), [&run](const std::string &input) { run.look(input); });
    run.finish();
    return result;
}

} // namespace

const Verb faces_verb = {
    "faces", "who is in pictures and videos: tracks, age, gender, eyes, mouth, expression",
    "usage: aianime faces FILE... [-o ANNOTATED.png] [flags]\n\n"
    "Pictures (PNG, JPEG, WebP) are listed face by face. Of a video each shot is listed with its tracks: one person through\n"
    "the shot, with what was voted over all sightings and the times at which eyes, mouth or expression changed.\n\n"
    "  -o, --output FILE  the pictures with boxes, points and words; a sheet of up to 64 where there are several\n"
    "  --format F         text or json, on the standard output [text]\n"
    "  --fps N            pictures of a video that are searched, a second; 0: all [2.5]. In three between two of them the faces\n"
    "                     are followed, for eyes and mouths\n"
    "  --score N          least score of the detector, 0 to 1 [0.5, YuNet 0.8]\n"
    "  --heads A,B        further heads, files of `aianime train attributes`\n"
    "  --detector FILE    a YuNet detector of OpenCV's model zoo (.onnx), not the built-in one\n"
    "  --recognizer FILE  an SFace recognizer of the same (.onnx) that tells people apart\n"
    "  --columns, --width N  of the sheet: pictures in a row [4], pixels of a picture's width [480]\n",
    run_faces};

} // namespace aianime::tools
