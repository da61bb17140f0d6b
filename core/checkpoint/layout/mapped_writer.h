// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint_writer.h"
#include "core/checkpoint/layout/stored_layout.h"

#include <memory>
#include <vector>

namespace core {

/// A writer that takes HF tensors, as many as `parts` and in their order, and hands them to
/// `stored`, which was made for the layout's tensors. Each must be written whole before the next:
/// one whose axes are permuted is held in memory until it is complete.
std::unique_ptr<CheckpointWriter> mapWriter(std::unique_ptr<CheckpointWriter> stored,
                                            std::vector<StoredLayout::Part> parts,
                                            std::vector<DType> dtypes);

}  // namespace core
