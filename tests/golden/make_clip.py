# SPDX-License-Identifier: LGPL-2.1-or-later
"""Token numbers and text encoders of transformers, for tests/test_clip_tokenizer.cpp and tests/test_clip_text.cpp.

    python3 tests/golden/make_clip.py

Writes clip/tokens.json (texts with their tokens by CLIPTokenizer from models/pocket/tokenizer) and clip/<name>/ (a tiny CLIPTextModel
with random weights, its input and its last hidden state).
"""

import json
import os
import random

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "clip")
TOKENIZER = os.path.join(HERE, "..", "..", "models", "pocket", "tokenizer")

TEXTS = [
    "",
    " ",
    "a",
    "pop anime style",
    "A photo of an astronaut riding a horse on Mars, 8k, highly-detailed.",
    "masterpiece, best quality, 1girl, solo, looking at viewer, (smile:1.2), [blurry]",
    "I'm sure they've said it's what we'd do; you'll see, don't you're?",
    "O'REILLY'S rock'n'roll 'tis ''s '''s 's'm't 'LL 'Ll",
    "tab\tnew\nline\r\n  double  space\u00a0nbsp\u3000ideographic\u2009thin\u0085next",
    "numbers 0123456789 3.14 1,000,000 ½ ² Ⅷ ٣ 四",
    "caf\u00e9 and cafe\u0301 na\u00efve nai\u0308ve \u00c5ngstr\u00f6m A\u030angstro\u0308m \u212bngstrom",
    "ÀÉÎÕÜ ÇŞĞ İstanbul ISTANBUL ıslak straße STRASSE ẞ",
    "Привет, мир! ЁЛКА ёлка Ўзбек",
    "Ελληνικά ΟΔΥΣΣΕΥΣ οδυσσευς ΐ",
    "東京の夜、ネオン街。アニメ風 ｱﾆﾒ がぎぐげご か\u3099き\u3099",
    "한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8 조합 뷁",
    "中文提示词，水墨画风格",
    "हिन्दी नमस्ते क्षत्रिय क़ख़ग़",
    "ไทย ภาษาไทย สวัสดี",
    "עברית שלום שׁלום",
    "العربية مرحبا بالعالم لا",
    "Tiếng Việt: ắ ằ ẳ ẵ ặ",
    "emoji 😀😃 👩\u200d🚀 👍🏽 🇯🇵 ❤️ ☺︎",
    "zero\u200bwidth\u200djoiner\ufeffbom soft\u00adhyphen",
    "\U0001d54c\U0001d55f\U0001d55a \ufb01 \u2126 \u1e9b\u0323 \u0344 \u2adc",
    "a\u0315\u0300\u05ae\u0062 \u0061\u05ae\u0300\u0315b q\u0307\u0323 q\u0323\u0307 \u1e0a\u0323 a\u0305\u0301 e\u0323\u0305\u0301",
    "<|startoftext|>hello<|endoftext|> world",
    "<|STARTOFTEXT|>hello <|EndOfText|>!!! <|endoftext|>!! <|startoftext|",
    "<|<|endoftext|>|> x<|endoftext|>y <|endoftext|><|endoftext|>",
    "!!!???... --- ___ ==> <= >= != && || ## @@ $%^&*() {}[]<>/\\|`~\"'",
    "semi;colon:colon,comma.dot word-word word_word a/b c\\d",
    "\x01\x02\x7f control \x1b[0m \x1c\x1d\x1e\x1f",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch pneumonoultramicroscopicsilicovolcanoconiosis",
    "hahahahahahahahahahahahahaha hahahha xoxoxoxoxo zzzzzzzzzzzz",
    "don’t ‘quote’ “double” – — … •",
    "C++ C# .NET node.js v1.2.3-beta+4 user@example.com https://example.com/a?b=c&d=e#f",
    "\u0130\u0130 \u01c5 \u01c4 \u1f88 \u03a3 \u03a3a a\u03a3",
]


def generated():
    """Random mixtures: words, signs and every kind of character."""
    dice = random.Random(5)
    words = """anime girl boy city night rain neon light watercolor ink manga pastel portrait studio ghibli style hair eyes blue
        red flowing dress cherry blossom sword dragon castle sky clouds sunset dramatic lighting cinematic sharp focus 4k 8K HDR
        photorealistic Rembrandt ArtStation trending unreal engine octane bokeh f/1.8 35mm close-up wide-angle it's don't""".split()
    marks = [",", ".", "!", "?", ":", ";", "-", "(", ")", "'", '"', " ", "  ", "\n", "/", "&", "...", "<", "|", ">"]
    blocks = [(0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x36F), (0x370, 0x4FF), (0x590, 0x6FF), (0x900, 0x97F), (0x1E00, 0x20CF),
              (0x1100, 0x11FF), (0x3040, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xADFF), (0x1F300, 0x1F64F), (0x2150, 0x218B)]
    for number in range(300 - len(TEXTS)):
        parts = []
        for _ in range(dice.randint(1, 14)):
            kind = dice.random()
            if kind < 0.55:
                word = dice.choice(words)
                parts.append(dice.choice([word, word, word.upper(), word.title()]) + dice.choice([" ", " ", "", ", "]))
            elif kind < 0.75 or number % 2 == 0:
                parts.append(dice.choice(marks))
            else:
                low, high = dice.choice(blocks)
                parts.append("".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 4))))
        yield "".join(parts)


def make_tokens():
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    texts = TEXTS + list(generated())
    assert len(texts) == 300, len(texts)
    rows = [{"text": text, "tokens": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in texts]
    with open(os.path.join(FOLDER, "tokens.json"), "w") as out:
        out.write('{"texts": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n")


MODELS = {
    "quick": {"hidden_act": "quick_gelu", "num_hidden_layers": 2, "num_attention_heads": 4},
    "exact": {"hidden_act": "gelu", "num_hidden_layers": 3, "num_attention_heads": 2, "layer_norm_eps": 1e-3},
}


def make_model(name, settings, seed):
    torch.manual_seed(seed)
    config = CLIPTextConfig(vocab_size=60, hidden_size=16, intermediate_size=40, max_position_embeddings=20, bos_token_id=58,
                            eos_token_id=59, pad_token_id=59, **settings)
    model = CLIPTextModel(config).eval()
    for key, value in model.named_parameters():
        torch.nn.init.normal_(value, 1.0 if "norm" in key and key.endswith("weight") else 0.0, 0.3)
    ids = torch.randint(0, 60, (3, 20))
    with torch.no_grad():
        full = model(ids).last_hidden_state
        part = model(ids[:, :7]).last_hidden_state
        hidden = model(ids, output_hidden_states=True).hidden_states
        norm = getattr(model, "text_model", model).final_layer_norm
        skip2 = norm(hidden[-2])
    folder = os.path.join(FOLDER, name)
    model.save_pretrained(folder)
    save_file({"ids": ids, "full": full, "part": part, "skip2": skip2}, os.path.join(folder, "io.safetensors"))
    weights = load_file(os.path.join(folder, "model.safetensors"))
    if name == "exact":
        # As older releases and every Stable Diffusion checkpoint name them, with the buffer and the head they may carry.
        weights = {("" if key.startswith("text_model.") else "text_model.") + key: value for key, value in weights.items()}
        weights["text_model.embeddings.position_ids"] = torch.arange(20).unsqueeze(0)
        weights["text_projection.weight"] = torch.zeros(16, 16)
        save_file(weights, os.path.join(folder, "model.safetensors"))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    make_tokens()
    for seed, (name, settings) in enumerate(MODELS.items()):
        make_model(name, settings, seed)


if __name__ == "__main__":
    main()
