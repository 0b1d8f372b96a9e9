/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A caller of libaianime that knows only its public header. */
#include <check.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aianime.h"

enum { WIDTH = 48, HEIGHT = 32, MOST_FRAMES = 64 };

static const aianime_api *api;
static char last_error[512];

static void remember_error(void *context, aianime_log_level level, const char *line) {
    (void)context;
    if (level == AIANIME_LOG_ERROR)
        snprintf(last_error, sizeof(last_error), "%s", line);
}

/* 4:2:0, 8 bits. */
typedef struct picture {
    uint8_t luma[WIDTH * HEIGHT];
    uint8_t chroma[2][WIDTH * HEIGHT / 4];
} picture;

static aianime_frame frame_of(picture *p, int64_t pts) {
    aianime_frame frame = {sizeof(frame)};
    frame.format = (aianime_format){.model = AIANIME_YUV, .components = 3, .log2_chroma_w = 1, .log2_chroma_h = 1};
    for (int i = 0; i < 3; i++)
        frame.format.component[i] = (aianime_component){.plane = i, .step = 1, .depth = 8};
    frame.width = WIDTH;
    frame.height = HEIGHT;
    frame.data[0] = p->luma;
    frame.data[1] = p->chroma[0];
    frame.data[2] = p->chroma[1];
    frame.linesize[0] = WIDTH;
    frame.linesize[1] = frame.linesize[2] = WIDTH / 2;
    frame.matrix = 2;
    frame.pts = pts;
    frame.duration = 1;
    frame.opaque = p;
    return frame;
}

/* A bright square that moves over a gradient. */
static void draw(picture *p, int number) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            p->luma[y * WIDTH + x] = abs(x - 8 - number % 24) < 6 && abs(y - 16) < 6 ? 220 : 40 + x + y;
    memset(p->chroma[0], 120, sizeof(p->chroma[0]));
    memset(p->chroma[1], 140, sizeof(p->chroma[1]));
}

static aianime_settings small_settings(void) {
    aianime_settings settings = {sizeof(settings)};
    settings.template_path = "templates/pop.json";
    settings.models_path = "models";
    settings.width = WIDTH;
    settings.height = HEIGHT;
    settings.time_base = (aianime_rational){1, 30};
    settings.given = AIANIME_SET_SIZE | AIANIME_SET_STEPS | AIANIME_SET_SEGMENT | AIANIME_SET_WINDOW | AIANIME_SET_OVERLAP;
    settings.size = 32;
    settings.steps = 1;
    settings.window = 4;
    settings.overlap = 1;
    settings.segment = 4;
    settings.log = remember_error;
    return settings;
}

static aianime_engine *open_or_fail(const aianime_settings *settings) {
    aianime_engine *engine = NULL;
    const int result = api->open(&engine, settings);
    ck_assert_msg(result == AIANIME_OK, "open: %s: %s", api->result_text(result), last_error);
    ck_assert_ptr_nonnull(engine);
    return engine;
}

/* Sends `count` frames and takes out all it can; returns how many came out, in order, and leaves the pictures in `out`. */
static int run(aianime_engine *engine, picture *in, picture *out, int count, int drain) {
    int received = 0;
    for (int i = 0; i <= count; i++) {
        if (i < count) {
            draw(&in[i], i);
            aianime_frame frame = frame_of(&in[i], i);
            ck_assert_int_eq(api->send(engine, &frame), AIANIME_OK);
        } else if (drain) {
            ck_assert_int_eq(api->drain(engine), AIANIME_OK);
        }
        for (;;) {
            picture spare;
            aianime_frame frame = frame_of(received < count ? &out[received] : &spare, -1);
            const int result = api->receive(engine, &frame);
            if (result != AIANIME_OK) {
                ck_assert_int_eq(result, i < count || !drain ? AIANIME_AGAIN : AIANIME_EOF);
                break;
            }
            ck_assert_int_lt(received, count);
            ck_assert_int_eq(frame.pts, received);
            ck_assert_int_eq(frame.duration, 1);
            ck_assert_ptr_eq(frame.opaque, &in[received]);
            ck_assert_ptr_nonnull(frame.prompt);
            received++;
        }
    }
    return received;
}

