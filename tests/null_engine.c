// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An engine without networks: what goes in comes out. It watches over the filter's half of the contract (planes unchanged until
 * their frame came back, calls in order, structs filled) and answers AIANIME_INTERNAL with a line that starts with "contract:"
 * where it is broken. It is opened like the real one, so the filter's tests run on a machine without LibTorch.
 *
 *   cc -std=c99 -O2 -shared -fPIC -Ivf_aianime/include tests/null_engine.c -o libnull_engine.so
 *
 * Environment:
 *   AIANIME_NULL_HOLD=16       frames come out in groups of so many
 *   AIANIME_NULL_INVERT=1      component 0 of every frame that is not to be passed is inverted
 *   AIANIME_NULL_FAIL=call:n:r open, send, receive, drain or reset answers r at its n-th call (from 0; of receive only those
 *                              count that have a frame to give)
 *   AIANIME_NULL_VERSION=7     the only API version that is served
 *   AIANIME_NULL_SETTINGS=1    the settings are written to the log
 */

#include <aianime.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct held_frame {
    aianime_frame frame;
    uint64_t checksum;
} held_frame;

struct aianime_engine {
    aianime_log_fn log;
    aianime_progress_fn progress;
    void *context;
    int width, height;
    uint64_t seed;
    int hold, invert, drained;
    held_frame *held; /* [first, sent) of the frames since open() or reset(), at held[index - first] */
    int64_t first, sent, ready;
    int64_t calls[5];
};

enum call { CALL_OPEN, CALL_SEND, CALL_RECEIVE, CALL_DRAIN, CALL_RESET };
static const char *const call_names[] = {"open", "send", "receive", "drain", "reset"};

static int environment_int(const char *name, int otherwise) {
    const char *value = getenv(name);
    return value && *value ? atoi(value) : otherwise;
}

static void say(const aianime_engine *e, aianime_log_level level, const char *format, ...) {
    char line[1024];
    va_list arguments;
    if (!e->log)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    e->log(e->context, level, line);
}

