# SPDX-License-Identifier: LGPL-2.1-or-later
"""LoRA files in every dialect for a tiny U-Net and text encoder, for tests/test_lora.cpp.

    python3 tests/golden/make_lora.py

Needs diffusers, transformers, peft and lycoris_lora. Writes lora/unet and lora/text (the networks), lora/<case>.safetensors (the
files as users have them) and lora/expected.safetensors: for each case what both networks give with the file merged, and three
numbers for every tensor's change (two weighted sums of its values, and its length), by name.

Who merged: diffusers with PEFT (load_lora_weights, set_adapters, fuse_lora) what it can read; lycoris_lora's own modules, applied to
the layers as in training, for LoHa, LoKr, LoCon, DoRA and full differences.
"""

import json
import pathlib
import shutil

import torch
from diffusers import AnimateDiffPipeline, AutoencoderKL, DDIMScheduler, MotionAdapter, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata  # as the training scripts save
from lycoris.functional.general import apply_dora_scale
from lycoris.modules.full import FullModule
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from lycoris.utils import convert_diffusers_name_to_compvis
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

from tiny_networks import rand, randomize

FOLDER = pathlib.Path(__file__).parent / "lora"
LEVELS = dict(
    block_out_channels=(4, 8, 8),
    down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    layers_per_block=2,
    cross_attention_dim=6,
    norm_num_groups=2,
)
TEXT = dict(
    vocab_size=40,
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=2,
    max_position_embeddings=8,
    bos_token_id=38,
    eos_token_id=39,
    pad_token_id=39,
)

# One of each kind of layer, at places where the namings differ.
UNET_LAYERS = [
    "conv_in",
    "time_embedding.linear_1",
    "down_blocks.0.resnets.1.conv1",
    "down_blocks.0.attentions.1.proj_in",
    "down_blocks.0.downsamplers.0.conv",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "down_blocks.1.resnets.0.conv_shortcut",
    "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "mid_block.resnets.1.time_emb_proj",
    "up_blocks.0.upsamplers.0.conv",
    "up_blocks.1.upsamplers.0.conv",
    "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.2.attentions.0.transformer_blocks.0.ff.net.2",
    "conv_out",
]
ATTENTION_LAYERS = [
    f"{block}.transformer_blocks.0.{attention}.{layer}"
    for block, attention in (("down_blocks.0.attentions.0", "attn1"), ("mid_block.attentions.0", "attn2"), ("up_blocks.2.attentions.1", "attn2"))
    for layer in ("to_q", "to_k", "to_v", "to_out.0")
]
TEXT_LAYERS = [
    "encoder.layers.0.self_attn.q_proj",
    "encoder.layers.0.self_attn.out_proj",
    "encoder.layers.1.self_attn.k_proj",
    "encoder.layers.1.self_attn.v_proj",
    "encoder.layers.1.mlp.fc1",
    "encoder.layers.0.mlp.fc2",
]
# What LCM-LoRA, TCD-LoRA and Hyper-SD were trained on.
FEW_STEP_ENDS = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2")
FEW_STEP_ENDS += ("conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj")

X, WORDS = rand((1, 4, 8, 8), 11), rand((1, 5, 6), 12)
seed = 1000


def noise(*shape, scale=0.4):
    """The next random tensor, rounded so that float16 and bfloat16 both hold it."""
    global seed
    seed += 1
    return rand(shape, seed, scale).to(torch.bfloat16).float().mul(64).round().div(64)


class Networks:
    def __init__(self):
        self.unet = UNet2DConditionModel(attention_head_dim=2, **LEVELS).eval()
        randomize(self.unet, 1)
        self.text = CLIPTextModel(CLIPTextConfig(**TEXT)).eval()
        randomize(self.text, 2)

    def layer(self, target, name):
        return getattr(self, target).get_submodule(name)

    def pipeline(self):
        vae = AutoencoderKL(block_out_channels=(4,), norm_num_groups=2)
        scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
        return StableDiffusionPipeline(vae, self.text, None, self.unet, scheduler, None, None, requires_safety_checker=False)

    def tensors(self):
        return {t + "." + k: v.detach().clone() for t in ("unet", "text") for k, v in getattr(self, t).state_dict().items()}

    def outputs(self):
        ids = torch.arange(8).reshape(1, 8) * 5 % 38
        return {"unet_out": self.unet(X, torch.tensor(310.0), WORDS).sample, "text_out": self.text(ids).last_hidden_state}


BASE = Networks().tensors()
expected = {}


