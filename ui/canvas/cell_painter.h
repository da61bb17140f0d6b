// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/canvas/cell_text.h"
#include "ui/theme/tokens.h"

#include <QRectF>

#include <cstdint>
#include <vector>

class QPainter;

namespace ui {

/// Everything that decides how one cell looks.
struct CellLook {
    Part part = Part::Mlp;
    CellText text;
    std::int64_t experts = 0;  ///< tiles to draw
    double moe = 0;            ///< 0 dense .. 1 MoE; between while it changes
    bool locked = false;       ///< sparse in the checkpoint: no switch
    bool selected = false;
    bool hovered = false;
    bool focused = false;
    bool warning = false;
};

void paintCell(QPainter& painter, const QRectF& rect, const CellLook& look, const Tokens& tokens);

/// Where the tiles of so many experts stand in an area: equal squares, as large as they fit (4 to
/// 10 pixels); at most as many as fit at the smallest size.
std::vector<QRectF> expertTiles(const QRectF& area, std::int64_t experts);

}  // namespace ui
