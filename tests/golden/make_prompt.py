# SPDX-License-Identifier: LGPL-2.1-or-later
"""Weighted prompts by an implementation of its own, for tests/test_prompt.cpp.

    python3 tests/golden/make_prompt.py

Writes prompt/parsed.json (prompts with their pieces, weights and whether a BREAK stands before them), textual inversions in every
dialect (prompt/EasyNegative.safetensors and so on), prompt/embedded.json and prompt/embeddings_<n>.safetensors (prompts, how many
tokens and chunks they have and their embeddings by transformers with the text encoder of golden_pack.py).

The rules, as the web UIs that use this notation document them: (x) multiplies the weight of x by 1.1, [x] divides it by 1.1, (x:w)
multiplies it by w; brackets nest; a backslash before a bracket or a backslash makes it plain; an opening bracket that is never
closed holds to the end; a closing one that was never opened is plain. Chunks hold 75 tokens between a start and an end token; the
word BREAK ends one. Weights scale the embeddings of their tokens, after which a chunk's embedding is scaled so that its mean is
what it was without weights. A textual inversion's vectors are new rows of the token embedding here.
"""

import json
import os
import random
import re

import torch
from safetensors.torch import save_file
from transformers import CLIPTokenizer

import golden_pack

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "prompt")
BREAK = re.compile(r"\s*\bBREAK\b\s*")
WEIGHT = re.compile(r":[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+))[ \t\n\v\f\r]*\)")

PROMPTS = [
    "", "a girl", "(a girl)", "((a girl))", "[a girl]", "[[a] girl]", "a (girl:1.3) in [the (rain:0.5)]", "(a:1.2)(b:1.2)(c:0.8)",
    r"\(literal\) \[brackets\] and \\ backslash", r"a\b \x \: end\\", "(unclosed", "[unclosed", "a ((b) c", "a) b] c", "((a:1.1) [b",
    "(a:)", "(a:b)", "(a:1.2.3)", "(a:1.5 )", "(a: 1.5)", "(a:+1.5)", "(a:-0.5)", "(a:+-1)", "(a:.5)", "(a:1.)", "(a:.)", "(a:1e2)",
    "a:1.3)", "a: 1.3", "(a:1.3", "()", "[]", "(:1.2)", "([a])", "(a (b (c (d))))", "a (b:0)", "(a:1.2:1.3)", "x (y:2) (z:2) w",
    "masterpiece, (best quality:1.4), ((anime style)), [blurry], (hands:0.9), city at night", "(naïve café:1.2) 東京 (夜:0.7)",
    "((((((((((deep))))))))))", "(a:99999)", ":", "::", "(::1.2)", "\\", "(a\\)", "(a\\):1.5)", "[a:1.5]", "(a]b)", "[a)b]", "(a:1.5]",
    "a BREAK b", "BREAK", "BREAK a", "a BREAK", "a BREAK BREAK b", "(a BREAK b:1.2) c", "a, BREAK, b", "BREAKFAST", "aBREAK b", "break",
    "(BREAK)", "a(BREAK)b", "a [b]BREAK(c:1.3)", "a_BREAK", "a \n BREAK \t (b)", "a BREAK:1.2)", "(a BREAK:1.2) b", "éBREAK", "\\BREAK\\",
    "a\n(b :\t1.5\n)", "(a:0x10)", "(a:inf)", "(a:nan)", "(a:1,5)",
]  # fmt: skip


def parse(text):
    """Letter by letter, each with its own weight."""
    # Brackets of the two kinds may cross ("(a]b)"), so two stacks of positions, not one recursion.
    letters, weights, rounds, squares, at = [], [], [], [], 0
    while at < len(text):
        c, width, factor, stack = text[at], 1, None, None
        match = WEIGHT.match(text, at)
        pause = BREAK.match(text, at)
        if pause:
            letters.append(None)
            weights.append(1.0)
            at = pause.end()
            continue
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
        if letter is None:
            pieces.append(["", weight, True])
        elif pieces and abs(pieces[-1][1] - weight) < 1e-12:
            pieces[-1][0] += letter
        else:
            pieces.append([letter, weight, False])
    return pieces or [["", 1.0, False]]


def generated(count):
    dice = random.Random(3)
    atoms = ["a", "word", " ", ", ", "(", ")", "[", "]", ":1.2)", ":0.7)", ":", "BREAK", " BREAK ", "\\", "\\(", "\\)", "é", "夜", "1.5", ")"]
    for _ in range(count):
        yield "".join(dice.choice(atoms) for _ in range(dice.randint(1, 16)))


def vectors(count, width, seed):
    return 0.5 * torch.randn((count, width), generator=torch.Generator().manual_seed(seed))


