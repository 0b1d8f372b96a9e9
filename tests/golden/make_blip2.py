# SPDX-License-Identifier: LGPL-2.1-or-later
"""BLIP-2 with OPT as transformers computes it, for tests/test_blip2.cpp, test_blip2_caption.cpp and test_byte_level_tokenizer.cpp.

    python3 tests/golden/make_blip2.py

Writes below blip2/: <case>/ (a tiny Blip2ForConditionalGeneration with random weights as a folder, its tokenizer, io.safetensors with
inputs and outputs of its parts, captions.json with what generate() says of some pictures under some settings), opt_projected/ (an OPT
with projected embeddings), pictures.safetensors (pictures, and the pixels BlipImageProcessorPil makes of them), tokenizer.json (texts and their
tokens) and full_opt-2.7b.txt and .json (names and shapes of the published model, and its configuration).
"""

import json
import logging
import pathlib
import re

import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, ByteLevelBPETokenizer
from transformers import Blip2Config, Blip2ForConditionalGeneration, BlipImageProcessorPil, GPT2Tokenizer, OPTConfig, OPTForCausalLM

from synthetic import write_list
from tiny_networks import rand, randomize

FOLDER = pathlib.Path(__file__).resolve().parent / "blip2"
SIDE, QUERIES, VOCABULARY, TRAINED, IMAGE_TOKEN = 28, 4, 400, 392, 393  # the image token is one that the models like to say
VISION = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE, patch_size=7)
QFORMER = dict(hidden_size=12, num_hidden_layers=3, num_attention_heads=2, intermediate_size=20, encoder_hidden_size=16, vocab_size=30)
OPT = dict(
    model_type="opt", vocab_size=VOCABULARY, hidden_size=16, word_embed_proj_dim=16, ffn_dim=24, num_hidden_layers=2,
    num_attention_heads=2, max_position_embeddings=96, eos_token_id=2,
)  # fmt: skip
SETTINGS = [
    dict(num_beams=1, max_new_tokens=12),
    dict(num_beams=1, max_new_tokens=12, repetition_penalty=1.6),
    dict(num_beams=1, max_new_tokens=12, min_new_tokens=9),
    dict(num_beams=3, max_new_tokens=12),
    dict(num_beams=5, max_new_tokens=14, min_new_tokens=5),
    dict(num_beams=5, max_new_tokens=14, length_penalty=-1.5),
    dict(num_beams=4, max_new_tokens=14, length_penalty=2.5, early_stopping=True),
    dict(num_beams=3, max_new_tokens=14, length_penalty=1.5, early_stopping="never"),
    dict(num_beams=3, max_new_tokens=14, repetition_penalty=1.9),
    dict(num_beams=2, max_new_tokens=1),
]
PROMPTS = ["", "a photo of", "Question: g, i, D or [? Answer:"]
TRAINING = """a photo of a man and a woman on the street. Question: how many people are there? Answer: two
a photo of a cat sitting on a couch with its eyes closed, it's a sunny day and they're happy
the portrait of an old man with a beard who doesn't look at the camera, 1920 x 1080
a group of people standing in front of a house; we've seen I'm sure you'll like what he'd say
"""
TEXTS = [
    "", "a", " ", "  ", "a photo of", " a photo of", "a photo of ", "Question: how many people are there? Answer:", "Hello, world!",
    "it's we're I'm you'll he'd they've can't", "IT'S WE'RE I'M", "' s 't 'x ''s", "don''t", "x's's", "1234567890", "3.14 and 2,718",
    "1st 2nd", "a1b2c3", "tabs\tand\nlines\r\n", "\n\n\na", "a\n\n\n", "a  b", "a   b    c", "   leading", "trailing   ", " \n x", "x \n ",
    "!!!", " !!! ", "--dash--", "a-b_c/d\\e", "(brackets) [square] {curly}", "e-mail@example.com", "https://example.com/?q=1&r=2",
    "naïve café", "nai\u0308ve", "Größe Straße", "ÀÉÎÕÜ", "日本語のテキスト", "中文，标点。", "한국어 텍스트", "русский язык",
    "ελληνικά", "עברית", "العربية", "हिन्दी में", "ไทย", "😀 smile 👍🏽", "👨‍👩‍👧", "½ ² Ⅳ ٣", "no\u00a0break", "thin\u2009space",
    "ideographic\u3000space", "zero\u200bwidth", "\u2028line\u2029", "\ufeffbom", "\u007fdel\u0085nel", "\u00adsoft",
    "math: ∑∫√ ≠", "</s>", "a</s>b", " </s> </s>", "<pad><s><unk>", "<image>a photo", "x <image> y", "<image", "< /s>", "<keep>", "a <keep>b",
    "a  <wide>  b", "<wide><wide> ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "the the the the", "A photo OF A Man", "ſ ﬁ ǆ",
]  # fmt: skip
TOKENS_TO_TEXT = [[], [2, 10, 11], [2, 2, 1], [300, 2, 301], [IMAGE_TOKEN, 40], [399, 50], [392, 394, 60]]


