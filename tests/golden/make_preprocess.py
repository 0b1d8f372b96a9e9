# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the preprocessors without network, for test_preprocess.cpp.

Needs numpy scipy safetensors opencv-python-headless einops huggingface_hub torch and, installed with --no-deps, controlnet_aux.
Canny is controlnet_aux's own detector; the others are written down here with scipy and numpy. Run: python3 make_preprocess.py
"""

import pathlib

import cv2
import numpy as np
from safetensors.numpy import save_file
from scipy import ndimage

from annotator_reference import reference

FOLDER = pathlib.Path(__file__).parent / "preprocess"


def scene(width, height, seed):
    """Smooth colours with discs, bars and lines on top, 8 bit."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(40, 220, size=(height // 16 + 2, width // 16 + 2, 3)).astype(np.float32)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    for i in range(10):
        color = random.uniform(0, 255, 3).tolist()
        at = [int(v) for v in random.uniform(0, [width, height])]
        to = [int(v) for v in random.uniform(0, [width, height])]
        if i % 2:
            cv2.line(picture, at, to, (20, 15, 30), int(random.integers(1, 4)), cv2.LINE_AA)
        else:
            cv2.circle(picture, at, int(random.integers(4, 20)), color, -1, cv2.LINE_AA)
    return picture.round().clip(0, 255).astype(np.uint8)


def gaussian(picture, sigma):
    return ndimage.gaussian_filter(picture.astype(np.float64), (sigma, sigma, 0), mode="mirror", truncate=4)


def doubled(values, axis, size):
    """One axis of a Gaussian pyramid step: even samples 1 6 1 / 8, odd samples 4 4 / 8, mirrored before and repeated behind."""
    values = np.moveaxis(values, axis, 0)
    before = np.concatenate([values[1:2] if len(values) > 1 else values[:1], values[:-1]])
    behind = np.concatenate([values[1:], values[-1:]])
    out = np.empty((2 * len(values), *values.shape[1:]))
    out[0::2] = (before + 6 * values + behind) / 8
    out[1::2] = (values + behind) / 2
    return np.moveaxis(out[:size], 0, axis)


def tile(picture):
    small = picture.reshape(picture.shape[0] // 8, 8, picture.shape[1] // 8, 8, 3).astype(np.float64).mean(axis=(1, 3))
    for _ in range(3):
        small = doubled(doubled(small, 0, 2 * small.shape[0]), 1, 2 * small.shape[1])
    return small


def scribble(picture, threshold):
    difference = (gaussian(picture, 5.0) - gaussian(picture, 0.5)).min(axis=2)
    close = np.abs(difference - threshold / 2) < 1e-3
    assert not close.any(), "a pixel too close to the threshold to tell: take another seed"
    return np.where(difference > threshold / 2, 255, 0).astype(np.uint8)


def grid(picture, cell):
    rows, columns = picture.shape[0] // cell, picture.shape[1] // cell
    mean = picture.reshape(rows, cell, columns, cell, 3).astype(np.float64).mean(axis=(1, 3))
    return mean.repeat(cell, axis=0).repeat(cell, axis=1)


def main():
    detector = reference("canny").CannyDetector()
    picture = scene(128, 64, 3)
    canny = lambda low, high: detector(picture, low, high, detect_resolution=64, image_resolution=64)[:, :, 0]
    tensors = {
        "picture": picture,
        "canny": canny(100, 200),
        "canny_50_80": canny(50, 80),
        "scribble": scribble(picture, 32),
        "scribble_10": scribble(picture, 10),
        "blur": gaussian(picture, 9).astype(np.float32)[::3, ::5],
        "tile": tile(picture).astype(np.float32)[::3, ::5],
        "color": grid(picture, 32).astype(np.float32)[::32, ::32],
    }
    for name in ("canny", "canny_50_80", "scribble", "scribble_10"):
        share = (tensors[name] == 255).mean()
        assert 0.005 < share < 0.4, (name, share)
    FOLDER.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, FOLDER / "pictures.safetensors")
    print({name: value.shape for name, value in tensors.items()})


if __name__ == "__main__":
    main()