def make_inversions():
    """Files in the three dialects, and what none of them is. Returns vectors by the name to use in prompts."""
    easy, web, star, cat, toy = (vectors(n, 64, n) for n in (2, 4, 1, 3, 5))
    files = {
        "EasyNegative": {"emb_params": easy},
        "bad-hands_v2.1": {"string_to_param.*": web, "string_to_token.*": torch.tensor([265])},
        "starred": {"*": star.half()},
        "concept": {"<cat-toy>": cat},
        "one_vector": {"<Toy>": toy[0]},
        "wide": {"emb_params": vectors(1, 96, 6)},
        "long": {"emb_params": torch.zeros(76, 64)},
        "sdxl": {"clip_g": torch.zeros(1, 8), "clip_l": torch.zeros(1, 4)},
        "lora": {"a.lora_up.weight": torch.zeros(2, 2), "a.lora_down.weight": torch.zeros(2, 2)},
        "cube": {"emb_params": torch.zeros(1, 1, 64)},
        "nan": {"emb_params": torch.full((1, 4), float("nan"))},
    }  # fmt: skip
    for name, tensors in files.items():
        save_file(tensors, os.path.join(FOLDER, name + ".safetensors"))
    return {"EasyNegative": easy, "bad-hands_v2.1": web, "starred": star.half().float(), "<cat-toy>": cat, "<Toy>": toy[:1]}


class Reference:
    """One encoder a clip_skip; inversions are further tokens of it."""

    def __init__(self, inversions):
        self.tokenizer = CLIPTokenizer.from_pretrained(golden_pack.TOKENIZER)
        self.model = golden_pack.text_encoder()
        table = self.model.get_input_embeddings()
        first = table.weight.shape[0]
        table.weight = torch.nn.Parameter(torch.cat([table.weight] + list(inversions.values())))
        self.rows = {}
        for name, value in inversions.items():
            self.rows[name.lower()] = list(range(first, first + len(value)))
            first += len(value)
        names = sorted(map(re.escape, inversions), key=len, reverse=True)
        edges = [(r"(?<!\w)" if name[0] != "<" else "") + name + (r"(?!\w)" if name[-1] != ">" else "") for name in names]
        self.names = re.compile("(" + "|".join(edges) + ")", re.IGNORECASE)

    def groups(self, text):
        """Token numbers that stay together."""
        for part in self.names.split(text):
            if part.lower() in self.rows:
                yield self.rows[part.lower()]
            else:
                yield from ([token] for token in self.tokenizer(part, add_special_tokens=False)["input_ids"])

    def layout(self, prompt):
        chunks = [[]]
        for text, weight, pause in parse(prompt):
            if pause:
                chunks.append([])
            for group in self.groups(text):
                if len(chunks[-1]) + len(group) > 75:
                    chunks.append([])
                chunks[-1] += [(token, weight) for token in group]
        return chunks if chunks[-1] or len(chunks) == 1 else chunks[:-1]

    @torch.no_grad()
    def encode(self, chunk, clip_skip):
        end = self.tokenizer.eos_token_id
        ids = [self.tokenizer.bos_token_id] + [token for token, _ in chunk] + [end] * (76 - len(chunk))
        weights = torch.tensor([1.0] + [weight for _, weight in chunk] + [1.0] * (76 - len(chunk)))
        out = self.model(torch.tensor([ids]), output_hidden_states=True)
        norm = getattr(self.model, "text_model", self.model).final_layer_norm
        embedding = norm(out.hidden_states[-clip_skip])
        if clip_skip == 1:
            assert torch.equal(embedding, out.last_hidden_state)
        scaled = embedding * weights[None, :, None]
        return scaled * (embedding.mean() / scaled.mean())

    def __call__(self, prompt, clip_skip, least):
        chunks = self.layout(prompt)
        tokens = sum(map(len, chunks))
        chunks += [[]] * (least - len(chunks))
        return torch.cat([self.encode(chunk, clip_skip) for chunk in chunks], 1), tokens, len(chunks)


def cases():
    long = ", ".join(f"thing number {i} (with weight {i}:1.{i % 10})" for i in range(12))
    almost = "a " * 73
    for prompt, clip_skip, least in [
        ("pop anime style, (big eyes:1.4), [rain], ((night))", 1, 1),
        ("(ink:0.5) manga", 1, 1),
        ("plain text", 1, 1),
        (long, 1, 1),
        ("neon city, (rain:1.3) BREAK [manga lines] BREAK", 1, 1),
        ("plain text", 1, 2),
        ("pop anime style, (big eyes:1.4)", 2, 1),
        ("a easynegative, (BAD-hands_v2.1:1.2) <cat-toy>, <TOY>starred", 1, 1),
        (almost + "(bad-hands_v2.1:0.8) end", 2, 1),
        ("easynegatives uneasynegative easynegative_2", 1, 1),
    ]:
        yield prompt, clip_skip, least


def main():
    os.makedirs(FOLDER, exist_ok=True)
    prompts = PROMPTS + [p for p in generated(200) if p not in PROMPTS]
    with open(os.path.join(FOLDER, "parsed.json"), "w") as out:
        rows = [json.dumps({"prompt": p, "pieces": parse(p)}) for p in prompts]
        out.write('{"prompts": [\n' + ",\n".join(rows) + "\n]}\n")

    reference = Reference(make_inversions())
    files = [{}, {}]
    rows = []
    for i, (prompt, clip_skip, least) in enumerate(cases()):
        embedding, tokens, chunks = reference(prompt, clip_skip, least)
        files[i // 5][str(i)] = embedding.contiguous()
        rows.append({"prompt": prompt, "clip_skip": clip_skip, "least": least, "tokens": tokens, "chunks": chunks})
    for i, tensors in enumerate(files):
        save_file(tensors, os.path.join(FOLDER, f"embeddings_{i}.safetensors"))
    with open(os.path.join(FOLDER, "embedded.json"), "w") as out:
        json.dump({"prompts": rows}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