#define CONTRACT(e, condition)                                                                                                     \
    do {                                                                                                                           \
        if (!(condition)) {                                                                                                        \
            say(e, AIANIME_LOG_ERROR, "contract: %s: not %s", __func__, #condition);                                               \
            return AIANIME_INTERNAL;                                                                                               \
        }                                                                                                                          \
    } while (0)

/* The injected answer of this call, or AIANIME_OK. */
static int injected(aianime_engine *e, enum call call) {
    const char *plan = getenv("AIANIME_NULL_FAIL");
    char name[16];
    int64_t at = 0;
    int result = 0;
    int64_t count = e->calls[call]++;
    if (!plan || sscanf(plan, "%15[^:]:%" SCNd64 ":%d", name, &at, &result) != 3)
        return AIANIME_OK;
    if (strcmp(name, call_names[call]) || at != count)
        return AIANIME_OK;
    say(e, AIANIME_LOG_ERROR, "injected: %s %" PRId64 " answers %d", name, at, result);
    return result;
}

/* --- samples ------------------------------------------------------------------------------------------------------------- */

static int is_chroma(const aianime_format *f, int component) {
    return f->model == AIANIME_YUV && (component == 1 || component == 2);
}

static int component_width(const aianime_frame *f, int component) {
    int shift = is_chroma(&f->format, component) ? f->format.log2_chroma_w : 0;
    return (f->width + (1 << shift) - 1) >> shift;
}

static int component_height(const aianime_frame *f, int component) {
    int shift = is_chroma(&f->format, component) ? f->format.log2_chroma_h : 0;
    return (f->height + (1 << shift) - 1) >> shift;
}

static uint8_t *sample_row(const aianime_frame *f, int component, int y) {
    const aianime_component *c = &f->format.component[component];
    return f->data[c->plane] + y * f->linesize[c->plane] + c->offset;
}

static unsigned get_sample(const uint8_t *at, int depth) {
    uint16_t wide;
    if (depth <= 8)
        return *at;
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

static void put_sample(uint8_t *at, int depth, unsigned value) {
    uint16_t wide = (uint16_t)value;
    if (depth <= 8)
        *at = (uint8_t)value;
    else
        memcpy(at, &wide, sizeof(wide));
}

static uint64_t checksum(const aianime_frame *f) {
    uint64_t sum = 14695981039346656037u;
    for (int c = 0; c < f->format.components; c++)
        for (int y = 0; y < component_height(f, c); y++) {
            const aianime_component *comp = &f->format.component[c];
            const uint8_t *row = sample_row(f, c, y);
            for (int x = 0; x < component_width(f, c); x++, row += comp->step)
                sum = (sum ^ get_sample(row, comp->depth)) * 1099511628211u;
        }
    return sum;
}

static void copy_samples(aianime_frame *to, const aianime_frame *from, int invert) {
    for (int c = 0; c < from->format.components; c++)
        for (int y = 0; y < component_height(from, c); y++) {
            const aianime_component *comp = &from->format.component[c];
            unsigned mask = invert && c == 0 ? (1u << comp->depth) - 1 : 0;
            const uint8_t *in = sample_row(from, c, y);
            uint8_t *out = sample_row(to, c, y);
            for (int x = 0; x < component_width(from, c); x++, in += comp->step, out += comp->step)
                put_sample(out, comp->depth, get_sample(in, comp->depth) ^ mask);
        }
}

/* Planes that the format names are there, and a row fits its linesize. */
static int planes_fit(const aianime_frame *f) {
    for (int c = 0; c < f->format.components; c++) {
        const aianime_component *comp = &f->format.component[c];
        ptrdiff_t row = f->linesize[comp->plane] < 0 ? -f->linesize[comp->plane] : f->linesize[comp->plane];
        if (comp->plane < 0 || comp->plane > 3 || !f->data[comp->plane] || comp->depth < 8 || comp->depth > 16 || comp->shift)
            return 0;
        if (comp->step < (comp->depth > 8 ? 2 : 1) || row < (ptrdiff_t)component_width(f, c) * comp->step)
            return 0;
    }
    return f->format.components >= 1 && f->format.components <= 4;
}

/* --- the table ----------------------------------------------------------------------------------------------------------- */

static const char *result_text(int result) {
    static const char *const texts[] = {"invalid", "out of range", "wrong order"};
    if (result <= -10 && result > -13)
        return texts[-result - 10];
    switch (result) {
    case AIANIME_OK:
        return "ok";
    case AIANIME_AGAIN:
        return "again";
    case AIANIME_EOF:
        return "end of stream";
    case AIANIME_NO_MEMORY:
        return "out of memory";
    case AIANIME_IO:
        return "input or output failed";
    case AIANIME_NO_DEVICE:
        return "no such device";
    case AIANIME_NOT_FOUND:
        return "not found";
    case AIANIME_BAD_DATA:
        return "damaged file";
    case AIANIME_FORBIDDEN:
        return "forbidden";
    case AIANIME_NOT_FINITE:
        return "not finite";
    case AIANIME_CANCELLED:
        return "cancelled";
    default:
        return "internal error";
    }
}

static const char *version_text(void) { return "aianime null engine"; }

static void say_settings(const aianime_engine *e, const aianime_settings *s) {
#define TEXT(field) (s->field ? s->field : "(null)")
    say(e, AIANIME_LOG_INFO,
        "settings: template=%s models=%s device=%s prompt=%s negative=%s interpolate=%s on_error=%d threads=%d size=%dx%d tb=%d/%d "
        "rate=%d/%d given=0x%x seed=%" PRIu64 " steps=%d strength=%g guidance=%g size=%d fps=%g window=%d overlap=%d segment=%d "
        "license=%d caption=%s captions=%s report=%s keyframes=%s plan=%s",
        TEXT(template_path), TEXT(models_path), TEXT(device), TEXT(prompt), TEXT(negative), TEXT(interpolate), s->on_error,
        s->threads, s->width, s->height, s->time_base.num, s->time_base.den, s->frame_rate.num, s->frame_rate.den, s->given,
        s->seed, s->steps, s->strength, s->guidance, s->size, s->fps, s->window, s->overlap, s->segment, s->license, TEXT(caption),
        TEXT(captions_path), TEXT(report_path), TEXT(key_pictures_path), TEXT(plan_path));
#undef TEXT
}

/* The ranges that the filter's option table does not know, because -1 stands for "not given" there. */
static int numbers_valid(const aianime_settings *s) {
    return !((s->given & AIANIME_SET_STEPS && s->steps < 1) || (s->given & AIANIME_SET_STRENGTH && !(s->strength >= 0)) ||
             (s->given & AIANIME_SET_WINDOW && s->window < 1) || (s->given & AIANIME_SET_SIZE && s->size && s->size < 16));
}

static void engine_close(aianime_engine **handle);

static int engine_open(aianime_engine **handle, const aianime_settings *settings) {
    aianime_engine *e;
    int result;
    if (!handle || !settings || settings->struct_size != sizeof(*settings))
        return AIANIME_INVALID;
    *handle = NULL;
    e = calloc(1, sizeof(*e));
    if (!e)
        return AIANIME_NO_MEMORY;
    e->log = settings->log;
    e->progress = settings->progress;
    e->context = settings->callback_context;
    e->width = settings->width;
    e->height = settings->height;
    e->seed = settings->given & AIANIME_SET_SEED ? settings->seed : 1;
    e->hold = environment_int("AIANIME_NULL_HOLD", 16);
    e->invert = environment_int("AIANIME_NULL_INVERT", 0);
    if (environment_int("AIANIME_NULL_SETTINGS", 0))
        say_settings(e, settings);
    result = injected(e, CALL_OPEN);
    if (!result && !numbers_valid(settings))
        result = AIANIME_OUT_OF_RANGE;
    if (result)
        engine_close(&e);
    *handle = e;
    return result;
}

static void report_progress(const aianime_engine *e) {
    aianime_progress p = {sizeof(p), "denoise", e->sent, e->first, e->ready, 0.25, 0.25 * (double)(e->sent - e->ready)};
    if (e->progress)
        e->progress(e->context, &p);
}

static int engine_send(aianime_engine *e, const aianime_frame *frame) {
    held_frame *grown;
    int result;
    if (!e || !frame)
        return AIANIME_INVALID;
    CONTRACT(e, frame->struct_size == sizeof(*frame));
    CONTRACT(e, !e->drained);
    CONTRACT(e, planes_fit(frame));
    CONTRACT(e, frame->width == e->width && frame->height == e->height);
    CONTRACT(e, frame->opaque != NULL);
    CONTRACT(e, e->ready <= e->first); /* whatever is ready is taken before more is sent */
    if ((result = injected(e, CALL_SEND)))
        return result;
    grown = realloc(e->held, (size_t)(e->sent - e->first + 1) * sizeof(*grown));
    if (!grown)
        return AIANIME_NO_MEMORY;
    e->held = grown;
    grown[e->sent - e->first].frame = *frame;
    grown[e->sent - e->first].checksum = checksum(frame);
    e->sent++;
    if (e->sent - e->ready >= e->hold) {
        e->ready = e->sent;
        report_progress(e);
    }
    return AIANIME_OK;
}

static int overlaps_held(const aianime_engine *e, const aianime_frame *out) {
    for (int64_t i = 0; i < e->sent - e->first; i++)
        if (e->held[i].frame.data[0] == out->data[0])
            return 1;
    return 0;
}

static int engine_receive(aianime_engine *e, aianime_frame *out) {
    const aianime_frame *in;
    int result;
    if (!e || !out)
        return AIANIME_INVALID;
    CONTRACT(e, out->struct_size == sizeof(*out));
    if (e->first == e->ready)
        return e->drained ? AIANIME_EOF : AIANIME_AGAIN;
    if ((result = injected(e, CALL_RECEIVE)))
        return result;
    in = &e->held[0].frame;
    CONTRACT(e, planes_fit(out));
    CONTRACT(e, out->width == in->width && out->height == in->height);
    CONTRACT(e, !memcmp(&out->format, &in->format, sizeof(in->format)));
    CONTRACT(e, !overlaps_held(e, out));
    CONTRACT(e, checksum(in) == e->held[0].checksum);

    copy_samples(out, in, e->invert && !(in->flags & AIANIME_FRAME_PASS));
    out->opaque = in->opaque;
    out->pts = in->pts;
    out->duration = in->duration;
    out->origin = in->flags & AIANIME_FRAME_PASS ? AIANIME_ORIGIN_PASSED
                  : e->first % 2                 ? AIANIME_ORIGIN_INTERPOLATED
                                                 : AIANIME_ORIGIN_GENERATED;
    out->shot = 0;
    out->segment = (int)(e->first / e->hold);
    out->seed = e->seed;
    out->prompt = in->flags & AIANIME_FRAME_PASS ? "" : "1girl, \"null\"";
    e->first++;
    memmove(e->held, e->held + 1, (size_t)(e->sent - e->first) * sizeof(*e->held));
    return AIANIME_OK;
}

static int engine_drain(aianime_engine *e) {
    int result;
    if (!e)
        return AIANIME_INVALID;
    if ((result = injected(e, CALL_DRAIN)))
        return result;
    e->drained = 1;
    e->ready = e->sent;
    return AIANIME_OK;
}

static int engine_reset(aianime_engine *e) {
    int result;
    if (!e)
        return AIANIME_INVALID;
    if ((result = injected(e, CALL_RESET)))
        return result;
    e->first = e->sent = e->ready = 0;
    e->drained = 0;
    return AIANIME_OK;
}

static void engine_cancel(aianime_engine *e) { (void)e; }

/* Held planes are promised up to here, so look at them once more. */
static void engine_close(aianime_engine **handle) {
    aianime_engine *e = handle ? *handle : NULL;
    if (!e)
        return;
    for (int64_t i = 0; i < e->sent - e->first; i++)
        if (checksum(&e->held[i].frame) != e->held[i].checksum)
            say(e, AIANIME_LOG_ERROR, "contract: close: planes of a held frame changed");
    say(e, AIANIME_LOG_VERBOSE, "closed");
    free(e->held);
    free(e);
    *handle = NULL;
}

const aianime_api *aianime_get_api(int version) {
    static const aianime_api table = {sizeof(table),  AIANIME_API_VERSION, result_text,  version_text,  engine_open, engine_send,
                                      engine_receive, engine_drain,        engine_reset, engine_cancel, engine_close};
    static aianime_api other;
    int served = environment_int("AIANIME_NULL_VERSION", AIANIME_API_VERSION);
    if (version != served)
        return NULL;
    other = table;
    other.version = served;
    return served == AIANIME_API_VERSION ? &table : &other;
}
