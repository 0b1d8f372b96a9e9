# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goldens of AnimateDiff's motion modules: tiny random ones computed by diffusers in float32, in the layouts people have them.

Run: python3 make_motion.py
"""

import json
import pathlib

import torch
from diffusers import AnimateDiffControlNetPipeline, DDIMScheduler, MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.loaders.single_file_utils import convert_animatediff_checkpoint_to_diffusers
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from safetensors.torch import save_file

import golden_pack
import make_denoiser
from make_noise import noise
from synthetic import synthetic
from tiny_networks import rand, randomize, save_case

FOLDER = pathlib.Path(__file__).parent / "motion"
CHANNELS = (8, 16)
UNET = dict(
    block_out_channels=CHANNELS,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    layers_per_block=1,
    attention_head_dim=2,
    cross_attention_dim=8,
    norm_num_groups=4,
)
ORIGINAL = (
    (".norm1.", ".norms.0."),
    (".norm2.", ".norms.1."),
    (".norm3.", ".ff_norm."),
    (".attn1.", ".attention_blocks.0."),
    (".attn2.", ".attention_blocks.1."),
)


def original_names(weights):
    """The names of the code that made AnimateDiff, where each of two attentions has its own copy of the position table."""
    renamed = {}
    for name, tensor in weights.items():
        head, modules, rest = name.partition(".motion_modules.")
        if modules:
            number, _, rest = rest.partition(".")
            rest = "." + rest
            for new, old in ORIGINAL:
                rest = rest.replace(new, old)
            name = f"{head}.motion_modules.{number}.temporal_transformer{rest}"
        if name.endswith(".pos_embed.pe"):
            for i in range(2):
                renamed[name.replace("pos_embed.pe", f"attention_blocks.{i}.pos_encoder.pe")] = tensor.clone()
        else:
            renamed[name] = tensor
    return renamed


class OneFrame(torch.nn.Module):
    """A norm of a five-dimensional clip that looks at one frame at a time."""

    def __init__(self, norm):
        super().__init__()
        self.norm = norm

    def forward(self, x):
        return torch.stack([self.norm(frame) for frame in x.unbind(2)], 2)


class WholeClip(torch.nn.Module):
    """A norm of a batch of pictures that looks at all pictures of a clip together."""

    def __init__(self, norm, frames):
        super().__init__()
        self.norm, self.frames = norm, frames

    def forward(self, x):
        clips = x.unflatten(0, (-1, self.frames)).transpose(1, 2)
        return self.norm(clips).transpose(1, 2).flatten(0, 1)


def as_trained(network, frames, version_1):
    """AnimateDiff's code: motion_module.py norms "(b f) c h w"; version 1 has plain norms of "b c f h w" in resnet.py, unet.py."""
    for module in list(network.modules()):
        if isinstance(module, AnimateDiffTransformer3D):
            module.norm = OneFrame(module.norm)
        elif version_1 and isinstance(module, ResnetBlock2D):
            module.norm1, module.norm2 = WholeClip(module.norm1, frames), WholeClip(module.norm2, frames)
    if version_1:
        network.conv_norm_out = WholeClip(network.conv_norm_out, frames)


def run(network, x, timestep, text):
    frames = x.shape[1]
    out = network(x.transpose(1, 2), timestep, text.repeat_interleave(frames, 0)).sample
    return out.transpose(1, 2).flatten(0, 1)


def make_adapter(seed, **settings):
    adapter = MotionAdapter(
        block_out_channels=CHANNELS, motion_layers_per_block=1, motion_norm_num_groups=4, **settings
    ).eval()
    tables = {name: tensor.clone() for name, tensor in adapter.state_dict().items() if name.endswith(".pe")}
    randomize(adapter, seed)
    adapter.load_state_dict(adapter.state_dict() | tables)
    return adapter


def save_weights(name, weights, dtype):
    """Position tables stay float32: the reference computes with exact ones."""
    save_file({k: v.to(torch.float32 if "pos_e" in k else dtype).contiguous() for k, v in weights.items()}, FOLDER / name)


