// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/baseline.h"

#include <json-c/json.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/file.h"
#include "io/json.h"
#include "io/system_error.h"
#include "pipeline/template.h"
#include "pipeline/template_search.h"

namespace aianime::eval {

namespace {

using Object = std::unique_ptr<json_object, int (*)(json_object *)>;

json_object *group(json_object *root, const char *key) {
    json_object *found = nullptr;
    if (json_object_object_get_ex(root, key, &found))
        return found;
    found = json_object_new_object();
    json_object_object_add(root, key, found);
    return found;
}

void set(json_object *object, const char *key, const char *text) {
    json_object_object_add(object, key, json_object_new_string(text));
}

void keep_only(json_object *object, const std::vector<std::string> &keys) {
    std::vector<std::string> others;
    json_object_object_foreach(object, key, value) {
        (void)value;
        if (std::find(keys.begin(), keys.end(), key) == keys.end())
            others.emplace_back(key);
    }
    for (const std::string &key : others)
        json_object_object_del(object, key.c_str());
}

void drop_temporal_controls(json_object *root) {
    json_object *controls = nullptr;
    if (!json_object_object_get_ex(root, "controls", &controls))
        return;
    for (size_t i = json_object_array_length(controls); i-- > 0;) {
        json_object *type = nullptr;
        if (json_object_object_get_ex(json_object_array_get_idx(controls, i), "type", &type) &&
            std::string(json_object_get_string(type)) == "temporal")
            json_object_array_del_idx(controls, i, 1);
    }
}

// A file in a folder of its own, for as long as this lives.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string &text) {
        std::string name = (std::filesystem::temp_directory_path() / "aianime-eval-XXXXXX").string();
        if (!mkdtemp(name.data()))
            throw io::system_error(name, "cannot be made", errno);
        folder_ = name;
        io::AtomicFile file(path());
        file.write(text.data(), text.size());
        file.commit();
    }
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;

    std::string path() const { return folder_ + "/baseline.json"; }

private:
    std::string folder_;
};

class Engine {
public:
    Engine(aianime_settings settings, const BaselineOptions &options)
        : api_(aianime_get_api(AIANIME_API_VERSION)), warn_(options.warn) {
        settings.struct_size = sizeof(settings);
        settings.log = log;
        settings.callback_context = this;
        require(api_->open(&engine_, &settings));
    }
    ~Engine() { api_->close(&engine_); }
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;

    std::vector<media::VideoFrame> run(const std::vector<media::VideoFrame> &frames, const std::vector<int64_t> &pts) {
        std::vector<media::VideoFrame> made;
        for (size_t i = 0; i < frames.size(); i++) {
            aianime_frame frame = frames[i].view();
            frame.pts = pts[i];
            require(api_->send(engine_, &frame));
            receive(made, frames[0]);
        }
        require(api_->drain(engine_));
        receive(made, frames[0]);
        if (made.size() != frames.size())
            throw Error(AIANIME_INTERNAL, "the library gave another number of frames than it was sent");
        return made;
    }

private:
    void receive(std::vector<media::VideoFrame> &made, const media::VideoFrame &like) {
        for (;;) {
            const media::VideoFrame result(like.size, like.layout);
            aianime_frame frame = result.view();
            const int code = api_->receive(engine_, &frame);
            if (code == AIANIME_AGAIN || code == AIANIME_EOF)
                return;
            require(code);
            made.push_back(result);
        }
    }

    static void log(void *context, aianime_log_level level, const char *line) {
        auto &self = *static_cast<Engine *>(context);
        if (level == AIANIME_LOG_ERROR)
            self.error_ = line;
        else if (level == AIANIME_LOG_WARNING && self.warn_)
            self.warn_(line);
    }

    void require(int result) {
        if (result == AIANIME_OK)
            return;
        api_->close(&engine_);
        throw Error(static_cast<aianime_result>(result), error_.empty() ? api_->result_text(result) : error_);
    }

    const aianime_api *api_;
    const std::function<void(const std::string &)> warn_;
    std::string error_;
    aianime_engine *engine_ = nullptr;
};

} // namespace

std::string baseline_template(const std::string &name_or_path, Baseline baseline, bool all_generated) {
    pipeline::load_template(name_or_path); // refuses what is not one
    const std::string text = io::read_file(pipeline::find_template(name_or_path), io::Json::max_file_bytes);
    const Object root(json_tokener_parse(text.c_str()), json_object_put);
    json_object *coherence = group(root.get(), "coherence");
    keep_only(coherence, {"window", "overlap", "segment"});
    set(coherence, "attention", "self");
    set(coherence, "noise", baseline == Baseline::self_frame ? "frame" : "shared");
    json_object_object_del(group(root.get(), "model"), "motion");
    drop_temporal_controls(root.get());
    if (all_generated) {
        json_object *time = group(root.get(), "time");
        json_object_object_add(time, "generate_fps", json_object_new_int(0));
        set(time, "interpolate", "none");
    }
    return json_object_to_json_string(root.get());
}

std::vector<media::VideoFrame> render_baseline(const std::vector<media::VideoFrame> &frames, const std::vector<int64_t> &pts,
                                               aianime_rational time_base, Baseline baseline, const BaselineOptions &options) {
    if (frames.empty())
        return {};
    const TemporaryFile look(baseline_template(options.look, baseline, options.all_generated));
    const std::string path = look.path();
    aianime_settings settings = options.settings;
    settings.template_path = path.c_str();
    settings.width = frames[0].size.width;
    settings.height = frames[0].size.height;
    settings.time_base = time_base;
    return Engine(settings, options).run(frames, pts);
}

} // namespace aianime::eval
