# SPDX-License-Identifier: Apache-2.0
"""Checkpoints under foreign names, and what transformers computes with them.

Usage: python make_layout_fixtures.py [FOLDER]      (default: layout/ beside this script)
Needs numpy, h5py, safetensors, torch, transformers 4.57 (its TensorFlow name rule is called, not
copied) and scipy.

The foreign names and axes are stated here a second time, as the programs that own them read them:
google-vit as timm's vision_transformer._load_weights does (kernel.flatten(1).T for query, key,
value; transpose(2, 0, 1).flatten(1) for out; transpose(3, 2, 0, 1) for the patches), v-moe as
google-research/vmoe's vit_moe_test.py lists the tree, t5x as transformers'
convert_t5x_checkpoint_to_pytorch.py, tf_model.h5 as Keras' save_weights in HDF5.
"""
import os
import sys

import h5py
import numpy as np
import scipy.ndimage
import torch
from safetensors.numpy import save_file
from transformers import T5Config, T5ForConditionalGeneration, ViTConfig, ViTForImageClassification
from transformers.modeling_tf_pytorch_utils import TransposeType, apply_transpose
from transformers.modeling_tf_pytorch_utils import convert_tf_weight_name_to_pt_weight_name as tf_name

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "layout")
os.makedirs(folder, exist_ok=True)
HEADS, DEPTH = 3, 4  # attention heads and their size
HIDDEN, INNER, EXPERTS = HEADS * DEPTH, 20, 3


def path(name):
    return os.path.join(folder, name)


def save(name, tensors):
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, path(name))


def save_npz(name, tensors):
    np.savez(path(name), **tensors)


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            value.copy_(centre + 0.4 * torch.randn(value.shape, generator=generator))
    return model.eval()


def state(model):
    return {key: value.detach().numpy().copy() for key, value in model.state_dict().items()}


# --- Google ViT ----------------------------------------------------------------------------------
vit_config = ViTConfig(
    hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=INNER, image_size=6,
    patch_size=2, num_channels=3, num_labels=5, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="eager")
vit = randomize(ViTForImageClassification(vit_config), 1)
hf_vit = state(vit)


def split_out(weight):  # HF [h * d, in] -> Flax [in, h, d]
    return weight.T.reshape(weight.shape[1], HEADS, -1)


def flax_vit(hf, transformer, attention, norm2, mlp):
    tree = {
        "cls": hf["vit.embeddings.cls_token"],
        "embedding/kernel": hf["vit.embeddings.patch_embeddings.projection.weight"].transpose(2, 3, 1, 0),
        "embedding/bias": hf["vit.embeddings.patch_embeddings.projection.bias"],
        f"{transformer}/posembed_input/pos_embedding": hf["vit.embeddings.position_embeddings"],
        f"{transformer}/encoder_norm/scale": hf["vit.layernorm.weight"],
        f"{transformer}/encoder_norm/bias": hf["vit.layernorm.bias"],
        "head/kernel": hf["classifier.weight"].T,
        "head/bias": hf["classifier.bias"],
    }
    for i in range(2):
        layer, block = f"vit.encoder.layer.{i}.", f"{transformer}/encoderblock_{i}/"
        for theirs, ours in (("LayerNorm_0", "layernorm_before"), (norm2, "layernorm_after")):
            tree[f"{block}{theirs}/scale"] = hf[f"{layer}{ours}.weight"]
            tree[f"{block}{theirs}/bias"] = hf[f"{layer}{ours}.bias"]
        for which in ("query", "key", "value"):
            tree[f"{block}{attention}/{which}/kernel"] = split_out(hf[f"{layer}attention.attention.{which}.weight"])
            tree[f"{block}{attention}/{which}/bias"] = hf[f"{layer}attention.attention.{which}.bias"].reshape(HEADS, -1)
        out = hf[f"{layer}attention.output.dense.weight"]
        tree[f"{block}{attention}/out/kernel"] = out.T.reshape(HEADS, -1, out.shape[0])
        tree[f"{block}{attention}/out/bias"] = hf[f"{layer}attention.output.dense.bias"]
        for number, ours in ((0, "intermediate"), (1, "output")):
            tree[f"{block}{mlp}/Dense_{number}/kernel"] = hf[f"{layer}{ours}.dense.weight"].T
            tree[f"{block}{mlp}/Dense_{number}/bias"] = hf[f"{layer}{ours}.dense.bias"]
    return tree