def record(tensors, name, unet, adapter, seed, shapes, version_1):
    for i, (branches, frames, height, width) in enumerate(shapes):
        x = rand((branches, frames, 4, height, width), seed + 1 + i)
        text = rand((branches, 5, 8), seed + 11 + i)
        timestep = torch.tensor(37.0 + 400 * i)
        tensors |= {f"{name}.x{i}": x.flatten(0, 1), f"{name}.text{i}": text, f"{name}.timestep{i}": timestep.reshape(1)}
        network = UNetMotionModel.from_unet2d(unet, adapter).eval()
        tensors[f"{name}.diffusers{i}"] = run(network, x, timestep, text)
        as_trained(network, frames, version_1)
        tensors[f"{name}.trained{i}"] = run(network, x, timestep, text)


def list_real_names():
    """Names and shapes of mm_sd_v15_v2.ckpt; version 3's are the same without mid_block, version 1's tables are shorter, too."""
    with torch.device("meta"):
        adapter = MotionAdapter()  # the defaults are version 2's
    names = original_names(adapter.state_dict())
    back = convert_animatediff_checkpoint_to_diffusers(names)
    assert set(back) == {name for name in adapter.state_dict() if not name.endswith(".pe")}
    parameters = dict(adapter.named_parameters())
    print(sum(p.numel() for p in parameters.values()), "parameters,",
          sum(p.numel() for n, p in parameters.items() if not n.startswith("mid_block")), "without mid_block")
    lines = [f"{name} F16 {','.join(map(str, tensor.shape))}\n" for name, tensor in names.items()]
    (FOLDER / "full_v2.txt").write_text("".join(lines))


def motion_loras(unet, adapter, tensors):
    """A motion LoRA for the v2 case, as AnimateDiff published them and as webui's users have them, fused by diffusers' own loader."""
    network = UNetMotionModel.from_unet2d(unet, adapter).eval()
    original, webui, diffusers = {}, {}, {}
    layers = [name.removesuffix(".weight") for name in adapter.state_dict() if name.endswith((".to_q.weight", ".to_k.weight",
              ".to_v.weight", ".to_out.0.weight"))]
    for i, layer in enumerate(layers):
        channels = adapter.state_dict()[layer + ".weight"].shape[0]
        down, up = rand((2, channels), 800 + 2 * i, 0.5).half(), rand((channels, 2), 801 + 2 * i, 0.5).half()
        old = original_names({layer: down}).popitem()[0]
        block, projection = old.removesuffix(".0").rsplit(".", 1) if "to_out" in old else old.rsplit(".", 1)
        original |= {f"{block}.processor.{projection}_lora.down.weight": down, f"{block}.processor.{projection}_lora.up.weight": up}
        key = "lora_unet_" + old.replace(".", "_")
        webui |= {key + ".lora_down.weight": down, key + ".lora_up.weight": up, key + ".alpha": torch.tensor(2.0)}
        diffusers |= {layer + ".lora_A.weight": down.float(), layer + ".lora_B.weight": up.float()}
    save_file(original, FOLDER / "lora.safetensors")
    save_file(webui, FOLDER / "lora_webui.safetensors")
    network.load_lora_adapter(diffusers, prefix=None, adapter_name="motion")
    network.set_adapters("motion", 0.7)
    network.fuse_lora()
    network.unload_lora()
    frames = tensors["v2.x0"].shape[0] // 2
    x = tensors["v2.x0"].unflatten(0, (2, frames))
    run_it = lambda: run(network, x, tensors["v2.timestep0"][0], tensors["v2.text0"])
    tensors["lora.diffusers0"] = run_it()
    as_trained(network, frames, False)
    tensors["lora.trained0"] = run_it()


