// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * @file
 * Turns video into anime with libaianime, which is opened at run time. A part of vf_aianime, compiled inside FFmpeg.
 *
 * This file knows frames, links, options and timestamps; the engine knows the rest. The engine holds frames back, so every frame
 * sent to it waits in a queue until its picture comes out, and then lends its properties to the output frame.
 */

#include <dlfcn.h>
#include <math.h>
#include <unistd.h>

#include <aianime.h>

#include "libavutil/avstring.h"
#include "libavutil/fifo.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"
#include "libavutil/time.h"
#include "libavutil/timestamp.h"
#include "libswscale/swscale.h"
#include "filters.h"
#include "formats.h"
#include "video.h"

// FFmpeg 8 moved the public half of a filter into a struct of its own.
#if LIBAVFILTER_VERSION_MAJOR >= 11
#define FILTER_OBJECT FFFilter
#define PUBLIC(field) .p.field
#else
#define FILTER_OBJECT AVFilter
#define PUBLIC(field) .field
#endif

#define ENGINE_NAME "libaianime.so.1"

static const char *const caption_names[] = { "none", "attributes", "clip", "blip2", "wd", "file" };
static const char *const interpolate_names[] = { "source", "blend", "none" };

typedef struct AianimeContext {
    const AVClass *class;
    char *template, *models, *engine_path, *device, *prompt, *negative, *captions, *report, *keyframes, *plan;
    int64_t seed;
    int steps, size, window, overlap, segment, threads, interpolate, on_error, license, caption;
    double strength, guidance, fps;

    void *library;
    const aianime_api *api;
    aianime_engine *engine;
    aianime_format format;

    AVFifo *held;              ///< AVFrame *: sent to the engine, its picture not yet received
    int width, height, layout; ///< size and pixel format of the latest input frame, the link's or not
    AVFrame *next;             ///< a frame of another size or format than the one before, waits until the engine is empty
    AVFrame *out;              ///< buffer of the next output frame, kept over AIANIME_AGAIN
    int draining;              ///< drain() was called: the engine will not ask for more
    int status, failed;        ///< status of the input link, error of an earlier activation
    int64_t status_pts;
    int warned_interlaced;
    int64_t frames_in, frames_out, frames_generated, busy; ///< busy: microseconds inside the engine
} AianimeContext;

#define OFFSET(x) offsetof(AianimeContext, x)
#define FLAGS AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM

