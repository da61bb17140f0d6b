// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/expected_tensors_internal.h"

#include <string_view>
#include <vector>

namespace core {

/// All tensors of a T5 of this spec, in transformers' order: the one place that knows the names.
/// The tied matrices (embed_tokens of both stacks, lm_head when tied) are not among them.
std::vector<ExpectedTensor> t5Tensors(const ModelSpec& spec);

/// Tensors that T5 files hold beside those: copies of the embedding under the names of the places
/// that share it, and the cross-attention's relative_attention_bias of the first T5 files, which
/// no program uses. Neither is a parameter of its own.
enum class T5Extra { None, TiedCopy, Stray };
T5Extra t5Extra(const T5Spec& t5, std::string_view tensor);

}  // namespace core
