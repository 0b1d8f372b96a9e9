# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checkpoints in one file: lists of names and shapes (small, and at the real size of the published configurations), and what diffusers
and transformers compute from them after their own conversion. Run: python3 make_single_file.py"""

import pathlib

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders import single_file_utils as convert
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ldm_names import open_clip_tensors, unet_names, vae_name
from make_noise import noise
from synthetic import synthetic, write_list

FOLDER = pathlib.Path(__file__).parent / "single_file"
POCKET = pathlib.Path(__file__).parents[2] / "models" / "pocket"
FULL_UNET = dict(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
FULL_UNET_2 = dict(sample_size=96, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
FULL_VAE = dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4)
TINY_UNET = dict(block_out_channels=(32, 64), layers_per_block=1, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                 up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=64, attention_head_dim=8)
TINY_UNET_2 = dict(TINY_UNET, block_out_channels=(64, 128), attention_head_dim=[1, 2], use_linear_projection=True)
TINY_VAE = dict(block_out_channels=(32, 64), layers_per_block=1, down_block_types=("DownEncoderBlock2D",) * 2,
                up_block_types=("UpDecoderBlock2D",) * 2)
TINY_CONTROL = {key: value for key, value in TINY_UNET.items() if key != "up_block_types"}


def text_config(width, hidden, layers, act):
    return CLIPTextConfig(hidden_size=width, intermediate_size=hidden, num_hidden_layers=layers, num_attention_heads=width // 64,
                          hidden_act=act, vocab_size=49408, max_position_embeddings=77, projection_dim=width)


TINY_TEXT = text_config(64, 96, 2, "quick_gelu")
TINY_TEXT_2 = text_config(64, 96, 2, "gelu")


def bare(name):
    return name.removeprefix("text_model.")


def list_unet(network, prefix, layers=None):
    layers = layers or network.config.layers_per_block
    names = unet_names(network.state_dict(), layers)
    return {prefix + names[name]: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def list_vae(network, prefix):
    levels = len(network.config.block_out_channels)
    shapes = {}
    for name, tensor in network.state_dict().items():
        conv = ".attentions.0.to_" in name and name.endswith("weight")
        shapes[prefix + vae_name(name, levels)] = tuple(tensor.shape) + ((1, 1) if conv else ())
    return shapes


def list_text(network, prefix):
    return {prefix + bare(name): tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def list_open_clip(network):
    state = {bare(name): tensor for name, tensor in network.state_dict().items()}
    shapes = {}
    for name, tensor in open_clip_tensors(state, network.config.num_hidden_layers).items():
        stacked = isinstance(tensor, list)
        shapes["cond_stage_model.model." + name] = (3 * tensor[0].shape[0], *tensor[0].shape[1:]) if stacked else tuple(tensor.shape)
    width = network.config.hidden_size
    return shapes | {"cond_stage_model.model.text_projection": (width, width), "cond_stage_model.model.logit_scale": ()}


def file_of(shapes):
    return {name: synthetic(name, shape) for name, shape in shapes.items()}


def strict(network, state):
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not [name for name in missing if "position_ids" not in name] and not unexpected, (missing, unexpected)
    return network.eval()


def rand(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def load_unet(config, checkpoint):
    return strict(UNet2DConditionModel(**config), convert.convert_ldm_unet_checkpoint(dict(checkpoint), config | dict(
        layers_per_block=config.get("layers_per_block", 2))))


def run_networks(unet, vae, text):
    x, hidden, picture, latent = rand((2, 4, 8, 12), 1), rand((1, 7, 64), 2), rand((1, 3, 16, 24), 3), rand((1, 4, 8, 12), 4)
    ids = torch.tensor([[49406, 320, 1125, 539, 49407, 49407]])
    return {"x": x, "hidden": hidden, "picture": picture, "latent": latent, "ids": ids.float(),
            "unet": unet(x, 501, hidden.expand(2, -1, -1)).sample, "encoded": vae.encode(picture).latent_dist.mean * 0.18215,
            "decoded": vae.decode(latent / 0.18215).sample, "text": text(ids).last_hidden_state}


def sample(unet, vae, text):
    """Four steps from the noise of seed 11 through the whole pipeline."""
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False,
                              set_alpha_to_one=False)
    pipe = StableDiffusionPipeline(vae, text, CLIPTokenizer.from_pretrained(POCKET / "tokenizer"), unet, scheduler, safety_checker=None,
                                   feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    start = torch.from_numpy(noise(11, 0, 0, (4, 8, 12)))[None].float()
    latents = pipe("a girl in the rain", negative_prompt="", num_inference_steps=4, guidance_scale=3.0, latents=start, output_type="latent",
                   height=16, width=24).images
    return {"sampled": latents}


def version_1():
    unet, vae, text = UNet2DConditionModel(**TINY_UNET), AutoencoderKL(**TINY_VAE), CLIPTextModel(TINY_TEXT)
    shapes = list_unet(unet, "model.diffusion_model.") | list_vae(vae, "first_stage_model.")
    shapes |= list_text(text, "cond_stage_model.transformer.text_model.")
    checkpoint = file_of(shapes)
    unet = load_unet(TINY_UNET, checkpoint)
    vae = strict(vae, convert.convert_ldm_vae_checkpoint(dict(checkpoint), TINY_VAE))
    names = {name.startswith("text_model.") for name in text.state_dict()}
    converted = convert.convert_ldm_clip_checkpoint(dict(checkpoint))
    text = strict(text, converted if names == {True} else {bare(name): tensor for name, tensor in converted.items()})
    outputs = run_networks(unet, vae, text) | sample(unet, vae, text)
    return shapes, outputs


def version_2():
    unet, vae, text = UNet2DConditionModel(**TINY_UNET_2), AutoencoderKL(**TINY_VAE), CLIPTextModel(TINY_TEXT_2)
    shapes = list_unet(unet, "model.diffusion_model.") | list_vae(vae, "first_stage_model.") | list_open_clip(text)
    checkpoint = file_of(shapes)
    unet = load_unet(TINY_UNET_2, checkpoint)
    vae = strict(vae, convert.convert_ldm_vae_checkpoint(dict(checkpoint), TINY_VAE))
    prefix = "text_model." if any(name.startswith("text_model.") for name in text.state_dict()) else ""
    # diffusers' converter leaves the last layer out where the network has one less.
    reference = CLIPTextModel(TINY_TEXT_2)
    converted = convert.convert_open_clip_checkpoint(reference, dict(checkpoint), prefix="cond_stage_model.model.")
    converted = {prefix + bare(name): tensor for name, tensor in converted.items() if "text_projection" not in name}
    text = strict(text, {name: tensor for name, tensor in converted.items() if not name.startswith(f"{prefix}encoder.layers.2.")})
    return shapes, run_networks(unet, vae, text)


def controlnet():
    network = ControlNetModel(**TINY_CONTROL)
    shapes = list_unet(network, "control_model.")
    checkpoint = file_of(shapes)
    state = convert.convert_controlnet_checkpoint(dict(checkpoint), network.config)
    network = strict(network, state)
    x, hidden, hint = rand((1, 4, 8, 8), 1), rand((1, 7, 64), 2), torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    down, mid = network(x, 501, hidden, hint, return_dict=False)
    return shapes, {"x": x, "hidden": hidden, "hint": hint, "mid": mid} | {f"down.{i}": tensor for i, tensor in enumerate(down)}


def taesd():
    config = dict(encoder_block_out_channels=(16,) * 3, decoder_block_out_channels=(16,) * 3, num_encoder_blocks=(1, 2, 2),
                  num_decoder_blocks=(2, 2, 1))
    network = AutoencoderTiny(**config)
    shapes = {}
    for name, tensor in network.state_dict().items():
        stack, _, number, rest = name.split(".", 3)
        # TAESD's decoder begins with a layer that clamps.
        shapes[f"taesd_{stack}", f"{int(number) + (stack == 'decoder')}.{rest}"] = tuple(tensor.shape)
    files = {stack: {name: shape for (file, name), shape in shapes.items() if file == stack} for stack in ("taesd_encoder", "taesd_decoder")}
    state = {}
    for stack, names in files.items():
        for name, shape in names.items():
            number, rest = name.split(".", 1)
            side = stack.removeprefix("taesd_")
            state[f"{side}.layers.{int(number) - (side == 'decoder')}.{rest}"] = synthetic(name, shape)
    strict(network, state)
    picture, latent = rand((1, 3, 16, 16), 3).clamp(-1, 1), rand((1, 4, 4, 4), 4)
    return files, {"picture": picture, "latent": latent, "encoded": network.encode(picture).latents, "decoded": network.decode(latent).sample}


def full_size():
    with torch.device("meta"):
        one = UNet2DConditionModel(**FULL_UNET)
        two = UNet2DConditionModel(**FULL_UNET_2)
        vae = AutoencoderKL(**FULL_VAE)
        text = CLIPTextModel(text_config(768, 3072, 12, "quick_gelu"))
        text_2 = CLIPTextModel(text_config(1024, 4096, 23, "gelu"))
        control = ControlNetModel(cross_attention_dim=768)
    common = list_vae(vae, "first_stage_model.") | {"alphas_cumprod": (1000,), "model_ema.decay": (), "model_ema.num_updates": ()}
    yield "full_sd15", common | list_unet(one, "model.diffusion_model.", 2) | list_text(text, "cond_stage_model.transformer.text_model.") | {
        "cond_stage_model.transformer.text_model.embeddings.position_ids": (1, 77)}
    yield "full_sd21", common | list_unet(two, "model.diffusion_model.", 2) | list_open_clip(text_2)
    yield "full_controlnet", list_unet(control, "control_model.", 2)
    for network, wanted in ((one, 859_520_964), (control, 361_279_120), (vae, 83_653_863), (text, 123_060_480)):
        count = sum(tensor.numel() for tensor in network.parameters())
        assert count == wanted, (type(network).__name__, count)


def store(name, shapes, outputs=None, dtype="F32"):
    write_list(FOLDER / f"{name}.txt", {key: (dtype, shape) for key, shape in shapes.items()})
    if outputs:
        save_file({key: tensor.detach().float().contiguous() for key, tensor in outputs.items()}, FOLDER / f"{name}.safetensors")


@torch.no_grad()
def main():
    FOLDER.mkdir(exist_ok=True)
    for name, make in {"version_1": version_1, "version_2": version_2, "controlnet": controlnet}.items():
        store(name, *make())
    files, outputs = taesd()
    for stack, shapes in files.items():
        store(stack, shapes)
    store("taesd_decoder", files["taesd_decoder"], outputs)
    for name, shapes in full_size():
        store(name, shapes, dtype="F16")


main()
