# SPDX-License-Identifier: LGPL-2.1-or-later
"""Colour conversions by colour-science (pip install colour-science numpy), for test_color.cpp."""

from pathlib import Path

import colour
import numpy as np

FOLDER = Path(__file__).parent / "color"
WEIGHTS = {  # Kr, Kb; ISO/IEC 23091-2's own numbers for 4 and 7, which colour-science lacks or gives with more digits
    1: colour.WEIGHTS_YCBCR["ITU-R BT.709"],
    4: np.array([0.30, 0.11]),
    5: colour.WEIGHTS_YCBCR["ITU-R BT.601"],
    6: colour.WEIGHTS_YCBCR["ITU-R BT.601"],
    7: np.array([0.212, 0.087]),
    9: colour.WEIGHTS_YCBCR["ITU-R BT.2020"],
}
# Rows: luma, green difference, orange difference of R, G, B.
YCGCO = np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0.0, -0.5]])


def ycgco_to_rgb(codes, bits, limited):
    unit = 2 ** (bits - 8)
    luma_offset, luma_range = (16 * unit, 219 * unit) if limited else (0, 2**bits - 1)
    range_ = 224 * unit if limited else 2**bits - 1
    middle = 2 ** (bits - 1)
    y, cg, co = (codes[..., 0] - luma_offset) / luma_range, (codes[..., 1] - middle) / range_, (codes[..., 2] - middle) / range_
    return np.linalg.solve(YCGCO, np.stack([y, cg, co], axis=-1)[..., None])[..., 0]


def to_rgb(codes, matrix, bits, limited):
    if matrix == 8:
        return ycgco_to_rgb(codes, bits, limited)
    return colour.YCbCr_to_RGB(codes, K=WEIGHTS[matrix], in_bits=bits, in_legal=limited, in_int=True, out_legal=False,
                               out_int=False, clamp_int=False)


def write(name, header, lines):
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text("# " + header + "\n" + "".join(line + "\n" for line in lines))


def pixels():
    generator = np.random.default_rng(7)
    for matrix in (1, 4, 5, 6, 7, 8, 9):
        for limited in (True, False):
            for bits in (8, 10, 12, 16):
                codes = generator.integers(0, 2**bits, size=(12, 3))
                for code, rgb in zip(codes, to_rgb(codes.astype(np.float64), matrix, bits, limited)):
                    yield " ".join([f"{matrix} {1 if limited else 2} {bits}", *map(str, code), *(f"{v:.7f}" for v in rgb)])


def upsampled(plane, width, height, log2_w, log2_h):
    """Bilinear; chroma sits on the left luma column and halfway between luma rows."""
    xs = np.arange(width) / 2**log2_w
    ys = (np.arange(height) - (0.5 if log2_h else 0.0)) / 2**log2_h
    rows = np.stack([np.interp(xs, np.arange(plane.shape[1]), row) for row in plane])
    return np.stack([np.interp(ys, np.arange(plane.shape[0]), column) for column in rows.T]).T


def subsampled():
    generator = np.random.default_rng(8)
    for log2_w, log2_h in ((1, 1), (1, 0), (2, 0), (0, 1)):
        for width, height in ((7, 5), (8, 6), (1, 1), (2, 3), (13, 2)):
            size = (-(-height // 2**log2_h), -(-width // 2**log2_w))
            luma = generator.integers(16, 236, size=(height, width))
            blue, red = generator.integers(16, 241, size=size), generator.integers(16, 241, size=size)
            full = [upsampled(p, width, height, log2_w, log2_h) for p in (blue, red)]
            rgb = to_rgb(np.stack([luma, *full], axis=-1).astype(np.float64), 6, 8, True)
            yield f"{log2_w} {log2_h} {width} {height}"
            for plane in (luma, blue, red):
                yield " ".join(map(str, plane.ravel()))
            yield " ".join(f"{v:.6f}" for v in rgb.ravel())


write("pixels.txt", "matrix range depth, code values, R G B", pixels())
write("subsampled.txt", "log2_w log2_h width height; luma; blue; red (8 bit, matrix 6, limited); R G B", subsampled())