google = flax_vit(hf_vit, "Transformer", "MultiHeadDotProductAttention_1", "LayerNorm_2", "MlpBlock_3")
save("google_vit.safetensors", google)
save_npz("google_vit.npz", google)
save_npz("google_vit_old.npz", {"opt/target/" + k: v for k, v in google.items()} | {
    "opt/state/step": np.int32(7), "opt/target/pre_logits/kernel": np.eye(HIDDEN, dtype=np.float32),
    "opt/target/pre_logits/bias": np.zeros(HIDDEN, np.float32)})
save_npz("google_vit_linen.npz", {"params/" + k: v for k, v in flax_vit(
    hf_vit, "Transformer", "MultiHeadDotProductAttention_0", "LayerNorm_1", "MlpBlock_0").items()})
pixels = torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(2))
reference = {"pixel_values": pixels.numpy(), "logits": vit(pixels).logits.detach().numpy()}
save("hf_vit.safetensors", hf_vit)
save("vit_reference.safetensors", reference)

# --- V-MoE: block 1 sparse ------------------------------------------------------------------------
generator = np.random.default_rng(3)
dense = flax_vit(hf_vit, "Encoder", "SelfAttention", "LayerNorm_1", "Mlp")
moe_hf = {k: v for k, v in hf_vit.items() if not k.startswith(("vit.encoder.layer.1.intermediate", "vit.encoder.layer.1.output"))}
place = "vit.encoder.layer.1.mlp."
moe_hf[place + "router.classifier.weight"] = generator.normal(size=(EXPERTS, HIDDEN)).astype(np.float32)
for e in range(EXPERTS):
    for name, shape in (("intermediate", (INNER, HIDDEN)), ("output", (HIDDEN, INNER))):
        moe_hf[f"{place}experts.expert_{e}.{name}.dense.weight"] = generator.normal(size=shape).astype(np.float32)
        moe_hf[f"{place}experts.expert_{e}.{name}.dense.bias"] = generator.normal(size=shape[:1]).astype(np.float32)
moe = {k: v for k, v in dense.items() if "encoderblock_1/Mlp" not in k}
moe["Encoder/encoderblock_1/Moe/Router/dense/kernel"] = moe_hf[place + "router.classifier.weight"].T
for number, name in ((0, "intermediate"), (1, "output")):
    kernels = [moe_hf[f"{place}experts.expert_{e}.{name}.dense.weight"].T for e in range(EXPERTS)]
    biases = [moe_hf[f"{place}experts.expert_{e}.{name}.dense.bias"] for e in range(EXPERTS)]
    moe[f"Encoder/encoderblock_1/Moe/Mlp/Dense_{number}/kernel"] = np.stack(kernels)
    moe[f"Encoder/encoderblock_1/Moe/Mlp/Dense_{number}/bias"] = np.stack(biases)
save("hf_v_moe.safetensors", moe_hf)
save("v_moe.safetensors", {"params/" + k: v for k, v in moe.items()})
save_npz("v_moe.npz", {"target/params/" + k: v for k, v in moe.items()})
save("v_moe_dense.safetensors", dense)


