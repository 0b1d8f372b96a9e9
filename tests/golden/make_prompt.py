# SPDX-License-Identifier: LGPL-2.1-or-later
"""Weighted prompts by an implementation of its own, for tests/test_prompt.cpp.

    python3 tests/golden/make_prompt.py

Writes prompt/parsed.json (prompts with their pieces and weights), prompt/embedded.json and prompt/embeddings.safetensors (weighted
prompts, how many tokens they have and their embeddings by transformers with the pack in the tree).

The rules, as the web UIs that use this notation document them: (x) multiplies the weight of x by 1.1, [x] divides it by 1.1, (x:w)
multiplies it by w; brackets nest; a backslash before a bracket or a backslash makes it plain; an opening bracket that is never
closed holds to the end; a closing one that was never opened is plain. Weights scale the embeddings of their tokens, after which
the whole embedding is scaled so that its mean is what it was without weights.
"""

import json
import os
import random
import re

import torch
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "prompt")
POCKET = os.path.join(HERE, "..", "..", "models", "pocket")
WEIGHT = re.compile(r":[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+))[ \t\n\v\f\r]*\)")

PROMPTS = [
    "", "a girl", "(a girl)", "((a girl))", "[a girl]", "[[a] girl]", "a (girl:1.3) in [the (rain:0.5)]", "(a:1.2)(b:1.2)(c:0.8)",
    r"\(literal\) \[brackets\] and \\ backslash", r"a\b \x \: end\\", "(unclosed", "[unclosed", "a ((b) c", "a) b] c", "((a:1.1) [b",
    "(a:)", "(a:b)", "(a:1.2.3)", "(a:1.5 )", "(a: 1.5)", "(a:+1.5)", "(a:-0.5)", "(a:+-1)", "(a:.5)", "(a:1.)", "(a:.)", "(a:1e2)",
    "a:1.3)", "a: 1.3", "(a:1.3", "()", "[]", "(:1.2)", "([a])", "(a (b (c (d))))", "a (b:0)", "(a:1.2:1.3)", "x (y:2) (z:2) w",
    "masterpiece, (best quality:1.4), ((anime style)), [blurry], (hands:0.9), city at night", "(naïve café:1.2) 東京 (夜:0.7)",
    "((((((((((deep))))))))))", "(a:99999)", ":", "::", "(::1.2)", "\\", "(a\\)", "(a\\):1.5)", "[a:1.5]", "(a]b)", "[a)b]", "(a:1.5]",
    "a\n(b :\t1.5\n)", "(a:0x10)", "(a:inf)", "(a:nan)", "(a:1,5)",
]  # fmt: skip


def parse(text):
    """Letter by letter, each with its own weight."""
    # Brackets of the two kinds may cross ("(a]b)"), so two stacks of positions, not one recursion.
    letters, weights, rounds, squares, at = [], [], [], [], 0
    while at < len(text):
        c, width, factor, stack = text[at], 1, None, None
        match = WEIGHT.match(text, at)
        if c == "\\":
            if at + 1 < len(text) and text[at + 1] in "()[]\\":
                letters.append(text[at + 1])
                weights.append(1.0)
                width = 2
            at += width
            continue
        if c == "(":
            rounds.append(len(letters))
        elif c == "[":
            squares.append(len(letters))
        elif match and rounds:
            factor, stack, width = float(match.group(1)), rounds, match.end() - at
        elif c == ")" and rounds:
            factor, stack = 1.1, rounds
        elif c == "]" and squares:
            factor, stack = 1 / 1.1, squares
        else:
            letters.append(c)
            weights.append(1.0)
        if stack is not None:
            begin = stack.pop()
            weights[begin:] = [w * factor for w in weights[begin:]]
        at += width
    for begin in rounds:
        weights[begin:] = [w * 1.1 for w in weights[begin:]]
    for begin in squares:
        weights[begin:] = [w / 1.1 for w in weights[begin:]]

    pieces = []
    for letter, weight in zip(letters, weights):
        if pieces and abs(pieces[-1][1] - weight) < 1e-12:
            pieces[-1][0] += letter
        else:
            pieces.append([letter, weight])
    return pieces or [["", 1.0]]


def generated(count):
    dice = random.Random(3)
    atoms = ["a", "word", " ", ", ", "(", ")", "[", "]", ":1.2)", ":0.7)", ":", "\\", "\\(", "\\)", "é", "夜", "1.5", ")"]
    for _ in range(count):
        yield "".join(dice.choice(atoms) for _ in range(dice.randint(1, 16)))


def embed(tokenizer, model, prompt):
    ids, weights = [], []
    for text, weight in parse(prompt):
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += tokens
        weights += [weight] * len(tokens)
    count = len(ids)
    ids, weights = ids[:75], weights[:75]
    end = tokenizer.eos_token_id
    ids = [tokenizer.bos_token_id] + ids + [end] * (76 - len(ids))
    weights = torch.tensor([1.0] + weights + [1.0] * (76 - len(weights)))
    with torch.no_grad():
        embedding = model(torch.tensor([ids])).last_hidden_state
    scaled = embedding * weights[None, :, None]
    return scaled * (embedding.mean() / scaled.mean()), count


def main():
    os.makedirs(FOLDER, exist_ok=True)
    prompts = PROMPTS + [p for p in generated(200) if p not in PROMPTS]
    with open(os.path.join(FOLDER, "parsed.json"), "w") as out:
        rows = [json.dumps({"prompt": p, "pieces": parse(p)}) for p in prompts]
        out.write('{"prompts": [\n' + ",\n".join(rows) + "\n]}\n")

    tokenizer = CLIPTokenizer.from_pretrained(os.path.join(POCKET, "tokenizer"))
    model = CLIPTextModel.from_pretrained(os.path.join(POCKET, "text_encoder"), dtype=torch.float32).eval()
    long = ", ".join(f"thing number {i} (with weight {i}:1.{i % 10})" for i in range(20))
    texts = ["pop anime style, (big eyes:1.4), [rain], ((night))", "(ink:0.5) manga", "plain text", long]
    tensors = {}
    rows = []
    for i, text in enumerate(texts):
        embedding, count = embed(tokenizer, model, text)
        tensors[str(i)] = embedding.contiguous()
        rows.append({"prompt": text, "tokens": count})
    save_file(tensors, os.path.join(FOLDER, "embeddings.safetensors"))
    with open(os.path.join(FOLDER, "embedded.json"), "w") as out:
        json.dump({"prompts": rows}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
