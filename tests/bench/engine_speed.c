/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * engine_speed ENGINE TEMPLATE FRAMES WIDTH HEIGHT COUNT THREADS: sends COUNT pictures of the raw rgb24 file FRAMES to the engine
 * and prints, as JSON, the seconds that opening took and those between the first picture sent and the last one received. The engine
 * alone, without ffmpeg around it. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "aianime.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "engine_speed: %s\n", what);
    exit(1);
}

static void print_line(void *context, aianime_log_level level, const char *line) {
    (void)context;
    if (level <= AIANIME_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

static const aianime_api *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library)
        fail(dlerror());
    const aianime_api *(*get)(int) = NULL;
    *(void **)&get = dlsym(library, "aianime_get_api");
    const aianime_api *api = get ? get(AIANIME_API_VERSION) : NULL;
    if (!api)
        fail("the engine has another version");
    return api;
}

static aianime_frame make_frame(uint8_t *pixels, int width, int height, int64_t pts) {
    aianime_frame frame = {.struct_size = sizeof(frame), .width = width, .height = height, .pts = pts, .duration = 1};
    frame.format.model = AIANIME_RGB;
    frame.format.components = 3;
    for (int i = 0; i < 3; i++)
        frame.format.component[i] = (aianime_component){.plane = 0, .step = 3, .offset = i, .shift = 0, .depth = 8};
    frame.data[0] = pixels;
    frame.linesize[0] = 3 * (ptrdiff_t)width;
    frame.range = 2;
    return frame;
}

static uint8_t *read_frames(const char *path, size_t bytes) {
    uint8_t *pixels = malloc(bytes);
    FILE *file = fopen(path, "rb");
    if (!pixels || !file || fread(pixels, 1, bytes, file) != bytes)
        fail("the file of pictures is too short");
    fclose(file);
    return pixels;
}

int main(int argc, char **argv) {
    if (argc != 8)
        fail("usage: engine_speed ENGINE TEMPLATE FRAMES WIDTH HEIGHT COUNT THREADS");
    const int width = atoi(argv[4]), height = atoi(argv[5]), count = atoi(argv[6]);
    const size_t picture = 3 * (size_t)width * (size_t)height;
    uint8_t *in = read_frames(argv[3], picture * (size_t)count), *out = malloc(picture);
    const aianime_api *api = load(argv[1]);

    aianime_settings settings = {.struct_size = sizeof(settings),
                                 .template_path = argv[2],
                                 .width = width,
                                 .height = height,
                                 .time_base = {1, 10},
                                 .frame_rate = {10, 1},
                                 .threads = atoi(argv[7]),
                                 .log = print_line};
    aianime_engine *engine = NULL;
    const double start = now();
    if (api->open(&engine, &settings) != AIANIME_OK)
        fail("open failed");
    const double opened = now();
    int received = 0, ret = AIANIME_OK;
    for (int i = 0; i <= count && ret == AIANIME_OK; i++) {
        aianime_frame frame = make_frame(in + picture * (size_t)(i < count ? i : 0), width, height, i);
        ret = i < count ? api->send(engine, &frame) : api->drain(engine);
        while (ret == AIANIME_OK) {
            aianime_frame result = make_frame(out, width, height, 0);
            ret = api->receive(engine, &result);
            received += ret == AIANIME_OK;
        }
        if (ret == AIANIME_AGAIN)
            ret = AIANIME_OK;
    }
    if (ret != AIANIME_EOF || received != count)
        fail("not every picture came back");
    printf("{\"open\": %.3f, \"seconds\": %.3f}\n", opened - start, now() - opened);
    api->close(&engine);
    free(in);
    free(out);
    return 0;
}
