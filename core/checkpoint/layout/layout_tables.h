// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/layout/tensor_map.h"

#include <span>

namespace core {

/// The tables of the layouts that have one. Canonical names come first: what is written; behind
/// them stand other spellings of the same tree that are read. Their HF names are those of
/// ViTForImageClassification and T5ForConditionalGeneration, MoE blocks as in our HF layout.
std::span<const NameRule> googleVitRules();
std::span<const NameRule> vMoeRules();
std::span<const NameRule> t5xRules();

/// A tensor of a tf_model.h5 ("LAYER/MODEL/.../kernel:0"; LAYER is the group in the file) as
/// transformers' convert_tf_weight_name_to_pt_weight_name names and turns it.
TensorMap mapTensorflow(const TensorInfo& stored);

}  // namespace core
