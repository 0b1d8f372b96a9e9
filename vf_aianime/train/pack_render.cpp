// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_render.h"

#include <json-c/json.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "include/aianime.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/system_error.h"

namespace aianime::train {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

cv::Mat to_codes(const cv::Mat &picture) {
    if (picture.type() != CV_32FC3)
        throw Error(AIANIME_INVALID, "a pack is shown colour pictures in float");
    cv::Mat codes;
    picture.convertTo(codes, CV_8UC3, 255);
    return codes;
}

cv::Mat from_codes(const cv::Mat &codes) {
    cv::Mat picture;
    codes.convertTo(picture, CV_32FC3, 1 / 255.0);
    return picture;
}

aianime_frame frame_of(cv::Mat &codes) {
    aianime_frame frame{};
    frame.struct_size = sizeof(frame);
    frame.format.model = AIANIME_RGB;
    frame.format.components = 3;
    for (int i = 0; i < 3; i++)
        frame.format.component[i] = {0, 3, i, 0, 8};
    frame.width = codes.cols;
    frame.height = codes.rows;
    frame.data[0] = codes.data;
    frame.linesize[0] = static_cast<ptrdiff_t>(codes.step[0]);
    frame.matrix = 2;
    frame.range = 2;
    return frame;
}

// A session of the library for frames of one size.
class Engine {
public:
    Engine(const std::string &template_path, cv::Size size, const RenderOptions &options, const Report &report)
        : api_(aianime_get_api(AIANIME_API_VERSION)), report_(report) {
        aianime_settings settings{};
        settings.struct_size = sizeof(settings);
        settings.template_path = template_path.c_str();
        settings.models_path = "/"; // the template names files from there
        settings.device = "cpu";
        settings.threads = options.threads;
        settings.width = size.width;
        settings.height = size.height;
        settings.time_base = {1, 10};
        settings.frame_rate = {10, 1};
        settings.log = log;
        settings.callback_context = this;
        require(api_->open(&engine_, &settings));
    }
    ~Engine() { api_->close(&engine_); }
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;

    std::vector<cv::Mat> run(const std::vector<cv::Mat> &sources) {
        std::vector<cv::Mat> held, made;
        for (size_t i = 0; i < sources.size(); i++) {
            held.push_back(to_codes(sources[i]));
            aianime_frame frame = frame_of(held.back());
            frame.pts = static_cast<int64_t>(i);
            frame.duration = 1;
            require(api_->send(engine_, &frame));
        }
        require(api_->drain(engine_));
        for (const cv::Mat &source : held) {
            cv::Mat result(source.size(), source.type());
            aianime_frame frame = frame_of(result);
            require(api_->receive(engine_, &frame));
            if (frame.origin != AIANIME_ORIGIN_GENERATED)
                throw Error(AIANIME_OUT_OF_RANGE, "a picture of " + std::to_string(source.cols) + "x" +
                                                      std::to_string(source.rows) +
                                                      " is not stylized; pictures to measure a pack with must be larger");
            made.push_back(from_codes(result));
        }
        require(api_->reset(engine_));
        return made;
    }

private:
    static void log(void *context, aianime_log_level level, const char *line) {
        auto &self = *static_cast<Engine *>(context);
        if (level == AIANIME_LOG_ERROR)
            self.error_ = line;
        else if (level == AIANIME_LOG_WARNING)
            self.report_.say("warning: " + std::string(line));
    }

    void require(int result) {
        if (result == AIANIME_OK)
            return;
        api_->close(&engine_);
        throw Error(static_cast<aianime_result>(result), error_.empty() ? api_->result_text(result) : error_);
    }

    const aianime_api *api_;
    const Report report_;
    std::string error_;
    aianime_engine *engine_ = nullptr;
};

json_object *object_with(json_object *parent, const char *key) {
    json_object *object = json_object_new_object();
    json_object_object_add(parent, key, object);
    return object;
}

void add(json_object *object, const char *key, const std::string &text) {
    json_object_object_add(object, key, json_object_new_string(text.c_str()));
}

void add(json_object *object, const char *key, int number) { json_object_object_add(object, key, json_object_new_int(number)); }

// A path as it is written in a template whose folder is "/".
std::string from_root(const std::string &path) { return io::real_path(path).substr(1); }

} // namespace

PackRenderer::PackRenderer(const std::string &pack, const Report &report) : pack_(io::real_path(pack)), report_(report) {
    std::string name = (fs::temp_directory_path() / "aianime-render-XXXXXX").string();
    if (!mkdtemp(name.data()))
        throw io::system_error(name, "cannot be made", errno);
    folder_ = name;
}

PackRenderer::~PackRenderer() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string PackRenderer::write_template(const RenderOptions &options) const {
    const std::unique_ptr<json_object, int (*)(json_object *)> json(json_object_new_object(), json_object_put);
    add(json.get(), "schema", 1);
    json_object *model = object_with(json.get(), "model");
    add(model, "base", from_root(pack_));
    add(model, "precision", options.precision);
    if (!options.lora.empty()) {
        json_object *loras = json_object_new_array(), *lora = json_object_new_object();
        add(lora, "file", from_root(options.lora));
        json_object_array_add(loras, lora);
        json_object_object_add(model, "loras", loras);
    }
    add(object_with(json.get(), "prompt"), "positive", options.prompt);
    json_object *sampling = object_with(json.get(), "sampling");
    add(sampling, "steps", options.steps);
    add(sampling, "size", 0);
    json_object_object_add(sampling, "seed", json_object_new_uint64(options.seed));
    json_object *coherence = object_with(json.get(), "coherence"), *time = object_with(json.get(), "time");
    add(coherence, "attention", options.attention);
    add(coherence, "noise", options.shared_noise ? "shared" : "frame");
    add(time, "generate_fps", 0);
    add(time, "interpolate", "none");

    const std::string text = json_object_to_json_string(json.get()), path = folder_ + "/render.json";
    io::AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
    return path;
}

Rendered PackRenderer::pictures(const std::vector<cv::Mat> &sources, const RenderOptions &options) const {
    const std::string path = write_template(options);
    std::unique_ptr<Engine> engine;
    cv::Size size;
    Rendered result;
    for (const cv::Mat &source : sources) {
        if (report_.stopped())
            break;
        if (!engine || source.size() != size) {
            engine.reset();
            size = source.size();
            engine = std::make_unique<Engine>(path, size, options, report_);
        }
        const Clock::time_point start = Clock::now();
        result.pictures.push_back(engine->run({source})[0]);
        result.seconds.push_back(seconds_since(start));
    }
    return result;
}

Rendered PackRenderer::clip(const std::vector<cv::Mat> &sources, const RenderOptions &options) const {
    if (sources.empty())
        return {};
    Engine engine(write_template(options), sources[0].size(), options, report_);
    const Clock::time_point start = Clock::now();
    Rendered result;
    result.pictures = engine.run(sources);
    result.seconds.assign(sources.size(), seconds_since(start) / static_cast<double>(sources.size()));
    return result;
}

} // namespace aianime::train
