// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/attributes.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/sha256.h"
#include "nn/aten.h"
#include "nn/face/attribute_head.h"
#include "nn/weights.h"
#include "pipeline/faces.h"
#include "train/face_classes.h"
#include "train/random.h"

namespace aianime::train {

namespace {

constexpr int64_t side = nn::FaceFeatures::side;

// What is trained on and what is kept back: each class shuffled and cut in two.
struct Split {
    std::vector<std::vector<at::Tensor>> train, check;
};

Split split(const std::vector<FaceClass> &classes, double checked, uint64_t seed) {
    Split result;
    for (const FaceClass &each : classes) {
        std::vector<at::Tensor> faces = each.faces;
        Draw draw(mix(seed, text_hash(each.name)));
        for (size_t i = faces.size(); i > 1; i--)
            std::swap(faces[i - 1], faces[static_cast<size_t>(draw.below(static_cast<int64_t>(i)))]);
        const auto wanted = static_cast<int64_t>(std::llround(static_cast<double>(faces.size()) * checked));
        const int64_t kept = std::clamp<int64_t>(wanted, 1, static_cast<int64_t>(faces.size()) - 1);
        result.check.emplace_back(faces.begin(), faces.begin() + kept);
        result.train.emplace_back(faces.begin() + kept, faces.end());
    }
    return result;
}

// A part of at least nine tenths of the sides, mirrored by chance, a little lighter or darker and flatter or harder.
at::Tensor varied(const at::Tensor &face, Draw &draw) {
    const int64_t part = side - draw.below(side / 10 + 1);
    const int64_t left = draw.below(side - part + 1), top = draw.below(side - part + 1);
    at::Tensor seen = face.narrow(2, left, part).narrow(1, top, part).unsqueeze(0).to(at::kFloat) / 255;
    if (part != side)
        seen = at::upsample_bilinear2d(seen, {side, side}, false);
    if (draw.chance(0.5))
        seen = seen.flip(3);
    const double contrast = draw.between(0.8, 1.2), light = draw.between(-0.1, 0.1);
    return ((seen - 0.5) * contrast + 0.5 + light).clamp(0, 1);
}

// Everything that must be as it was for a state to be continued.
std::string fingerprint(const AttributeOptions &options, const std::vector<FaceClass> &classes) {
    io::Sha256 hash;
    std::ostringstream text;
    text << options.name << ' ' << options.own_trunk << ' ' << options.crops << ' ' << options.batch << ' ' << options.checked
         << ' ' << options.seed;
    for (const FaceClass &each : classes) {
        text << '/' << each.name << ' ' << each.faces.size();
        for (const at::Tensor &face : each.faces)
            hash.update(face.const_data_ptr(), static_cast<size_t>(face.nbytes()));
    }
    hash.update(text.str().data(), text.str().size());
    return hash.hex();
}

void check_work(const std::string &work, const std::string &wanted) {
    std::filesystem::create_directories(work);
    const std::string path = work + "/pictures.sha256";
    std::ifstream file(path);
    std::string found;
    if (file >> found) {
        if (found != wanted)
            throw Error(AIANIME_INVALID,
                        work + ": holds the state of a training on other pictures or with other options; name another "
                               "folder with --work, or remove this one");
        return;
    }
    io::AtomicFile written(path);
    written.write((wanted + "\n").data(), wanted.size() + 1);
    written.commit();
}

class Trainer {
public:
    Trainer(const AttributeOptions &options, std::vector<std::string> classes, Split pictures)
        : options_(options), pictures_(std::move(pictures)), head_(options.name, std::move(classes), options.own_trunk) {
        nn::load_face_network(shared_, nn::WeightSource::from_file(options.faces + "/age_gender.safetensors"), options.device);
        initialise(head_, options.seed, options.device, nullptr);
        if (head_.trunk)
            copy_trunk();
        parameters_ = trainable(head_, "", nullptr);
    }

    LoopEnd train(const Report &report) {
        LoopOptions loop;
        loop.title = "attribute";
        loop.folder = options_.work;
        loop.steps = options_.steps;
        loop.learning_rate = options_.learning_rate > 0 ? options_.learning_rate : options_.own_trunk ? 3e-4 : 3e-3;
        loop.warmup = std::min<int64_t>(20, options_.steps);
        loop.bf16 = options_.bf16;
        return run_loop(
            parameters_, loop, [this](int64_t step, int64_t micro) { return loss(step, micro); }, nullptr, report);
    }

