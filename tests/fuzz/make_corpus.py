# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeds of the fuzzer: small files, good ones and one of each fault of a header.

    python3 tests/fuzz/make_corpus.py
"""

import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def file(header, data=b"", length=None):
    text = header.encode() if isinstance(header, str) else header
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape="[2,2]", offsets="[0,16]"):
    return f'"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}'


def one(*fields, **named):
    return file('{"a":{' + tensor(*fields, **named) + "}}", bytes(range(16)))


TWO = '{"__metadata__":{"format":"pt"},"a.weight":{' + tensor() + '},"b":{' + tensor("BF16", "[4]", "[16,24]") + "}}"
DATA = bytes(range(24))
SEEDS = {
    "good": file(TWO, DATA),
    "good_padded": file(TWO + " " * 20, DATA),
    "good_empty": file("{}"),
    "good_scalar": file('{ "s" : {"data_offsets":[0,8] ,"shape":[],"dtype":"I64"} }\n', DATA[:8]),
    "good_escapes": file('{"\\u0061\\ud83d\\ude00\\n\\/":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "good_types": file('{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[1,1],"data_offsets":[2,4]},'
                       '"c":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}}', DATA[:8]),
    "cut_data": file(TWO, DATA[:-1]),
    "cut_header": file(TWO)[:60],
    "extra_byte": file(TWO, DATA + b"x"),
    "length_zero": file(TWO, DATA, 0),
    "length_huge": file(TWO, DATA, 2**63),
    "length_past_end": file(TWO, DATA, 4000),
    "duplicate": file('{"a":{' + tensor() + '},"\\u0061":{' + tensor() + "}}", DATA[:16]),
    "overlap": file('{"a":{' + tensor() + '},"b":{' + tensor("U8", "[8]", "[8,16]") + "}}", DATA[:16]),
    "hole": one(offsets="[1,17]"),
    "reversed": one(offsets="[16,0]"),
    "negative": one(offsets="[-1,15]"),
    "big_offset": one(offsets="[0,18446744073709551616]"),
    "wraps": one(shape="[2147418113,1718039348,5]"),
    "zero_side": one(shape="[0]", offsets="[0,0]"),
    "rank_9": one(shape="[1,1,1,1,1,1,1,1,4]"),
    "float_side": one(shape="[2.0,2e0]"),
    "unknown_type": one("F8_E4M3"),
    "deep": file('{"a":' + "[" * 200),
    "not_utf8": file(b'{"a\xff\xc0\xaf":1}'),
    "surrogate": file('{"a\\ud800":1}'),
    "control": file('{"a\nb":1}'),
    "metadata_number": file('{"__metadata__":{"k":1}}'),
    "pickle": b"\x80\x02}q\x00.",
    "pickle_0": b"cposix\nsystem\n(S'true'\ntR.",
    "zip": b"PK\x03\x04\x14\x00" + bytes(24) + b"archive/data.pkl",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "html": b"<!DOCTYPE html><html></html>",
    "gguf": b"GGUF\x03\x00\x00\x00" + bytes(8),
    "tiny": b"\x01",
}

if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in SEEDS.items():
        with open(os.path.join(FOLDER, name), "wb") as out:
            out.write(data)
