# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sampler runs and timestep tables of diffusers, for tests/test_scheduler.cpp.

    python3 tests/golden/make_scheduler.py

Writes scheduler/runs.json (configuration and settings of each run), scheduler/runs.safetensors (latents after every step) and
scheduler/tables.safetensors (timesteps for many step counts).

The "network" is 0.3 * input + 0.5 * sin(0.01 * t + 0.1 * i), with i the element's index in its sample. Noise of step s of the
whole schedule (that is, counted from the start of the run) is noise[s]; the initial noise is noise[-1]. Strength below 1 follows
StableDiffusionImg2ImgPipeline: get_timesteps, set_begin_index, add_noise.
"""

import importlib
import json
import os

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scheduler")
CLASSES = {
    "ddpm": ("scheduling_ddpm", "DDPMScheduler"),
    "ddim": ("scheduling_ddim", "DDIMScheduler"),
    "dpmpp_2m": ("scheduling_dpmsolver_multistep", "DPMSolverMultistepScheduler"),
    "euler": ("scheduling_euler_discrete", "EulerDiscreteScheduler"),
    "euler_a": ("scheduling_euler_ancestral_discrete", "EulerAncestralDiscreteScheduler"),
    "lcm": ("scheduling_lcm", "LCMScheduler"),
    "tcd": ("scheduling_tcd", "TCDScheduler"),
}
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
NO_CLIP = {"clip_sample": False}
ZERO_SNR = {"rescale_betas_zero_snr": True}


def spacing(name, offset=0):
    return {"timestep_spacing": name, "steps_offset": offset}


def predicts(name):
    return {"prediction_type": name}


# name, settings beyond the class's defaults, steps, strength, eta
RUNS = [
    ("ddpm", {**SD, **NO_CLIP, **spacing("leading", 1)}, 5, 1.0, 0),
    ("ddpm", {**SD, **NO_CLIP, **spacing("trailing"), **predicts("v_prediction")}, 4, 1.0, 0),
    ("ddpm", {**SD, **NO_CLIP, **spacing("linspace"), **predicts("sample")}, 6, 0.6, 0),
    ("ddpm", {}, 4, 1.0, 0),
    ("ddpm", {"beta_schedule": "squaredcos_cap_v2", **NO_CLIP, **predicts("v_prediction")}, 5, 0.3, 0),
    ("ddim", {**SD, **NO_CLIP, **spacing("leading", 1), "set_alpha_to_one": False}, 6, 1.0, 0),
    ("ddim", {**SD, **NO_CLIP, **spacing("leading", 1), "set_alpha_to_one": False}, 10, 0.3, 0),
    ("ddim", {**SD, **NO_CLIP, **spacing("leading", 1), "set_alpha_to_one": False}, 5, 0.6, 0.7),
    ("ddim", {**SD, **NO_CLIP, **spacing("trailing"), "set_alpha_to_one": False, **predicts("v_prediction")}, 4, 1.0, 0),
    ("ddim", {**SD, **NO_CLIP, **spacing("trailing"), **predicts("v_prediction")}, 8, 0.6, 1.0),
    ("ddim", {**SD, **NO_CLIP, **spacing("trailing"), **predicts("v_prediction"), **ZERO_SNR}, 5, 1.0, 0),
    ("ddim", {**SD, **NO_CLIP, **spacing("linspace"), **predicts("sample")}, 6, 1.0, 0.3),
    ("ddim", {**SD, "clip_sample_range": 0.5, **spacing("leading", 1)}, 5, 1.0, 0),
    ("ddim", {}, 4, 1.0, 0),
    ("ddim", {"beta_schedule": "squaredcos_cap_v2", **NO_CLIP, **predicts("v_prediction")}, 7, 0.6, 0),
    ("dpmpp_2m", {**SD, **spacing("leading", 1)}, 6, 1.0, 0),
    ("dpmpp_2m", {**SD, **spacing("leading", 1)}, 20, 0.3, 0),
    ("dpmpp_2m", {**SD, **spacing("trailing"), **predicts("v_prediction")}, 4, 1.0, 0),
    ("dpmpp_2m", {**SD, **spacing("trailing"), **predicts("v_prediction"), **ZERO_SNR}, 5, 1.0, 0),
    ("dpmpp_2m", {**SD, **spacing("linspace"), **predicts("sample")}, 5, 0.6, 0),
    ("dpmpp_2m", {**SD, **spacing("linspace")}, 18, 1.0, 0),
    ("dpmpp_2m", {}, 1, 1.0, 0),
    ("dpmpp_2m", {"beta_schedule": "squaredcos_cap_v2", **spacing("leading", 1)}, 6, 0.6, 0),
    ("euler", {**SD, **spacing("leading", 1)}, 6, 1.0, 0),
    ("euler", {**SD, **spacing("leading", 1)}, 10, 0.3, 0),
    ("euler", {**SD, **spacing("trailing"), **predicts("v_prediction")}, 4, 1.0, 0),
    ("euler", {**SD, **spacing("trailing"), **ZERO_SNR}, 5, 1.0, 0),
    ("euler", {**SD, **spacing("linspace"), **predicts("sample")}, 7, 1.0, 0),
    ("euler", {**SD, **spacing("linspace")}, 7, 0.6, 0),
    ("euler", {}, 5, 1.0, 0),
    ("euler", {"beta_schedule": "squaredcos_cap_v2", **spacing("leading", 1), **predicts("v_prediction")}, 5, 0.6, 0),
    ("euler_a", {**SD, **spacing("leading", 1)}, 6, 1.0, 0),
    ("euler_a", {**SD, **spacing("trailing"), **predicts("v_prediction")}, 4, 1.0, 0),
    ("euler_a", {**SD, **spacing("linspace")}, 7, 0.6, 0),
    ("euler_a", {**SD, **spacing("linspace"), **predicts("v_prediction"), **ZERO_SNR}, 5, 0.3, 0),
    ("euler_a", {}, 5, 1.0, 0),
    ("lcm", {}, 4, 1.0, 0),
    ("lcm", {**predicts("v_prediction"), "set_alpha_to_one": False}, 8, 0.6, 0),
    ("lcm", {**predicts("sample")}, 3, 1.0, 0),
    ("lcm", {**SD, "original_inference_steps": 40, "timestep_scaling": 7.0}, 7, 1.0, 0),
    ("lcm", {"clip_sample": True}, 1, 1.0, 0),
    ("lcm", {}, 4, 0.3, 0),
    ("lcm", {"timestep_scaling": 0.002}, 5, 1.0, 0),
    ("ddim", {"beta_schedule": "squaredcos_cap_v2", **NO_CLIP, **spacing("trailing"), **predicts("v_prediction")}, 5, 1.0, 0),
    # For TCD the last number is gamma.
    ("tcd", {}, 4, 1.0, 0.3),
    ("tcd", {}, 4, 1.0, 0),
    ("tcd", {}, 8, 0.6, 1.0),
    ("tcd", {**predicts("v_prediction"), "set_alpha_to_one": False}, 6, 1.0, 0.5),
    ("tcd", {**predicts("sample")}, 1, 1.0, 0.3),
    ("tcd", {**SD, "original_inference_steps": 40}, 7, 1.0, 0.8),
    ("tcd", {"beta_schedule": "squaredcos_cap_v2", **predicts("v_prediction"), **ZERO_SNR}, 20, 0.3, 0.2),
    # Hyper-SD's LoRAs: SD 1.5's DDIM with trailing timesteps.
    *[("ddim", {**SD, **NO_CLIP, **spacing("trailing", 1), "set_alpha_to_one": False}, steps, 1.0, 0) for steps in (1, 2, 4, 8, 12)],
    ("ddim", {**SD, **NO_CLIP, **spacing("trailing", 1), "set_alpha_to_one": False}, 8, 0.6, 0),
]

TABLES = [(name, kind) for name in CLASSES for kind in ("leading", "trailing", "linspace") if name not in ("lcm", "tcd") or kind == "leading"]
TABLE_STEPS = list(range(1, 41)) + [50, 77, 100, 128, 250, 333]


def network(x, t):
    index = torch.arange(x[0].numel(), dtype=torch.float64).reshape(x.shape[1:])
    return (0.3 * x.double() + 0.5 * torch.sin(0.01 * float(t) + 0.1 * index)).float()


def create(name, settings):
    module, cls = CLASSES[name]
    module = importlib.import_module("diffusers.schedulers." + module)
    return module, getattr(module, cls)(**settings)


def run(name, settings, steps, strength, eta, clean, noise):
    module, scheduler = create(name, settings)
    scheduler.set_timesteps(steps)
    begin = max(steps - min(int(steps * strength), steps), 0)
    timesteps = scheduler.timesteps[begin:]
    if strength < 1:
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        latents = scheduler.add_noise(clean, noise[-1], timesteps[:1])
    else:
        latents = noise[-1] * scheduler.init_noise_sigma
    history = [latents]
    for i, t in enumerate(timesteps):
        module.randn_tensor = lambda *a, **k: noise[i].clone()
        output = network(scheduler.scale_model_input(latents, t), t)
        extra = {"eta": eta} if name in ("ddim", "tcd") else {}
        latents = scheduler.step(output, t, latents, return_dict=False, **extra)[0]
        history.append(latents)
    return timesteps, torch.cat(history)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    random = np.random.default_rng(1)
    clean = torch.from_numpy(random.standard_normal((1, 4, 4, 4))).float() * 0.8
    noise = torch.from_numpy(random.standard_normal((21, 1, 4, 4, 4))).float()
    tensors = {"clean": clean, "noise": noise}
    runs = []
    for number, (name, settings, steps, strength, eta) in enumerate(RUNS):
        timesteps, history = run(name, settings, steps, strength, eta, clean, noise)
        assert torch.isfinite(history).all(), (name, settings)
        tensors[f"{number}.timesteps"] = timesteps.float()
        tensors[f"{number}.latents"] = history.contiguous()
        config = json.loads(create(name, settings)[1].to_json_string())
        if "lambda_min_clipped" in config:
            config["lambda_min_clipped"] = None  # -Infinity, which is not JSON
        if number % 2:  # what a file leaves out is the class's default
            config = {"_class_name": config["_class_name"], **settings}
        runs.append({"sampler": name, "steps": steps, "strength": strength, "eta": eta, "config": config})
    save_file(tensors, os.path.join(FOLDER, "runs.safetensors"))
    with open(os.path.join(FOLDER, "runs.json"), "w") as out:
        json.dump({"runs": runs}, out, indent=1)
        out.write("\n")

    tables = {}
    for name, kind in TABLES:
        for steps in TABLE_STEPS:
            if name in ("lcm", "tcd") and steps > 50:
                continue
            scheduler = create(name, {} if name in ("lcm", "tcd") else spacing(kind, 1 if kind == "leading" else 0))[1]
            scheduler.set_timesteps(steps)
            tables[f"{name}.{kind}.{steps}"] = scheduler.timesteps.float()
    # One tensor a table keeps the header small.
    joined = {}
    for name, kind in TABLES:
        parts = [tables[f"{name}.{kind}.{s}"] for s in TABLE_STEPS if f"{name}.{kind}.{s}" in tables]
        joined[f"{name}.{kind}.lengths"] = torch.tensor([len(p) for p in parts], dtype=torch.int64)
        joined[f"{name}.{kind}.values"] = torch.cat(parts)
    save_file(joined, os.path.join(FOLDER, "tables.safetensors"))


if __name__ == "__main__":
    main()