def prints(merged):
    rows = []
    for name in sorted(BASE):
        change = (merged[name].double() - BASE[name].double()).flatten()
        i = torch.arange(change.numel(), dtype=torch.float64)
        rows.append(torch.stack([(change * torch.cos(0.37 * i + 0.1)).sum(), (change * torch.cos(0.011 * i * i + 0.5)).sum(), change.norm()]))
    return torch.stack(rows).float()


def expect(case, networks):
    """Records a case whose file is merged into `networks`."""
    merged = networks.tensors()
    expected[case + ".prints"] = prints(merged)
    changed = [name for name in BASE if not torch.equal(BASE[name], merged[name])]
    for key, value in networks.outputs().items():
        expected[case + "." + key] = value
    print(f"{case}: {len(changed)} tensors changed")
    return merged


def save(case, tensors, metadata=None, dtype=torch.float32):
    path = FOLDER / (case + ".safetensors")
    save_file({k: v.detach().to(dtype).contiguous() for k, v in tensors.items()}, path, metadata)
    assert path.stat().st_size < 150_000, (path, path.stat().st_size)


def factors(layer, rank):
    """Down and up of a LoRA."""
    weight = layer.weight
    return noise(rank, *weight.shape[1:]), noise(weight.shape[0], rank, *[1] * (weight.dim() - 2))


def by_diffusers(case, file, unet_weight=1.0, text_weight=1.0, metadata=None):
    networks = Networks()
    pipe = networks.pipeline()
    pipe.load_lora_weights(dict(file), adapter_name="a")
    weights = {}
    if any("unet" in key for key in file):
        weights["unet"] = unet_weight
    if any("text_encoder" in key or "lora_te" in key for key in file):
        weights["text_encoder"] = text_weight
    pipe.set_adapters("a", weights)
    pipe.fuse_lora()
    pipe.unload_lora_weights()
    return expect(case, networks)


def kohya_file(networks, alpha, unet_layers=UNET_LAYERS, text_layers=TEXT_LAYERS, rank=2):
    file = {}
    for target, prefix, layers in (("unet", "lora_unet_", unet_layers), ("text", "lora_te_text_model_", text_layers)):
        for name in layers:
            down, up = factors(networks.layer(target, name), rank)
            key = prefix + name.replace(".", "_")
            file |= {key + ".lora_down.weight": down, key + ".lora_up.weight": up}
            if alpha:
                file[key + ".alpha"] = torch.tensor(alpha)
    return file


def kohya_cases():
    networks = Networks()
    file = kohya_file(networks, 1.5)
    save("kohya", file, {"ss_network_dim": "2", "ss_network_alpha": "7"}, torch.float16)
    merged = by_diffusers("kohya", file, 0.75, 0.5)

    no_alpha = kohya_file(networks, None)
    save("kohya_no_alpha", no_alpha, dtype=torch.bfloat16)
    by_diffusers("kohya_no_alpha", no_alpha)

    # The original code's block names, as LyCORIS derives them; its upsamplers are all counted behind an attention.
    renamed = {}
    for key, value in file.items():
        layer, part = key.split(".", 1)
        renamed[convert_diffusers_name_to_compvis(layer) + "." + part] = value
    assert "lora_unet_output_blocks_2_2_conv.alpha" in renamed
    both = {key.replace("output_blocks_2_2_conv", "output_blocks_2_1_conv"): value for key, value in renamed.items()}
    save("kohya_original_blocks", both)
    save("kohya_original_blocks_lycoris", renamed)

    # Linear layers' shapes for 1x1 convolutions and the other way round.
    swapped = dict(file)
    for key, value in file.items():
        if "proj_in" in key or "conv_shortcut" in key:
            swapped[key] = value.flatten(1) if value.dim() == 4 else value
        elif value.dim() == 2:
            swapped[key] = value[:, :, None, None]
    save("kohya_swapped_shapes", swapped)

    ends = tuple("." + end for end in FEW_STEP_ENDS)
    layers = [name for name, _ in networks.unet.named_modules() if name.endswith(ends)]
    few = kohya_file(networks, 0.5, layers, [], 1)
    save("kohya_few_step", few, dtype=torch.float16)
    by_diffusers("kohya_few_step", few)
    return merged


