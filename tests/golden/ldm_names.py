# SPDX-License-Identifier: LGPL-2.1-or-later
"""The original code's names for the tensors of diffusers' networks. Each conversion is proven by diffusers' own converter, which must
give back what it was made from."""

import re

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
SINGLE = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
          "conv_norm_out": "out.0", "conv_out": "out.2", "controlnet_mid_block": "middle_block_out.0",
          "controlnet_cond_embedding.conv_in": "input_hint_block.0", "controlnet_cond_embedding.conv_out": "input_hint_block.14"}


def unet_name(name, layers):
    """layers: layers_per_block, one number for all levels."""
    stem, kind = name.rsplit(".", 1)
    if stem in SINGLE:
        return f"{SINGLE[stem]}.{kind}"
    if match := re.fullmatch(r"controlnet_down_blocks\.(\d+)", stem):
        return f"zero_convs.{match[1]}.0.{kind}"
    if match := re.fullmatch(r"controlnet_cond_embedding\.blocks\.(\d+)", stem):
        return f"input_hint_block.{2 * int(match[1]) + 2}.{kind}"
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        if match[1] == "attentions":
            return f"middle_block.1.{match[3]}"
        return f"middle_block.{2 * int(match[2])}.{inside(match[3])}"
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    side, level, what, layer, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if side == "down":
        number = 1 + level * (layers + 1) + (layers if what == "downsamplers" else layer)
        if what == "downsamplers":
            return f"input_blocks.{number}.0.{rest.replace('conv', 'op')}"
        return f"input_blocks.{number}.{'1.' + rest if what == 'attentions' else '0.' + inside(rest)}"
    number = level * (layers + 1) + (layers if what == "upsamplers" else layer)
    if what == "upsamplers":
        return f"output_blocks.{number}.UPSAMPLER.{rest}"
    return f"output_blocks.{number}.{'1.' + rest if what == 'attentions' else '0.' + inside(rest)}"


def inside(rest):
    stem, kind = rest.rsplit(".", 1)
    return f"{RESNET[stem]}.{kind}"


def unet_names(names, layers):
    found = {name: unet_name(name, layers) for name in names}
    taken = set(found.values())
    for name, ldm in found.items():
        if "UPSAMPLER" in ldm:
            block = ldm.split("UPSAMPLER")[0]
            found[name] = ldm.replace("UPSAMPLER", "2" if any(other.startswith(block + "1.") for other in taken) else "1")
    return found


def vae_name(name, levels):
    name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
    for new, old in {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}.items():
        name = name.replace(f"mid_block.attentions.0.{new}.", f"mid.attn_1.{old}.")
    name = re.sub(r"encoder\.down_blocks\.(\d+)\.", r"encoder.down.\1.", name)
    name = re.sub(r"decoder\.up_blocks\.(\d+)\.", lambda match: f"decoder.up.{levels - 1 - int(match[1])}.", name)
    name = name.replace(".resnets.", ".block.").replace("downsamplers.0", "downsample").replace("upsamplers.0", "upsample")
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def open_clip_tensors(state, last_layer):
    """OpenCLIP's tensors for transformers' (a name without "text_model." to a tensor); `last_layer` is added, as such files have one more."""
    out = {"token_embedding.weight": state["embeddings.token_embedding.weight"],
           "positional_embedding": state["embeddings.position_embedding.weight"],
           "ln_final.weight": state["final_layer_norm.weight"], "ln_final.bias": state["final_layer_norm.bias"]}
    pieces = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layers."))
    assert last_layer == layers
    for layer in range(layers + 1):
        source, target = f"encoder.layers.{min(layer, layers - 1)}.", f"transformer.resblocks.{layer}."
        for new, old in pieces.items():
            for kind in ("weight", "bias"):
                out[target + old + "." + kind] = state[f"{source}{new}.{kind}"]
        for kind in ("weight", "bias"):
            out[f"{target}attn.in_proj_{kind}"] = [state[f"{source}self_attn.{side}_proj.{kind}"] for side in "qkv"]
    return out