// -1 stands for "not given" in every number: the template's value is used then. The engine knows the exact ranges.
static const AVOption aianime_options[] = {
    { "template",  "look: path of a JSON template, or a name on the template search path", OFFSET(template), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "models",    "folder of the packs and models", OFFSET(models), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "engine",    "path of " ENGINE_NAME " (also AIANIME_ENGINE)", OFFSET(engine_path), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "device",    "auto, cpu, cuda or cuda:N", OFFSET(device), AV_OPT_TYPE_STRING, { .str = "auto" }, .flags = FLAGS },
    { "prompt",    "replaces the template's prompt", OFFSET(prompt), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "negative",  "replaces the template's negative prompt", OFFSET(negative), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "caption",   "who describes the shots for the prompt (default: from the template or the pack)", OFFSET(caption), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, FF_ARRAY_ELEMS(caption_names) - 1, FLAGS, .unit = "caption" },
        { "none",       "nobody", 0, AV_OPT_TYPE_CONST, { .i64 = 0 }, 0, 0, FLAGS, .unit = "caption" },
        { "attributes", "the engine itself, from faces and light", 0, AV_OPT_TYPE_CONST, { .i64 = 1 }, 0, 0, FLAGS, .unit = "caption" },
        { "clip",       "the template's CLIP model, from a list of phrases", 0, AV_OPT_TYPE_CONST, { .i64 = 2 }, 0, 0, FLAGS, .unit = "caption" },
        { "blip2",      "the template's BLIP-2 model", 0, AV_OPT_TYPE_CONST, { .i64 = 3 }, 0, 0, FLAGS, .unit = "caption" },
        { "wd",         "the template's WD tagger", 0, AV_OPT_TYPE_CONST, { .i64 = 4 }, 0, 0, FLAGS, .unit = "caption" },
        { "file",       "the text file named with captions", 0, AV_OPT_TYPE_CONST, { .i64 = 5 }, 0, 0, FLAGS, .unit = "caption" },
    { "captions",  "text file with captions", OFFSET(captions), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "report",    "JSON file to write everything to that was decided", OFFSET(report), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "keyframes", "folder to write each shot's key frame to, as PNG", OFFSET(keyframes), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "plan",      "report of an earlier run, perhaps edited, to be followed", OFFSET(plan), AV_OPT_TYPE_STRING, { .str = NULL }, .flags = FLAGS },
    { "seed",      "seed of the noise (-1: from the template)", OFFSET(seed), AV_OPT_TYPE_INT64, { .i64 = -1 }, -1, INT64_MAX, FLAGS },
    { "steps",     "denoising steps, 1 to 1000 (-1: from the template)", OFFSET(steps), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 1000, FLAGS },
    { "strength",  "how far to leave the source, 0 to 1 (-1: from the template)", OFFSET(strength), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 1, FLAGS },
    { "guidance",  "classifier-free guidance, 0 to 50 (-1: from the template)", OFFSET(guidance), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 50, FLAGS },
    { "size",      "working short side, 16 to 4096, 0: the input's (-1: from the template)", OFFSET(size), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 4096, FLAGS },
    { "fps",       "generated frames a second, 0: every frame (-1: from the template)", OFFSET(fps), AV_OPT_TYPE_DOUBLE, { .dbl = -1 }, -1, 1000, FLAGS },
    { "window",    "frames of one attention window, 1 to 64 (-1: from the template)", OFFSET(window), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 64, FLAGS },
    { "overlap",   "frames shared by neighbouring windows, below window (-1: from the template)", OFFSET(overlap), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 63, FLAGS },
    { "segment",   "generated frames held at once, 1 to 64 (-1: from the template)", OFFSET(segment), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, 64, FLAGS },
    { "interpolate", "how the frames between generated ones are made (default: from the template)", OFFSET(interpolate), AV_OPT_TYPE_INT, { .i64 = -1 }, -1, FF_ARRAY_ELEMS(interpolate_names) - 1, FLAGS, .unit = "interpolate" },
        { "source", "carry the generated frames along the source's motion", 0, AV_OPT_TYPE_CONST, { .i64 = 0 }, 0, 0, FLAGS, .unit = "interpolate" },
        { "blend",  "mix the generated frames before and after", 0, AV_OPT_TYPE_CONST, { .i64 = 1 }, 0, 0, FLAGS, .unit = "interpolate" },
        { "none",   "repeat the nearest generated frame", 0, AV_OPT_TYPE_CONST, { .i64 = 2 }, 0, 0, FLAGS, .unit = "interpolate" },
    { "on_error",  "what to do when the networks fail in mid-stream", OFFSET(on_error), AV_OPT_TYPE_INT, { .i64 = AIANIME_ON_ERROR_FAIL }, 0, AIANIME_ON_ERROR_PASS, FLAGS, .unit = "on_error" },
        { "fail",   "stop with an error", 0, AV_OPT_TYPE_CONST, { .i64 = AIANIME_ON_ERROR_FAIL }, 0, 0, FLAGS, .unit = "on_error" },
        { "pass",   "pass the segment's source frames on, and say so", 0, AV_OPT_TYPE_CONST, { .i64 = AIANIME_ON_ERROR_PASS }, 0, 0, FLAGS, .unit = "on_error" },
    { "license",   "which model files may be used", OFFSET(license), AV_OPT_TYPE_INT, { .i64 = AIANIME_LICENSE_ANY }, 0, AIANIME_LICENSE_COMMERCIAL, FLAGS, .unit = "license" },
        { "any",        "all", 0, AV_OPT_TYPE_CONST, { .i64 = AIANIME_LICENSE_ANY }, 0, 0, FLAGS, .unit = "license" },
        { "commercial", "refuse those known as noncommercial", 0, AV_OPT_TYPE_CONST, { .i64 = AIANIME_LICENSE_COMMERCIAL }, 0, 0, FLAGS, .unit = "license" },
    { "threads",   "CPU threads of the networks, 0: all cores", OFFSET(threads), AV_OPT_TYPE_INT, { .i64 = 0 }, 0, 1024, FLAGS },
    { NULL }
};

AVFILTER_DEFINE_CLASS(aianime);

