// SPDX-License-Identifier: LGPL-2.1-or-later
// Templates: those in the tree, the schema against the loader, lookup, and reliability cases B6 to B9, B12, B15 to B17.
#include "support.h"

#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <sstream>

#include "io/error.h"
#include "io/json.h"
#include "pipeline/template.h"

using aianime::io::Json;
using namespace aianime::pipeline;

namespace {

Template parse(const std::string &members) {
    return parse_template(Json::parse("{\"schema\": 1" + (members.empty() ? "" : ", " + members) + "}", "t.json"), "t");
}

void expect_refused(const std::string &members, aianime_result code, const char *part) {
    expect_error([&] { parse(members); }, code, part);
}

std::string tree_templates() { return tests_folder() + "/../templates"; }

template <typename T>
std::string or_dash(const std::optional<T> &value) {
    std::ostringstream text;
    if (value)
        text << *value;
    else
        text << "-";
    return text.str() + " ";
}

// Every field, for comparing.
std::string describe(const Template &t) {
    std::ostringstream text;
    text << t.base << '|' << t.vae << '|' << static_cast<int>(t.precision) << '|' << t.positive << '|' << t.negative << '|'
         << or_dash(t.scheduler) << (t.prediction ? static_cast<int>(*t.prediction) : -1) << ' ' << or_dash(t.steps)
         << or_dash(t.guidance) << or_dash(t.strength) << or_dash(t.size) << t.seed << ' ' << to_string(t.method) << ' '
         << to_string(t.attention) << ' ' << t.window << ' ' << t.overlap << ' ' << t.segment << ' ' << to_string(t.noise) << ' '
         << t.generate_fps << ' ' << to_string(t.interpolate) << ' ' << to_string(t.flow) << '|' << t.flow_model << '|'
         << t.flow_updates;
    if (t.controls)
        for (const ControlSettings &c : *t.controls)
            text << " [" << c.type << '|' << c.model << '|' << c.annotator << '|' << c.scale << ' ' << c.start << ' ' << c.end
                 << ']';
    for (const LoraSettings &lora : t.loras)
        text << " lora " << lora.file << ' ' << lora.weight << ' ' << or_dash(lora.text_weight) << lora.partial;
    for (const EmbeddingSettings &embedding : t.embeddings)
        text << " embedding " << embedding.file << ' ' << embedding.name;
    const IdentitySettings &i = t.identity;
    text << " identity " << i.ip_adapter << '|' << i.image_encoder << '|' << i.image << '|' << i.scale << ' ' << i.down << ' '
         << i.mid << ' ' << i.up << " motion " << t.motion << ' ' << t.strict << t.require_hash << " clip_skip " << t.clip_skip
         << ' ' << or_dash(t.beta_schedule) << or_dash(t.spacing) << or_dash(t.gamma) << or_dash(t.noise_offset) << "fuse "
         << static_cast<int>(t.fuse) << t.shift << t.cfa << ' ' << t.flow_weight << ' ' << or_dash(t.fusion) << t.color_lock << ' '
         << t.latent_fusion << " people " << i.tokens << ' ' << i.faces << ' ' << i.face_rate << i.detector << '|' << i.recognizer
         << '|' << i.heads.size() << " caption " << (t.caption.source ? to_string(*t.caption.source) : "-") << '|'
         << t.caption.model << '|' << t.caption.phrases << '|' << static_cast<int>(t.caption.language) << t.caption.weight
         << t.caption.face_attributes;
    return text.str();
}

// One property of schema.json, and a template that holds nothing but a value for it.
struct Property {
    Json schema;
    std::function<std::string(const std::string &value)> members;
};

void collect(const Json &object, const std::function<std::string(const std::string &)> &around, std::vector<Property> &out) {
    const Json properties = object.at("properties");
    for (const std::string &key : properties.keys()) {
        const Json schema = properties.at(key);
        const auto members = [around, key](const std::string &value) {
            // An overlap of 63 needs a window of 64.
            return around((key == "overlap" ? "\"window\": 64, \"" : "\"") + key + "\": " + value);
        };
        if (schema.has("properties"))
            collect(
                schema, [members](const std::string &inner) { return members("{" + inner + "}"); }, out);
        else if (schema.has("items"))
            collect(
                schema.at("items"), [members](const std::string &inner) { return members("[{" + inner + "}]"); }, out);
        else if (key != "schema")
            out.push_back({schema, members});
    }
}

std::vector<Property> schema_properties() {
    std::vector<Property> properties;
    collect(
        Json::load(tree_templates() + "/schema.json"), [](const std::string &members) { return members; }, properties);
    return properties;
}

void expect_accepted(const Property &property, const std::string &value) {
    try {
        parse(property.members(value));
    } catch (const aianime::Error &error) {
        ck_abort_msg("%s: refused although the schema takes it: %s", property.members(value).c_str(), error.what());
    }
}

void expect_refused(const Property &property, const std::string &value, aianime_result code) {
    try {
        parse(property.members(value));
    } catch (const aianime::Error &error) {
        ck_assert_msg(error.code() == code, "%s: %d %s", property.members(value).c_str(), error.code(), error.what());
        return;
    }
    ck_abort_msg("%s: taken although the schema does not take it", property.members(value).c_str());
}

std::string type_of(const Json &schema) { return schema.has("enum") ? "enum" : schema.at("type").string(); }

std::string plain(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

// A bound as text, `by` added; whole numbers up to 2^64 - 1 stay exact.
std::string bound(const Json &limit, int by) {
    std::ostringstream text;
    text << static_cast<__int64_t>(limit.number(-1e6, 1e6)) + by;
    return text.str();
}

} // namespace

AIANIME_TEST(templates_in_the_tree) {
    for (const char *name : {"pop", "ink", "pastel", "night"}) {
        const Template style = load_template(tree_templates() + "/" + name + ".json");
        ck_assert(style.name == name && style.base == "pocket");
        ck_assert(style.positive.find(std::string(name) + (style.name == "ink" ? " manga style" : " anime style")) == 0);
        ck_assert(style.steps == 4 && style.guidance == 1.0 && style.scheduler == "ddim");
        ck_assert(!style.controls && !style.strength && !style.size);
    }
}

AIANIME_TEST(smallest_template_has_the_defaults) {
    const Template style = parse("");
    ck_assert(describe(style) == "pocket||0||"
                                 "|- -1 - - - - 0 attention flow 16 2 32 shared 10 source dis||12 identity |||1 1 1 1 motion  00 "
                                 "clip_skip 1 - - - - fuse 111 1 - 0 0 people 0 1 2.5||0 caption -|||011");
    ck_assert(!style.controls && style.name == "t");
    ck_assert(describe(parse("\"model\": {}, \"prompt\": {}, \"sampling\": {}, \"coherence\": {}, \"time\": {}")) ==
              describe(style));
    ck_assert(parse("\"controls\": []").controls->empty());
}

AIANIME_TEST(every_field_arrives) {
    const Template style = parse(
        R"("$schema": "schema.json", "description": "d", "x_mine": [1], "model": {"base": "a/b", "vae": "v", "precision": "bfloat16", "motion": "m", "strict": true, "require_hash": true,
            "loras": [{"file": "l", "weight": -0.5, "text_weight": 2, "partial": true}, {"weight": 3}, {"file": "k"}],
            "embeddings": [{"file": "e", "name": "bad"}, {}]},
        "prompt": {"positive": "p é", "negative": "n", "clip_skip": 2, "auto_caption": "clip", "caption_model": "c/m", "phrases": "ph",
            "language": "sentence", "caption_weight": 0.5, "face_attributes": false},
        "sampling": {"scheduler": "euler_a", "prediction": "v_prediction", "beta_schedule": "linear",
            "spacing": "trailing", "gamma": 0.25, "steps": 7, "guidance": 2.5, "strength": 0.5, "noise_offset": 0.125, "seed": 18446744073709551615, "size": 0},
        "identity": {"ip_adapter": "i", "image_encoder": "h", "image": "p", "scale": 0.5, "down": 0, "mid": 0.25, "up": 2,
            "tokens": 1.5, "faces": false, "face_rate": 4, "detector": "y", "recognizer": "s", "heads": [{"file": "b"}, {"file": "g"}]},
        "controls": [{"type": "lineart", "model": "c", "annotator": "sk", "scale": 0.5, "start": 0.25, "end": 0.75}, {}],
        "coherence": {"method": "grid", "attention": "sparse", "window": 8, "overlap": 7, "segment": 5, "noise": "warped", "fuse": "gaussian", "shift": false,
            "cfa": false, "flow_weight": 2, "fusion": 3, "latent_fusion": 0.625, "flow": "raft", "flow_model": "r/s", "flow_updates": 20},
        "color": {"lock": 0.75},
        "time": {"generate_fps": 12.5, "interpolate": "blend"})");
    ck_assert(describe(style) ==
              "a/b|v|2|p é|n|euler_a 1 7 2.5 0.5 0 18446744073709551615 grid sparse 8 7 5 warped 12.5 blend raft|r/s|20"
              " [lineart|c|sk|0.5 0.25 0.75] [source|||1 0 1] lora l -0.5 2 1 lora k 1 - 0 embedding e bad"
              " identity i|h|p|0.5 0 0.25 2 motion m 11 clip_skip 2 linear trailing 0.25 0.125 fuse 200 2 3 0.75 0.625"
              " people 1.5 0 4y|s|2 caption clip|c/m|ph|10.50");
}