    std::vector<std::vector<int64_t>> confusion() const {
        const at::NoGradGuard no_gradient;
        const size_t count = pictures_.check.size();
        std::vector<std::vector<int64_t>> table(count, std::vector<int64_t>(count, 0));
        for (size_t i = 0; i < count; i++)
            for (const at::Tensor &face : pictures_.check[i]) {
                const at::Tensor x = (face.unsqueeze(0).to(at::kFloat) / 255).to(options_.device);
                table[i][static_cast<size_t>(logits(x).argmax(1).item<int64_t>())]++;
            }
        return table;
    }

    void save() { head_.save(options_.output, shared_); }

private:
    void copy_trunk() {
        std::map<std::string, at::Tensor> values;
        shared_.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) { values[name] = tensor; });
        head_.trunk->visit(
            [&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) { tensor = values.at(name).clone(); });
    }

    at::Tensor logits(const at::Tensor &x) const {
        if (head_.trunk)
            return head_.forward(x, {});
        const at::NoGradGuard no_gradient;
        const at::Tensor features = shared_.forward(x);
        const at::AutoGradMode with_gradient(true);
        return head_.forward(x, features);
    }

    // Every class is drawn as often as every other.
    at::Tensor loss(int64_t step, int64_t micro) const {
        Draw draw(mix(options_.seed, static_cast<uint64_t>(step), static_cast<uint64_t>(micro)));
        std::vector<at::Tensor> faces;
        std::vector<int64_t> classes;
        for (int64_t i = 0; i < options_.batch; i++) {
            classes.push_back(draw.below(static_cast<int64_t>(pictures_.train.size())));
            const std::vector<at::Tensor> &from = pictures_.train[static_cast<size_t>(classes.back())];
            faces.push_back(varied(from[static_cast<size_t>(draw.below(static_cast<int64_t>(from.size())))], draw));
        }
        const at::Tensor x = at::cat(faces).to(options_.device);
        return at::cross_entropy_loss(logits(x).to(at::kFloat), at::tensor(classes, at::kLong).to(options_.device));
    }

    AttributeOptions options_;
    Split pictures_;
    nn::AgeGender shared_;
    nn::AttributeHead head_;
    Parameters parameters_;
};

void say_result(const AttributeResult &result, const Report &report) {
    char line[64];
    std::snprintf(line, sizeof line, "%.1f %%", 100 * result.accuracy());
    report.say("right on " + std::string(line) + " of " + std::to_string(result.checked_on) + " pictures that were kept back");
    for (size_t i = 0; i < result.classes.size(); i++) {
        std::string row = "  " + result.classes[i] + " is told as";
        for (size_t k = 0; k < result.classes.size(); k++)
            row += (k ? ", " : " ") + result.classes[k] + ": " + std::to_string(result.confusion[i][k]);
        report.say(row);
    }
}

std::vector<FaceClass> read_classes(const AttributeOptions &options, const Report &report) {
    if (options.crops)
        return read_face_classes(options.folder, nullptr, side, report);
    const pipeline::FaceFinder finder(options.faces, options.device);
    return read_face_classes(options.folder, &finder, side, report);
}

int64_t count(const std::vector<std::vector<at::Tensor>> &faces) {
    int64_t sum = 0;
    for (const auto &each : faces)
        sum += static_cast<int64_t>(each.size());
    return sum;
}

} // namespace

double AttributeResult::accuracy() const {
    int64_t right = 0;
    for (size_t i = 0; i < confusion.size(); i++)
        right += confusion[i][i];
    return checked_on ? static_cast<double>(right) / static_cast<double>(checked_on) : 0;
}

AttributeResult train_attributes(const AttributeOptions &options, const Report &report) {
    // Told before hours of training, not behind them.
    static_cast<void>(io::AtomicFile(options.output));
    const std::vector<FaceClass> classes = read_classes(options, report);
    AttributeResult result{};
    for (const FaceClass &each : classes)
        result.classes.push_back(each.name);
    check_work(options.work, fingerprint(options, classes));
    Split pictures = split(classes, options.checked, options.seed);
    result.trained_on = count(pictures.train);
    result.checked_on = count(pictures.check);
    report.say(options.name + ": " + std::to_string(classes.size()) + " classes, " + std::to_string(result.trained_on) +
               " faces to train on, " + std::to_string(result.checked_on) + " kept back to check");
    Trainer trainer(options, result.classes, std::move(pictures));
    result.end = trainer.train(report);
    result.confusion = trainer.confusion();
    say_result(result, report);
    if (result.end == LoopEnd::done)
        trainer.save();
    return result;
}

} // namespace aianime::train
