// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <memory>

namespace core {

/// `raw` with the names, shapes and axes of the HF layout, whatever layout its tensors are in:
///   "hf"          as they are
///   "google-vit"  Google's ViT .npz (vit_jax, AugReg): Transformer/encoderblock_0/...
///   "v-moe"       google-research/vmoe's tree, dense and sparse: Encoder/encoderblock_0/Moe/...
///   "t5x"         T5X / Flaxformer: encoder/layers_0/attention/query/kernel
///   "tensorflow"  transformers' tf_model.h5: .../SelfAttention/q/kernel:0
/// A layout is recognised from names and shapes; tensors that it does not know keep their names and
/// are noted. Names of no known layout stay as they are ("unknown").
std::shared_ptr<const Checkpoint> withLayout(std::shared_ptr<const Checkpoint> raw,
                                             const OpenOptions& options);

}  // namespace core
