#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes vf_aianime/vision/eye_weights.cpp: what tells an open eye from a closed one.

A logistic regression on histograms of gradients (Dalal and Triggs 2005) of 20000 eyes that are drawn here by chance: no photograph
and no person's face is in it. Needs numpy and opencv-python.

    python3 scripts/make_eye_weights.py [SHEET.png]    the sheet shows some of the drawn eyes
"""

import os
import sys

import cv2
import numpy as np

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vf_aianime", "vision", "eye_weights.cpp")
WIDE, HIGH = 48, 32  # a patch; the eye's corners are 30 apart, level, around the middle
CELL, WAYS = 8, 8
FINER = 4  # drawn at so many times the size
RIDGE = 1e-2
COUNT = 20000


# --- histograms of gradients: vision/eye_state.cpp has the same -----------------------------------------------------


def blurred(x):
    """A Gaussian of sigma 1, 9 wide, mirrored at the border without repeating its pixel."""
    kernel = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        wide = np.pad(x, [(4, 4) if a == axis else (0, 0) for a in (0, 1)], mode="reflect")
        x = sum(k * np.take(wide, range(i, i + x.shape[axis]), axis) for i, k in enumerate(kernel))
    return x


def gradients(x):
    """Sobel's."""
    p = np.pad(x, 1, mode="reflect")
    smooth_y = p[:-2] + 2 * p[1:-1] + p[2:]
    smooth_x = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    return smooth_y[:, 2:] - smooth_y[:, :-2], smooth_x[2:] - smooth_x[:-2]


