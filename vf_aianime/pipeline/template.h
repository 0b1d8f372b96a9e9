// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/scheduler.h"
#include "io/json.h"
#include "nn/frame_attention.h"
#include "pipeline/windows.h"

namespace aianime::pipeline {

// How frames are made to agree, by the families of published methods.
enum class Method {
    attention,  // together: frames of a window, anchors and neighbours are seen in attention
    atlas,      // a canonical picture of the shot is made once and mapped onto each frame
    grid,       // in turn, each as the right half of a picture whose left half is the frame before
    temporalnet // in turn, the frame before and the motion from it shown to a control
};

enum class NoiseMode {
    frame,  // each frame its own noise, by its source time
    shared, // all frames the same noise
    warped  // the shared noise, carried along the motion since the shot's first frame
};

// Optical flow between generated frames.
enum class FlowMethod {
    dis, // vision/flow.h
    raft // nn/raft.h, from the user's file
};

enum class Interpolation {
    source, // neighbours carried along the source's motion
    blend,  // neighbours cross-faded by time
    none    // the nearest earlier generated frame is held
};

// Numbers the networks compute in.
enum class Precision {
    automatic, // bfloat16 where the processor has instructions for it, else float32
    float32,
    bfloat16
};

struct ControlSettings {
    std::string type = "source"; // what the ControlNet is shown: one of ControlPicture::names(), or "temporal"
    std::string model;           // folder or file below the model folders; "" = the pack's own controlnet of that type
    std::string annotator;       // file of the network that makes its picture, for types that need one
    double scale = 1;            // 0 to 2
    double start = 0;            // part of the steps it acts in, 0 to 1
    double end = 1;
};

// A LoRA of any dialect (docs/models.md).
struct LoraSettings {
    std::string file;
    double weight = 1;                 // -10 to 10
    std::optional<double> text_weight; // absent: weight
    bool partial = false;              // layers that the networks do not have are left out instead of refused
};

// A textual inversion.
struct EmbeddingSettings {
    std::string file;
    std::string name; // what to write in a prompt; "": as the file says
};

// Who writes the words that stand beside the template's.
enum class CaptionSource {
    none,
    attributes, // from what the faces show and the picture's statistics
    clip,       // phrases of a list, ranked by a CLIP model
    blip2,      // a sentence by a BLIP-2 model
    wd,         // tags by a WD tagger
    file        // a text beside the video
};

// Checkpoints trained on anime read tags ("1girl, smile"), others sentences.
enum class PromptLanguage { tags, sentence };

struct CaptionSettings {
    std::optional<CaptionSource> source; // absent: the pack's
    std::string model;                   // file or folder below the model folders
    std::string phrases;                 // of `clip`: another list, below the model folders; "": ours
    PromptLanguage language = PromptLanguage::tags;
    double weight = 1;           // 0 to 2, of what the caption says
    bool face_attributes = true; // what the faces show corrects the caption and is told by the time
};

// Pictures shown to the U-Net beside the text, so that a face or a look is kept (IP-Adapter), and words that say who somebody is.
struct IdentitySettings {
    std::string ip_adapter;    // file; "": none
    std::string image_encoder; // file or folder of a CLIP vision tower
    std::string image;         // PNG below the model folders, shown everywhere; "": each face, where it is
    double scale = 1;          // 0 to 2
    double down = 1, mid = 1, up = 1;
    double tokens = 0;                // 0 to 4, of the words that the pack's own network makes of a face
    bool faces = true;                // whether faces are looked for
    double face_rate = 2.5;           // pictures a second that are searched for them, 1 to 60; between, they are followed
    std::string detector, recognizer; // ONNX files of YuNet and SFace; "": the built-in networks
    std::vector<std::string> heads;   // files of further attributes
};

// A style, read from a JSON template (docs/templates.md). The same template drives a picture and a video. Fields that are
// std::optional fall back to the pack's defaults when absent.
struct Template {
    std::string name; // the file's name without folder and ".json"

    std::string base = "pocket";                // pack or diffusers folder below the model folders
    std::string vae;                            // another autoencoder folder; "" = the pack's
    Precision precision = Precision::automatic; // model.precision: "auto", "float32", "bfloat16"

    bool strict = false;       // weights that are not finite are refused, not only named in a warning
    bool require_hash = false; // the base must be a pack whose files are those that its pack.json lists

    std::vector<LoraSettings> loras;
    std::vector<EmbeddingSettings> embeddings;
    std::string motion; // AnimateDiff file or diffusers MotionAdapter folder; "" = none

    std::string positive;
    std::string negative;
    CaptionSettings caption;
    int clip_skip = 1; // layer of the text encoder, counted from the last

    std::optional<std::string> scheduler; // Scheduler::names()
    std::optional<diffusion::Prediction> prediction;
    std::optional<std::string> beta_schedule;
    std::optional<std::string> spacing; // of timesteps
    std::optional<double> gamma;        // of tcd, 0 to 1
    std::optional<int> steps;           // 1 to 1000
    std::optional<double> guidance;     // 0 to 50
    std::optional<double> strength;     // 0 to 1
    std::optional<double> noise_offset; // 0 to 1
    std::optional<int> size;            // 0, or 16 to 4096
    uint64_t seed = 0;

    std::optional<std::vector<ControlSettings>> controls; // absent: every control of the pack at scale 1

    IdentitySettings identity;

    Method method = Method::attention;
    nn::AttentionMode attention = nn::AttentionMode::flow;
    int window = 16;  // 1 to 64
    int overlap = 2;  // 0 to window - 1
    int segment = 32; // 1 to 64 generated frames
    WindowWeights fuse = WindowWeights::pyramid;
    bool shift = true; // windows lie half a stride further on at every other step
    NoiseMode noise = NoiseMode::shared;
    bool cfa = true;           // mode flow: the pack's trained attention between frames, where it has one
    double flow_weight = 1;    // mode flow without it: nn::CrossFrames::weight, 0 to 16
    std::optional<int> fusion; // 0 to 8 frames on each side
    double latent_fusion = 0;  // share of the steps
    FlowMethod flow = FlowMethod::dis;
    std::string flow_model; // file, of RAFT
    int flow_updates = 12;  // 1 to 64, of RAFT

    double color_lock = 0; // 0 to 1

    double generate_fps = 10; // 0 = every frame, else above 0 to 1000
    Interpolation interpolate = Interpolation::source;
};

// Reads and checks a template. `name_or_path`: a path to a file, or a name ("pop", "pop.json") that is looked for in the current
// folder (with ".json" only) and then in the template folders. Throws Error (NOT_FOUND, BAD_DATA, OUT_OF_RANGE, FORBIDDEN) naming
// file and field.
Template load_template(const std::string &name_or_path);
Template parse_template(const io::Json &json, const std::string &name);

// Paths of the templates in the template folders, by name; of two with the same name the one that load_template would take.
std::vector<std::string> installed_templates();

// "self" ... as templates and options spell them; from_string throws Error (BAD_DATA) naming the nearest choice.
const char *to_string(nn::AttentionMode mode);
const char *to_string(Method method);
const char *to_string(NoiseMode mode);
const char *to_string(FlowMethod method);
const char *to_string(Interpolation mode);
const char *to_string(CaptionSource source);
PromptLanguage prompt_language_from_string(const std::string &text, const std::string &where);
CaptionSource caption_source_from_string(const std::string &text, const std::string &where);
Interpolation interpolation_from_string(const std::string &text, const std::string &where);

} // namespace aianime::pipeline
