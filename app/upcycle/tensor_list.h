// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_stats.h"

#include <string>
#include <vector>

namespace upcycle {

/// The tensors as a JSON array, indented as the value of a key of the outermost object; `stats` is
/// empty or has one entry a tensor. Written in one pass: a checkpoint can have 100,000 of them, and
/// a tree of that size takes longer than reading the file.
std::string tensorListJson(const core::Checkpoint& checkpoint,
                           const std::vector<core::TensorStats>& stats);

}  // namespace upcycle