// The only place that knows how results become error codes; the exit code of ffmpeg is the low byte. AVERROR_EXIT would be
// success to ffmpeg, so being cancelled, which the filter never asks for, is an external error too.
static int to_averror(int result)
{
    switch (result) {
    case AIANIME_OK:           return 0;
    case AIANIME_INVALID:      return AVERROR(EINVAL);
    case AIANIME_OUT_OF_RANGE: return AVERROR(ERANGE);
    case AIANIME_NO_MEMORY:    return AVERROR(ENOMEM);
    case AIANIME_IO:           return AVERROR(EIO);
    case AIANIME_NO_DEVICE:    return AVERROR(ENODEV);
    case AIANIME_NOT_FOUND:    return AVERROR(ENOENT);
    case AIANIME_BAD_DATA:     return AVERROR_INVALIDDATA;
    case AIANIME_FORBIDDEN:    return AVERROR(EACCES);
    case AIANIME_NOT_FINITE:   return AVERROR(EDOM);
    default:                   return AVERROR_EXTERNAL;
    }
}

// The engine itself has told the reason; this line tells where.
static int check_result(AVFilterContext *ctx, const char *doing, int result)
{
    const AianimeContext *s = ctx->priv;

    if (result != AIANIME_OK)
        av_log(ctx, AV_LOG_ERROR, "%s failed after %"PRId64" frames in and %"PRId64" out: %s\n", doing, s->frames_in, s->frames_out,
               s->api->result_text(result));
    return to_averror(result);
}

// ../lib beside the folder of the running program: where a build folder and an installation have the engine.
static int path_beside_program(char *path, size_t size)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (len <= 0)
        return 0;
    program[len] = 0;
    *(char *)av_basename(program) = 0;
    return snprintf(path, size, "%s../lib/" ENGINE_NAME, program) < size && !access(path, F_OK);
}

static int open_library(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    char beside[PATH_MAX];
    const char *path = s->engine_path && *s->engine_path ? s->engine_path : getenv("AIANIME_ENGINE");

    if (!path || !*path)
        path = path_beside_program(beside, sizeof(beside)) ? beside : ENGINE_NAME;

    // The engine's OpenMP threads spin while they wait; with GCC's default of 300000 rounds two processes on the same cores
    // take five times as long as one. Read when the library is loaded, so it has to be said here.
    if (!getenv("OMP_WAIT_POLICY"))
        setenv("GOMP_SPINCOUNT", "10000", 0);

    // RTLD_NODELETE: LibTorch keeps threads, which must not lose their code when the last filter of a process is closed.
    s->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (s->library) {
        av_log(ctx, AV_LOG_VERBOSE, "engine %s\n", path);
        return 0;
    }
    if (strchr(path, '/') && !access(path, F_OK)) {
        av_log(ctx, AV_LOG_ERROR, "the engine %s cannot be loaded: %s\n", path, dlerror());
        return AVERROR_EXTERNAL;
    }
    av_log(ctx, AV_LOG_ERROR, "no engine: %s%s; install libaianime (make install in vf_aianime), or give its path with "
           "engine=PATH or AIANIME_ENGINE\n", dlerror(), strchr(path, '/') ? "" : ", and none in ../lib beside this program");
    return AVERROR(ENOENT);
}

static int find_api(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    aianime_get_api_fn get_api = (aianime_get_api_fn)dlsym(s->library, AIANIME_GET_API_NAME);
    const aianime_api *api;

    if (!get_api) {
        av_log(ctx, AV_LOG_ERROR, "the engine is not libaianime: %s\n", dlerror());
        return AVERROR_EXTERNAL;
    }
    api = get_api(AIANIME_API_VERSION);
    for (int other = 1; !api && other < 100; other++) // only to name in the message what is there
        api = get_api(other);
    if (!api || api->version != AIANIME_API_VERSION || api->struct_size < sizeof(*api)) {
        av_log(ctx, AV_LOG_ERROR, "the engine has API version %d, this filter needs %d; build ffmpeg and libaianime from the "
               "same vf_aianime\n", api ? api->version : 0, AIANIME_API_VERSION);
        return AVERROR_EXTERNAL;
    }
    s->api = api;
    av_log(ctx, AV_LOG_VERBOSE, "%s\n", api->version_text());
    return 0;
}

static av_cold int init(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    int ret;

    if (!(s->held = av_fifo_alloc2(16, sizeof(AVFrame *), AV_FIFO_FLAG_AUTO_GROW)))
        return AVERROR(ENOMEM);
    return (ret = open_library(ctx)) < 0 ? ret : find_api(ctx);
}

