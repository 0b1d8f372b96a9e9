// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_eval.h"
#include "nn/aten.h"
#include "train/face_marks.h"

#include <algorithm>
#include <cstdio>

#include "io/error.h"
#include "train/lab.h"
#include "train/pack_eval_parts.h"
#include "train/style_probe.h"

namespace aianime::train {

namespace {

constexpr int smallest = 64; // side of a picture that can be measured

std::string text(const char *format, double a, double b, double c) {
    char line[160];
    std::snprintf(line, sizeof(line), format, a, b, c);
    return line;
}

void check(const EvalData &data, const EvalOptions &options) {
    if (data.frames.empty() || options.styles.empty())
        throw Error(AIANIME_INVALID, "measuring a pack takes a picture and a style at least");
    for (const EvalFrame &frame : data.frames)
        if (std::min(frame.picture.rows, frame.picture.cols) < smallest)
            throw Error(AIANIME_OUT_OF_RANGE, frame.name + ": a picture to measure a pack with has sides of 64 pixels at least");
}

// The sum of what is averaged by finish().
void add(StyleScore &score, const cv::Mat &made, const cv::Mat &target) {
    const EdgeMatch edges = edge_match(made, target);
    score.pictures++;
    score.ssim += ssim(made, target);
    score.psnr += psnr(made, target);
    score.edge_f1 += edges.f1();
    score.edge_precision += edges.precision;
    score.edge_recall += edges.recall;
    score.lines += line_density(made);
    score.target_lines += line_density(target);
    score.cast += mean_lab(to_lab(made)) - mean_lab(to_lab(target));
}

void add(StyleScore &sum, const StyleScore &other) {
    sum.pictures += other.pictures;
    sum.ssim += other.ssim;
    sum.psnr += other.psnr;
    sum.edge_f1 += other.edge_f1;
    sum.edge_precision += other.edge_precision;
    sum.edge_recall += other.edge_recall;
    sum.lines += other.lines;
    sum.target_lines += other.target_lines;
    sum.cast += other.cast;
}

void finish(StyleScore &score) {
    const double count = static_cast<double>(std::max<size_t>(1, score.pictures));
    for (double *sum :
         {&score.ssim, &score.psnr, &score.edge_f1, &score.edge_precision, &score.edge_recall, &score.lines, &score.target_lines})
        *sum /= count;
    score.cast /= count;
}

void add(Blockiness &sum, const cv::Mat &picture, double weight) {
    const Blockiness found = blockiness(picture);
    sum.period2 += found.period2 * weight;
    sum.period4 += found.period4 * weight;
    sum.period8 += found.period8 * weight;
}

class PackEvaluation {
public:
    PackEvaluation(const EvalData &data, const EvalOptions &options, const Report &report)
        : data_(data), options_(options), report_(report), renderer_(options.pack, report) {}

    EvalReport run() {
        check(data_, options_);
        teach();
        for (size_t i = 0; i < options_.styles.size(); i++)
            render_style(i);
        for (const StyleScore &style : result_.styles)
            add(result_.overall, style);
        for (StyleScore &style : result_.styles)
            finish(style);
        result_.overall.name = "all";
        finish(result_.overall);
        result_.cast = cv::norm(result_.overall.cast);
        probe();
        decode();
        result_.backdrop = named_colors(renderer_, frames_, true, options_, report_);
        result_.clothes = named_colors(renderer_, frames_, false, options_, report_);
        result_.spreads = color_spreads(renderer_, data_.clips, options_, report_);
        if (!options_.lora.empty() && !data_.like.empty())
            result_.lora = lora_effect(renderer_, frames_, data_.like, options_, report_);
        if (options_.many_steps > 0)
            result_.time = frame_time(renderer_, data_.frames[0].picture, options_, report_);
        return std::move(result_);
    }

private:
    struct Seen {
        size_t frame, style;
        std::vector<double> features;
    };

    const CelStyle &style(size_t i) const { return cel_styles()[options_.styles[i]]; }
    bool wanted(size_t frame, size_t i) const { return !options_.rotate || frame % options_.styles.size() == i; }

    void teach() {
        const pipeline::FaceFinder faces(pipeline::face_folder(), at::kCPU);
        for (const EvalFrame &frame : data_.frames) {
            if (report_.stopped())
                throw Error(AIANIME_CANCELLED, "stopped");
            frames_.push_back({&frame, cel_base(frame.picture, faces)});
        }
        report_.say("targets of " + std::to_string(frames_.size()) + " pictures are drawn");
    }

