/*
 * This file is part of vf_aianime.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * @file
 * libaianime: turns real video into anime, frame by frame, in order.
 *
 * The library exports one function, aianime_get_api(), which returns a table of functions. A program may link against the
 * library (`pkg-config --cflags --libs libaianime`) or open it at run time with dlopen() and look that one name up; the FFmpeg
 * filter does the latter, so that `ffmpeg` itself never loads LibTorch.
 *
 * Frames go in with send() and come out of receive() in the same order and the same number. The library holds back as many
 * frames as one segment of the plan needs, so receive() answers AIANIME_AGAIN until enough has been sent or drain() was called.
 *
 * A complete program, error handling shortened:
 *
 * @code
 * const aianime_api *api = aianime_get_api(AIANIME_API_VERSION);
 * aianime_settings settings = { .struct_size = sizeof(settings), .template_path = "pop.json",
 *                               .width = 640, .height = 360, .time_base = { 1, 24000 }, .frame_rate = { 24000, 1001 } };
 * aianime_engine *engine = NULL;
 * if (api->open(&engine, &settings) < 0)
 *     return 1;                                    // the reason went to settings.log
 *
 * while (read_frame(&in)) {                        // the planes of `in` stay valid until the frame came back
 *     api->send(engine, &in);
 *     while ((ret = api->receive(engine, &out)) == AIANIME_OK)
 *         write_frame(&out);                       // out.opaque is the opaque pointer of the frame it was made from
 *     if (ret != AIANIME_AGAIN)
 *         break;                                   // an error: everything written so far is good
 * }
 * api->drain(engine);                              // end of stream: what is held back becomes available
 * while ((ret = api->receive(engine, &out)) == AIANIME_OK)
 *     write_frame(&out);                           // ends with AIANIME_EOF
 * api->close(&engine);
 * @endcode
 *
 * Threads: one handle is used by one thread at a time; different handles are independent and may run at the same time.
 * cancel() alone may be called from any thread. Callbacks are called on the thread that is inside a function of the handle.
 *
 * No function throws, prints, changes the locale, installs signal handlers or keeps state outside its handle.
 */

#ifndef AIANIME_H
#define AIANIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the table and the structs below: raised when either changes in a way that old callers cannot take. */
#define AIANIME_API_VERSION 1

/** A timestamp that is not known. The same value as FFmpeg's AV_NOPTS_VALUE. */
#define AIANIME_NO_PTS INT64_MIN

/** Results. 0 is success, every failure is negative; the tens tell the class. */
typedef enum aianime_result {
    AIANIME_OK = 0,
    AIANIME_AGAIN = -1, /**< receive(): send another frame or drain() first. Not an error. */
    AIANIME_EOF = -2,   /**< receive(): drained, every frame has come out. Not an error. */

    AIANIME_INVALID = -10,      /**< A null pointer, a wrong struct_size, an option value that makes no sense. */
    AIANIME_OUT_OF_RANGE = -11, /**< A number outside its documented range, or a picture above the pixel limit. */
    AIANIME_STATE = -12,        /**< Called in the wrong order: send() after drain(), use after an error. */

    AIANIME_NO_MEMORY = -20, /**< Host or device memory ran out. */
    AIANIME_IO = -21,        /**< Reading or writing failed although the file exists. */

    AIANIME_NO_DEVICE = -30, /**< The device asked for is not there or cannot be used. */

    AIANIME_NOT_FOUND = -40, /**< A template, pack or model file does not exist. */
    AIANIME_BAD_DATA = -41,  /**< A template, pack or model file is damaged, incomplete, or not what it should be. */
    AIANIME_FORBIDDEN = -42, /**< A format that is never opened (pickle), a path outside its folder, no permission. */

    AIANIME_NOT_FINITE = -50, /**< The networks returned NaN or infinity and a retry in float32 did not help. */
    AIANIME_CANCELLED = -51,  /**< cancel() was called. */
    AIANIME_INTERNAL = -52    /**< Anything else; the log has the text. */
} aianime_result;

/** Severity of a log line. */
typedef enum aianime_log_level {
    AIANIME_LOG_ERROR = 0,
    AIANIME_LOG_WARNING = 1,
    AIANIME_LOG_INFO = 2,
    AIANIME_LOG_VERBOSE = 3
} aianime_log_level;