static picture *pictures(void) {
    picture *p = calloc(MOST_FRAMES, sizeof(*p));
    ck_assert_ptr_nonnull(p);
    return p;
}

START_TEST(table_answers_for_its_version) {
    ck_assert_ptr_null(aianime_get_api(AIANIME_API_VERSION + 1));
    ck_assert_int_eq(api->version, AIANIME_API_VERSION);
    ck_assert_uint_eq(api->struct_size, sizeof(*api));
    ck_assert_ptr_nonnull(strstr(api->version_text(), "LibTorch 2."));
    for (int i = -100; i < 3; i++)
        ck_assert_ptr_nonnull(api->result_text(i));
}
END_TEST

START_TEST(null_arguments_are_refused) {
    aianime_engine *engine = NULL;
    aianime_settings settings = {0};
    aianime_frame frame = {0};
    ck_assert_int_eq(api->open(NULL, &settings), AIANIME_INVALID);
    ck_assert_int_eq(api->open(&engine, NULL), AIANIME_INVALID);
    ck_assert_int_eq(api->open(&engine, &settings), AIANIME_INVALID); /* struct_size 0 */
    ck_assert_int_eq(api->send(NULL, &frame), AIANIME_INVALID);
    ck_assert_int_eq(api->receive(NULL, &frame), AIANIME_INVALID);
    ck_assert_int_eq(api->drain(NULL), AIANIME_INVALID);
    ck_assert_int_eq(api->reset(NULL), AIANIME_INVALID);
    api->cancel(NULL);
    api->close(NULL);
    api->close(&engine);
    settings = small_settings();
    engine = open_or_fail(&settings);
    ck_assert_int_eq(api->send(engine, NULL), AIANIME_INVALID);
    ck_assert_int_eq(api->receive(engine, NULL), AIANIME_INVALID);
    ck_assert_int_eq(api->send(engine, &frame), AIANIME_INVALID); /* zeroed */
    api->close(&engine);
    ck_assert_ptr_null(engine);
}
END_TEST

/* The fields behind callback_context came later: a caller that does not know them is served as before, one from the future is not.
 */
START_TEST(older_settings_are_served) {
    struct {
        aianime_settings settings;
        char more[8];
    } future = {small_settings()};
    aianime_settings settings = small_settings();
    aianime_engine *engine = NULL;
    settings.struct_size = offsetof(aianime_settings, license);
    settings.noise_path = "/behind the end";
    settings.license = (aianime_license)77;
    ck_assert_int_eq(api->open(&engine, &settings), AIANIME_OK);
    api->close(&engine);
    settings.struct_size--;
    ck_assert_int_eq(api->open(&engine, &settings), AIANIME_INVALID);
    future.settings.struct_size = sizeof(future);
    ck_assert_int_eq(api->open(&engine, &future.settings), AIANIME_INVALID);
    ck_assert_ptr_null(engine);
}
END_TEST

/* The fields behind `prompt` came later: who does not know them neither gives nor gets them. */
START_TEST(older_frames_are_served) {
    static picture source, result;
    aianime_settings settings = small_settings();
    aianime_engine *engine = NULL;
    aianime_frame in, out;
    settings.caption = "attributes";
    draw(&source, 0);
    ck_assert_int_eq(api->open(&engine, &settings), AIANIME_OK);
    for (int older = 0; older < 2; older++) {
        in = frame_of(&source, older);
        out = frame_of(&result, 0);
        out.caption = "untouched";
        out.face_count = 77;
        if (older)
            in.struct_size = out.struct_size = offsetof(aianime_frame, caption);
        ck_assert_int_eq(api->send(engine, &in), AIANIME_OK);
        ck_assert_int_eq(api->drain(engine), AIANIME_OK);
        ck_assert_int_eq(api->receive(engine, &out), AIANIME_OK);
        ck_assert_int_eq(out.face_count, older ? 77 : 0);
        ck_assert_int_eq(!strcmp(out.caption, "untouched"), older);
        ck_assert_int_eq(api->reset(engine), AIANIME_OK);
    }
    in.struct_size--;
    ck_assert_int_eq(api->send(engine, &in), AIANIME_INVALID);
    in.struct_size = sizeof(in) + 8;
    ck_assert_int_eq(api->send(engine, &in), AIANIME_INVALID);
    api->close(&engine);
}
END_TEST