def diffusers_cases():
    """to_q_lora and its kin, with and without a prefix, and the AnimateDiff domain adapter."""
    networks = Networks()
    old, text = {}, {}
    for name in ATTENTION_LAYERS:
        down, up = factors(networks.layer("unet", name), 2)
        block, layer = name.replace(".to_out.0", ".to_out").rsplit(".", 1)
        old |= {f"{block}.processor.{layer}_lora.down.weight": down, f"{block}.processor.{layer}_lora.up.weight": up}
    for name in TEXT_LAYERS:
        down, up = factors(networks.layer("text", name), 2)
        block, layer = name.rsplit(".", 1)
        kind = {"q_proj": "to_q_lora", "k_proj": "to_k_lora", "v_proj": "to_v_lora", "out_proj": "to_out_lora"}.get(layer)
        end = kind or layer + ".lora_linear_layer"
        text |= {f"text_encoder.text_model.{block}.{end}.down.weight": down, f"text_encoder.text_model.{block}.{end}.up.weight": up}
    prefixed = {"unet." + key: value for key, value in old.items()} | text
    save("diffusers_old", prefixed)
    by_diffusers("diffusers_old", prefixed, 0.6, 1.25)

    # v3_sd15_adapter: without a prefix, or what a parallel trainer puts in front.
    save("domain_adapter", old, dtype=torch.float16)
    save("domain_adapter_module", {"module." + key: value for key, value in old.items()})
    webui = {}
    for key, value in old.items():
        layer, part = key.replace(".processor", "").split("_lora.")
        layer = layer + ".0" if layer.endswith("to_out") else layer
        webui["lora_unet_" + layer.replace(".", "_") + ".lora_" + part] = value
    save("domain_adapter_webui", webui)
    by_diffusers("domain_adapter", {"unet." + key: value for key, value in old.items()})

    newer = {}
    for name in UNET_LAYERS:
        down, up = factors(networks.layer("unet", name), 2)
        newer |= {f"unet.{name}.lora.down.weight": down, f"unet.{name}.lora.up.weight": up}
    save("diffusers_lora", newer)
    by_diffusers("diffusers_lora", {key.replace("lora.down", "lora_A").replace("lora.up", "lora_B"): value for key, value in newer.items()})


def fill(model, generator_seed):
    for i, (name, tensor) in enumerate(sorted(model.named_parameters())):
        if "lora_A" in name or "lora_B" in name:
            tensor.copy_(rand(tuple(tensor.shape), generator_seed + i, 0.4))
        elif "lora_magnitude" in name:
            tensor.mul_(1 + rand(tuple(tensor.shape), generator_seed + i, 0.2))


def peft_cases():
    # As diffusers saves: both networks, the alphas in the file's metadata.
    for case, dora in (("peft", False), ("peft_dora", True)):
        networks = Networks()
        pipe = networks.pipeline()
        networks.unet.add_adapter(LoraConfig(r=2, lora_alpha=3, target_modules=UNET_LAYERS, use_dora=dora))
        networks.text.add_adapter(LoraConfig(r=2, lora_alpha=1, target_modules=TEXT_LAYERS, use_dora=dora))
        fill(networks.unet, 5000), fill(networks.text, 6000)
        metadata = _collate_lora_metadata({"unet": networks.unet, "text_encoder": networks.text})
        pipe.save_lora_weights(
            FOLDER,
            unet_lora_layers=get_peft_model_state_dict(networks.unet),
            text_encoder_lora_layers=get_peft_model_state_dict(networks.text),
            weight_name=case + ".safetensors",
            **metadata,
        )
        # PEFT merges what it trained: diffusers would not read a text encoder's DoRA back.
        after = Networks()
        for target in ("unet", "text"):
            for name, module in getattr(networks, target).named_modules():
                if isinstance(module, BaseTunerLayer):
                    module.merge()
                    after.layer(target, name).weight.copy_(module.base_layer.weight)
        expect(case, after)

    # As PEFT saves one network: a folder with adapter_config.json; then the same tensors as dumps of a whole model name them.
    networks = Networks()
    config = LoraConfig(r=2, lora_alpha=4, use_rslora=True, alpha_pattern={"conv_out": 1}, target_modules=UNET_LAYERS)
    model = get_peft_model(networks.unet, config)
    fill(model, 7000)
    model.save_pretrained(FOLDER / "peft_folder")
    (FOLDER / "peft_folder" / "README.md").unlink(missing_ok=True)
    file = load_file(FOLDER / "peft_folder" / "adapter_model.safetensors")
    dump = {}
    for key, value in file.items():
        dump[key.replace("base_model.model.", "base_model.model.unet.").replace(".weight", ".default.weight")] = value
    save("peft_default", dump)
    save("peft_metadata_alpha", file, {"format": "pt", "alpha": "4"})
    networks.unet = model.merge_and_unload()
    expect("peft_folder", networks)

    for case, alpha in (("peft_default", 2), ("peft_metadata_alpha", 4)):
        networks = Networks()
        model = get_peft_model(networks.unet, LoraConfig(r=2, lora_alpha=alpha, target_modules=UNET_LAYERS))
        fill(model, 7000)
        networks.unet = model.merge_and_unload()
        expect(case, networks)


