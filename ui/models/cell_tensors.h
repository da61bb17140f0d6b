// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "ui/models/cell.h"

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ui {

/// The cell that a tensor of the HF layout belongs to; empty for names that no cell knows.
std::optional<CellId> cellOfTensor(core::Family family, std::string_view tensor);

/// Which tensors each cell holds, as indices into the checkpoint's tensors. Value; made once a
/// checkpoint.
class CellTensors {
  public:
    CellTensors() = default;
    CellTensors(core::Family family, std::span<const core::TensorInfo> tensors);

    /// In file order; empty for a cell without tensors.
    std::span<const std::size_t> of(const CellId& cell) const;

  private:
    std::map<CellId, std::vector<std::size_t>> indices_;
};

}  // namespace ui
