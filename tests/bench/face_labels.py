# SPDX-License-Identifier: LGPL-2.1-or-later
"""How good `aianime faces` is on clips whose frames are labelled by eye in tests/labels/faces.json. Standard library only.

    python3 tests/bench/face_labels.py [--tool build/bin/aianime] [--every] FOLDER...

FOLDERs hold the clips, ../shared/media is looked into too. Clips that are not there are left out. Searches and follows as the
command does by itself; --every searches every frame. Ends with 1 where a goal is missed: eyes right on 95 % of the labelled frames,
one track a person and shot, gender right on all tracks. Frames labelled unclear do not count.
"""

import argparse
import json
import os
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOAL = 0.95
RATE = "2.5"


def survey(tool, file, rate, more):
    out = subprocess.run([tool, "faces", file, "--fps", rate, "--format", "json", *more], stdout=subprocess.PIPE, check=True)
    return json.loads(out.stdout)["files"][0]["shots"]


def eyes_at(shots, time):
    """What the tracks of the shot say for this time."""
    half = 0.005  # labels have milliseconds
    for shot in shots:
        if shot["begin"] - half <= time <= shot["end"] + half:
            for track in shot["tracks"]:
                said = [change["eyes"] for change in track["changes"] if change["time"] <= time + half]
                return (said or [track["changes"][0]["eyes"]])[-1]
    return None


def measure(tool, clip, file, rate, more):
    shots = survey(tool, file, rate, more)
    told = [frame for frame in clip["frames"] if frame["eyes"] != "unclear"]
    wrong = [frame for frame in told if eyes_at(shots, frame["time"]) != frame["eyes"]]
    genders = {frame["gender"] for frame in clip["frames"]}
    tracks = [track for shot in shots for track in shot["tracks"]]
    return {
        "told": len(told), "right": len(told) - len(wrong), "wrong": [frame["frame"] for frame in wrong],
        "tracks": [len(shot["tracks"]) for shot in shots],
        "people": [max(frame["people"] for frame in clip["frames"])] * len(shots),
        "gender": all(genders == {track["gender"]} for track in tracks),
        "seen": sum(track["sightings"] for track in tracks), "looks": sum(shot["pictures"] for shot in shots),
        "age": [round(track["age"]) for track in tracks],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default=os.path.join(TREE, "build", "bin", "aianime"))
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--flag", action="append", default=[], help="a further argument of `aianime faces`")
    parser.add_argument("folders", nargs="*")
    args = parser.parse_args()
    with open(os.path.join(TREE, "tests", "labels", "faces.json"), encoding="utf-8") as file:
        clips = json.load(file)["clips"]
    folders = args.folders + [os.path.join(TREE, "..", "shared", "media")]
    print("| clip | eyes right | wrong frames | tracks a shot | seen in | gender right | age |\n|---|---|---|---|---|---|---|")
    told = right = 0
    good = True
    for clip in clips:
        file = next((path for folder in folders if os.path.isfile(path := os.path.join(folder, clip["file"]))), None)
        if not file:
            print(f"skip {clip['clip']}: {clip['file']} is not there", file=sys.stderr)
            continue
        found = measure(args.tool, clip, file, "0" if args.every else RATE, args.flag)
        told, right = told + found["told"], right + found["right"]
        good = good and found["gender"] and found["tracks"] == found["people"]
        print(f"| {clip['clip']} | {found['right']} of {found['told']} | {' '.join(map(str, found['wrong'])) or '-'} | "
              f"{' '.join(map(str, found['tracks']))} | {found['seen']} of {found['looks']} | {'yes' if found['gender'] else 'no'} | "
              f"{' '.join(map(str, found['age']))} |", flush=True)
    if told:
        print(f"\neyes right: {right} of {told}, {100 * right / told:.1f} %")
    return 0 if good and right >= GOAL * told else 1


if __name__ == "__main__":
    sys.exit(main())