static void expect_open(aianime_settings settings, int result, const char *text) {
    aianime_engine *engine = (aianime_engine *)&settings;
    last_error[0] = 0;
    ck_assert_int_eq(api->open(&engine, &settings), result);
    ck_assert_ptr_null(engine);
    ck_assert_msg(strstr(last_error, text) != NULL, "'%s' is not in '%s'", text, last_error);
}

START_TEST(bad_settings_are_named) {
    aianime_settings s = small_settings();
    s.template_path = "no-such-template";
    expect_open(s, AIANIME_NOT_FOUND, "no-such-template");
    s = small_settings();
    s.device = "cuda:99";
    expect_open(s, AIANIME_NO_DEVICE, "cuda:99");
    s.device = "abacus";
    expect_open(s, AIANIME_INVALID, "abacus");
    s = small_settings();
    s.steps = 0;
    expect_open(s, AIANIME_OUT_OF_RANGE, "steps");
    s = small_settings();
    s.overlap = 4;
    expect_open(s, AIANIME_OUT_OF_RANGE, "overlap");
    s = small_settings();
    s.width = 20000;
    s.height = 20000;
    expect_open(s, AIANIME_OUT_OF_RANGE, "20000x20000");
    s = small_settings();
    s.models_path = "tests";
    expect_open(s, AIANIME_NOT_FOUND, "pocket");
    s = small_settings();
    s.interpolate = "magic";
    expect_open(s, AIANIME_BAD_DATA, "magic");
    s = small_settings();
    s.license = (aianime_license)2;
    expect_open(s, AIANIME_OUT_OF_RANGE, "license");
}
END_TEST

START_TEST(as_many_frames_out_as_in) {
    static const int counts[] = {1, 3, 12, 15, 16, 17, 31};
    aianime_settings settings = small_settings();
    aianime_engine *engine = open_or_fail(&settings);
    picture *in = pictures(), *out = pictures();
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        ck_assert_int_eq(run(engine, in, out, counts[i], 1), counts[i]);
        ck_assert_int_eq(api->drain(engine), AIANIME_OK);
        aianime_frame frame = frame_of(&in[0], 0);
        ck_assert_int_eq(api->send(engine, &frame), AIANIME_STATE);
        ck_assert_int_eq(api->reset(engine), AIANIME_OK);
    }
    free(in);
    free(out);
    api->close(&engine);
}
END_TEST

START_TEST(no_frames_are_the_end_at_once) {
    aianime_settings settings = small_settings();
    aianime_engine *engine = open_or_fail(&settings);
    picture p;
    aianime_frame frame = frame_of(&p, 0);
    ck_assert_int_eq(api->receive(engine, &frame), AIANIME_AGAIN);
    ck_assert_int_eq(api->drain(engine), AIANIME_OK);
    ck_assert_int_eq(api->receive(engine, &frame), AIANIME_EOF);
    ck_assert_int_eq(api->receive(engine, &frame), AIANIME_EOF);
    api->close(&engine);
}
END_TEST

START_TEST(strength_zero_and_pass_change_no_byte) {
    aianime_settings settings = small_settings();
    picture *in = pictures(), *out = pictures();
    settings.given |= AIANIME_SET_STRENGTH;
    settings.strength = 0;
    aianime_engine *engine = open_or_fail(&settings);
    ck_assert_int_eq(run(engine, in, out, 9, 1), 9);
    ck_assert_mem_eq(in, out, 9 * sizeof(*in));
    api->close(&engine);

    settings.given &= ~AIANIME_SET_STRENGTH;
    engine = open_or_fail(&settings);
    for (int i = 0; i < 9; i++) { /* the middle third is not to be touched */
        aianime_frame frame = frame_of(&in[i], i);
        frame.flags = i / 3 == 1 ? AIANIME_FRAME_PASS : 0;
        ck_assert_int_eq(api->send(engine, &frame), AIANIME_OK);
    }
    api->drain(engine);
    for (int i = 0; i < 9; i++) {
        aianime_frame frame = frame_of(&out[i], 0);
        ck_assert_int_eq(api->receive(engine, &frame), AIANIME_OK);
        ck_assert_int_eq(frame.origin == AIANIME_ORIGIN_PASSED, i / 3 == 1);
        ck_assert_int_eq(memcmp(&in[i], &out[i], sizeof(*in)) == 0, i / 3 == 1);
    }
    api->close(&engine);
    free(in);
    free(out);
}
END_TEST