AIANIME_TEST(schema_bounds_are_the_loaders) {
    const std::vector<Property> properties = schema_properties();
    ck_assert_uint_ge(properties.size(), 24);
    for (const Property &property : properties) {
        const Json &schema = property.schema;
        const std::string type = type_of(schema);
        if (type == "enum")
            for (size_t i = 0; i < schema.at("enum").size(); i++)
                expect_accepted(property, "\"" + schema.at("enum").at(i).string() + "\"");
        if (type == "string" && schema.has("minLength"))
            expect_refused(property, "\"\"", AIANIME_BAD_DATA);
        else if (type == "string")
            expect_accepted(property, "\"\"");
        if (type != "integer" && type != "number")
            continue;
        expect_accepted(property, bound(schema.at("minimum"), 0));
        expect_refused(property, bound(schema.at("minimum"), -1), AIANIME_OUT_OF_RANGE);
        if (schema.at("maximum").number(0, 1e30) > 1e18) // the seed's, beyond which there are no whole numbers
            continue;
        expect_accepted(property, bound(schema.at("maximum"), 0));
        expect_refused(property, bound(schema.at("maximum"), 1), AIANIME_OUT_OF_RANGE);
        if (schema.has("not")) {
            expect_accepted(property, bound(schema.at("not").at("minimum"), -1));
            expect_refused(property, bound(schema.at("not").at("minimum"), 0), AIANIME_OUT_OF_RANGE);
            expect_refused(property, bound(schema.at("not").at("maximum"), 0), AIANIME_OUT_OF_RANGE);
            expect_accepted(property, bound(schema.at("not").at("maximum"), 1));
        }
    }
}

