// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/training/optimizer.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace core {

/// The optimizer state as tensors of a file, f32, in the file's own tensor names and shapes
/// (experts apart): "SLOT/TENSOR" for every slot, and "start/TENSOR" [1], the global step at which
/// the moments of that tensor began. In the order in which saveOptimizerState gives them; file and
/// offset empty.
std::vector<TensorInfo> optimizerTensors(Optimizer& optimizer,
                                         const std::vector<Parameter>& parameters);

/// Gives the bytes of each of `optimizerTensors`, once, in order, copied from the device one state
/// tensor at a time.
void saveOptimizerState(
    Optimizer& optimizer, const std::vector<Parameter>& parameters, Backend& backend,
    const std::function<void(std::size_t index, std::span<const std::byte>)>& sink);

/// Which tensor of another checkpoint a tensor takes its moments from, by name: an expert's from
/// the dense MLP's. Empty: from none, they are zero and begin at `globalStep` (a new router). A
/// tensor without an entry takes those under its own name.
using MomentSources = std::map<std::string, std::string>;

/// Fills the state from a file of `optimizerTensors`' names, to go on at `globalStep`. Where the
/// file has no "start/", the moments began at step 0. BadInput names a tensor that is missing or
/// has another shape, or a start after `globalStep`.
void loadOptimizerState(Optimizer& optimizer, const std::vector<Parameter>& parameters,
                        Backend& backend, const Checkpoint& file, const MomentSources& sources,
                        std::int64_t globalStep);

}  // namespace core