// Integer samples in the machine's byte order, in the low bits, YUV planar only. The rest is converted at negotiation.
static int is_supported(const AVPixFmtDescriptor *desc)
{
    const int depth = desc->comp[0].depth;

    if (desc->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER |
                       AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_XYZ))
        return 0;
    if (depth < 8 || depth > 16 || (depth > 8 && !!(desc->flags & AV_PIX_FMT_FLAG_BE) != HAVE_BIGENDIAN))
        return 0;
    for (int i = 0; i < desc->nb_components; i++)
        if (desc->comp[i].depth != depth || desc->comp[i].shift)
            return 0;
    if (desc->nb_components < 3)
        return 1;
    if (desc->flags & AV_PIX_FMT_FLAG_RGB)
        return desc->flags & AV_PIX_FMT_FLAG_PLANAR || depth == 8 || depth == 16;
    return desc->flags & AV_PIX_FMT_FLAG_PLANAR && desc->comp[2].plane == 2 && desc->log2_chroma_w <= 2 && desc->log2_chroma_h <= 2;
}

static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in, AVFilterFormatsConfig **cfg_out)
{
    AVFilterFormats *formats = NULL;
    const AVPixFmtDescriptor *desc = NULL;
    int ret;

    while ((desc = av_pix_fmt_desc_next(desc)))
        if (is_supported(desc) && (ret = ff_add_format(&formats, av_pix_fmt_desc_get_id(desc))) < 0)
            return ret;
    return ff_set_common_formats2(ctx, cfg_in, cfg_out, formats);
}

static aianime_format describe_format(const AVPixFmtDescriptor *desc)
{
    aianime_format format = {
        .model         = desc->flags & AV_PIX_FMT_FLAG_RGB ? AIANIME_RGB : desc->nb_components < 3 ? AIANIME_GRAY : AIANIME_YUV,
        .components    = desc->nb_components, .has_alpha = !!(desc->flags & AV_PIX_FMT_FLAG_ALPHA),
        .log2_chroma_w = desc->log2_chroma_w, .log2_chroma_h = desc->log2_chroma_h,
    };

    for (int i = 0; i < desc->nb_components; i++) {
        const AVComponentDescriptor *comp = &desc->comp[i];
        format.component[i] = (aianime_component){ comp->plane, comp->step, comp->offset, comp->shift, comp->depth };
    }
    return format;
}

// RGB, gray and yuvj are full range where a frame does not say otherwise.
static int is_full_range_kind(const AVPixFmtDescriptor *desc)
{
    return desc->flags & AV_PIX_FMT_FLAG_RGB || desc->nb_components < 3 || av_strstart(desc->name, "yuvj", NULL);
}

static int range_of(const AVFrame *frame)
{
    if (frame->color_range == AVCOL_RANGE_UNSPECIFIED && is_full_range_kind(av_pix_fmt_desc_get(frame->format)))
        return AVCOL_RANGE_JPEG;
    return frame->color_range;
}

static void engine_log(void *opaque, aianime_log_level level, const char *line)
{
    static const int levels[] = { AV_LOG_ERROR, AV_LOG_WARNING, AV_LOG_INFO, AV_LOG_VERBOSE };

    av_log(opaque, (unsigned)level < FF_ARRAY_ELEMS(levels) ? levels[level] : AV_LOG_VERBOSE, "%s\n", line);
}

static void engine_progress(void *opaque, const aianime_progress *p)
{
    av_log(opaque, AV_LOG_INFO, "%s: frame %"PRId64" of %"PRId64" so far, %"PRId64" generated, %.2f s each, %.0f s remaining\n",
           p->stage, p->frames_out, p->frames_in, p->frames_generated, p->seconds_per_frame, p->seconds_remaining);
}

static uint32_t options_given(const AianimeContext *s)
{
    return (s->seed     != -1 ? AIANIME_SET_SEED     : 0) | (s->steps    != -1 ? AIANIME_SET_STEPS    : 0) |
           (s->strength != -1 ? AIANIME_SET_STRENGTH : 0) | (s->guidance != -1 ? AIANIME_SET_GUIDANCE : 0) |
           (s->size     != -1 ? AIANIME_SET_SIZE     : 0) | (s->fps      != -1 ? AIANIME_SET_FPS      : 0) |
           (s->window   != -1 ? AIANIME_SET_WINDOW   : 0) | (s->overlap  != -1 ? AIANIME_SET_OVERLAP  : 0) |
           (s->segment  != -1 ? AIANIME_SET_SEGMENT  : 0);
}