/** What the samples of a frame mean. */
typedef enum aianime_color_model {
    AIANIME_YUV = 0, /**< component 0 luma, 1 and 2 chroma (blue and red difference) */
    AIANIME_RGB = 1, /**< component 0 red, 1 green, 2 blue */
    AIANIME_GRAY = 2 /**< component 0 luma only */
} aianime_color_model;

/** A rational number. A zero denominator means "unknown". */
typedef struct aianime_rational {
    int num;
    int den;
} aianime_rational;

/** Where the samples of one component lie. The same meaning as FFmpeg's AVComponentDescriptor. */
typedef struct aianime_component {
    int plane;  /**< index into aianime_frame.data */
    int step;   /**< bytes between two samples of a row: 1 or 2 when planar, more when packed */
    int offset; /**< bytes before the first sample of a row */
    int shift;  /**< bits to shift a sample right, 0 when the value sits in the low bits */
    int depth;  /**< bits of a sample, 8 to 16; above 8 a sample is 16 bits in the machine's byte order */
} aianime_component;

/** How a picture is stored. Integer samples only. */
typedef struct aianime_format {
    aianime_color_model model;
    int components;    /**< 1 gray, 2 gray with alpha, 3, or 4 with alpha; alpha is always the last */
    int has_alpha;     /**< 1 when the last component is alpha, which is copied untouched */
    int log2_chroma_w; /**< horizontal subsampling of components 1 and 2 of a YUV picture: 0, 1 or 2 */
    int log2_chroma_h; /**< vertical subsampling, likewise */
    aianime_component component[4];
} aianime_format;

/** Frame flags. */
#define AIANIME_FRAME_PASS (1u << 0) /**< This frame is not to be touched: it comes out as it went in, in its turn. */

/** How a frame that came out of receive() was made. */
typedef enum aianime_origin {
    AIANIME_ORIGIN_PASSED = 0,      /**< copied from the source: AIANIME_FRAME_PASS, strength 0, too small, on_error pass */
    AIANIME_ORIGIN_GENERATED = 1,   /**< made by the networks */
    AIANIME_ORIGIN_INTERPOLATED = 2 /**< made from the generated frames before and after it */
} aianime_origin;

/** Somebody's face in a frame, as the filter sees it. */
typedef struct aianime_face {
    int track;                 /**< the same for one person through a shot */
    float x, y, width, height; /**< box in pixels of the frame; may reach over its border */
    float male;                /**< probability, voted over the track; female is the rest */
    float age;                 /**< years, likewise */
    int eyes_open, mouth_open; /**< 0 or 1, at this time */
    const char *expression;    /**< "neutral", "happy", "sad", "angry", "fearful", "disgusted" or "surprised", static */
} aianime_face;

/**
 * One picture. The caller owns every plane.
 *
 * send() reads the struct and keeps the plane pointers: the planes must stay valid and unchanged until the same frame has come
 * out of receive(), or reset() or close() has returned. On failure of send() the planes are not kept.
 *
 * receive() writes the frame into planes that the caller provides: format, size and linesize must describe them and equal
 * the source frame's format and size. The remaining fields are filled by receive().
 */
typedef struct aianime_frame {
    size_t struct_size; /**< sizeof(aianime_frame) */
    aianime_format format;
    int width;
    int height;
    uint8_t *data[4];
    ptrdiff_t linesize[4]; /**< bytes from one row to the next, may be negative */
    int matrix;       /**< ISO/IEC 23091-2 matrix coefficients as AVColorSpace counts them; 2 is unspecified, then chosen by size */
    int range;        /**< 0 unspecified (limited for YUV), 1 limited, 2 full */
    int transfer;     /**< ISO/IEC 23091-2 transfer; 16 (PQ) and 18 (HLG) are refused, the rest passes through */
    uint32_t flags;   /**< AIANIME_FRAME_* */
    int64_t pts;      /**< in units of aianime_settings.time_base, or AIANIME_NO_PTS */
    int64_t duration; /**< in the same units, 0 when unknown */
    void *opaque;     /**< send(): the caller's own; receive(): that of the source frame */

    /* Filled by receive(). */
    aianime_origin origin;
    int shot;           /**< number of the shot, from 0 */
    int segment;        /**< number of the segment inside the clip, from 0 */
    uint64_t seed;      /**< seed the frame's noise was drawn with */
    const char *prompt; /**< prompt used, owned by the handle, valid until the next call on it; "" for passed frames */

    /* Likewise; a caller that was built with a header that ends before them has a smaller struct_size and does not get them. */
    const char *caption;       /**< what was said of the shot, corrected; "" for none */
    int face_count;            /**< who is to be seen */
    const aianime_face *faces; /**< that many; null for none */
} aianime_frame;