AIANIME_TEST(schema_defaults_are_the_loaders) {
    for (const Property &property : schema_properties()) {
        if (!property.schema.has("default"))
            continue;
        const Json value = property.schema.at("default");
        const bool is_text = type_of(property.schema) == "enum" || type_of(property.schema) == "string";
        const bool is_whole = !is_text && type_of(property.schema) != "number";
        const std::string text = is_text                                 ? "\"" + value.string() + "\""
                                 : type_of(property.schema) == "boolean" ? (value.boolean() ? "true" : "false")
                                 : is_whole                              ? bound(value, 0)
                                                                         : plain(value.number(-1e6, 1e6));
        std::string without = property.members("0");
        // The same template without the property: its name becomes the user's own.
        const size_t colon = without.rfind("\": 0"), begin = without.rfind('"', colon - 1);
        without.insert(begin + 1, "x_");
        ck_assert_msg(describe(parse(property.members(text))) == describe(parse(without)), "%s", property.members(text).c_str());
    }
}

// The loader lists the keys it knows when it is given one that is like none of them: exactly the schema's, in its order.
AIANIME_TEST(schema_names_the_loaders_keys) {
    const Json schema = Json::load(tree_templates() + "/schema.json");
    const auto compare = [](const Json &object, const std::string &before, const std::string &after) {
        const std::string known = "known: " + aianime::io::joined(object.at("properties").keys());
        std::string text;
        try {
            parse(before + "\"qqqqqqqqqqqq\": 1" + after);
        } catch (const aianime::Error &error) {
            text = error.what();
        }
        ck_assert_msg(text.size() > known.size() && text.substr(text.size() - known.size()) == known, "%s\n%s", text.c_str(),
                      known.c_str());
    };
    compare(schema, "", "");
    for (const std::string &key : schema.at("properties").keys()) {
        const Json group = schema.at("properties").at(key);
        if (group.has("properties"))
            compare(group, "\"" + key + "\": {", "}");
        if (group.has("items"))
            compare(group.at("items"), "\"" + key + "\": [{", "}]");
    }
}

