#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Renders clips with several ways of making frames agree, scores them with `aianime eval`, prints a table for each way.

    tests/bench/coherence.py --work build/coherence --height 192 --seconds 5 \\
        --mode anchors='{"attention": "anchors"}' --mode flow='{"attention": "flow"}' CLIP...

A mode is a name and what it changes in the template's "coherence". Attention `self` with noise `frame` and with noise `shared` is
rendered in any case, whole, and is what all others are compared with. What a work folder holds already is not made again, so
that a run that was stopped goes on, and modes can be added; an engine that was built anew wants a new folder. Writes WORK/coherence.md and WORK/coherence.json.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys

KEPT = ("window", "overlap", "segment")  # what the baselines have of "coherence"
BASELINES = {"self, frame": {"attention": "self", "noise": "frame"}, "self, shared": {"attention": "self", "noise": "shared"}}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/coherence"))
    parser.add_argument("--template", type=pathlib.Path, default=pathlib.Path("templates/pop.json"))
    parser.add_argument("--mode", action="append", default=[], metavar="NAME=JSON")
    parser.add_argument("--height", type=int, default=0, help="clips are scaled to this height first, 0: as they are")
    parser.add_argument("--seconds", type=float, default=0, help="of the beginning of each clip, 0: all")
    parser.add_argument("--set", action="append", default=[], metavar="GROUP.KEY=JSON", help="changed in the template for all modes")
    parser.add_argument("--clip-vision", default="", help="CLIP vision tower for the consistency of content")
    parser.add_argument("--faces", type=int, default=4, help="identity in every Nth frame")
    return parser.parse_args()


def run(command):
    found = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if found.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit {found.returncode}: {found.stdout[-1000:]}{found.stderr[-2000:]}")
    return found.stdout + found.stderr


def short_hash(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def template_of(options, changes, baseline):
    template = json.loads(options.template.read_text())
    for change in options.set:
        key, _, value = change.partition("=")
        group, _, name = key.partition(".")
        template.setdefault(group, {})[name] = json.loads(value)
    coherence = template.get("coherence", {})
    if baseline:
        coherence = {key: value for key, value in coherence.items() if key in KEPT}
        template.get("model", {}).pop("motion", None)
    template["coherence"] = {**coherence, **changes}
    template.pop("$schema", None)
    return template


def prepare(options, clip):
    """The clip as it is rendered and scored, without loss."""
    made = options.work / f"{clip.stem}-{short_hash(str(clip.resolve()), options.height, options.seconds)}.mkv"
    if not made.exists():
        part = made.with_suffix(".part.mkv")
        length = ["-t", options.seconds] if options.seconds else []
        # Or half of what is measured would be the chroma's resampling, and a fifth the rounding to 8 bits.
        filters = [f"scale=-2:{options.height}:flags=area"] if options.height else []
        scale = ["-vf", ",".join([*filters, "format=yuv444p12"])]
        run([options.build / "bin/ffmpeg", "-v", "error", "-nostdin", "-y", "-i", clip, *length, "-map", "0:v:0", *scale,
             "-fps_mode", "passthrough", "-c:v", "ffv1", part])
        part.rename(made)
    return made


def render(options, source, template):
    """The result, its template and how long a generated frame took."""
    made = source.with_name(f"{source.stem}-{short_hash(template)}.mkv")
    look, log = made.with_suffix(".template.json"), made.with_suffix(".log")
    look.write_text(json.dumps(template, indent=1))
    if not made.exists():
        part = made.with_suffix(".part.mkv")
        log.write_text(run([options.build / "bin/ffmpeg", "-hide_banner", "-nostdin", "-y", "-i", source, "-vf",
                            f"aianime=template={look}", "-c:v", "ffv1", part]))
        part.rename(made)
    seconds = re.findall(r"([0-9.]+) s a generated frame", log.read_text())
    return made, look, float(seconds[-1]) if seconds else None


def score(options, source, result, look, alone):
    report = result.with_suffix(".eval.json")
    if not report.exists():
        content = ["--clip", options.clip_vision] if options.clip_vision else []
        run([options.build / "bin/aianime", "eval", source, result, "-t", look, "--self-frame", alone[0], "--self-shared", alone[1],
             "--faces", options.faces, *content, "-o", report, "--plot", result.with_suffix(".png")])
    return json.loads(report.read_text())


def row_of(report, seconds):
    scores, against = report["over_compared"]["result"], report["result_against"]
    return {
        "warp error": scores["warp_error"],
        "/ self, frame": against["self_frame"]["warp_error"],
        "/ self, shared": against["self_shared"]["warp_error"],
        "/ source": against["source"]["warp_error"],
        "warp SSIM": scores["warp_ssim"],
        "style / self, frame": against["self_frame"]["style_distance"],
        "identity": scores["identity_similarity"],
        "identity - self, frame": against["self_frame"]["identity_difference"],
        "flicker": scores["flicker"],
        "flicker / self, frame": against["self_frame"]["flicker"],
        "texture follows": scores["texture_follows"],
        "drift, dE/min": scores["color_drift_net"],
        "seam, windows": scores["seam_ratio"].get("windows"),
        "seam, segments": scores["seam_ratio"].get("segments"),
        "CLIP": scores["clip_consistency"],
        "s a frame": seconds,
    }


def mean_of(rows):
    means = {}
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def table(title, first, rows):
    names = list(next(iter(rows.values())))
    cell = lambda value: "-" if value is None else f"{value:.3f}"
    lines = [f"## {title}", "", f"| {first} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(cell(row[column]) for column in names) + " |")
    return "\n".join(lines) + "\n"


def modes_of(options):
    modes = dict(BASELINES)
    for text in options.mode:
        name, mark, changes = text.partition("=")
        if not mark or not isinstance(json.loads(changes), dict):
            sys.exit(f"--mode {text}: NAME={{...}} is wanted")
        modes[name] = json.loads(changes)
    return modes


def main():
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    rows = {}
    modes = modes_of(options)
    for clip in options.clips:
        source = prepare(options, clip)
        alone = [render(options, source, template_of(options, changes, True))[0] for changes in BASELINES.values()]
        for mode, changes in modes.items():
            result, look, seconds = render(options, source, template_of(options, changes, mode in BASELINES))
            rows.setdefault(mode, {})[clip.stem] = row_of(score(options, source, result, look, alone), seconds)
            print(f"{clip.stem}, {mode}: warp error {rows[mode][clip.stem]['warp error']}", file=sys.stderr, flush=True)
    means = {mode: mean_of(list(found.values())) for mode, found in rows.items()}
    tables = [table(mode, "clip", {**found, "mean": means[mode]}) for mode, found in rows.items()]
    text = "\n".join([*tables, table("Means over the clips", "mode", means)])
    (options.work / "coherence.json").write_text(json.dumps(rows, indent=1) + "\n")
    (options.work / "coherence.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
