// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known of a shot over its time, and the way of it through a report and back.
#include <cmath>
#include <cstring>

#include "io/json.h"
#include "pipeline/plan_file.h"
#include "pipeline/report_file.h"
#include "pipeline/shot_facts.h"
#include "support.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

PersonFacts person(int track) {
    PersonFacts one;
    one.track = track;
    one.male = 0.25f;
    one.age = 31;
    one.attributes = {{"beard", {"beard", "no beard"}, {0.125f, 0.875f}}};
    for (size_t i = 0; i < one.descriptor.size(); i++)
        one.descriptor[i] = static_cast<float>(i) / 128;
    one.changes = {{1, {true, false, 0}}, {2, {false, true, 1}}};
    one.sightings = {{1, {0.1f, 0.2f, 0.2f, 0.4f}}, {1.2, {0.2f, 0.2f, 0.2f, 0.4f}}, {4, {0.5f, 0.2f, 0.2f, 0.4f}}};
    return one;
}

std::shared_ptr<ShotFacts> shot(int number, int64_t first_pts) {
    auto facts = std::make_shared<ShotFacts>();
    facts->number = number;
    facts->first_pts = first_pts;
    facts->begin = 1;
    facts->end = 5000.123456;
    facts->frames = 41;
    facts->key_pts = first_pts + 3;
    facts->key_time = 1.3;
    facts->key_score = 0.5;
    facts->raw_caption = "a \"baby\" in a chair";
    facts->caption = "a woman in a chair, \xc3\xa9t\xc3\xa9";
    facts->prompts = {{1, "open eyes"}, {4321.654321, "closed eyes"}};
    facts->people = {person(0), person(3)};
    return facts;
}

const aianime_rational time_base{1, 12800};

std::string report() { return report_text({"pop", "pocket", "attributes", 7, time_base, 640, 360}, {shot(0, -5), shot(1, 900)}); }

std::string replaced(std::string text, const std::string &what, const std::string &with) {
    const size_t at = text.find(what);
    ck_assert_msg(at != std::string::npos, "nothing to replace: %s", what.c_str());
    return text.replace(at, what.size(), with);
}

Plan plan_of(const std::string &text) {
    const TempFolder folder;
    write_file(folder.path("plan.json"), text);
    return load_plan(folder.path("plan.json"), time_base);
}

void refused(const std::string &what, const std::string &with, aianime_result code, const char *part) {
    const std::string text = replaced(report(), what, with);
    expect_error([&] { plan_of(text); }, code, part);
}

double weight_at(const std::vector<TimedPrompt> &prompts, double time, const std::string &text) {
    double weight = 0;
    for (const WeightedPrompt &prompt : prompts_at(prompts, time))
        weight += prompt.text == text ? prompt.weight : 0;
    return weight;
}

} // namespace

AIANIME_TEST(people_are_where_they_were_seen_and_between) {
    const std::vector<PersonFacts> people = {person(0)};
    const auto at = [&](double time) { return people_at(people, time); };
    ck_assert_uint_eq(at(1.1).size(), 1);
    ck_assert_double_eq_tol(at(1.1)[0].box.x, 0.15, 1e-6);
    ck_assert_double_eq_tol(at(0.6)[0].box.x, 0.1, 1e-6); // half a second before the first sighting
    ck_assert(at(0.4).empty());
    ck_assert_double_eq_tol(at(1.6)[0].box.x, 0.2, 1e-6);
    ck_assert(at(2.6).empty()); // in the middle of a gap of 2.8 s
    ck_assert(at(4.6).empty());
    ck_assert(!people_at(people, 2.6, 3).empty());
}

AIANIME_TEST(people_show_what_they_last_showed) {
    const std::vector<PersonFacts> people = {person(0)};
    ck_assert(people_at(people, 1.2)[0].state.eyes_open);
    ck_assert(people_at(people, 0.8)[0].state.eyes_open);
    ck_assert(!people_at(people, 4)[0].state.eyes_open);
    ck_assert_uint_eq(people_at(people, 4)[0].state.expression, 1);
}

AIANIME_TEST(prompts_fade_into_each_other) {
    const std::vector<TimedPrompt> prompts = {{1, "a"}, {2, "b"}, {3, "c"}};
    ck_assert(prompts_at({}, 1).empty());
    ck_assert_double_eq_tol(weight_at(prompts, 0, "a"), 1, 1e-9);
    ck_assert_double_eq_tol(weight_at(prompts, 1.89, "a"), 1, 1e-9);
    ck_assert_double_eq_tol(weight_at(prompts, 1.95, "a"), 0.75, 1e-9);
    ck_assert_double_eq_tol(weight_at(prompts, 1.95, "b"), 0.25, 1e-9);
    ck_assert_double_eq_tol(weight_at(prompts, 2.5, "b"), 1, 1e-9);
    ck_assert_double_eq_tol(weight_at(prompts, 3, "b"), 0.5, 1e-9);
    ck_assert_uint_eq(prompts_at(prompts, 2.5).size(), 1);
}

