# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of how pictures are measured, for test_measures.cpp.

Needs numpy scipy safetensors scikit-image. Similarity and colour are scikit-image's; edges and lines are written down here with
numpy and scipy. Run: python3 make_measures.py
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy import ndimage
from skimage import color, metrics

FOLDER = pathlib.Path(__file__).parent / "measures"


def scene(width, height, seed):
    """Smooth colours with discs and dark lines on top, float."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    picture = ndimage.zoom(random.uniform(0.2, 0.9, (height // 24 + 2, width // 24 + 2, 3)), (24, 24, 1), order=1)[:height, :width]
    for i in range(8):
        at, radius = random.uniform(0, [width, height]), random.uniform(5, 22)
        distance = np.hypot(x - at[0], y - at[1]) - radius
        fill = np.clip(0.5 - distance, 0, 1)[..., None]
        line = np.clip(2 - np.abs(distance), 0, 1)[..., None] * (i % 2)
        picture = picture * (1 - fill) + random.uniform(0, 1, 3) * fill
        picture = picture * (1 - line) + 0.08 * line
    return picture


def codes(picture):
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def neighbour(values, dy, dx):
    """The value one step away, 0 outside."""
    padded = np.pad(values, 1)
    return padded[1 + dy : 1 + dy + values.shape[0], 1 + dx : 1 + dx + values.shape[1]]


def canny(picture, low, high):
    """Canny with a 3x3 Sobel, the sum of absolute derivatives, four directions and 8-connected hysteresis."""
    gray = (picture.astype(np.float64) @ [0.299, 0.587, 0.114] + 0.5).astype(np.int64)
    dx, dy = ndimage.sobel(gray, 1, mode="nearest"), ndimage.sobel(gray, 0, mode="nearest")
    size = np.abs(dx) + np.abs(dy)
    slope = np.abs(dy) / np.maximum(np.abs(dx), 1e-9)
    level, upright = slope < np.tan(np.pi / 8), slope > np.tan(3 * np.pi / 8)
    falling = dx * dy >= 0
    beside = lambda before, behind, strict: (size > before) & ((size > behind) if strict else (size >= behind))
    thin = np.where(level, beside(neighbour(size, 0, -1), neighbour(size, 0, 1), False),
                    np.where(upright, beside(neighbour(size, -1, 0), neighbour(size, 1, 0), False),
                             np.where(falling, beside(neighbour(size, -1, -1), neighbour(size, 1, 1), True),
                                      beside(neighbour(size, -1, 1), neighbour(size, 1, -1), True))))
    labels, count = ndimage.label(thin & (size > low), np.ones((3, 3)))
    strong = np.zeros(count + 1, bool)
    strong[np.unique(labels[thin & (size > high)])] = True
    strong[0] = False
    return strong[labels]


def near(pixels, others):
    return (pixels & ndimage.binary_dilation(others, np.ones((3, 3)))).sum() / pixels.sum()


def line_density(picture):
    gray = picture.astype(np.float64) / 255 @ [0.299, 0.587, 0.114]
    darker = ndimage.grey_closing(gray, (7, 7), mode="nearest") - gray
    assert not (np.abs(darker - 0.15) < 1e-4).any(), "a pixel too close to the threshold to tell: take another seed"
    return (darker >= 0.15).mean()


def main():
    a = scene(112, 80, 4)
    moved = np.concatenate([np.roll(a[:50], 1, axis=1), np.roll(a[50:], 3, axis=1)])
    b = ndimage.gaussian_filter(moved, (0.6, 0.6, 0)) * 0.93 + np.random.default_rng(5).normal(0, 0.015, a.shape)
    a, b = codes(a), codes(b)
    x, y = a / 255.0, b / 255.0
    edges_a, edges_b = canny(a, 60, 140), canny(b, 60, 140)
    random = np.random.default_rng(6)
    colors = codes(random.uniform(0, 1, (16, 2, 3)))
    colors[:4] = [[[0, 0, 0], [255, 255, 255]], [[90, 90, 90], [90, 90, 90]], [[0, 0, 255], [20, 10, 250]], [[128, 128, 128], [127, 130, 125]]]
    lab = color.rgb2lab(colors / 255.0)
    numbers = {
        "psnr": metrics.peak_signal_noise_ratio(x, y, data_range=1),
        "ssim": metrics.structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1,
                                              channel_axis=2),
        "edge_precision": near(edges_a, edges_b),
        "edge_recall": near(edges_b, edges_a),
        "lines": line_density(a),
    }
    assert 0.02 < edges_a.mean() < 0.3 and 0.3 < numbers["edge_precision"] < 0.98, (edges_a.mean(), numbers)
    assert 0.01 < numbers["lines"] < 0.2, numbers
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "numbers.txt").write_text("".join(f"{name} {value:.9f}\n" for name, value in numbers.items()))
    save_file({
        "a": a,
        "b": b,
        "colors": colors,
        "lab": lab.astype(np.float32),
        "delta_e76": color.deltaE_cie76(lab[:, 0], lab[:, 1]).astype(np.float32),
        "delta_e2000": color.deltaE_ciede2000(lab[:, 0], lab[:, 1]).astype(np.float32),
    }, FOLDER / "pictures.safetensors")
    print(numbers)


if __name__ == "__main__":
    main()