START_TEST(reset_forgets_held_frames) {
    aianime_settings settings = small_settings();
    aianime_engine *engine = open_or_fail(&settings);
    picture *in = pictures(), *out = pictures(), *again = pictures();
    ck_assert_int_eq(run(engine, in, out, 20, 1), 20);
    ck_assert_int_eq(api->reset(engine), AIANIME_OK);
    run(engine, in, again, 7, 0); /* leaves frames inside */
    ck_assert_int_eq(api->reset(engine), AIANIME_OK);
    ck_assert_int_eq(run(engine, in, again, 20, 1), 20);
    ck_assert_mem_eq(out, again, 20 * sizeof(*out)); /* and the same frames come again, byte for byte */
    api->close(&engine);
    free(in);
    free(out);
    free(again);
}
END_TEST

static void *cancel_soon(void *engine) {
    usleep(100000);
    api->cancel(engine);
    return NULL;
}

START_TEST(cancel_from_another_thread_stops_the_work) {
    aianime_settings settings = small_settings();
    settings.steps = 1000; /* minutes of work */
    aianime_engine *engine = open_or_fail(&settings);
    picture *in = pictures();
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, engine), 0);
    int result = AIANIME_OK;
    for (int i = 0; i < MOST_FRAMES && result == AIANIME_OK; i++) {
        draw(&in[i], i);
        aianime_frame frame = frame_of(&in[i], i);
        result = api->send(engine, &frame);
    }
    ck_assert_int_eq(result, AIANIME_CANCELLED);
    ck_assert_int_eq(api->drain(engine), AIANIME_CANCELLED);
    pthread_join(thread, NULL);
    api->close(&engine);
    free(in);
}
END_TEST

typedef struct job {
    picture *in, *out;
    int count;
} job;

static void *run_job(void *context) {
    job *j = context;
    aianime_settings settings = small_settings();
    settings.log = NULL;
    aianime_engine *engine = NULL;
    if (api->open(&engine, &settings) == AIANIME_OK)
        j->count = run(engine, j->in, j->out, 12, 1);
    api->close(&engine);
    return NULL;
}

START_TEST(two_sessions_at_once_do_not_disturb_each_other) {
    job jobs[2] = {{pictures(), pictures(), 0}, {pictures(), pictures(), 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(jobs[0].count, 12);
    ck_assert_int_eq(jobs[1].count, 12);
    ck_assert_mem_eq(jobs[0].out, jobs[1].out, 12 * sizeof(picture));
    for (int i = 0; i < 2; i++) {
        free(jobs[i].in);
        free(jobs[i].out);
    }
}
END_TEST

START_TEST(a_picture_equals_the_first_frame_of_its_video) {
    aianime_settings settings = small_settings();
    aianime_engine *engine = open_or_fail(&settings);
    picture *in = pictures(), *video = pictures(), *still = pictures();
    ck_assert_int_eq(run(engine, in, video, 20, 1), 20);
    ck_assert_int_eq(api->reset(engine), AIANIME_OK);
    ck_assert_int_eq(run(engine, in, still, 1, 1), 1);
    ck_assert_mem_eq(&video[0], &still[0], sizeof(picture));
    ck_assert_mem_ne(&video[0], &in[0], sizeof(picture));
    api->close(&engine);
    free(in);
    free(video);
    free(still);
}
END_TEST

int main(void) {
    api = aianime_get_api(AIANIME_API_VERSION);
    Suite *suite = suite_create("api");
    const TTest *tests[] = {table_answers_for_its_version,
                            null_arguments_are_refused,
                            older_settings_are_served,
                            older_frames_are_served,
                            bad_settings_are_named,
                            as_many_frames_out_as_in,
                            no_frames_are_the_end_at_once,
                            strength_zero_and_pass_change_no_byte,
                            reset_forgets_held_frames,
                            cancel_from_another_thread_stops_the_work,
                            two_sessions_at_once_do_not_disturb_each_other,
                            a_picture_equals_the_first_frame_of_its_video};
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        TCase *tcase = tcase_create(tests[i]->name);
        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
