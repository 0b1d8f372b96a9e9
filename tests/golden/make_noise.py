# SPDX-License-Identifier: LGPL-2.1-or-later
"""A numpy twin of vf_aianime/diffusion/noise.cpp, for tests/test_noise.cpp. Needs numpy and safetensors.

    python3 tests/golden/make_noise.py
"""

import os

import numpy as np
from safetensors.numpy import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise")
MASK = np.uint64(0xFFFFFFFF)


def philox(counter, seed):
    """counter: [blocks, 4] uint64 below 2^32; returns the same shape."""
    c = [counter[:, i].copy() for i in range(4)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a = np.uint64(0xD2511F53) * c[0]
        b = np.uint64(0xCD9E8D57) * c[2]
        high = np.uint64(32)
        c = [(b >> high) ^ c[1] ^ np.uint64(key[0]), b & MASK, (a >> high) ^ c[3] ^ np.uint64(key[1]), a & MASK]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, 1)


def noise(seed, key, stream, shape):
    count = int(np.prod(shape))
    blocks = (count + 3) // 4
    counter = np.zeros((blocks, 4), dtype=np.uint64)
    counter[:, 0] = np.arange(blocks)
    counter[:, 1] = (key % 2**64) & 0xFFFFFFFF
    counter[:, 2] = (key % 2**64) >> 32
    counter[:, 3] = stream
    words = philox(counter, seed).astype(np.float64)
    radius = np.sqrt(-2 * np.log((words[:, 0::2] + 1) / 2**32))
    angle = 2 * np.pi * (words[:, 1::2] / 2**32)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 2)
    return pairs.reshape(-1)[:count].reshape(shape).astype(np.float32)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    save_file(
        {
            "plain": noise(1, 0, 0, (4, 8, 14)),
            "frame": noise(0xDEADBEEF12345678, 40_000_000_123, 3, (4, 5, 7)),
            "negative": noise(2**64 - 1, -41_708, 2**32 - 1, (1, 3, 3)),
        },
        os.path.join(FOLDER, "noise.safetensors"),
    )


if __name__ == "__main__":
    main()