AIANIME_TEST(b6_wrong_types) {
    for (const Property &property : schema_properties()) {
        const std::string type = type_of(property.schema);
        for (const char *value : {"null", "[]", "{}", "true", "[1]"})
            if (type != "boolean" || std::string(value) != "true")
                expect_refused(property, value, AIANIME_BAD_DATA);
        if (type == "integer" || type == "number")
            expect_refused(property, "\"1\"", AIANIME_BAD_DATA);
        else
            expect_refused(property, "1", AIANIME_BAD_DATA);
        if (type == "integer")
            expect_refused(property, "1.5", AIANIME_BAD_DATA);
        if (type == "enum")
            expect_refused(property, "\"Self\"", AIANIME_BAD_DATA);
    }
    for (const char *group : {"model", "prompt", "sampling", "identity", "coherence", "time"})
        for (const char *value : {"null", "[]", "1", "\"x\""})
            expect_refused("\"" + std::string(group) + "\": " + value, AIANIME_BAD_DATA, group);
    for (const char *value : {"null", "{}", "1", "[1]", "[null]", "[[]]"})
        expect_refused("\"controls\": " + std::string(value), AIANIME_BAD_DATA, "t.json: controls");
}

AIANIME_TEST(b8_b9_keys_and_schema) {
    expect_refused("\"sampling\": {\"Steps\": 4}", AIANIME_BAD_DATA,
                   "t.json: sampling: unknown key \"Steps\"; did you mean \"steps\"?");
    expect_refused("\"smapling\": {}", AIANIME_BAD_DATA, "did you mean \"sampling\"?");
    const auto document = [](const char *text) { parse_template(Json::parse(text, "t.json"), "t"); };
    expect_error([&] { document("{}"); }, AIANIME_BAD_DATA, "t.json: schema: is missing");
    expect_error([&] { document("{\"schema\": 2}"); }, AIANIME_BAD_DATA, "schema: 2 is not known");
    expect_error([&] { document("{\"schema\": 0}"); }, AIANIME_BAD_DATA, "schema: 0 is not known");
    expect_error([&] { document("{\"schema\": \"1\"}"); }, AIANIME_BAD_DATA, "whole number");
    expect_error([&] { document("[]"); }, AIANIME_BAD_DATA, "expected an object");
    expect_refused("\"sampling\": {\"scheduler\": \"dpmpp2m\"}", AIANIME_BAD_DATA, "did you mean \"dpmpp_2m\"?");
}

AIANIME_TEST(b12_model_paths) {
    for (const char *path : {"../../etc/passwd", "/etc/passwd", "~/x", "a\\\\b", "https://example.org/x", "a/.."}) {
        const std::string value = "\"" + std::string(path) + "\"";
        expect_refused("\"model\": {\"base\": " + value + "}", AIANIME_FORBIDDEN, "t.json: model.base: ");
        expect_refused("\"model\": {\"vae\": " + value + "}", AIANIME_FORBIDDEN, "t.json: model.vae: ");
        expect_refused("\"controls\": [{\"model\": " + value + "}]", AIANIME_FORBIDDEN, "t.json: controls[0].model: ");
    }
}

