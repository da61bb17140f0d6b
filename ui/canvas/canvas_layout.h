// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cell.h"

#include <QRectF>
#include <QSizeF>

#include <optional>
#include <string>
#include <vector>

namespace ui {

/// Roomy shows every cell with all its words; Compact has smaller cells with shorter words, so that
/// two stacks of twelve blocks stand in a window of 1280 x 800 at zoom 1.
enum class CanvasDensity { Roomy, Compact };

/// Where everything of a network stands on the canvas, in logical pixels at zoom 1: one column a
/// stack, one row a block, its parts as cells from left to right. Pure; depends on the spec and the
/// density alone.
struct CanvasLayout {
    struct Cell {
        CellId id;
        QRectF rect;
        int column = 0;  ///< of its stack
        int row = 0;     ///< in the stack: 0 is the embedding, block i is i + 1
        bool inBlock = false;
    };
    struct RowLabel {
        std::string block;
        QString text;
        QRectF rect;
    };
    struct Stack {
        std::string name;
        QRectF header;
        QRectF stream;  ///< the residual stream: a line from embedding to head
        int blocks = 0;
    };

    std::vector<Cell> cells;  ///< in drawing order (cellsOf)
    std::vector<RowLabel> labels;
    std::vector<Stack> stacks;
    /// What the encoder gives to every cross-attention: a line from its final norm through the gap
    /// between the stacks to the cells; empty where no block has one.
    std::vector<QPointF> memory;
    QSizeF size;

    const Cell* find(const CellId& id) const;
    const Cell* cellAt(const QPointF& position) const;
    const RowLabel* labelAt(const QPointF& position) const;
    /// Cells that a rubber band touches.
    std::vector<CellId> cellsIn(const QRectF& band) const;
    /// The next cell in a direction (one of the unit vectors): along the row, or the same place of
    /// the row above or below; nullptr at the edge.
    const Cell* neighbour(const Cell& from, int dx, int dy) const;
    /// Cells of the same part between two blocks of one stack, both included; just `to` otherwise.
    std::vector<CellId> range(const CellId& from, const CellId& to) const;
};

CanvasLayout layoutCanvas(const core::ModelSpec& spec,
                          CanvasDensity density = CanvasDensity::Roomy);

/// Whether a cell of a block is drawn as Compact asks.
bool isCompact(const QRectF& cell);

/// Square at the right end of an MLP cell in which its switch stands.
QRectF switchArea(const QRectF& mlp);

}  // namespace ui
