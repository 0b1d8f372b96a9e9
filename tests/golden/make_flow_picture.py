# SPDX-License-Identifier: LGPL-2.1-or-later
"""A flow and torchvision's picture of it, for tests/test_flow.cpp. Run: python3 make_flow_picture.py (needs torchvision)"""

import pathlib

import torch
from safetensors.torch import save_file
from torchvision.utils import flow_to_image

flow = 5 * torch.randn((2, 24, 32), generator=torch.Generator().manual_seed(0))
flow[:, :4] = 0
save_file({"flow": flow.permute(1, 2, 0).contiguous(), "picture": flow_to_image(flow).permute(1, 2, 0).contiguous()},
          pathlib.Path(__file__).parent / "flow_picture" / "pair.safetensors")