AIANIME_TEST(b15_to_b17_numbers) {
    ck_assert_int_eq(parse("\"coherence\": {\"window\": 1}").overlap, 0);
    ck_assert_int_eq(parse("\"coherence\": {\"window\": 3}").overlap, 2);
    ck_assert_int_eq(parse("\"coherence\": {\"window\": 64}").overlap, 2);
    expect_refused("\"coherence\": {\"window\": 8, \"overlap\": 8}", AIANIME_OUT_OF_RANGE,
                   "overlap: 8 is not below window, which is 8");
    expect_refused("\"coherence\": {\"overlap\": 16}", AIANIME_OUT_OF_RANGE, "below window");
    expect_refused("\"coherence\": {\"window\": 65}", AIANIME_OUT_OF_RANGE, "window: 65 is outside 1 to 64");
    expect_refused("\"sampling\": {\"strength\": 1.01}", AIANIME_OUT_OF_RANGE, "strength: 1.01 is outside 0 to 1");
    expect_refused("\"controls\": [{\"scale\": -1}]", AIANIME_OUT_OF_RANGE, "controls[0].scale");
    expect_refused("\"controls\": [{}, {\"start\": 0.6, \"end\": 0.5}]", AIANIME_OUT_OF_RANGE, "controls[1]: start is after end");
    expect_refused("\"controls\": [{},{},{},{},{},{},{},{},{}]", AIANIME_OUT_OF_RANGE, "more than 8");
    expect_refused("\"sampling\": {\"seed\": -1}", AIANIME_OUT_OF_RANGE, "seed: -1");
    expect_refused("\"sampling\": {\"seed\": 18446744073709551616}", AIANIME_BAD_DATA, "too large");
    ck_assert(parse("\"sampling\": {\"seed\": 9223372036854775807}").seed == INT64_MAX);
    ck_assert_double_eq(parse("\"time\": {\"generate_fps\": 0.001}").generate_fps, 0.001);
}

AIANIME_TEST(lookup) {
    const TempFolder folder;
    write_file(folder.path("one/mine.json"), "{\"schema\": 1, \"prompt\": {\"positive\": \"one\"}}");
    write_file(folder.path("two/mine.json"), "{\"schema\": 1, \"prompt\": {\"positive\": \"two\"}}");
    write_file(folder.path("two/schema.json"), "{}");
    write_file(folder.path("two/.hidden/x"), "");
    write_file(folder.path("here.json"), "{\"schema\": 1, \"prompt\": {\"positive\": \"here\"}}");
    setenv("AIANIME_TEMPLATES", (folder.path("one") + ":" + folder.path("two")).c_str(), 1);
    ck_assert(load_template("mine").positive == "one");
    ck_assert(load_template("mine.json").positive == "one" && load_template("mine.json").name == "mine");
    ck_assert(load_template(folder.path("two/mine")).positive == "two");
    ck_assert(load_template(folder.path("two/mine.json")).positive == "two");
    expect_error([] { load_template("minee"); }, AIANIME_NOT_FOUND, "did you mean \"mine\"?");
    expect_error([&] { load_template("zzzzzzz"); }, AIANIME_NOT_FOUND, (folder.path("one") + ", " + folder.path("two")).c_str());
    expect_error([] { load_template(""); }, AIANIME_NOT_FOUND, "not found in");
    expect_error([&] { load_template(folder.path("none.json")); }, AIANIME_NOT_FOUND, "none.json: cannot be opened");
    expect_error([&] { load_template(folder.path("two")); }, AIANIME_BAD_DATA, "a folder");
    // In the current folder only a name with ".json" is a file.
    ck_assert_int_eq(chdir(folder.path().c_str()), 0);
    ck_assert(load_template("here.json").positive == "here");
    expect_error([] { load_template("here"); }, AIANIME_NOT_FOUND, "\"here\"");
    size_t mine = 0;
    for (const std::string &path : installed_templates())
        mine += path == folder.path("one/mine.json");
    ck_assert_uint_eq(mine, 1);
}

int main() {
    return run_suite("template", {templates_in_the_tree, smallest_template_has_the_defaults, every_field_arrives,
                                  schema_bounds_are_the_loaders, schema_defaults_are_the_loaders, schema_names_the_loaders_keys,
                                  b6_wrong_types, b8_b9_keys_and_schema, b12_model_paths, b15_to_b17_numbers, lookup});
}