static int config_input(AVFilterLink *inlink)
{
    AVFilterContext *ctx = inlink->dst;
    AianimeContext *s = ctx->priv;
    const AVRational rate = ff_filter_link(inlink)->frame_rate;
    const aianime_settings settings = {
        .struct_size   = sizeof(settings),
        .template_path = s->template, .models_path = s->models, .device = s->device,
        .prompt        = s->prompt,   .negative    = s->negative,
        .interpolate   = s->interpolate < 0 ? NULL : interpolate_names[s->interpolate],
        .on_error      = s->on_error, .threads     = s->threads,
        .width         = inlink->w,   .height      = inlink->h,
        .time_base     = { inlink->time_base.num, inlink->time_base.den },
        .frame_rate    = { rate.num, rate.den },
        .given         = options_given(s),
        .seed          = s->seed,     .steps       = s->steps,     .strength = s->strength,
        .guidance      = s->guidance, .size        = s->size,      .fps      = s->fps,
        .window        = s->window,   .overlap     = s->overlap,   .segment  = s->segment,
        .log           = engine_log,  .progress    = engine_progress, .callback_context = ctx,
        .license       = s->license,
        .caption       = s->caption < 0 ? NULL : caption_names[s->caption],
        .captions_path = s->captions, .report_path = s->report, .key_pictures_path = s->keyframes, .plan_path = s->plan,
    };

    s->format = describe_format(av_pix_fmt_desc_get(inlink->format));
    s->width  = inlink->w;
    s->height = inlink->h;
    s->layout = inlink->format;
    s->api->close(&s->engine);
    return check_result(ctx, "opening the engine", s->api->open(&s->engine, &settings));
}

// Planes and colour of a frame in the engine's words.
static aianime_frame describe_frame(const AianimeContext *s, const AVFrame *frame)
{
    aianime_frame f = {
        .struct_size = sizeof(f), .format = s->format, .width = frame->width, .height = frame->height,
        .matrix = frame->colorspace, .range = range_of(frame),
        .transfer = frame->color_trc, .pts = frame->pts, .duration = frame->duration, .opaque = (void *)frame,
    };

    for (int i = 0; i < 4; i++) {
        f.data[i]     = frame->data[i];
        f.linesize[i] = frame->linesize[i];
    }
    return f;
}

static int has_layout(const AVFrame *frame, int width, int height, int format)
{
    return frame->width == width && frame->height == height && frame->format == format;
}

// Colour tags of what a frame becomes when it gets the link's pixel format; returns the matrix between YUV and RGB.
static int convert_tags(AVFrame *dst, const AVFrame *src, const AVFilterLink *link)
{
    const AVPixFmtDescriptor *from = av_pix_fmt_desc_get(src->format), *to = av_pix_fmt_desc_get(dst->format);
    const int matrix = from->flags & AV_PIX_FMT_FLAG_RGB ? link->colorspace : src->colorspace;

    if (to->flags & AV_PIX_FMT_FLAG_RGB) {
        dst->colorspace = AVCOL_SPC_RGB;
    } else if (from->flags & AV_PIX_FMT_FLAG_RGB) {
        dst->colorspace  = link->colorspace;
        dst->color_range = link->color_range;
    }
    if (is_full_range_kind(to))
        dst->color_range = AVCOL_RANGE_JPEG;
    if (matrix == AVCOL_SPC_RGB || matrix == AVCOL_SPC_UNSPECIFIED)
        return link->w >= 1280 || link->h > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_BT470BG;
    return matrix;
}