def make_tokenizer(folder):
    """As the published folders have it, in the files of older releases: vocab.json, merges.txt, tokenizer_config.json."""
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trained.train_from_iterator(TRAINING.splitlines(), vocab_size=TRAINED, min_frequency=1, special_tokens=specials, show_progress=False)
    folder.mkdir(parents=True, exist_ok=True)
    trained.save_model(str(folder))
    assert len(json.loads((folder / "vocab.json").read_text())) == TRAINED
    added = {
        TRAINED: AddedToken("<keep>", normalized=False, special=False),
        IMAGE_TOKEN: AddedToken("<image>", normalized=False, special=True),
        IMAGE_TOKEN + 1: AddedToken("<wide>", normalized=False, special=False, lstrip=True, rstrip=True),
    }
    settings = {
        "add_bos_token": True, "add_prefix_space": False, "bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "</s>",
        "tokenizer_class": "GPT2Tokenizer",
        "added_tokens_decoder": {str(token): {
            "content": entry.content, "lstrip": entry.lstrip, "rstrip": entry.rstrip, "normalized": entry.normalized,
            "single_word": False, "special": entry.special,
        } for token, entry in ({0: special("<s>"), 1: special("<pad>"), 2: special("</s>"), 3: special("<unk>")} | added).items()},
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    tokenizer = GPT2Tokenizer.from_pretrained(folder)
    assert tokenizer("a</s>").input_ids[0] == 2 and tokenizer.convert_tokens_to_ids("<image>") == IMAGE_TOKEN
    return tokenizer


def special(text):
    return AddedToken(text, normalized=False, special=True)


def make_texts(tokenizer):
    texts = [{"text": text, "tokens": tokenizer(text).input_ids} for text in TEXTS]
    generator = numpy.random.default_rng(5)
    numbers = TOKENS_TO_TEXT + [generator.integers(0, VOCABULARY, 8).tolist() for _ in range(24)] + [text["tokens"] for text in texts]
    decoded = [
        {"tokens": list(map(int, tokens)), "all": tokenizer.decode(tokens), "shown": tokenizer.decode(tokens, skip_special_tokens=True)}
        for tokens in numbers
    ]
    decoded = [entry for entry in decoded if "\0" not in entry["all"]]
    (FOLDER / "tokenizer.json").write_text(json.dumps({"encode": texts, "decode": decoded}) + "\n")
    print("texts", len(texts), "decoded", len(decoded), sum("\ufffd" in entry["all"] for entry in decoded))


def picture(height, width, seed):
    """Soft colours, hard edges and some noise."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [128 + 90 * numpy.sin(x / (5 + k) + seed) * numpy.cos(y / (7 - k)) for k in range(3)]
    stack = numpy.stack(planes, -1)
    stack[height // 4 : height // 2, width // 3 : width // 2] = (250, 10, 40 * seed)
    stack += numpy.random.default_rng(seed).normal(0, 8, stack.shape)
    return Image.fromarray(stack.clip(0, 255).astype(numpy.uint8))


def resized(image):
    """Rows first, as Pillow did for every size before release 13."""
    return image.resize((SIDE, image.height), Image.BICUBIC).resize((SIDE, SIDE), Image.BICUBIC)


def make_pictures():
    prepare = BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    tensors = {}
    for i, (height, width) in enumerate([(61, 40), (50, 97), (SIDE, SIDE), (13, 17)]):
        image = picture(height, width, i)
        tensors[f"picture{i}"] = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).unsqueeze(0).contiguous()
        tensors[f"pixels{i}"] = prepare(resized(image), return_tensors="pt").pixel_values
    save_file(tensors, FOLDER / "pictures.safetensors")
    return [tensors[f"pixels{i}"] for i in range(4)]


def spread(network, seed):
    """Random weights that bfloat16 holds exactly, among which layers outweigh the word that stands there: what is said must depend on pictures and words before it."""
    randomize(network, seed)
    language = network.language_model if hasattr(network, "language_model") else network
    for name, tensor in language.state_dict().items():
        if name.endswith(("out_proj.weight", "fc2.weight")):
            tensor.mul_(4)
        elif "v_proj.weight" in name or "embed_positions" in name:
            tensor.mul_(2)
        elif name.endswith("decoder.final_layer_norm.weight"):
            tensor.mul_(4)
    if hasattr(network, "language_projection"):
        network.language_projection.weight.mul_(2)


def build(settings, seed):
    config = Blip2Config(**settings)
    network = Blip2ForConditionalGeneration(config).eval()
    with torch.no_grad():
        spread(network, seed)
    return network


def one_line(text):
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()


def generate(network, tokenizer, pixels, prompt, settings):
    """New tokens alone."""
    words = {}
    if prompt:
        ids = [IMAGE_TOKEN] * QUERIES + tokenizer(prompt).input_ids
        words = {"input_ids": torch.tensor([ids])}
    out = network.generate(pixel_values=pixels, do_sample=False, **words, **settings)[0].tolist()
    start = len(words["input_ids"][0]) if prompt else QUERIES + 1
    return out[start:]


def choose_eos(network, tokenizer, pixels):
    """Two tokens that end some captions early and others never."""
    network.language_model.generation_config.eos_token_id = None
    counts = {}
    for x in pixels:
        for prompt in PROMPTS:
            for beams in (1, 3):
                said = generate(network, tokenizer, x, prompt, dict(num_beams=beams, max_new_tokens=12))
                for token in set(said[2:]):
                    counts[token] = counts.get(token, 0) + 1
    ranked = sorted(counts, key=lambda token: (abs(counts[token] - 10), token))
    return ranked[:2]


@torch.no_grad()
def make_case(name, settings, seed, pixels, tokenizer, store, several_eos=False, penalties=True):
    folder = FOLDER / name
    network = build(settings, seed)
    eos = choose_eos(network, tokenizer, pixels)
    eos = eos if several_eos else eos[0]
    network.config.text_config.eos_token_id = eos
    network.language_model.generation_config.eos_token_id = eos
    captions = []
    for i, x in enumerate(pixels):
        for prompt in PROMPTS:
            for setting in SETTINGS:
                if "repetition_penalty" in setting and not penalties:
                    continue
                tokens = generate(network, tokenizer, x, prompt, setting)
                text = one_line(tokenizer.decode(tokens, skip_special_tokens=True))
                captions.append({"picture": i, "prompt": prompt, "settings": setting | {"early_stopping": str(setting.get("early_stopping", False)).lower()}, "tokens": tokens, "text": text})
    lengths = [len(entry["tokens"]) for entry in captions]
    print(name, "eos", eos, "captions", len(captions), "distinct", len({tuple(c["tokens"]) for c in captions}), "lengths", sorted(set(lengths)))
    save_outputs(folder, network, pixels, captions)
    store(folder, network)


def save_outputs(folder, network, pixels, captions):
    folder.mkdir(parents=True, exist_ok=True)
    x = torch.cat(pixels[:2])
    features = network.get_image_features(x)
    picture = features.vision_outputs.last_hidden_state
    ids = torch.tensor([[2, 40, 77, 300, 12, 9]]).repeat(2, 1)
    places = torch.full((2, QUERIES), IMAGE_TOKEN)
    network.config.image_token_index = IMAGE_TOKEN
    logits = network(pixel_values=x, input_ids=torch.cat([places, ids], 1)).logits
    tensors = {
        "pixels": x, "picture": picture, "queries": features.qformer_outputs.last_hidden_state, "tokens": features.pooler_output,
        "ids": ids, "logits": logits,
    }  # fmt: skip
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, folder / "io.safetensors")
    (folder / "captions.json").write_text("[\n" + ",\n".join(json.dumps(entry) for entry in captions) + "\n]\n")


def halves(network):
    weights = {key: value.bfloat16().contiguous() for key, value in network.state_dict().items()}
    if network.config.text_config.tie_word_embeddings:
        weights.pop("language_model.lm_head.weight")
    return weights


def as_shards(folder, network):
    """Two shards and their index, as large models are published; position numbers as older releases stored them."""
    network.config.save_pretrained(folder)
    weights = halves(network) | {"qformer.embeddings.position_ids": torch.arange(8).unsqueeze(0)}
    names = sorted(weights)
    cut = {name: "model-00001-of-00002.safetensors" if i < len(names) // 2 else "model-00002-of-00002.safetensors" for i, name in enumerate(names)}
    for shard in sorted(set(cut.values())):
        save_file({name: weights[name] for name in names if cut[name] == shard}, folder / shard)
    size = sum(value.nbytes for value in weights.values())
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": cut}) + "\n")


def as_one_file(folder, network):
    """A head of its own; the tokenizer as releases from 5 on save it."""
    network.config.save_pretrained(folder)
    save_file(halves(network), folder / "model.safetensors")
    GPT2Tokenizer.from_pretrained(FOLDER / "sharded").save_pretrained(folder)
    assert not (folder / "vocab.json").exists()


def as_older_release(folder, network):
    """Before there was a token for places of pictures; the head stored though it repeats the embeddings."""
    config = json.loads(network.config.to_json_string(use_diff=False))
    config.pop("image_token_index")
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    weights = halves(network)
    weights["language_model.lm_head.weight"] = weights["language_model.model.decoder.embed_tokens.weight"].clone()
    save_file(weights, folder / "model.safetensors")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).write_bytes((FOLDER / "sharded" / name).read_bytes())


@torch.no_grad()
def make_opt(seed):
    config = OPTConfig(**(OPT | dict(vocab_size=40, word_embed_proj_dim=10, do_layer_norm_before=False)))
    network = OPTForCausalLM(config).eval()
    spread(network, seed)
    folder = FOLDER / "opt_projected"
    folder.mkdir(parents=True, exist_ok=True)
    config.to_json_file(folder / "config.json", use_diff=False)
    weights = {key: value.bfloat16().contiguous() for key, value in network.state_dict().items() if key != "lm_head.weight"}
    save_file(weights, folder / "model.safetensors")
    ids = torch.tensor([[2, 5, 7, 30, 12, 9], [2, 39, 1, 0, 3, 3]])
    save_file({"ids": ids, "logits": network(input_ids=ids).logits}, folder / "io.safetensors")


def make_names():
    text = dict(
        model_type="opt", vocab_size=50304, hidden_size=2560, word_embed_proj_dim=2560, ffn_dim=10240, num_hidden_layers=32,
        num_attention_heads=32, eos_token_id=50118,
    )  # fmt: skip
    config = Blip2Config(text_config=text, image_token_index=50265)
    with torch.device("meta"):
        network = Blip2ForConditionalGeneration(config)
    shapes = {key: ("F32", list(value.shape)) for key, value in network.state_dict().items()}
    write_list(FOLDER / "full_opt-2.7b.txt", shapes)
    config.to_json_file(FOLDER / "full_opt-2.7b.json")
    print("opt-2.7b", sum(p.numel() for p in network.parameters()), "names", len(shapes))


def main():
    transformers.logging.set_verbosity_error()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    tokenizer = make_tokenizer(FOLDER / "sharded")
    make_texts(tokenizer)
    pixels = make_pictures()
    base = dict(vision_config=VISION, qformer_config=QFORMER, text_config=OPT, num_query_tokens=QUERIES, image_token_index=IMAGE_TOKEN)
    make_case("sharded", base, 1, pixels, tokenizer, as_shards)
    own_head = dict(
        vision_config=VISION | dict(qkv_bias=False),
        qformer_config=QFORMER | dict(cross_attention_frequency=1, use_qformer_text_input=True),
        text_config=OPT | dict(do_layer_norm_before=False, tie_word_embeddings=False, activation_function="gelu"),
    )
    make_case("own_head", base | own_head, 2, pixels, tokenizer, as_one_file, several_eos=True)
    make_case("older", base, 3, pixels, tokenizer, as_older_release, penalties=False)
    make_opt(4)
    make_names()


if __name__ == "__main__":
    main()