    // As many frames as the sheet has cells, evenly spread, in styles in turn.
    bool on_sheet(size_t frame, size_t i) const {
        const size_t styles = options_.styles.size(), cells = std::min(options_.sheet_cells, frames_.size());
        for (size_t cell = 0; cell < cells; cell++)
            if (frame == (2 * cell + 1) * frames_.size() / (2 * cells))
                return options_.rotate || cell % styles == i;
        return false;
    }

    void render_style(size_t i) {
        std::vector<size_t> which;
        std::vector<cv::Mat> sources;
        for (size_t frame = 0; frame < frames_.size(); frame++)
            if (wanted(frame, i)) {
                which.push_back(frame);
                sources.push_back(frames_[frame].frame->picture);
            }
        const std::vector<cv::Mat> made = render_all(renderer_, sources, render_options(options_, style(i).prompt), report_);
        StyleScore score;
        score.name = style(i).name;
        for (size_t k = 0; k < which.size(); k++)
            measure(which[k], i, made[k], score);
        result_.styles.push_back(score);
        StyleScore mean = score;
        finish(mean);
        report_.say(score.name + ": " + std::to_string(which.size()) + " pictures, " +
                    text("SSIM %.4f, edge F1 %.4f, PSNR %.2f dB", mean.ssim, mean.edge_f1, mean.psnr));
    }

    void measure(size_t frame, size_t i, const cv::Mat &made, StyleScore &score) {
        const cv::Mat target = cel_picture(frames_[frame].base, style(i));
        add(score, made, target);
        const double all = static_cast<double>(frames_.size() * (options_.rotate ? 1 : options_.styles.size()));
        add(result_.blockiness, made, 1 / all);
        add(result_.target_blockiness, target, 1 / all);
        made_.push_back({frame, i, color_features(made)});
        if (on_sheet(frame, i))
            result_.sheet.push_back(
                {{frames_[frame].frame->picture, target, made},
                 style(i).name + text(", SSIM %.3f, F1 %.3f", ssim(made, target), edge_match(made, target).f1(), 0)});
    }

    // Which half of the sources a frame belongs to; of one source, which half of its frames.
    size_t fold(size_t frame) const {
        const auto other = [&](const EvalFrame &one) { return one.source != data_.frames[0].source; };
        const bool several = std::any_of(data_.frames.begin(), data_.frames.end(), other);
        return (several ? data_.frames[frame].source : frame) % 2;
    }

    // Trained on the teacher's pictures of one half of the sources, asked about the pack's pictures of the other.
    void probe() {
        std::vector<Seen> taught;
        for (size_t frame = 0; frame < frames_.size(); frame++)
            for (size_t i = 0; i < options_.styles.size(); i++)
                taught.push_back({frame, i, color_features(cel_picture(frames_[frame].base, style(i)))});
        size_t right = 0, ceiling = 0, asked = 0;
        for (size_t half = 0; half < 2; half++) {
            std::vector<std::vector<double>> features;
            std::vector<size_t> classes;
            for (const Seen &seen : taught)
                if (fold(seen.frame) != half) {
                    features.push_back(seen.features);
                    classes.push_back(seen.style);
                }
            if (options_.styles.size() < 2 || features.size() < 2 * options_.styles.size())
                return; // too few to tell anything
            const StyleProbe probe(features, classes);
            for (const Seen &seen : made_)
                if (fold(seen.frame) == half) {
                    right += probe.classify(seen.features) == seen.style;
                    ceiling += probe.classify(taught[seen.frame * options_.styles.size() + seen.style].features) == seen.style;
                    asked++;
                }
        }
        result_.probed = asked;
        result_.probe_accuracy = asked > 0 ? static_cast<double>(right) / static_cast<double>(asked) : 0;
        result_.probe_ceiling = asked > 0 ? static_cast<double>(ceiling) / static_cast<double>(asked) : 0;
    }

    void decode() {
        std::vector<cv::Mat> targets;
        const size_t count = std::min(options_.decoder_frames, frames_.size());
        for (size_t k = 0; k < count; k++)
            targets.push_back(
                cel_picture(frames_[(2 * k + 1) * frames_.size() / (2 * count)].base, style(k % options_.styles.size())));
        result_.decoder_psnr = decoder_psnr(options_.pack, targets);
        report_.say(text("autoencoder: targets come back at %.2f dB", result_.decoder_psnr, 0, 0));
    }

    const EvalData &data_;
    const EvalOptions &options_;
    const Report &report_;
    const PackRenderer renderer_;
    std::vector<TaughtFrame> frames_;
    std::vector<Seen> made_;
    EvalReport result_;
};

} // namespace

EvalReport evaluate_pack(const EvalData &data, const EvalOptions &options, const Report &report) {
    return PackEvaluation(data, options, report).run();
}

} // namespace aianime::train