// swscale picks its way by the ranges it knows at its start, so each conversion has its own context. Left to itself it takes
// BT.601 for everything.
static int convert_picture(AVFrame *dst, const AVFrame *src, int matrix)
{
    // A gray frame's tag may be that of the YUV link it came over.
    const int full_in  = is_full_range_kind(av_pix_fmt_desc_get(src->format)) || src->color_range == AVCOL_RANGE_JPEG;
    const int full_out = dst->color_range == AVCOL_RANGE_JPEG;
    const struct { const char *name; int value; } options[] = {
        { "srcw", src->width }, { "srch", src->height }, { "src_format", src->format }, { "src_range", full_in },
        { "dstw", dst->width }, { "dsth", dst->height }, { "dst_format", dst->format }, { "dst_range", full_out },
        { "sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT },
    };
    struct SwsContext *sws = sws_alloc_context();
    int ret = sws ? 0 : AVERROR(ENOMEM);

    for (int i = 0; i < FF_ARRAY_ELEMS(options) && ret >= 0; i++)
        ret = av_opt_set_int(sws, options[i].name, options[i].value, 0);
    if (ret >= 0 && (ret = sws_init_context(sws, NULL, NULL)) >= 0) {
        sws_setColorspaceDetails(sws, sws_getCoefficients(matrix), full_in, sws_getCoefficients(matrix), full_out, 0, 1 << 16, 1 << 16);
        ret = sws_scale(sws, (const uint8_t *const *)src->data, src->linesize, 0, src->height, dst->data, dst->linesize);
    }
    sws_freeContext(sws);
    return ret;
}

// Makes *frame, which came with another size or pixel format, into one of the configured kind.
static int convert_frame(AVFilterLink *inlink, AVFrame **frame)
{
    static const enum AVFrameSideDataType tied_to_size[] = { AV_FRAME_DATA_MOTION_VECTORS, AV_FRAME_DATA_REGIONS_OF_INTEREST,
                                                             AV_FRAME_DATA_DETECTION_BBOXES, AV_FRAME_DATA_VIDEO_ENC_PARAMS };
    AVFrame *src = *frame, *dst = ff_get_video_buffer(inlink, inlink->w, inlink->h);
    int ret = dst ? av_frame_copy_props(dst, src) : AVERROR(ENOMEM);

    if (ret < 0 || (ret = convert_picture(dst, src, convert_tags(dst, src, inlink))) < 0) {
        av_frame_free(&dst);
        return ret;
    }
    for (int i = 0; i < FF_ARRAY_ELEMS(tied_to_size) && (src->width != dst->width || src->height != dst->height); i++)
        av_frame_remove_side_data(dst, tied_to_size[i]);
    if (src->sample_aspect_ratio.num)
        av_reduce(&dst->sample_aspect_ratio.num, &dst->sample_aspect_ratio.den,
                  (int64_t)src->sample_aspect_ratio.num * src->width * dst->height,
                  (int64_t)src->sample_aspect_ratio.den * src->height * dst->width, INT_MAX);
    av_frame_free(frame);
    *frame = dst;
    return 0;
}

// Takes the frame, also on failure.
static int send_frame(AVFilterLink *inlink, AVFrame *frame)
{
    AVFilterContext *ctx = inlink->dst;
    AianimeContext *s = ctx->priv;
    aianime_frame f;
    int result, ret;

    if ((!has_layout(frame, inlink->w, inlink->h, inlink->format) && (ret = convert_frame(inlink, &frame)) < 0) ||
        (ret = av_fifo_write(s->held, &frame, 1)) < 0) {
        av_frame_free(&frame);
        return ret;
    }
    if (frame->flags & AV_FRAME_FLAG_INTERLACED && !s->warned_interlaced && (s->warned_interlaced = 1))
        av_log(ctx, AV_LOG_WARNING, "the input is interlaced; put a deinterlacer (bwdif) in front of aianime\n");
    f = describe_frame(s, frame);
    f.flags = ctx->is_disabled ? AIANIME_FRAME_PASS : 0;
    s->busy -= av_gettime_relative();
    result = s->api->send(s->engine, &f);
    s->busy += av_gettime_relative();
    return check_result(ctx, "taking a frame", result);
}

// "lavfi.aianime.face.0.age" and so on.
static void set_face_metadata(AVFrame *out, int number, const aianime_face *face)
{
    const struct { const char *name; long value; } numbers[] = { // whole ones: no locale has a say in them
        { "track", face->track },      { "x", lrintf(face->x) }, { "y", lrintf(face->y) }, { "width", lrintf(face->width) },
        { "height", lrintf(face->height) }, { "age", lrintf(face->age) },
    };
    const struct { const char *name, *value; } words[] = {
        { "gender", face->male > 0.65 ? "male" : face->male < 0.35 ? "female" : "unknown" },
        { "eyes", face->eyes_open ? "open" : "closed" }, { "mouth", face->mouth_open ? "open" : "closed" },
        { "expression", face->expression },
    };
    char key[64];

    for (int i = 0; i < FF_ARRAY_ELEMS(numbers); i++) {
        snprintf(key, sizeof(key), "lavfi.aianime.face.%d.%s", number, numbers[i].name);
        av_dict_set_int(&out->metadata, key, numbers[i].value, 0);
    }
    for (int i = 0; i < FF_ARRAY_ELEMS(words); i++) {
        snprintf(key, sizeof(key), "lavfi.aianime.face.%d.%s", number, words[i].name);
        av_dict_set(&out->metadata, key, words[i].value, 0);
    }
}

static void set_metadata(AVFrame *out, const aianime_frame *f)
{
    static const char *const origins[] = { "passed", "generated", "interpolated" };
    char seed[24];

    av_dict_set_int(&out->metadata, "lavfi.aianime.shot", f->shot, 0);
    av_dict_set_int(&out->metadata, "lavfi.aianime.segment", f->segment, 0);
    av_dict_set(&out->metadata, "lavfi.aianime.origin", origins[f->origin], 0);
    if (f->origin == AIANIME_ORIGIN_PASSED)
        return;
    snprintf(seed, sizeof(seed), "%"PRIu64, f->seed);
    av_dict_set(&out->metadata, "lavfi.aianime.seed", seed, 0);
    av_dict_set(&out->metadata, "lavfi.aianime.prompt", f->prompt, 0);
    if (f->caption && *f->caption)
        av_dict_set(&out->metadata, "lavfi.aianime.caption", f->caption, 0);
    av_dict_set_int(&out->metadata, "lavfi.aianime.faces", f->face_count, 0);
    for (int i = 0; i < f->face_count; i++)
        set_face_metadata(out, i, &f->faces[i]);
}

// The picture in s->out gets the properties of the frame it was made from and goes on its way.
static int emit_frame(AVFilterLink *outlink, const aianime_frame *f)
{
    AianimeContext *s = outlink->src->priv;
    AVFrame *out = s->out, *source = NULL;
    int ret;

    av_fifo_read(s->held, &source, 1);
    s->out = NULL;
    ret = f->opaque == source ? av_frame_copy_props(out, source) : AVERROR_EXTERNAL; // the order is part of the contract
    av_frame_free(&source);
    if (ret < 0) {
        av_frame_free(&out);
        return ret;
    }
    set_metadata(out, f);
    s->frames_out++;
    s->frames_generated += f->origin == AIANIME_ORIGIN_GENERATED;
    return ff_filter_frame(outlink, out);
}

// 1: a frame went out; 0: the engine wants more, or is empty after drain(); negative: failed.
static int receive_frame(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    AianimeContext *s = ctx->priv;
    AVFrame *source;
    aianime_frame f;
    int result, ret;

    if (av_fifo_peek(s->held, &source, 1, 0) < 0)
        return 0;
    if (!s->out) {
        if (!(s->out = ff_get_video_buffer(outlink, outlink->w, outlink->h)))
            return AVERROR(ENOMEM);
        // The engine writes components only; bytes beside them, as in rgb0, stay the source's.
        if ((ret = av_frame_copy(s->out, source)) < 0)
            return ret;
    }
    f = describe_frame(s, s->out);
    s->busy -= av_gettime_relative();
    result = s->api->receive(s->engine, &f);
    s->busy += av_gettime_relative();
    if (result == AIANIME_AGAIN && !s->draining)
        return 0;
    if (result == AIANIME_OK)
        return (ret = emit_frame(outlink, &f)) < 0 ? ret : 1;
    return check_result(ctx, "making a frame", result);
}

static int drain(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    int result;

    s->draining = 1;
    s->busy -= av_gettime_relative();
    result = s->api->drain(s->engine);
    s->busy += av_gettime_relative();
    return check_result(ctx, "flushing", result);
}

// The engine is empty after a drain() in mid-stream: it starts anew with the frame that made it necessary. 1 or an error.
static int resume(AVFilterLink *inlink)
{
    AianimeContext *s = inlink->dst->priv;
    AVFrame *frame = s->next;
    int ret = check_result(inlink->dst, "starting anew", s->api->reset(s->engine));

    if (ret < 0)
        return ret;
    s->next     = NULL;
    s->draining = 0;
    s->width    = frame->width;
    s->height   = frame->height;
    s->layout   = frame->format;
    return (ret = send_frame(inlink, frame)) < 0 ? ret : 1;
}

// Takes what the input link has. 1: something was done; 0: there is nothing; negative: failed.
static int take_input(AVFilterLink *inlink)
{
    AianimeContext *s = inlink->dst->priv;
    AVFrame *frame = NULL;
    int ret = ff_inlink_consume_frame(inlink, &frame);

    if (ret < 0)
        return ret;
    if (ret > 0) {
        s->frames_in++;
        if (has_layout(frame, s->width, s->height, s->layout))
            return (ret = send_frame(inlink, frame)) < 0 ? ret : 1;
        s->next = frame;
    } else if (ff_inlink_acknowledge_status(inlink, &s->status, &s->status_pts) <= 0) {
        return 0;
    }
    return (ret = drain(inlink->dst)) < 0 ? ret : 1;
}

static int activate(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    AVFilterLink *inlink = ctx->inputs[0], *outlink = ctx->outputs[0];
    int ret;

    FF_FILTER_FORWARD_STATUS_BACK(outlink, inlink);

    if (s->failed)
        return s->failed;

    // Input is taken when output is wanted. What is ready then goes out at once: it is not more than the sources it replaces,
    // and is not lost when the graph is closed.
    while (ff_outlink_frame_wanted(outlink)) {
        while ((ret = receive_frame(outlink)) > 0)
            ;
        if (!ret && s->status && !s->next) {
            ff_outlink_set_status(outlink, s->status, s->status_pts);
            return 0;
        }
        if (!ret && ff_outlink_frame_wanted(outlink) && !(ret = s->next ? resume(inlink) : take_input(inlink)))
            ff_inlink_request_frame(inlink);
        if (ret <= 0) {
            s->failed = ret;
            return ret;
        }
    }
    return FFERROR_NOT_READY;
}

// Says how many frames went in and do not come out, because no one else will: FFmpeg drops them without a word.
static void report_lost(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    AVFilterLink *outlink = ctx->outputs[0];
    size_t lost = av_fifo_can_read(s->held);
    AVFrame *first, *last;

    if (!lost || (outlink && ff_outlink_get_status(outlink))) // a later filter wanted no more
        return;
    av_fifo_peek(s->held, &first, 1, 0);
    av_fifo_peek(s->held, &last, 1, lost - 1);
    av_log(ctx, AV_LOG_WARNING, "%zu frames lost (pts %s to %s): %s\n", lost, av_ts2str(first->pts), av_ts2str(last->pts),
           s->failed ? "they were held back when the error came" :
           "they were held back when the filter graph was closed. If the input changes its size, format or colour in "
           "mid-stream, give -reinit_filter 0 before -i and put scale in front of aianime; if the output was ended early "
           "(-frames), all is well");
}

// Called after a failed init() too.
static av_cold void uninit(AVFilterContext *ctx)
{
    AianimeContext *s = ctx->priv;
    AVFrame *frame;

    if (s->next && av_fifo_write(s->held, &s->next, 1) >= 0)
        s->next = NULL;
    if (s->engine) {
        report_lost(ctx);
        av_log(ctx, s->frames_in ? AV_LOG_INFO : AV_LOG_WARNING,
               "%"PRId64" frames in, %"PRId64" frames out, %"PRId64" generated, %.2f s a generated frame\n", s->frames_in,
               s->frames_out, s->frames_generated, s->frames_generated ? s->busy / 1e6 / s->frames_generated : 0.);
    }
    // The engine reads the frames' planes until it is closed.
    if (s->api)
        s->api->close(&s->engine);
    while (s->held && av_fifo_read(s->held, &frame, 1) >= 0)
        av_frame_free(&frame);
    av_fifo_freep2(&s->held);
    av_frame_free(&s->next);
    av_frame_free(&s->out);
    if (s->library)
        dlclose(s->library);
}

static const AVFilterPad aianime_inputs[] = {
    { .name = "default", .type = AVMEDIA_TYPE_VIDEO, .config_props = config_input },
};

const FILTER_OBJECT ff_vf_aianime = {
    PUBLIC(name)        = "aianime",
    PUBLIC(description) = NULL_IF_CONFIG_SMALL("Turn video into anime with libaianime."),
    PUBLIC(priv_class)  = &aianime_class,
    PUBLIC(flags)       = AVFILTER_FLAG_SUPPORT_TIMELINE_INTERNAL,
    .priv_size     = sizeof(AianimeContext),
    .init          = init,
    .uninit        = uninit,
    .activate      = activate,
    FILTER_INPUTS(aianime_inputs),
    FILTER_OUTPUTS(ff_video_default_filterpad),
    FILTER_QUERY_FUNC2(query_formats),
};