def sample_clip():
    """Five frames by diffusers' pipeline with the pack of golden_pack.py; the motion module's weights are functions of their names."""
    parts = golden_pack.load()
    unet = parts["unet"].config
    adapter = MotionAdapter(block_out_channels=tuple(unet.block_out_channels), motion_layers_per_block=unet.layers_per_block)
    adapter.load_state_dict({k: v if k.endswith(".pe") else synthetic(k, tuple(v.shape)) for k, v in adapter.state_dict().items()})
    parts |= dict(motion_adapter=adapter.eval())
    for name in ("safety_checker", "requires_safety_checker"):
        del parts[name]
    # The schedule that AnimateDiff was trained with.
    scheduler = DDIMScheduler.from_pretrained(golden_pack.PACK + "/scheduler", beta_schedule="linear")
    pipe = AnimateDiffControlNetPipeline(scheduler=scheduler, **parts)
    width, height, frames = make_denoiser.WIDTH, make_denoiser.HEIGHT, 5
    picture = make_denoiser.picture()
    clip = torch.cat([picture.roll(4 * i, 3) for i in range(frames)])
    shape = (unet.in_channels, height // 4, width // 4)
    start = torch.stack([torch.from_numpy(noise(make_denoiser.SEED, 100000 * i, 0, shape)) for i in range(frames)], 1)[None]
    latents = pipe(prompt="pop anime style", negative_prompt="night anime style", num_frames=frames, height=height, width=width,
                   num_inference_steps=4, guidance_scale=3.0, latents=start, conditioning_frames=list(clip), output_type="latent").frames
    return {"clip.latents": latents[0].transpose(0, 1)}


@torch.no_grad()
def main():
    unet = UNet2DConditionModel(**UNET).eval()
    randomize(unet, 100)
    save_case("motion/unet", unet, {}, dtype=torch.bfloat16)
    (FOLDER / "unet" / "io.safetensors").unlink()
    tensors = {}

    adapter = make_adapter(200, use_motion_mid_block=False, motion_max_seq_length=24)
    save_weights("v1.safetensors", original_names(adapter.state_dict()), torch.float16)
    record(tensors, "v1", unet, adapter, 210, [(1, 4, 6, 8), (2, 5, 5, 6)], True)

    adapter = make_adapter(300, use_motion_mid_block=True, motion_max_seq_length=32)
    save_weights("v2.safetensors", {"module." + k: v for k, v in original_names(adapter.state_dict()).items()}, torch.bfloat16)
    record(tensors, "v2", unet, adapter, 310, [(2, 8, 4, 6)], False)
    motion_loras(unet, adapter, tensors)

    # Among the tensors of the U-Net it was trained with, as training scripts save it.
    adapter = make_adapter(400, use_motion_mid_block=False, motion_max_seq_length=32)
    others = {k: v for k, v in unet.state_dict().items() if k.startswith(("conv_in", "down_blocks.0.attentions", "up_blocks.0"))}
    save_weights("v3_whole.safetensors", original_names(others | adapter.state_dict()), torch.bfloat16)
    record(tensors, "v3", unet, adapter, 410, [(2, 4, 6, 6)], False)

    # Without position tables.
    adapter = make_adapter(500, use_motion_mid_block=True, motion_max_seq_length=64)
    weights = {k: v for k, v in original_names(adapter.state_dict()).items() if not k.endswith(".pe")}
    save_weights("animatelcm.safetensors", weights, torch.bfloat16)
    record(tensors, "lcm", unet, adapter, 510, [(1, 6, 6, 6)], False)

    # A folder whose config.json matters: other heads for each level; and one file with the same names.
    adapter = make_adapter(
        600, use_motion_mid_block=True, motion_max_seq_length=20, motion_num_attention_heads=(2, 4)
    )
    save_case("motion/adapter", adapter, {}, dtype=torch.bfloat16)
    (FOLDER / "adapter" / "io.safetensors").unlink()
    save_weights("adapter/diffusion_pytorch_model.safetensors", adapter.state_dict(), torch.bfloat16)
    record(tensors, "adapter", unet, adapter, 610, [(2, 6, 4, 6)], False)

    adapter = make_adapter(700, use_motion_mid_block=True, motion_max_seq_length=32)
    save_weights("diffusers_names.safetensors", adapter.state_dict(), torch.bfloat16)
    record(tensors, "file", unet, adapter, 710, [(1, 5, 6, 6)], False)

    tensors |= sample_clip()
    save_file({k: v.contiguous() for k, v in tensors.items()}, FOLDER / "io.safetensors")
    list_real_names()
    print(json.dumps({str(p.relative_to(FOLDER)): p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()}, indent=1))


if __name__ == "__main__":
    main()