/** Reported now and then while frames are made, about every two seconds, from inside send(), drain() or receive(). */
typedef struct aianime_progress {
    size_t struct_size;
    const char *stage;        /**< "load", "analyse", "denoise", "decode", "interpolate" */
    int64_t frames_in;        /**< frames sent so far */
    int64_t frames_out;       /**< frames received so far */
    int64_t frames_generated; /**< frames made by the networks so far */
    double seconds_per_frame; /**< wall time of one generated frame, averaged; 0 before the first */
    double seconds_remaining; /**< for the frames held now at that speed; the clip's length is not known to the library */
} aianime_progress;

/** Called with one line of text, without a newline. `context` is aianime_settings.callback_context. */
typedef void (*aianime_log_fn)(void *context, aianime_log_level level, const char *line);
/** Called with the state of the work. The struct is valid during the call only. */
typedef void (*aianime_progress_fn)(void *context, const aianime_progress *progress);

/** What to do when the networks fail on a segment after the first frame was opened successfully. */
typedef enum aianime_on_error {
    AIANIME_ON_ERROR_FAIL = 0, /**< receive() returns the error; nothing comes out after it */
    AIANIME_ON_ERROR_PASS = 1  /**< the segment's source frames come out unchanged, are counted and logged */
} aianime_on_error;

/** Which model files may be used. */
typedef enum aianime_license {
    AIANIME_LICENSE_ANY = 0,       /**< all */
    AIANIME_LICENSE_COMMERCIAL = 1 /**< those known as noncommercial are refused by open() with AIANIME_FORBIDDEN */
} aianime_license;

/** Which numeric fields of aianime_settings override the template; a field whose bit is clear is not read. */
#define AIANIME_SET_SEED (1u << 0)
#define AIANIME_SET_STEPS (1u << 1)
#define AIANIME_SET_STRENGTH (1u << 2)
#define AIANIME_SET_GUIDANCE (1u << 3)
#define AIANIME_SET_SIZE (1u << 4)
#define AIANIME_SET_FPS (1u << 5)
#define AIANIME_SET_WINDOW (1u << 6)
#define AIANIME_SET_OVERLAP (1u << 7)
#define AIANIME_SET_SEGMENT (1u << 8)

/**
 * What open() needs. A zeroed struct with struct_size, width and height set is valid: the pack and the default template that
 * come with the library, on the best device. Strings are copied; null and "" mean "as the template says" or the default named.
 * New fields are added at the end only: a caller that was built with an older header has a smaller struct_size, and what its struct
 * lacks counts as zero.
 */
typedef struct aianime_settings {
    size_t struct_size;        /**< sizeof(aianime_settings) */
    const char *template_path; /**< JSON template; a bare name is searched (docs/templates.md); default "pop" */
    const char *models_path;   /**< folder that packs and models are named in; default: $AIANIME_MODELS, installed, tree */
    const char *device;        /**< "auto", "cpu", "cuda", "cuda:N"; default "auto" */
    const char *prompt;        /**< replaces the template's positive prompt */
    const char *negative;      /**< replaces the template's negative prompt */
    const char *interpolate;   /**< "source", "blend" or "none" */
    aianime_on_error on_error;
    int threads; /**< CPU threads of the networks, 0 = all cores */

    int width; /**< of the frames to come, in pixels; a frame of another size is refused */
    int height;
    aianime_rational time_base;  /**< unit of pts; {0, 0} = 1/90000 */
    aianime_rational frame_rate; /**< nominal rate, used where timestamps are missing; {0, 0} = unknown, then 25 */

    uint32_t given; /**< AIANIME_SET_* bits of the fields below that are to be used */
    uint64_t seed;
    int steps;       /**< 1 to 1000 denoising steps */
    double strength; /**< 0 to 1; 0 passes every frame through unchanged, 1 starts from pure noise */
    double guidance; /**< classifier-free guidance scale, 0 to 50; 1 and below: no guidance */
    int size;        /**< working short side in pixels, 0 = the input's, else 16 to 4096 */
    double fps;      /**< generated frames a second, 0 = every frame, else up to 1000 */
    int window;      /**< frames of one attention window, 1 to 64 */
    int overlap;     /**< frames shared by neighbouring windows and segments, 0 to window - 1 */
    int segment;     /**< generated frames held at once, 1 to 64 */

    aianime_log_fn log;           /**< may be null */
    aianime_progress_fn progress; /**< may be null */
    void *callback_context;

    aianime_license license; /**< checked for every model file that the template names */
    const char *noise_path;  /**< safetensors file with the initial noise of the frames, [frames, channels, height, width] of
                                  latents, in the order they are generated; null and "": drawn by the seed */

    const char *caption;       /**< who describes the shots: "none", "attributes", "clip", "blip2", "wd", "file"; null and "": as
                                    the template or the pack says */
    const char *captions_path; /**< text file of the captions; with one, caption is "file" unless it is given */
    const char *report_path;   /**< JSON file of everything that was decided, written at the end */
    const char *key_pictures_path; /**< folder for a PNG of each shot's key frame */
    const char *plan_path;         /**< such a report, perhaps edited, that is to be followed */
} aianime_settings;

