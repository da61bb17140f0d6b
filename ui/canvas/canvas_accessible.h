// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cell.h"

namespace ui {

class CanvasView;

/// Makes screen readers see the canvas as a list whose items are its cells, MLPs as check boxes
/// (checked = MoE) that can be pressed. Call as often as you like.
void installCanvasAccessibility();

/// The keyboard moved to a cell.
void announceCellFocus(CanvasView& canvas, const CellId& cell);
/// An MLP became MoE or dense.
void announceSwitch(CanvasView& canvas, const CellId& cell);

}  // namespace ui
