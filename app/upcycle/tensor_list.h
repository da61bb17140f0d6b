// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_stats.h"

#include <string>

namespace upcycle {

/// One entry of the list "tensors" of `inspect --json`, as printJson takes it. Written without a
/// JSON tree: a checkpoint can have 100,000 of them, and a tree of that size takes longer than
/// reading the file.
std::string tensorJson(const core::TensorInfo& tensor, const core::TensorStats* stats);

}  // namespace upcycle