AIANIME_TEST(what_was_shown_stays) {
    const std::vector<TimedPrompt> earlier = {{0, "a"}, {1, "b"}, {2, "c"}}, later = {{0, "x"}, {1.5, "b"}, {2.5, "y"}};
    const std::vector<TimedPrompt> all = continued(earlier, later, 2);
    ck_assert_uint_eq(all.size(), 3);
    ck_assert_str_eq(all[1].text.c_str(), "b"); // "c" was not shown yet; "b" holds at 2 in the later list too
    ck_assert_str_eq(all[2].text.c_str(), "y");
    ck_assert_double_eq(all[2].time, 2.5);
    ck_assert_uint_eq(continued({}, later, 2).size(), 3);
    const std::vector<TimedPrompt> other = continued(earlier, {{0, "x"}}, 1.5);
    ck_assert_uint_eq(other.size(), 3);
    ck_assert_double_eq(other[2].time, 1.5);
    ck_assert_str_eq(other[2].text.c_str(), "x");
}

AIANIME_TEST(report_comes_back_as_a_plan) {
    const Plan plan = plan_of(report());
    ck_assert_uint_eq(plan.shots.size(), 2);
    const ShotFacts &facts = plan.shots[1].facts, wanted = *shot(1, 900);
    ck_assert(plan.shots[1].has_caption && plan.shots[1].has_prompts);
    ck_assert_int_eq(facts.first_pts, 900);
    ck_assert_int_eq(facts.key_pts, 903);
    ck_assert_str_eq(facts.raw_caption.c_str(), wanted.raw_caption.c_str());
    ck_assert_str_eq(facts.caption.c_str(), wanted.caption.c_str());
    ck_assert_uint_eq(facts.prompts.size(), 2);
    ck_assert_double_eq_tol(facts.prompts[1].time, 4321.654321, 1e-9);
    ck_assert_str_eq(facts.prompts[1].text.c_str(), "closed eyes");
    ck_assert_uint_eq(facts.people.size(), 2);
    const PersonFacts &one = facts.people[1];
    ck_assert_int_eq(one.track, 3);
    ck_assert_double_eq_tol(one.male, 0.25, 1e-6);
    ck_assert_double_eq_tol(one.descriptor[100], 100 / 128.0, 1e-6);
    ck_assert(one.changes[1].state == wanted.people[1].changes[1].state);
    ck_assert_double_eq_tol(one.sightings[2].box.x, 0.5, 1e-6);
    ck_assert_str_eq(one.attributes[0].classes[1].c_str(), "no beard");
    ck_assert_double_eq_tol(one.attributes[0].probabilities[1], 0.875, 1e-6);
}

AIANIME_TEST(plan_finds_shots_by_timestamps) {
    const Plan plan = plan_of(report());
    ck_assert_ptr_null(plan.around(-6));
    ck_assert_int_eq(plan.around(-5)->facts.first_pts, -5);
    ck_assert_int_eq(plan.around(899)->facts.first_pts, -5);
    ck_assert_int_eq(plan.around(100000)->facts.first_pts, 900);
    ck_assert_ptr_nonnull(plan.beginning_at(900));
    ck_assert_ptr_null(plan.beginning_at(901));
}

AIANIME_TEST(plan_may_leave_prompts_and_caption_open) {
    std::string text = report();
    text = replaced(text, "\"prompts\"", "\"x_prompts\"");
    text = replaced(text, "\"caption\"", "\"x_caption\"");
    const Plan plan = plan_of(text);
    ck_assert(!plan.shots[0].has_caption && !plan.shots[0].has_prompts);
    ck_assert(plan.shots[1].has_caption && plan.shots[1].has_prompts);
}

AIANIME_TEST(plan_refuses_what_it_cannot_follow) {
    refused("\"schema\": 1", "\"schema\": 2", AIANIME_OUT_OF_RANGE, "schema");
    refused("1/12800", "1/90000", AIANIME_BAD_DATA, "1/12800");
    refused("\"caption\"", "\"captoin\"", AIANIME_BAD_DATA, "caption");
    refused("\"first_pts\": 900", "\"first_pts\": -5", AIANIME_BAD_DATA, "first_pts");
    refused("\"first_pts\": 900", "\"first_pts\": 9.5", AIANIME_BAD_DATA, "first_pts");
    refused("\"track\": 3", "\"track\": 0", AIANIME_BAD_DATA, "track");
    refused("\"expression\": \"neutral\"", "\"expression\": \"glad\"", AIANIME_BAD_DATA, "expression");
    refused("\"male\": 0.25", "\"male\": 1.25", AIANIME_OUT_OF_RANGE, "male");
    refused("\"time\": 4321.654321", "\"time\": 0.5", AIANIME_BAD_DATA, "times must rise");
    refused("0.0078125,", "", AIANIME_BAD_DATA, "127 numbers");
    refused("a woman", "a \xff woman", AIANIME_BAD_DATA, "UTF-8");
    expect_error([] { plan_of("[1, 2]"); }, AIANIME_BAD_DATA, "plan.json");
    expect_error([] { plan_of(""); }, AIANIME_BAD_DATA, "plan.json");
    expect_error([] { load_plan("/nonexistent/plan.json", time_base); }, AIANIME_NOT_FOUND, "plan.json");
}

AIANIME_TEST(summary_fits_one_line) {
    const std::string line = summary_of(*shot(0, 0));
    ck_assert_ptr_nonnull(std::strstr(line.c_str(), "track 3: female, 31 years"));
    ck_assert_ptr_null(std::strchr(line.c_str(), '\n'));
}

int main() {
    return run_suite("shot_facts",
                     {people_are_where_they_were_seen_and_between, people_show_what_they_last_showed, prompts_fade_into_each_other,
                      what_was_shown_stays, report_comes_back_as_a_plan, plan_finds_shots_by_timestamps,
                      plan_may_leave_prompts_and_caption_open, plan_refuses_what_it_cannot_follow, summary_fits_one_line});
}
