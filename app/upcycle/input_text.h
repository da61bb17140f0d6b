// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/model/model.h"

#include <cstdint>

namespace upcycle {

/// The batch in IN.safetensors for a T5, I64: `input_ids` [B, S], `attention_mask` [B, S] (else all
/// real), `labels` [B, T] (-100 = ignored; optional), `decoder_input_ids` [B, T] (else the labels
/// shifted right: decoder_start_token_id first, pad_token_id for -100), `decoder_attention_mask`
/// [B, T] (else all real). BadInput, naming file and tensor, when something does not fit the model.
core::Batch readTextBatch(const core::Path& file, const core::T5Spec& t5, core::Backend& backend);

/// `count` sequences of random tokens, the same every time, with targets.
core::Batch makeRandomTextBatch(std::int64_t count, const core::T5Spec& t5, core::Backend& backend);

}  // namespace upcycle
