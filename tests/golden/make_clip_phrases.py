# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole CLIPs of transformers, for tests/test_clip_phrases.cpp.

    python3 tests/golden/make_clip_phrases.py

Writes clip_phrases/<name>/ (a tiny CLIPModel with random weights, a tokenizer that knows single bytes and a few pairs, token numbers,
pixels, embeddings and logits), clip_phrases/phrases.txt, clip_phrases/pictures.safetensors and .json (pictures, the logits of all phrases
and captions) and clip_phrases/full_ViT-L-14.txt and .json (names and shapes of the published model, and its configuration).
"""

import json
import math
import pathlib

import numpy
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

from make_clip_vision import picture
from synthetic import write_list
from tiny_networks import rand, randomize

FOLDER = pathlib.Path(__file__).parent / "clip_phrases"
MERGES = ["h a", "ha i", "hai r</w>", "l o", "lo n", "lon g</w>", "w i", "t h</w>", "wi th</w>", "i n", "c u", "cu p</w>"]
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
GROUPS = {
    "subject": ["a woman", "- a man", "a picture"],
    "hair": ["with long hair", "- with a cup", "with hair"],
    "setting": ["indoors", "- outdoors", "in a caf\u00e9", "somewhere"],
}


def vocabulary():
    """Every byte has a symbol: itself where it can be printed, else a character beyond 255."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    names = symbols + [symbol + "</w>" for symbol in symbols] + [merge.replace(" ", "") for merge in MERGES] + [BOS, EOS]
    return {name: i for i, name in enumerate(names)}


def write_tokenizer(folder):
    (folder / "vocab.json").write_text(json.dumps(vocabulary()))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")


def make_network(name, seed, projection, eos, activation):
    """Its vocabulary holds two tokens beyond the end token, as extra words of a user do."""
    vocab = vocabulary()
    text = dict(
        vocab_size=len(vocab) + 2, hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=2,
        max_position_embeddings=24, eos_token_id=eos, bos_token_id=vocab[BOS], pad_token_id=vocab[EOS], hidden_act=activation,
    )  # fmt: skip
    vision = dict(
        hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=2, image_size=24, patch_size=8, hidden_act=activation
    )
    network = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=projection)).eval()
    randomize(network, seed)
    network.logit_scale.data.fill_(math.log(20))
    folder = FOLDER / name
    network.save_pretrained(folder)
    path = folder / "model.safetensors"
    # Beside position numbers, which older releases stored.
    weights = {key: value if key == "logit_scale" else value.bfloat16() for key, value in load_file(path).items()}
    weights["text_model.embeddings.position_ids"] = torch.arange(24).unsqueeze(0)
    weights["vision_model.embeddings.position_ids"] = torch.arange(10).unsqueeze(0)
    save_file(weights, path)
    path.chmod(0o644)
    return network


@torch.no_grad()
def save_io(name, network, seed, ids):
    pixels = rand((3, 3, 24, 24), seed)
    out = network(input_ids=ids, pixel_values=pixels)
    tensors = {"ids": ids, "pixels": pixels, "logits": out.logits_per_image, "texts": out.text_embeds, "pictures": out.image_embeds}
    path = FOLDER / name / "io.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    path.chmod(0o644)


def caption(logits, least_share, least_lead):
    """The rule as vf_aianime/caption/clip_phrases.h says it, for lists in which "with" is not twice in a row."""
    text, at = "", 0
    for phrases in GROUPS.values():
        shares = torch.softmax(logits[at : at + len(phrases)].double(), 0)
        at += len(phrases)
        order = shares.argsort(descending=True)
        best = phrases[order[0]]
        if best.startswith("-") or shares[order[0]] < least_share or shares[order[0]] < least_lead * shares[order[1]]:
            continue
        if not text:
            text = best.removeprefix("with ")
        else:
            text += (" " if best.startswith("with ") else ", ") + best
    return text


def write_phrases():
    lines = ["# Phrases for the tests.", ""]
    for group, phrases in GROUPS.items():
        lines += [f"[{group}]"] + phrases + [""]
    text = "\n".join(lines).replace("a woman", "a woman | 1girl").replace("with long hair", "with long hair | long hair")
    (FOLDER / "phrases.txt").write_text(text)


@torch.no_grad()
def make_pictures(network, folder):
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    texts = [phrase.removeprefix("- ") for phrases in GROUPS.values() for phrase in phrases]
    tokens = tokenizer(texts, padding=True, return_tensors="pt").input_ids
    prepare = CLIPImageProcessor(size=24, crop_size=24)
    tensors, captions = {"tokens": tokens}, []
    for i, (height, width) in enumerate([(61, 40), (50, 97), (1, 1), (24, 24), (5, 300)]):
        image = picture(height, width, i)
        pixels = prepare(image, return_tensors="pt").pixel_values
        tensors[f"picture{i}"] = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).unsqueeze(0).contiguous()
        tensors[f"logits{i}"] = network(input_ids=tokens, pixel_values=pixels).logits_per_image[0].contiguous()
        rules = {"usual": (0.35, 1.5), "any": (0, 1), "sure": (0.9, 1), "ahead": (0, 4)}
        captions.append({name: caption(tensors[f"logits{i}"], *rule) for name, rule in rules.items()})
    (FOLDER / "pictures.json").write_text(json.dumps(captions, indent=1, ensure_ascii=False) + "\n")
    save_file(tensors, FOLDER / "pictures.safetensors")
    (FOLDER / "pictures.safetensors").chmod(0o644)


def make_names():
    text = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12, eos_token_id=2)
    vision = dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=24, patch_size=14, image_size=224)
    with torch.device("meta"):
        network = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=768))
    shapes = {key: ("F32", list(value.shape)) for key, value in network.state_dict().items()}
    shapes["text_model.embeddings.position_ids"] = ("I64", [1, 77])
    shapes["vision_model.embeddings.position_ids"] = ("I64", [1, 257])
    write_list(FOLDER / "full_ViT-L-14.txt", shapes)
    network.config.to_json_file(FOLDER / "full_ViT-L-14.json")
    print(sum(p.numel() for p in network.parameters()))


def main():
    FOLDER.mkdir(exist_ok=True)
    vocab = vocabulary()
    eos, extra = vocab[EOS], len(vocab) + 1
    legacy = make_network("legacy", 1, 12, 2, "quick_gelu")
    # The largest number ends a text here, wherever the end token stands.
    save_io("legacy", legacy, 2, torch.tensor([[vocab[BOS], 5, 77, eos, eos], [vocab[BOS], eos, 9, 300, extra]]))
    # A projection from 16 to 16 numbers: without it every shape would fit.
    current = make_network("current", 3, 16, eos, "gelu")
    save_io("current", current, 4, torch.tensor([[vocab[BOS], 5, extra, eos, eos], [vocab[BOS], 8, 9, 300, eos]]))
    write_tokenizer(FOLDER / "current")
    write_phrases()
    make_pictures(current, FOLDER / "current")
    make_names()


if __name__ == "__main__":
    main()
