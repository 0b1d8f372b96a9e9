// SPDX-License-Identifier: LGPL-2.1-or-later
// A head for the face-attribute network from pictures sorted into folders.
#include <filesystem>

#include "io/error.h"
#include "io/text.h"
#include "pipeline/faces.h"
#include "tools/flags.h"
#include "tools/train_verbs.h"
#include "train/attributes.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime train attributes FOLDER -o HEAD.safetensors [options]

Teaches the face-attribute network one more attribute. FOLDER has a folder for each class, say beard and no_beard, with pictures; the
largest face of each picture is taken, pictures without a face are left out and named. A part of the pictures is kept back: how many of
them the result tells right is printed. The same command goes on where one was stopped.

  -o, --output FILE        the head, a safetensors file
  --name NAME              of the attribute (default: the file's name)
  --trunk frozen|trained   whether the features that age and gender share stay as they are; trained: the file carries features of its
                           own, and age and gender still stay as they are (default: frozen)
  --crops no|yes           yes: pictures are faces already, from brow to chin (default: no)
  --steps N                (default: 400)
  --batch N                faces in a step (default: 32)
  --rate X                 learning rate (default: 0.003, with a trained trunk 0.0003)
  --check X                part of the pictures that is kept back (default: 0.2)
  --work FOLDER            state and loss curve (default: FILE with -work behind it)
  --device cpu|cuda        (default: cpu)
  --precision float32|bf16   of forward passes (default: float32)
  --seed N                 (default: 1)
)";

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"},     {"--output", "output"}, {"--name", "name"},          {"--trunk", "trunk"}, {"--crops", "crops"},
    {"--steps", "steps"}, {"--batch", "batch"},   {"--rate", "rate"},          {"--check", "check"}, {"--work", "work"},
    {"--seed", "seed"},   {"--device", "device"}, {"--precision", "precision"}};

// Whether a flag has the second of two words; the first is the default.
bool second_of(const Flags &flags, const std::string &name, const std::string &first, const std::string &second) {
    const std::string text = flags.text(name);
    if (!flags.has(name) || text == first)
        return false;
    if (text != second)
        throw Error(AIANIME_INVALID,
                    "train attributes: --" + name + ": " + io::quoted(text) + " is neither " + first + " nor " + second);
    return true;
}

void take_numbers(const Flags &flags, train::AttributeOptions &options) {
    if (flags.has("steps"))
        options.steps = flags.integer("steps", 1, 100000000);
    if (flags.has("batch"))
        options.batch = flags.integer("batch", 1, 4096);
    if (flags.has("rate"))
        options.learning_rate = flags.number("rate", 1e-8, 10);
    if (flags.has("check"))
        options.checked = flags.number("check", 0.01, 0.9);
    if (flags.has("seed"))
        options.seed = static_cast<uint64_t>(flags.integer("seed", 0, INT64_MAX));
}

int run(const Arguments &arguments) {
    const Flags flags("train attributes", arguments, known_flags);
    if (flags.words().size() != 1 || flags.text("output").empty())
        throw Error(AIANIME_INVALID,
                    "train attributes: one folder and -o HEAD.safetensors are needed; `aianime train attributes --help`");
    train::AttributeOptions options;
    options.folder = flags.words()[0];
    options.output = flags.text("output");
    options.name = flags.has("name") ? flags.text("name") : std::filesystem::path(options.output).stem().string();
    if (options.name.empty() || io::printable(options.name) != options.name)
        throw Error(AIANIME_INVALID, "train attributes: --name: " + io::quoted(options.name) + " cannot stand as a name");
    options.work = flags.has("work") ? flags.text("work") : options.output + "-work";
    options.faces = pipeline::face_folder();
    options.own_trunk = second_of(flags, "trunk", "frozen", "trained");
    options.crops = second_of(flags, "crops", "no", "yes");
    take_numbers(flags, options);
    options.bf16 = train_precision(flags.text("precision"));
    options.device = train_device(flags.text("device"));
    const train::Report report = training_report();
    if (train::train_attributes(options, report).end == train::LoopEnd::stopped)
        return AIANIME_CANCELLED;
    report.say(options.output + ": written");
    return AIANIME_OK;
}

} // namespace

const Verb train_attributes_verb = {"attributes", "one more attribute of faces, from a folder a class", help, run};

} // namespace aianime::tools
