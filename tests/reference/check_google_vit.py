# SPDX-License-Identifier: Apache-2.0
"""Loads a dense ViT that Upcycler wrote in Google's .npz layout with timm's own loader, and compares its logits
with transformers' on the same model in the HF layout.

Usage: python check_google_vit.py HF_FOLDER FILE.npz
where, for a checkpoint MODEL,
    upcycle convert MODEL -o HF_FOLDER
    upcycle convert MODEL --layout google -o FILE.npz
Needs numpy, torch, transformers and timm (1.0; `pip install --no-deps timm torchvision` will do).
"""
import functools
import sys

import torch
from timm.models.vision_transformer import VisionTransformer
from transformers import AutoModelForImageClassification

folder, npz = sys.argv[1:]
theirs = AutoModelForImageClassification.from_pretrained(folder).eval()
c = theirs.config
act = {"gelu": torch.nn.GELU, "gelu_new": functools.partial(torch.nn.GELU, approximate="tanh")}[c.hidden_act]
ours = VisionTransformer(
    img_size=c.image_size, patch_size=c.patch_size, in_chans=c.num_channels, num_classes=c.num_labels,
    embed_dim=c.hidden_size, depth=c.num_hidden_layers, num_heads=c.num_attention_heads,
    mlp_ratio=c.intermediate_size / c.hidden_size, act_layer=act,
    norm_layer=functools.partial(torch.nn.LayerNorm, eps=c.layer_norm_eps)).eval()
ours.load_pretrained(npz)
pixels = torch.randn(4, c.num_channels, c.image_size, c.image_size, generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    a, b = ours(pixels), theirs(pixels).logits
error = ((a - b).abs().max() / b.abs().max()).item()
print(f"timm's logits differ from transformers' by {error:.2e} (relative to the largest)")
sys.exit(0 if error < 1e-4 else 1)
