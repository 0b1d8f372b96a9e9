# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ratios measured side by side, called by run.sh. Standard library only.

a  seconds a generated frame and peak memory: the filter, the engine alone and Python diffusers, in bfloat16 and float32
b  start of ffmpeg without our filter: patched against unpatched
c  peak memory of 200 against 50 generated frames
d  bfloat16 against float32 in the engine alone
e  Stable Diffusion 1.5 at its real size with random weights: one step at 512x512 by the filter and by diffusers
f  a clip with a face that is looked at and described, against one that is not

Programs that are compared run in turn, so that what else the machine does falls on all of them alike; medians are reported.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

WIDTH, HEIGHT, FRAMES, STEPS = 448, 256, 16, 4
PROMPT = "pop anime style"
DTYPES = ("bfloat16", "float32")
HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))


def child(command, env=None):
    """Runs a program: what it printed, wall seconds, peak resident memory in MiB."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            err.seek(0)
            sys.stderr.write(err.read().decode(errors="replace")[-3000:])
            raise SystemExit(f"measure.py: failed with {process.returncode}: {' '.join(command)}")
        out.seek(0)
        return out.read().decode(), wall, usage.ru_maxrss / 1024


def median(values):
    return statistics.median(values)


class Bench:
    def __init__(self, args):
        self.build = os.path.abspath(args.build)
        self.work = os.path.join(self.build, "bench")
        self.rounds = args.rounds
        self.threads = os.cpu_count() if not hasattr(os, "sched_getaffinity") else len(os.sched_getaffinity(0))
        self.ffmpeg = os.path.join(self.build, "bin", "ffmpeg")
        self.pack = os.path.join(TREE, "models", "pocket")
        self.lines = []

    def say(self, text):
        print("== " + text, file=sys.stderr, flush=True)

    def add(self, what, ours, theirs, ratio, goal=""):
        self.lines.append(f"| {what} | {ours} | {theirs} | {ratio} | {goal} |")

    def template(self, name, dtype, **coherence):
        """A template whose only business is to be measured; without a dtype the engine chooses."""
        path = os.path.join(self.work, name + ".json")
        content = {
            "schema": 1,
            "model": {"base": "pocket", **({"precision": dtype} if dtype else {})},
            "prompt": {"positive": PROMPT},
            "sampling": {"scheduler": "ddim", "steps": STEPS, "guidance": 1, "size": 0},
            "coherence": coherence or {"attention": "self"},
            "time": {"generate_fps": 0, "interpolate": "none"},
        }
        with open(path, "w") as out:
            json.dump(content, out, indent=2)
        return path

    def source(self, frames, width=WIDTH, height=HEIGHT):
        """Ends by itself: with -frames the filter would make a whole segment before ffmpeg noticed that it has enough."""
        return ["-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=10:duration={frames / 10}"]

    def filter_run(self, template, frames, width=WIDTH, height=HEIGHT):
        chain = f"aianime=template={template}:threads={self.threads}"
        command = [self.ffmpeg, "-v", "error", *self.source(frames, width, height), "-vf", chain, "-f", "null", "-"]
        return child(command)[1:]

    def raw_frames(self):
        path = os.path.join(self.work, "frames.rgb")
        child([self.ffmpeg, "-v", "error", "-y", *self.source(FRAMES), "-pix_fmt", "rgb24", "-f", "rawvideo", path])
        return path

    # --- a and d ---------------------------------------------------------------------------------------------------

    def reference(self, frames, dtype, *more):
        script = os.path.join(HERE, "diffusers_reference.py")
        values = {"pack": self.pack, "frames": frames, "width": WIDTH, "height": HEIGHT, "count": FRAMES, "threads": self.threads,
                  "steps": STEPS, "prompt": PROMPT, "dtype": dtype}
        command = [sys.executable, script] + [f"--{key}={value}" for key, value in values.items()] + list(more)
        return json.loads(child(command)[0].splitlines()[-1])

    def best_reference(self, frames, dtype):
        trials = self.reference(frames, dtype, "--tune")["trials"]
        best = min(trials, key=lambda trial: trial["seconds"])
        self.say(f"diffusers {dtype}: " + ", ".join(f"{t['batch']}{'cl' if t['channels_last'] else ''} {t['seconds']:.2f}" for t in trials))
        return [f"--batch={best['batch']}"] + (["--channels-last"] if best["channels_last"] else []), best

    def engine_run(self, template, frames):
        library = os.environ.get("AIANIME_ENGINE", os.path.join(self.build, "lib", "libaianime.so.1"))
        command = [os.path.join(self.work, "engine_speed"), library, template, frames, WIDTH, HEIGHT, FRAMES, self.threads]
        out, _, peak = child([str(word) for word in command])
        return json.loads(out)["seconds"], peak

    def speed(self, with_reference):
        frames = self.raw_frames()
        best = {}
        for dtype in DTYPES if with_reference else ():
            self.say(f"a: choosing batch size and memory format for diffusers in {dtype}")
            best[dtype] = self.best_reference(frames, dtype)
        found = {dtype: {"filter": [], "engine": [], "diffusers": []} for dtype in DTYPES}
        for number in range(self.rounds):
            for dtype in DTYPES:
                self.say(f"round {number + 1} of {self.rounds}, {dtype}")
                template = self.template(dtype, dtype)
                found[dtype]["engine"].append(self.engine_run(template, frames))
                if with_reference:
                    found[dtype]["filter"].append(self.filter_run(template, FRAMES))
                    theirs = self.reference(frames, dtype, *best[dtype][0])
                    found[dtype]["diffusers"].append((theirs["seconds"], theirs["peak_mib"]))
        if with_reference:
            self.report_reference(found, best)
        fast, slow = (self.frame_seconds(found, dtype, "engine") for dtype in DTYPES)
        chosen = self.default_precision()
        goal = {"bfloat16": "< 1", "float32": ">= 1"}[chosen] + f", {chosen} is chosen here"
        self.add("engine alone, bfloat16 against float32, s/frame", f"{fast:.3f}", f"{slow:.3f}", f"{fast / slow:.2f}", goal)

    def default_precision(self):
        doctor = child([os.path.join(self.build, "bin", "aianime"), "doctor"])[0]
        line = next(line for line in doctor.splitlines() if line.startswith("precision"))
        return "bfloat16" if "bfloat16," in line else "float32"

    def frame_seconds(self, found, dtype, who):
        return median([run[0] for run in found[dtype][who]]) / FRAMES

    def report_reference(self, found, best):
        for dtype in DTYPES:
            trial = best[dtype][1]
            how = f"batch {trial['batch']}, {'channels-last' if trial['channels_last'] else 'contiguous'}"
            theirs = self.frame_seconds(found, dtype, "diffusers")
            for who, text in (("filter", "whole `ffmpeg` run, start included"), ("engine", "engine alone")):
                ours = self.frame_seconds(found, dtype, who)
                self.add(f"{dtype}, s/frame, {text}", f"{ours:.3f}", f"{theirs:.3f} (diffusers, {how})", f"{ours / theirs:.2f}", "<= 0.90")
            ours, theirs = (median([run[1] for run in found[dtype][who]]) for who in ("filter", "diffusers"))
            self.add(f"{dtype}, peak memory, MiB", f"{ours:.0f}", f"{theirs:.0f} (diffusers)", f"{ours / theirs:.2f}", "< 1")

    # --- b ---------------------------------------------------------------------------------------------------------

    def start(self):
        programs = [self.ffmpeg, os.path.join(self.work, "stock", "ffmpeg")]
        null = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", "-f", "null", "-"]
        for what, words in (("`ffmpeg -version`", ["-version"]), ("one frame to nowhere", null)):
            self.say("b: " + what)
            times = {program: [] for program in programs}
            for number in range(104):
                for program in programs if number % 2 else reversed(programs):
                    wall = child([program, *words])[1]
                    if number >= 4:
                        times[program].append(wall * 1000)
            ours, theirs = (median(times[program]) for program in programs)
            self.add(f"start, {what}, ms", f"{ours:.2f}", f"{theirs:.2f} (unpatched)", f"{ours / theirs:.3f}", "<= 1.02")

    # --- c ---------------------------------------------------------------------------------------------------------

    def memory(self):
        template = self.template("memory", None, attention="anchors", window=16, overlap=4, segment=32, noise="shared")
        self.say("c: 50 and 200 frames")
        few = self.filter_run(template, 50, 192, 112)[1]
        many = self.filter_run(template, 200, 192, 112)[1]
        self.add("peak memory, 200 against 50 generated frames (192x112), MiB", f"{many:.0f}", f"{few:.0f}", f"{many / few:.3f}", "<= 1.05")

    # --- e ---------------------------------------------------------------------------------------------------------

    def full_size(self):
        script, folder = os.path.join(HERE, "full_size.py"), os.path.join(self.work, "full")
        if not os.path.exists(os.path.join(folder, "model_index.json")):
            self.say("e: making 2 GB of random weights")
            child([sys.executable, script, "make", folder, self.pack])
        template = os.path.join(self.work, "full.json")
        with open(template, "w") as out:
            json.dump({
                "schema": 1,
                "model": {"base": "full", "precision": "float32"},
                "prompt": {"positive": PROMPT},
                "sampling": {"scheduler": "ddim", "steps": 1, "guidance": 1, "strength": 1, "size": 512},
                "coherence": {"attention": "self"},
                "time": {"generate_fps": 0, "interpolate": "none"},
            }, out)
        ours, theirs = [], []
        for number in range(self.rounds):
            self.say(f"e: round {number + 1} of {self.rounds}")
            chain = f"aianime=template={template}:models={self.work}:threads={self.threads}"
            ours.append(child([self.ffmpeg, "-v", "error", *self.source(1, 512, 512), "-vf", chain, "-f", "null", "-"])[1:])
            found = child([sys.executable, script, "run", folder, "--threads", str(self.threads), "--prompt", PROMPT])[0]
            theirs.append(json.loads(found.splitlines()[-1]))
        seconds, peak = (median([run[i] for run in ours]) for i in (0, 1))
        reference = median([run["seconds"] for run in theirs])
        memory = median([run["peak_mib"] for run in theirs])
        self.add("Stable Diffusion 1.5 size, one step and decoder at 512x512, float32, loading included, s", f"{seconds:.1f} (whole `ffmpeg`)",
                 f"{reference:.1f} (diffusers without its imports)", f"{seconds / reference:.2f}", "<= 0.90")
        self.add("the same, peak memory, MiB", f"{peak:.0f}", f"{memory:.0f} (diffusers)", f"{peak / memory:.2f}", "<= 0.80")

    # --- f ---------------------------------------------------------------------------------------------------------

    def understanding(self):
        face = os.path.join(TREE, "tests", "golden", "face", "astronaut.png")
        clip = os.path.join(self.work, "face.mkv")
        child([self.ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", "color=gray:s=640x360:r=25:d=4", "-i", face, "-filter_complex",
               "[1]scale=320:-2[f];[0][f]overlay=40+2*n:20,format=yuv420p", "-c:v", "ffv1", clip])
        with open(os.path.join(TREE, "templates", "pop.json")) as given:
            look = json.load(given)
        walls = {}
        for name, caption, faces in (("on", "attributes", True), ("off", "none", False)):
            look["prompt"]["auto_caption"] = caption
            look.setdefault("identity", {})["faces"] = faces
            path = os.path.join(self.work, f"understanding_{name}.json")
            with open(path, "w") as out:
                json.dump(look, out)
            walls[name] = [path]
        for number in range(self.rounds):
            for name, runs in walls.items():
                self.say(f"f: round {number + 1} of {self.rounds}, {name}")
                chain = f"aianime=template={runs[0]}:threads={self.threads}"
                runs.append(child([self.ffmpeg, "-v", "error", "-i", clip, "-vf", chain, "-f", "null", "-"])[1])
        on, off = (median(walls[name][1:]) for name in ("on", "off"))
        self.add("4 s of 640x360 with a face, looked at and described, s", f"{on:.1f}", f"{off:.1f} (not looked at)", f"{on / off:.2f}", "<= 1.15")

    def report(self):
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.processor())
        text = [
            f"Measured {time.strftime('%Y-%m-%d')} on {self.threads} cores of {model}; {WIDTH}x{HEIGHT}, {STEPS} DDIM steps, {FRAMES} frames,",
            f"own-frame attention, one ControlNet, guidance 1; medians of {self.rounds} rounds in turn.",
            "",
            "| What | ours | compared with | ratio | goal |",
            "|---|---|---|---|---|",
            *self.lines,
        ]
        path = os.path.join(self.work, "report.md")
        with open(path, "w") as out:
            out.write("\n".join(text) + "\n")
        print("\n".join(text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--parts", default="a b c d e f")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    bench = Bench(args)
    parts = args.parts.split()
    if "a" in parts or "d" in parts:
        bench.speed(with_reference="a" in parts)
    if "b" in parts:
        bench.start()
    if "c" in parts:
        bench.memory()
    if "e" in parts:
        bench.full_size()
    if "f" in parts:
        bench.understanding()
    bench.report()


if __name__ == "__main__":
    main()
