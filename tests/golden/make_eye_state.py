# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of test_eye_state.cpp: eight drawn eyes, four open and four closed, none of which the weights were fitted to, and what
scripts/make_eye_weights.py, which is numpy, makes of them with the weights in vf_aianime/vision/eye_weights.cpp.
Run: python3 make_eye_state.py
"""

import json
import pathlib
import re
import sys

import cv2
import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))
import make_eye_weights as eyes  # noqa: E402


def main():
    text = (HERE.parent.parent / "vf_aianime" / "vision" / "eye_weights.cpp").read_text()
    *weights, constant = [float(number) for number in re.findall(r"(-?\d+\.\d+)f", text)]
    rng = np.random.default_rng(1000)
    patches = [eyes.drawn(rng, i < 4).round().astype(np.uint8) for i in range(8)]
    features = [eyes.histograms(patch) for patch in patches]
    cv2.imwrite(str(HERE / "eye_state" / "eyes.png"), np.hstack(patches))
    golden = {"odds": [round(float(x @ np.array(weights) + constant), 5) for x in features],
              "features": [round(float(value), 6) for value in features[0]]}
    (HERE / "eye_state" / "eyes.json").write_text(json.dumps(golden) + "\n")
    print(golden["odds"])


main()
