# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of the scores of pairs of frames, for test_eval_scores.cpp: written down with numpy alone, from the definitions of docs/eval.md.

The flow is of whole pixels, so that carrying a picture along it is a matter of indices. Run: python3 make_eval.py
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "eval"
HEIGHT, WIDTH = 40, 56


def carried(picture, flow):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return picture[np.clip(y + flow[..., 1], 0, HEIGHT - 1).astype(int), np.clip(x + flow[..., 0], 0, WIDTH - 1).astype(int)]


def gauss(radius, sigma):
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    return kernel / kernel.sum()


def windowed(plane):
    kernel = gauss(5, 1.5)
    rows = np.apply_along_axis(lambda line: np.convolve(line, kernel, "valid"), 0, plane)
    return np.apply_along_axis(lambda line: np.convolve(line, kernel, "valid"), 1, rows)


def similarity(a, b):
    """Wang et al. 2004, data range 1, at the places whose window lies inside."""
    ma, mb = windowed(a), windowed(b)
    va, vb, cov = windowed(a * a) - ma * ma, windowed(b * b) - mb * mb, windowed(a * b) - ma * mb
    return (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))


def luma(picture):
    return picture @ [0.299, 0.587, 0.114]


def blurred(plane, sigma):
    """Taps up to 4 sigma, reflected borders (the edge pixel twice)."""
    kernel = gauss(4 * sigma, sigma)
    padded = np.pad(plane, 4 * sigma, mode="symmetric")
    rows = np.apply_along_axis(lambda line: np.convolve(line, kernel, "valid"), 0, padded)
    return np.apply_along_axis(lambda line: np.convolve(line, kernel, "valid"), 1, rows)


def fine(plane):
    return plane - blurred(plane, 2)


def explained(a, others, weights):
    """Share of a's weighted energy in its projection onto the others."""
    root = np.sqrt(weights)
    a, others = root * a, np.stack([root * other for other in others], 1)
    found, *_ = np.linalg.lstsq(others, a, rcond=None)
    return 1 - ((a - others @ found) ** 2).sum() / (a**2).sum()


def main():
    random = np.random.default_rng(11)
    before, here, after = random.uniform(0, 1, (3, HEIGHT, WIDTH, 3)).astype(np.float32).astype(np.float64)
    to_before = np.stack([np.where(np.arange(WIDTH) < 30, 3, -2) + np.zeros((HEIGHT, 1)), np.full((HEIGHT, WIDTH), 1)], -1)
    to_after = np.full((HEIGHT, WIDTH, 2), (-1, 2))
    seen_before, seen_after = random.uniform(0, 1, (2, HEIGHT, WIDTH)).astype(np.float32).astype(np.float64)
    # Nothing beyond the borders, where places are repeated.
    here = (0.5 * here + 0.3 * carried(before, to_before) + 0.2 * before).astype(np.float32).astype(np.float64)

    there = carried(before, to_before)
    numbers = {"error": 255 * (np.abs(here - there).mean(2) * seen_before).sum() / seen_before.sum()}
    inside = seen_before[5:-5, 5:-5]
    numbers["ssim"] = np.mean([(similarity(here[..., i], there[..., i]) * inside).sum() / inside.sum() for i in range(3)])
    rest = luma(here) - (luma(there) + luma(carried(after, to_after))) / 2
    both = seen_before * seen_after
    numbers["flicker"] = 255 * np.sqrt((rest**2 * both).sum() / both.sum())

    mask = seen_before > 0.5
    a, p, q = (fine(luma(x))[mask] for x in (here, there, before))
    weights = 1 / (blurred(fine(luma(here)) ** 2, 4)[mask] + 255.0**-2)
    flow, screen, together = (explained(a, others, weights) for others in ([p], [q], [p, q]))
    numbers["texture_flow"], numbers["texture_screen"] = flow, screen
    numbers["texture_follows"] = (together - screen) / (together - screen + together - flow)

    tensors = {"before": before, "here": here, "after": after, "to_before": to_before, "to_after": to_after,
               "seen_before": seen_before, "seen_after": seen_after}
    save_file({name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}, FOLDER / "pictures.safetensors")
    (FOLDER / "numbers.txt").write_text("".join(f"{name} {value:.9g}\n" for name, value in numbers.items()))


if __name__ == "__main__":
    main()