# --- T5 -------------------------------------------------------------------------------------------
def t5(seed, gated):
    config = T5Config(vocab_size=40, d_model=HIDDEN, d_kv=DEPTH, d_ff=INNER, num_layers=2, num_decoder_layers=1,
                      num_heads=HEADS, relative_attention_num_buckets=8, dropout_rate=0.0,
                      feed_forward_proj="gated-gelu" if gated else "relu", tie_word_embeddings=not gated)
    hf = state(randomize(T5ForConditionalGeneration(config), seed))
    for tied in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight") + (() if gated else ("lm_head.weight",)):
        hf.pop(tied)
    return hf


def t5x(hf, gated, split=False):
    def attention(stack, i, layer, module):
        place = f"{stack}.block.{i}.layer.{layer}.{module}."
        q, k, v, o = (hf[f"{place}{x}.weight"].T for x in "qkvo")
        if split:
            q, k, v = (x.reshape(HIDDEN, HEADS, DEPTH) for x in (q, k, v))
            o = o.reshape(HEADS, DEPTH, HIDDEN)
        return {"query": q, "key": k, "value": v, "out": o}

    tree = {"token_embedder/embedding": hf["shared.weight"]}
    for stack, attentions in (("encoder", [("attention", "SelfAttention", "pre_attention_layer_norm")]),
                              ("decoder", [("self_attention", "SelfAttention", "pre_self_attention_layer_norm"),
                                           ("encoder_decoder_attention", "EncDecAttention",
                                            "pre_cross_attention_layer_norm")])):
        bias = hf[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        tree[f"{stack}/relpos_bias/rel_embedding"] = bias.T
        tree[f"{stack}/{stack}_norm/scale"] = hf[f"{stack}.final_layer_norm.weight"]
        for i in range(2 if stack == "encoder" else 1):
            at = f"{stack}/layers_{i}/"
            for layer, (theirs, ours, norm) in enumerate(attentions):
                tree[f"{at}{norm}/scale"] = hf[f"{stack}.block.{i}.layer.{layer}.layer_norm.weight"]
                for name, value in attention(stack, i, layer, ours).items():
                    tree[f"{at}{theirs}/{name}/kernel"] = value
            layer = len(attentions)
            tree[f"{at}pre_mlp_layer_norm/scale"] = hf[f"{stack}.block.{i}.layer.{layer}.layer_norm.weight"]
            for w in ("wi_0", "wi_1", "wo") if gated else ("wi", "wo"):
                tree[f"{at}mlp/{w}/kernel"] = hf[f"{stack}.block.{i}.layer.{layer}.DenseReluDense.{w}.weight"].T
    if gated:
        tree["decoder/logits_dense/kernel"] = hf["lm_head.weight"].T
    return tree


def save_tree(name, tree):
    with h5py.File(path(name), "w", libver=("earliest", "v108")) as f:
        for key, value in tree.items():
            f[key] = value


hf_t5, hf_t511 = t5(4, False), t5(5, True)
save("hf_t5.safetensors", hf_t5)
save("hf_t5_v1_1.safetensors", hf_t511)
save("t5x.safetensors", {"target/" + k: v for k, v in t5x(hf_t5, False).items()} | {
    "state/param_states/token_embedder/embedding/v": np.zeros(3, np.float32)})
save("t5x_v1_1.safetensors", t5x(hf_t511, True, split=True))
save_npz("t5x_v1_1.npz", t5x(hf_t511, True))
save_tree("t5x.h5", {"target/" + k: v for k, v in t5x(hf_t5, False).items()})

# MoE in the encoder's block 1, both kinds of MLP.
t5x_moe, hf_t5_moe = t5x(hf_t5, False), dict(hf_t5)
for w, shape in (("wi", (INNER, HIDDEN)), ("wo", (HIDDEN, INNER))):
    del t5x_moe[f"encoder/layers_1/mlp/{w}/kernel"], hf_t5_moe[f"encoder.block.1.layer.1.DenseReluDense.{w}.weight"]
    made = generator.normal(size=(EXPERTS,) + shape).astype(np.float32)
    t5x_moe[f"encoder/layers_1/mlp/expert/{w}/kernel"] = made.transpose(0, 2, 1)
    for e in range(EXPERTS):
        hf_t5_moe[f"encoder.block.1.layer.1.mlp.experts.expert_{e}.{w}.weight"] = made[e]
router = generator.normal(size=(HIDDEN, EXPERTS)).astype(np.float32)
t5x_moe["encoder/layers_1/mlp/router/router_weights/w/kernel"] = router
hf_t5_moe["encoder.block.1.layer.1.mlp.router.classifier.weight"] = router.T
save("hf_t5_moe.safetensors", hf_t5_moe)
save("t5x_moe.safetensors", t5x_moe)


# --- tf_model.h5 ----------------------------------------------------------------------------------
def tensorflow_path(name, model):
    """The Keras path of an HF tensor, as modeling_tf_t5.py and modeling_tf_vit.py name their layers."""
    parts = name.split(".")
    joined = []
    for part in parts:  # block.0 -> block_._0
        if part.isdigit():
            joined[-1] += "_._" + part
        else:
            joined.append(part)
    if joined[-1] == "weight":
        if "norm" in joined[-2]:
            joined[-1] = "weight" if model == "t5" else "gamma"
        elif joined[-2] in ("shared", "relative_attention_bias"):
            joined[-1] = "embeddings"
        else:
            joined[-1] = "kernel"
    elif joined[-1] == "bias" and "layernorm" in joined[-2]:
        joined[-1] = "beta"
    return "/".join(joined) + ":0"


def to_tensorflow(hf, model, scope, shared_scope):
    layers = {}
    for name, value in hf.items():
        weight = tensorflow_path(name, model)
        layer = weight.split("/")[0]
        kernel = weight.endswith("kernel:0")
        stored = value if not kernel else value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
        full = (shared_scope if layer == "shared" else scope) + weight
        back, transpose = tf_name(full, tf_weight_shape=stored.shape)  # transformers' own rule agrees
        if full.count("/") > 1:
            assert back == name, (full, back, name)
        assert (apply_transpose(transpose, stored, pt_to_tf=False) == value).all()
        layers.setdefault(layer, {})[full] = stored
    return layers


def save_tensorflow(name, layers, hdf5=True):
    save(name + ".safetensors", {f"{layer}/{weight}": value for layer, weights in layers.items()
                                 for weight, value in weights.items()})
    if not hdf5:
        return
    with h5py.File(path(name + ".h5"), "w") as f:
        f.attrs["layer_names"] = [layer.encode() for layer in layers]
        f.attrs["backend"] = b"tensorflow"
        f.attrs["keras_version"] = b"2.15.0"
        for layer, weights in layers.items():
            group = f.create_group(layer)
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, value in weights.items():
                group.create_dataset(weight, data=value)


save_tensorflow("tf_t5", to_tensorflow(hf_t5, "t5", "tf_t5with_lm_head_model/", "shared/"))
save_tensorflow("tf_t5_v1_1", to_tensorflow(hf_t511, "t5", "tf_t5for_conditional_generation/", ""), hdf5=False)
save_tensorflow("tf_vit", to_tensorflow(hf_vit, "vit", "tf_vi_t_for_image_classification/", ""))

# --- Position embeddings for other image sizes, by scipy as vit_jax does --------------------------
grid = hf_vit["vit.embeddings.position_embeddings"]
zoomed = {}
for size in (1, 2, 4, 7):
    middle = scipy.ndimage.zoom(grid[0, 1:].reshape(3, 3, -1), (size / 3, size / 3, 1), order=1)
    zoomed[f"grid_{size}"] = np.concatenate([grid[:, :1], middle.reshape(1, size * size, -1)], axis=1)
save("positions.safetensors", zoomed)

for name in sorted(os.listdir(folder)):
    print(os.path.getsize(path(name)), name)