def lycoris_case(case, specs, weight=1.0):
    """specs: (target, layer's name, module class, arguments). The modules are applied as in training, then merged by hand."""
    networks, file, applied = Networks(), {}, []
    for target, name, kind, arguments in specs:
        layer = networks.layer(target, name)
        module = kind("", layer, 1.0, **arguments)
        for key, tensor in module.named_parameters():
            if key == "dora_scale":
                tensor.mul_(1 + noise(*tensor.shape))
            elif tensor.dim():
                tensor.copy_(noise(*tensor.shape))
        prefix = "lora_unet_" if target == "unet" else "lora_te_text_model_"
        state = module.custom_state_dict() or module.state_dict()
        file |= {prefix + name.replace(".", "_") + "." + key: value.detach().clone() for key, value in state.items()}
        module.multiplier = weight
        module.apply_to()
        applied.append((layer, module))
    wanted = networks.outputs()
    for layer, module in applied:
        module.restore()
        change = module.get_weight(layer.weight.shape) if isinstance(module, (LohaModule, LokrModule)) else module.make_weight() * module.scale
        if getattr(module, "wd", False):
            layer.weight.copy_(module.apply_weight_decompose(layer.weight + change))
        else:
            layer.weight.add_(change * weight)
    for key, value in networks.outputs().items():
        assert (value - wanted[key]).abs().max() < 1e-5 * value.abs().max(), (case, key)
    save(case, file)
    return expect(case, networks)


LINEAR, CROSS = "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj", "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
CONV, CONV1, CONV_IN = "down_blocks.1.resnets.0.conv1", "up_blocks.1.attentions.2.proj_out", "conv_in"
TEXT_FC = "encoder.layers.1.mlp.fc1"


def lycoris_cases():
    rank2 = dict(lora_dim=2, alpha=1.0)
    everywhere = [("unet", LINEAR), ("unet", CROSS), ("unet", CONV), ("unet", CONV1), ("unet", CONV_IN), ("text", TEXT_FC)]
    results = {}
    results["locon"] = lycoris_case("locon", [(*at, LoConModule, dict(use_tucker=True, **rank2)) for at in everywhere], 0.7)
    results["loha"] = lycoris_case(
        "loha",
        [(*at, LohaModule, dict(**rank2)) for at in everywhere] + [("unet", "conv_out", LohaModule, dict(use_tucker=True, lora_dim=3, alpha=2.0))],
        -0.5,
    )
    lycoris_case(
        "lokr",
        [
            ("unet", LINEAR, LokrModule, dict(factor=2, lora_dim=2, alpha=1.0)),
            ("unet", CROSS, LokrModule, dict(factor=2, lora_dim=1, alpha=3.0, decompose_both=True)),
            ("unet", "time_embedding.linear_2", LokrModule, dict(factor=4, lora_dim=1, alpha=0.5, decompose_both=True)),
            ("unet", CONV, LokrModule, dict(factor=2, lora_dim=1, alpha=0.5)),
            ("unet", "up_blocks.1.resnets.0.conv1", LokrModule, dict(factor=2, lora_dim=3, alpha=1.5, use_tucker=True)),
            ("unet", CONV1, LokrModule, dict(factor=2, full_matrix=True, **rank2)),
            ("unet", CONV_IN, LokrModule, dict(factor=2, full_matrix=True, **rank2)),
            ("text", TEXT_FC, LokrModule, dict(factor=-1, lora_dim=1, alpha=1.0)),
        ],
        0.9,
    )
    for case, on_out in (("dora_out", True), ("dora_in", False)):
        dora = dict(weight_decompose=True, wd_on_out=on_out, **rank2)
        results[case] = lycoris_case(
            case,
            [
                ("unet", LINEAR, LoConModule, dora),
                ("unet", "up_blocks.1.resnets.0.conv1", LoConModule, dict(use_tucker=True, **dora)),
                ("unet", CROSS, LohaModule, dora),
                ("unet", CONV, LokrModule, dict(factor=2, **dora)),
                ("text", TEXT_FC, LoConModule, dora),
            ],
        )

    # At part of its strength a DoRA goes part of the way.
    networks, file = Networks(), load_file(FOLDER / "dora_in.safetensors")
    for target, name in (("unet", LINEAR), ("text", TEXT_FC)):
        layer = networks.layer(target, name)
        key = ("lora_unet_" if target == "unet" else "lora_te_text_model_") + name.replace(".", "_") + "."
        change = file[key + "lora_up.weight"] @ file[key + "lora_down.weight"] * (file[key + "alpha"] / 2)
        layer.weight.copy_(apply_dora_scale(layer.weight, change, file[key + "dora_scale"], 0.6))
    save("dora_part", {k: v for k, v in file.items() if "ff_net_0_proj" in k or "mlp_fc1" in k})
    expect("dora_part", networks)
    return results


