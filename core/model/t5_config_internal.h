// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/config_internal.h"
#include "core/model/spec.h"

namespace core {

/// HF T5Config, MT5Config or SwitchTransformersConfig, each with its own defaults. BadInput names
/// the key.
T5Spec t5FromConfig(const config::Reader& reader);
/// The same, where missing keys are those of `t5`.
T5Spec t5FromConfig(const config::Reader& reader, T5Spec t5);

/// The reverse, with the keys that transformers writes for T5.
config::Json t5ToConfig(const T5Spec& t5);

/// What the tensors' shapes tell; `heads` is 0 where there is no relative_attention_bias (`dKv` is
/// then that of all heads), `dModel` and `vocab` are 0 where there is no embedding.
T5Spec t5FromTensors(const Checkpoint& checkpoint);

/// Whether the output has a matrix of its own where the file says it: transformers 5 calls every T5
/// tied, and version 5.0 every output scaled, but uses an output matrix that is there.
void resolveOutput(T5Spec& t5, const config::Reader& reader, const Checkpoint& checkpoint);

/// Tokens of the sequence for which SwitchTransformers' absolute expert_capacity is taken as a
/// capacity factor and back: the config's n_positions, else 512 (T5's training length).
std::int64_t switchSequence(const config::Reader& reader);

/// SwitchTransformers' sparse blocks of one stack: i % step == 1, all for step 1, none for 0.
constexpr bool isSwitchSparse(std::int64_t index, std::int64_t step) {
    return step == 1 || (step > 1 && index % step == 1);
}

/// The MoE settings that a SwitchTransformers config gives its sparse blocks.
void readSwitchBlocks(const config::Reader& reader, ModelSpec& spec);

}  // namespace core
