// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures through the same template as video: each is a clip of one frame, sent through the library's C API.
#include <cstdio>
#include <filesystem>

#include "io/error.h"
#include "media/picture_file.h"
#include "tools/each_file.h"
#include "tools/flags.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

const std::map<std::string, std::string> known_flags = {
    {"-t", "template"},         {"--template", "template"}, {"-o", "output"},       {"--output", "output"},
    {"--models", "models"},     {"--device", "device"},     {"--prompt", "prompt"}, {"--negative", "negative"},
    {"--seed", "seed"},         {"--steps", "steps"},       {"--size", "size"},     {"--strength", "strength"},
    {"--guidance", "guidance"}, {"--threads", "threads"},   {"--noise", "noise"},   {"--caption", "caption"},
    {"--captions", "captions"},
};

void print_log(void *, aianime_log_level level, const char *line) {
    if (level <= AIANIME_LOG_WARNING)
        std::fprintf(stderr, "aianime: %s\n", line);
}

// An engine for pictures of one size; opened again when the next picture has another.
class PictureEngine {
public:
    explicit PictureEngine(const Flags &flags)
        : api_(aianime_get_api(AIANIME_API_VERSION)), look_(flags.text("template")), models_(flags.text("models")),
          device_(flags.text("device")), prompt_(flags.text("prompt")), negative_(flags.text("negative")),
          noise_(flags.text("noise")), caption_(flags.text("caption")), captions_(flags.text("captions")) {
        settings_.struct_size = sizeof(settings_);
        settings_.template_path = look_.c_str();
        settings_.models_path = models_.c_str();
        settings_.device = device_.c_str();
        settings_.prompt = prompt_.c_str();
        settings_.negative = negative_.c_str();
        settings_.noise_path = noise_.c_str();
        settings_.caption = caption_.c_str();
        settings_.captions_path = captions_.c_str();
        settings_.log = print_log;
        read_numbers(flags);
    }
    ~PictureEngine() { api_->close(&engine_); }
    PictureEngine(const PictureEngine &) = delete;
    PictureEngine &operator=(const PictureEngine &) = delete;

    // The result; failures are in the log already, the code is in the Error.
    cv::Mat run(cv::Mat picture) {
        open(picture.cols, picture.rows);
        const aianime_frame in = media::frame_of(picture);
        cv::Mat result(picture.size(), picture.type());
        aianime_frame out = media::frame_of(result);
        require(api_->send(engine_, &in));
        require(api_->drain(engine_));
        require(api_->receive(engine_, &out));
        require(api_->reset(engine_));
        return result;
    }

private:
    void read_numbers(const Flags &flags) {
        const auto given = [&](const char *name, uint32_t bit) {
            settings_.given |= flags.has(name) ? bit : 0;
            return flags.has(name);
        };
        if (given("seed", AIANIME_SET_SEED))
            settings_.seed = static_cast<uint64_t>(flags.integer("seed", 0, INT64_MAX));
        if (given("steps", AIANIME_SET_STEPS))
            settings_.steps = static_cast<int>(flags.integer("steps", 1, 1000));
        if (given("size", AIANIME_SET_SIZE))
            settings_.size = static_cast<int>(flags.integer("size", 0, 4096));
        if (given("strength", AIANIME_SET_STRENGTH))
            settings_.strength = flags.number("strength", 0, 1);
        if (given("guidance", AIANIME_SET_GUIDANCE))
            settings_.guidance = flags.number("guidance", 0, 50);
        if (flags.has("threads"))
            settings_.threads = static_cast<int>(flags.integer("threads", 0, 1024));
    }

    void open(int width, int height) {
        if (engine_ && settings_.width == width && settings_.height == height)
            return;
        api_->close(&engine_);
        settings_.width = width;
        settings_.height = height;
        require(api_->open(&engine_, &settings_));
    }

    void require(int result) {
        if (result == AIANIME_OK)
            return;
        api_->close(&engine_);
        throw Error(static_cast<aianime_result>(result), api_->result_text(result));
    }

    const aianime_api *api_;
    const std::string look_, models_, device_, prompt_, negative_, noise_, caption_, captions_;
    aianime_settings settings_{};
    aianime_engine *engine_ = nullptr;
};

std::string output_path(const std::string &output, const std::string &input, bool into_folder) {
    if (!into_folder)
        return output;
    return (fs::path(output) / fs::path(input).filename()).string();
}

int run_image(const Arguments &arguments) {
    const Flags flags("image", arguments, known_flags);
    const std::string output = flags.text("output");
    if (flags.words().empty())
        throw Error(AIANIME_INVALID, "image: at least one picture is needed");
    if (output.empty())
        throw Error(AIANIME_INVALID, "image: -o FILE, or -o FOLDER for several pictures, is needed");
    const bool into_folder = flags.words().size() > 1 || output.back() == '/' || fs::is_directory(output);
    if (into_folder)
        fs::create_directories(output);

    PictureEngine engine(flags);
    return each_file(flags.words(), [&](const std::string &input) {
        const std::string path = output_path(output, input, into_folder);
        media::write_picture(path, engine.run(media::read_picture(input)));
        std::printf("%s\n", path.c_str());
    });
}

} // namespace

const Verb image_verb = {
    "image", "stylizes pictures with the template a video would be given",
    "usage: aianime image PICTURE... -o OUT [-t TEMPLATE] [flags]\n\n"
    "OUT is a file for one picture, a folder for several, whose names are kept. PNG, JPEG and WebP, 8 bits, and 16 bits\n"
    "where the format has them; alpha is kept. A picture is a clip of one frame and looks as that clip's first frame does.\n"
    "A picture that fails is reported, the others are still made; the exit status is that of the first failure.\n\n"
    "  -t, --template T   path or name of a template [pop]\n"
    "  --models DIR       folder of the packs [AIANIME_MODELS, installed, tree]\n"
    "  --device D         auto or cpu [auto]\n"
    "  --prompt, --negative TEXT\n"
    "  --caption C        who describes the pictures: none, attributes, clip, blip2, wd, file; --captions FILE: their texts\n"
    "  --seed, --steps, --size, --strength, --guidance N   instead of the template's\n"
    "  --noise N.safetensors  the initial noise instead of the seed's: a tensor [frames, channels, height, width] of latents,\n"
    "                     the only one or called noise; a picture takes the first row\n"
    "  --threads N        CPU threads, 0 = all [0]\n",
    run_image};

} // namespace aianime::tools