def histograms(patch):
    """patch: HIGH x WIDE, 0 to 255 -> cells in rows, the directions of each."""
    across, down = gradients(blurred(patch.astype(np.float64)))
    strength, way = np.hypot(across, down), np.arctan2(down, across) / (2 * np.pi) * WAYS % WAYS
    planes = []
    for k in range(WAYS):
        apart = np.abs(way - k)
        share = np.maximum(0, 1 - np.minimum(apart, WAYS - apart)) * strength
        planes.append(share.reshape(HIGH // CELL, CELL, WIDE // CELL, CELL).mean((1, 3)))
    x = np.stack(planes, 2).ravel()
    return np.sqrt(x / np.sqrt((x * x).sum() + 1))


# --- eyes -----------------------------------------------------------------------------------------------------------


def lids(rng, open_by):
    """Heights of both lids over [-1, 1], the corners; down is positive. open_by: 0 closed, 1 as wide as this eye goes."""
    height, low = rng.uniform(0.5, 0.95), rng.uniform(0.12, 0.40)
    x, skew = np.linspace(-1, 1, 201), rng.uniform(-0.25, 0.25)

    def arch(power, skew):
        return 1 - np.abs(np.clip(x - skew * (1 - x * x), -1, 1)) ** power
    upper, lower = (low - height) * arch(rng.uniform(1.6, 3.0), skew), low * arch(rng.uniform(1.6, 2.6), -skew / 2)
    upper = upper * open_by + lower * rng.uniform(0.75, 1.05) * (1 - open_by)
    return x, np.minimum(upper, lower), lower


def skin(rng, x, y, upper, lower):
    """Tone, and a picture of the lids and what is around them."""
    tone, inside = rng.uniform(0.45, 0.9), np.abs(x) < 1.15
    out = tone * (1 + rng.normal(0, 0.10) * x + rng.normal(0, 0.12) * y)
    out *= 1 - rng.uniform(0, 0.35) * np.exp(-((x - rng.choice([-1, 1]) * 1.1) ** 2 / 0.25 + (y + 0.25) ** 2 / 0.2))
    crease = -rng.uniform(0.30, 0.75) * (1 - np.minimum(np.abs(x), 1) ** 2.4) + rng.normal(0, 0.03) * x - rng.uniform(0, 0.08)
    out[(y > crease) & (y < upper) & inside] *= rng.uniform(0.75, 1.12)
    out *= 1 - rng.uniform(0, 0.45) * np.exp(-(((y - crease) / rng.uniform(0.03, 0.09)) ** 2)) * inside
    out *= 1 - rng.uniform(0, 0.18) * np.exp(-(((y - lower - rng.uniform(0.12, 0.35)) / 0.06) ** 2)) * (np.abs(x) < 1)
    if rng.random() < 0.5:  # a brow
        edge = (y + rng.uniform(0.85, 1.3) - 0.12 * x * x) / 0.05
        out *= 1 - rng.uniform(0.3, 0.8) / (1 + np.exp(np.clip(edge, -30, 30)))
    return tone, out


def ball(rng, x, y, upper, tone, open_by):
    """The white, the iris with a pupil, lights in it, the lid's shadow on it."""
    white = np.clip(tone * rng.uniform(0.75, 1.35), 0.3, 1) * (1 - rng.uniform(0, 0.4) * x**2)
    at = np.clip(rng.normal(0, 0.22), -0.55, 0.55), rng.normal(-0.02, 0.08) + (rng.uniform(0, 0.1) if open_by <= 0.6 else 0)
    radius, away = rng.uniform(0.36, 0.5), np.hypot(x - at[0], y - at[1])
    dark = rng.uniform(0.06, 0.55) * min(1, tone + 0.1)
    iris = np.where(away < radius * rng.uniform(0.35, 0.55), dark * 0.3, dark * (1 + rng.uniform(-0.3, 0.6) * away / radius))
    edge = np.clip((radius - away) / 0.05, 0, 1)
    out = white * (1 - edge) + iris * edge
    out *= 1 - rng.uniform(0.1, 0.6) * np.exp(-np.maximum(y - upper, 0) / rng.uniform(0.04, 0.15))
    for _ in range(rng.integers(0, 3)):
        wide, high = rng.uniform(0.04, 0.11, 2)
        spot = ((x - at[0] - rng.normal(0, 0.12)) / wide) ** 2 + ((y - at[1] - rng.normal(-0.08, 0.08)) / high) ** 2
        out = np.maximum(out, np.exp(-spot) * rng.uniform(0.6, 1))
    return out


def seen(rng, out):
    """As a camera has it: light from a side, blur, few pixels, noise."""
    high, wide = out.shape
    x, y = np.linspace(-0.5, 0.5, wide), np.linspace(-0.5, 0.5, high)[:, None]
    out = cv2.GaussianBlur(out * (1 + rng.normal(0, 0.18) * x + rng.normal(0, 0.1) * y), (0, 0), FINER * rng.uniform(0.35, 1.5))
    out = cv2.resize(out, (WIDE, HIGH), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        less = rng.uniform(0.3, 0.9)
        few = cv2.resize(out, (max(int(WIDE * less), 9), max(int(HIGH * less), 6)), interpolation=cv2.INTER_AREA)
        out = cv2.resize(few, (WIDE, HIGH))
    out = np.clip(out, 0, 1) ** rng.uniform(0.7, 1.5) * rng.uniform(0.4, 1)
    return np.clip(255 * (out + rng.normal(0, rng.uniform(0.002, 0.02), out.shape)), 0, 255)


def eye(rng, open_by):
    high, wide = HIGH * FINER, WIDE * FINER
    # The corners as the landmark network places them: not quite. A closed eye's are placed as if it were open.
    half, angle = wide / 3.2 * rng.uniform(0.82, 1.15), rng.normal(0, 0.09)
    off = rng.normal(0, [0.07, 0.06]) * wide / 3.2
    if open_by < 0.2:
        off[1] += rng.uniform(-0.22, 0.05) * wide / 3.2
    middle, turn = np.array([wide, high]) / 2 + off, np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    place = np.stack(np.meshgrid(np.arange(wide), np.arange(high)), -1) - middle
    x, y = np.moveaxis(place @ turn.T / half, -1, 0)
    along, up, low = lids(rng, open_by)
    upper, lower = np.interp(x, along, up), np.interp(x, along, low)
    tone, out = skin(rng, x, y, upper, lower)
    inside = (np.abs(x) < 1) & (y > upper) & (y < lower)
    out = np.where(inside, ball(rng, x, y, upper, tone, open_by), out)
    dark = rng.uniform(0.03, 0.35) * tone
    thick = rng.uniform(0.02, 0.07) * (rng.uniform(0.8, 1.7) if open_by < 0.2 else 1)
    line = np.clip(1.2 * np.exp(-(((y - upper) / thick) ** 2)), 0, 1) * (np.abs(x) < 1.06) * rng.uniform(0.5, 1)
    line *= np.interp(x, [-1, 1], np.sort(rng.uniform(0.45, 1, 2))[:: rng.choice([-1, 1])])
    out = out * (1 - line) + dark * line
    line = np.exp(-(((y - lower) / rng.uniform(0.015, 0.04)) ** 2)) * (np.abs(x) < 1) * rng.uniform(0, 0.6)
    out = np.ascontiguousarray(out * (1 - line) + (dark + 0.15 * tone) * line, np.float32)

    def draw(*ends, tone, thickness):
        points = [tuple(int(round(v * 16)) for v in np.array(end) @ turn * half + middle) for end in ends]
        cv2.line(out, *points, float(tone), int(thickness), cv2.LINE_AA, 4)
    for _ in range(rng.integers(0, 26)):  # lashes
        root, length = rng.uniform(-1, 1), rng.uniform(0.06, 0.28)
        tip = root + root * rng.uniform(0.1, 0.6) * length * 2, (-1 if open_by > 0.35 else 1) * length * rng.uniform(0.4, 1)
        at = np.interp(root, along, up)
        draw((root, at), (tip[0], at + tip[1]), tone=dark * 1.1, thickness=rng.integers(1, 3))
    if rng.random() < 0.06:  # a hand, a lock of hair
        before = x * rng.choice([-1, 1]) + rng.normal(0, 0.5) * y > rng.uniform(0.3, 0.9)
        out[before] = (tone * rng.uniform(0.7, 1.4) * (1 + 0.1 * y))[before]
    if rng.random() < 0.1:
        draw((rng.uniform(-1.6, 1.6), -1.2), (rng.uniform(-1.6, 1.6), 1.2), tone=tone * rng.uniform(0.2, 1.2),
             thickness=rng.integers(1, 4))
    return seen(rng, out)


def drawn(rng, is_open):
    return eye(rng, rng.uniform(0.42, 1) if is_open else max(rng.uniform(-0.015, 0.06), 0))


# --- the regression -------------------------------------------------------------------------------------------------


def fit(x, y):
    """Newton's method; the ridge holds for features of variance 1. Weights and the constant, for x as it is."""
    middle, spread = x.mean(0), x.std(0) + 1e-3
    z = np.c_[(x - middle) / spread, np.ones(len(x))]
    ridge = np.r_[np.full(x.shape[1], 2 * RIDGE * len(x)), 0]
    w = np.zeros(z.shape[1])
    for _ in range(20):
        p = 1 / (1 + np.exp(-z @ w))
        w -= np.linalg.solve((z.T * (p * (1 - p))) @ z + np.diag(ridge), z.T @ (p - y) + ridge * w)
    return w[:-1] / spread, w[-1] - middle @ (w[:-1] / spread)


def main():
    rng = np.random.default_rng(1)
    y = np.arange(COUNT) % 2
    eyes = [drawn(rng, bool(value)) for value in y]
    if len(sys.argv) > 1:
        rows = [np.hstack(eyes[start + k: start + 28: 2]) for start in range(0, 280, 28) for k in (0, 1)]
        cv2.imwrite(sys.argv[1], np.vstack(rows).astype(np.uint8))
    x = np.array([histograms(patch) for patch in eyes])
    weights, constant = fit(x, y)
    right = ((x @ weights + constant > 0) == (y > 0)).mean()
    print(f"of the drawn eyes {100 * right:.2f} % are told right")
    with open(OUT, "w", encoding="ascii") as file:
        file.write("// SPDX-License-Identifier: LGPL-2.1-or-later\n// Made by scripts/make_eye_weights.py. Do not edit.\n"
                   '#include "vision/eye_weights.h"\n\n// clang-format off\n\nnamespace aianime::vision {\n\n'
                   "const std::array<float, eye_features> eye_weights = {\n")
        for row in range(0, len(weights), WAYS):
            file.write("    " + ", ".join(f"{w:.5f}f" for w in weights[row: row + WAYS]) + ",\n")
        file.write(f"}};\nconst float eye_constant = {constant:.5f}f;\n\n}} // namespace aianime::vision\n")


main() if __name__ == "__main__" else None