def full_case():
    networks, file = Networks(), {}
    for target, name, kind in (
        ("unet", LINEAR, FullModule),
        ("unet", CONV, FullModule),
        ("unet", CROSS, FullModule),
        ("text", TEXT_FC, FullModule),
        ("unet", "mid_block.resnets.0.norm1", NormModule),
        ("text", "encoder.layers.0.layer_norm1", NormModule),
    ):
        layer = networks.layer(target, name)
        module = kind("", layer, 1.0)
        for tensor in module.parameters():
            tensor.copy_(noise(*tensor.shape))
        ends = ("w_norm", "b_norm") if kind is NormModule else ("diff", "diff_b")
        weights = (module.w_norm, module.b_norm) if kind is NormModule else (module.weight, module.bias)
        prefix = "lora_unet_" if target == "unet" else "lora_te_text_model_"
        for end, tensor in zip(ends, weights):
            if tensor is not None:
                file[prefix + name.replace(".", "_") + "." + end] = tensor.detach().clone()
        weight, bias = module.make_weight(0.8)
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    save("full", file)
    expect("full", networks)


def stack_case(*merged):
    """Several files at once: the sum of what each of them changes."""
    networks = Networks()
    for target in ("unet", "text"):
        for name, tensor in getattr(networks, target).state_dict().items():
            name = target + "." + name
            tensor.copy_(BASE[name].double() + sum(m[name].double() - BASE[name].double() for m in merged))
    expect("stack", networks)


def full_size_lists():
    """Layers of real files, "name rows columns kernel": what kohya's trainer makes of an SD 1.5 model, LCM-LoRA, and AnimateDiff's
    domain adapter and motion LoRA. The published files' sizes tell whether a list is theirs."""
    config = dict(attention_head_dim=8, cross_attention_dim=768)
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config)
        text = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12))

    def line(prefix, name, layer):
        shape = list(layer.weight.shape)
        return f"{prefix}{name.replace('.', '_')}.lora_{{}}.weight {shape[0]} {shape[1]} {shape[2] if len(shape) == 4 else 0}"

    # sd-scripts: every linear layer and 1x1 convolution within these classes.
    lines = []
    for network, prefix, classes in (
        (unet, "lora_unet_", ("Transformer2DModel",)),
        (text, "lora_te_text_model_", ("CLIPAttention", "CLIPMLP")),
    ):
        for name, module in network.named_modules():
            if type(module).__name__ not in classes:
                continue
            for child, layer in module.named_modules():
                kernel = getattr(layer, "kernel_size", (1, 1))
                if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)) and kernel == (1, 1):
                    lines.append(line(prefix, name + "." + child, layer))
    assert len(lines) == 192 + 72, len(lines)
    (FOLDER / "full_kohya.txt").write_text("\n".join(lines) + "\n")

    ends = tuple("." + end for end in FEW_STEP_ENDS)
    layers = [(name, layer) for name, layer in unet.named_modules() if name.endswith(ends)]
    # The published file has rank 64 in float16 and 135 MB.
    size = sum(2 * 64 * (layer.weight.shape[0] + layer.weight[0].numel()) for _, layer in layers)
    assert 134e6 < size < 135e6, size
    (FOLDER / "full_lcm.txt").write_text("\n".join(line("lora_unet_", *layer) for layer in layers) + "\n")

    def old_names(name, network, rank, least, most):
        """to_q_lora and its kin for every attention layer, in float32."""
        lines, size = [], 0
        for layer, module in network.named_modules():
            if not layer.endswith((".to_q", ".to_k", ".to_v", ".to_out.0")):
                continue
            rows, columns = module.weight.shape
            block, projection = layer.removesuffix(".0").rsplit(".", 1)
            if "motion_modules" in block:
                block = block.replace(".transformer_blocks", ".temporal_transformer.transformer_blocks")
                block = block.replace(".attn1", ".attention_blocks.0").replace(".attn2", ".attention_blocks.1")
            lines.append(f"{block}.processor.{projection}_lora.{{}}.weight {rows} {columns} 0")
            size += 4 * rank * (rows + columns)
        assert least < size < most, size
        (FOLDER / name).write_text("\n".join(lines) + "\n")
        return len(lines)

    with torch.device("meta"):
        motion = MotionAdapter(use_motion_mid_block=True)
    adapter = old_names("full_adapter.txt", unet, 128, 97.3 * 2**20, 97.5 * 2**20)
    motion = old_names("full_motion.txt", motion, 64, 73.5 * 2**20, 74.5 * 2**20)
    print("AnimateDiff:", adapter, "and", motion, "layers")
    print("full size:", len(lines), "and", len(layers), "layers,", size, "bytes at rank 64")