/** A session. Made by open(), ended by close(). */
typedef struct aianime_engine aianime_engine;

/** The functions. The table is constant, shared, and valid as long as the library is loaded. */
typedef struct aianime_api {
    size_t struct_size;
    int version; /**< AIANIME_API_VERSION of the library */

    /** Text of a result, static, never null; for any int. */
    const char *(*result_text)(int result);

    /** "aianime X.Y.Z (LibTorch A.B.C)", static. */
    const char *(*version_text)(void);

    /**
     * Reads template, pack and models and prepares the device. May block for seconds.
     *
     * On success *handle is the new session, owned by the caller until close(). On failure *handle is null and nothing is kept.
     * @return AIANIME_OK, INVALID, OUT_OF_RANGE, NO_MEMORY, IO, NO_DEVICE, NOT_FOUND, BAD_DATA, FORBIDDEN, INTERNAL
     */
    int (*open)(aianime_engine **handle, const aianime_settings *settings);

    /**
     * Hands a frame in. May block for as long as a whole segment takes (minutes on a CPU).
     *
     * The planes stay the caller's and must stay valid as described at aianime_frame.
     * @return AIANIME_OK, INVALID (planes, format), OUT_OF_RANGE (size), STATE (drained or failed), CANCELLED, or what failed
     *         while a segment was made
     */
    int (*send)(aianime_engine *handle, const aianime_frame *frame);

    /**
     * Takes the next frame in order into the caller's planes. May block for as long as a segment takes.
     *
     * After any result but OK the planes are unchanged or undefined; `frame->opaque` and the other filled fields are set with OK
     * only.
     * @return AIANIME_OK, AGAIN, EOF, INVALID (planes do not fit the source frame), CANCELLED, or what failed
     */
    int (*receive)(aianime_engine *handle, aianime_frame *frame);

    /** End of stream: afterwards receive() delivers what is held back, then EOF. Repeating it is harmless. @return AIANIME_OK,
     * INVALID */
    int (*drain)(aianime_engine *handle);

    /** Forgets all held frames and the state between frames (a seek); models stay loaded. @return AIANIME_OK, INVALID, INTERNAL */
    int (*reset)(aianime_engine *handle);

    /** Makes a call in progress on another thread, and every later one but reset() and close(), return CANCELLED soon. */
    void (*cancel)(aianime_engine *handle);

    /** Frees the session and sets *handle to null. A null pointer or a null handle is fine. */
    void (*close)(aianime_engine **handle);
} aianime_api;

#if defined(__GNUC__)
#define AIANIME_EXPORT __attribute__((visibility("default")))
#else
#define AIANIME_EXPORT
#endif

/**
 * The library's table.
 *
 * @param version the AIANIME_API_VERSION the caller was compiled with
 * @return the table, or null when this library cannot serve that version
 */
AIANIME_EXPORT const aianime_api *aianime_get_api(int version);

/** Type and name of the exported function, for dlsym(). */
typedef const aianime_api *(*aianime_get_api_fn)(int version);
#define AIANIME_GET_API_NAME "aianime_get_api"

#ifdef __cplusplus
}
#endif

#endif /* AIANIME_H */