def motion_case():
    """A motion LoRA in AnimateDiff's own names and in diffusers', fused by diffusers."""
    networks = Networks()
    adapter = MotionAdapter(
        block_out_channels=(4, 8, 8),
        motion_layers_per_block=2,
        motion_num_attention_heads=2,
        motion_norm_num_groups=2,
        motion_max_seq_length=8,
        use_motion_mid_block=True,
    ).eval()
    randomize(adapter, 3)
    vae = AutoencoderKL(block_out_channels=(4,), norm_num_groups=2)
    scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
    pipe = AnimateDiffPipeline(vae, networks.text, None, networks.unet, adapter, scheduler)
    before = {k: v.clone() for k, v in pipe.unet.state_dict().items() if "motion_modules" in k}
    original, renamed = {}, {}
    for name in before:
        if not name.endswith(("to_q.weight", "to_v.weight", "to_out.0.weight")):
            continue
        if not name.startswith(("down_blocks.0", "mid_block", "up_blocks.1")):
            continue
        layer = name.removesuffix(".weight").replace(".to_out.0", ".to_out")
        down, up = noise(2, before[name].shape[1]), noise(before[name].shape[0], 2)
        block, projection = layer.rsplit(".", 1)
        renamed |= {f"unet.{block}.processor.{projection}_lora.down.weight": down, f"unet.{block}.processor.{projection}_lora.up.weight": up}
        block = block.replace(".transformer_blocks", ".temporal_transformer.transformer_blocks")
        block = block.replace(".attn1", ".attention_blocks.0").replace(".attn2", ".attention_blocks.1")
        original |= {f"{block}.processor.{projection}_lora.down.weight": down, f"{block}.processor.{projection}_lora.up.weight": up}
    save("motion_original", original, dtype=torch.float16)
    save("motion_diffusers", renamed)
    pipe.load_lora_weights(dict(renamed), adapter_name="m")
    pipe.set_adapters("m", 0.8)
    pipe.fuse_lora()
    pipe.unload_lora_weights()
    after = pipe.unet.state_dict()
    changed = [k for k in before if not torch.equal(before[k], after[k])]
    print("motion:", len(changed), "tensors of", len(before))
    save("motion_expected", {"before." + k: before[k] for k in changed} | {"after." + k: after[k] for k in changed})


@torch.no_grad()
def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    networks = Networks()
    for target in ("unet", "text"):
        network = getattr(networks, target)
        folder = FOLDER / target
        folder.mkdir()
        config = LEVELS | {"attention_head_dim": 2} if target == "unet" else TEXT | {"model_type": "clip_text_model", "hidden_act": "quick_gelu"}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        name = "diffusion_pytorch_model" if target == "unet" else "model"
        save_file({k: v.to(torch.bfloat16).contiguous() for k, v in network.state_dict().items()}, folder / (name + ".safetensors"))
    expected.update(x=X, words=WORDS)
    for key, value in networks.outputs().items():
        expected["none." + key] = value
    merged = kohya_cases()
    diffusers_cases()
    peft_cases()
    results = lycoris_cases()
    full_case()
    stack_case(merged, results["loha"], results["dora_out"])
    motion_case()
    full_size_lists()
    save_file({k: v.detach().float().contiguous() for k, v in expected.items()}, FOLDER / "expected.safetensors")
    print(sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()), "bytes")


if __name__ == "__main__":
    main()
