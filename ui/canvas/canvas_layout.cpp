// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_layout.h"

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

struct Measures {
    double margin, headerHeight, rowHeight, rowGap, cellGap, labelWidth, streamWidth, stackGap;
    double norm, attention, cross, mlp;
};
constexpr Measures kRoomy{.margin = 24,
                          .headerHeight = 40,
                          .rowHeight = 46,
                          .rowGap = 8,
                          .cellGap = 10,
                          .labelWidth = 34,
                          .streamWidth = 18,
                          .stackGap = 56,
                          .norm = 34,
                          .attention = 128,
                          .cross = 140,
                          .mlp = 316};
constexpr Measures kCompact{.margin = 10,
                            .headerHeight = 26,
                            .rowHeight = 36,
                            .rowGap = 6,
                            .cellGap = 5,
                            .labelWidth = 20,
                            .streamWidth = 12,
                            .stackGap = 22,
                            .norm = 14,
                            .attention = 78,
                            .cross = 66,
                            .mlp = 170};
constexpr double kRoomySwitch = 46;
constexpr double kCompactSwitch = 38;

double widthOf(const Measures& m, Part part) {
    switch (part) {
        case Part::AttentionNorm:
        case Part::CrossNorm:
        case Part::MlpNorm:
            return m.norm;
        case Part::Attention:
            return m.attention;
        case Part::CrossAttention:
            return m.cross;
        default:
            return m.mlp;
    }
}

bool belongsTo(const core::ModelSpec& spec, const CellId& cell, const std::string& stack) {
    if (cell.place == stack) return true;
    const core::BlockSpec* block = spec.find(cell.place);
    return block != nullptr && block->stack == stack;
}

double rowTop(const Measures& m, int row) {
    return m.margin + m.headerHeight + row * (m.rowHeight + m.rowGap);
}

/// Fills one column; `left` is where its labels begin. Returns its right edge.
double layoutStack(CanvasLayout& layout, const Measures& m, const core::ModelSpec& spec,
                   const std::string& stack, const std::vector<CellId>& cells, int column,
                   double left) {
    const double cellsLeft = left + m.labelWidth + m.streamWidth;
    double right = cellsLeft;
    const bool embeds = !cells.empty() && cells.front().part == Part::Embedding;
    const int firstRow = embeds ? 0 : 1;  // blocks of both stacks stand side by side
    int row = firstRow - 1;
    int blocks = 0;
    double x = cellsLeft;
    std::string place;
    for (const CellId& id : cells) {
        const bool inBlock = id.place != stack;
        const bool newRow =
            inBlock ? id.place != place : id.part == Part::Embedding || id.part == Part::FinalNorm;
        if (newRow) {
            ++row;
            x = cellsLeft;
            place = id.place;
            if (inBlock) {
                ++blocks;
                const QString text = QString::number(spec.find(id.place)->index);
                layout.labels.push_back(
                    {id.place, text, QRectF(left, rowTop(m, row), m.labelWidth, m.rowHeight)});
            }
        }
        const double width = widthOf(m, id.part);
        layout.cells.push_back(
            {id, QRectF(x, rowTop(m, row), width, m.rowHeight), column, row, inBlock});
        x += width + m.cellGap;
        if (inBlock) right = std::max(right, x - m.cellGap);
    }
    for (CanvasLayout::Cell& cell : layout.cells) {
        if (cell.column != column || cell.inBlock) continue;
        if (cell.id.part == Part::Embedding) cell.rect.setRight(right);
        if (cell.id.part == Part::FinalNorm) cell.rect.setWidth(m.norm + m.attention + m.cellGap);
        if (cell.id.part == Part::Head) {
            cell.rect.setLeft(cellsLeft + m.norm + m.attention + 2 * m.cellGap);
            cell.rect.setRight(right);
        }
    }
    const double streamX = cellsLeft - m.streamWidth / 2;
    layout.stacks.push_back({stack, QRectF(left, m.margin, right - left, m.headerHeight),
                             QRectF(streamX, rowTop(m, firstRow) + m.rowHeight / 2, 0,
                                    rowTop(m, row) - rowTop(m, firstRow)),
                             blocks});
    return right;
}

/// Through the gaps between rows and stacks, so that it crosses no cell but those that it feeds.
std::vector<QPointF> memoryLine(const CanvasLayout& layout, const Measures& m) {
    const CanvasLayout::Cell* first = nullptr;
    const CanvasLayout::Cell* last = nullptr;
    for (const CanvasLayout::Cell& cell : layout.cells) {
        if (cell.id.part != Part::CrossAttention) continue;
        if (first == nullptr) first = &cell;
        last = &cell;
    }
    if (first == nullptr) return {};
    const auto source =
        std::find_if(layout.cells.begin(), layout.cells.end(), [&](const CanvasLayout::Cell& cell) {
            return cell.id.part == Part::FinalNorm && cell.column < first->column;
        });
    if (source == layout.cells.end()) return {};
    const QPointF from(source->rect.right(), source->rect.center().y());
    const CanvasLayout::Stack& stack = layout.stacks[static_cast<std::size_t>(first->column)];
    const double gap = stack.header.left() - m.stackGap / 2;
    const double under = last->rect.bottom() + m.rowGap / 2;
    const double x = first->rect.center().x();
    return {from, {gap, from.y()}, {gap, under}, {x, under}, {x, first->rect.center().y()}};
}

}  // namespace

CanvasLayout layoutCanvas(const core::ModelSpec& spec, CanvasDensity density) {
    const Measures& m = density == CanvasDensity::Compact ? kCompact : kRoomy;
    CanvasLayout layout;
    const std::vector<CellId> all = cellsOf(spec);
    double left = m.margin;
    int column = 0;
    for (const std::string& stack : stacksOf(spec)) {
        std::vector<CellId> cells;
        std::copy_if(all.begin(), all.end(), std::back_inserter(cells),
                     [&](const CellId& cell) { return belongsTo(spec, cell, stack); });
        left = layoutStack(layout, m, spec, stack, cells, column++, left) + m.stackGap;
    }
    layout.memory = memoryLine(layout, m);
    double bottom = m.margin;
    for (const CanvasLayout::Cell& cell : layout.cells)
        bottom = std::max(bottom, cell.rect.bottom());
    layout.size = QSizeF(std::max(left - m.stackGap, 0.0) + m.margin, bottom + m.margin);
    return layout;
}

bool isCompact(const QRectF& cell) { return cell.height() < kRoomy.rowHeight; }

QRectF switchArea(const QRectF& mlp) {
    const double width = isCompact(mlp) ? kCompactSwitch : kRoomySwitch;
    return QRectF(mlp.right() - width, mlp.top(), width, mlp.height());
}

const CanvasLayout::Cell* CanvasLayout::find(const CellId& id) const {
    const auto found =
        std::find_if(cells.begin(), cells.end(), [&](const Cell& cell) { return cell.id == id; });
    return found != cells.end() ? &*found : nullptr;
}

const CanvasLayout::Cell* CanvasLayout::cellAt(const QPointF& position) const {
    const auto found = std::find_if(cells.begin(), cells.end(),
                                    [&](const Cell& cell) { return cell.rect.contains(position); });
    return found != cells.end() ? &*found : nullptr;
}

const CanvasLayout::RowLabel* CanvasLayout::labelAt(const QPointF& position) const {
    const auto found = std::find_if(labels.begin(), labels.end(), [&](const RowLabel& label) {
        return label.rect.contains(position);
    });
    return found != labels.end() ? &*found : nullptr;
}

std::vector<CellId> CanvasLayout::cellsIn(const QRectF& band) const {
    std::vector<CellId> touched;
    for (const Cell& cell : cells)
        if (cell.rect.intersects(band)) touched.push_back(cell.id);
    return touched;
}

const CanvasLayout::Cell* CanvasLayout::neighbour(const Cell& from, int dx, int dy) const {
    const Cell* best = nullptr;
    double bestDistance = 0;
    for (const Cell& cell : cells) {
        const QPointF offset = cell.rect.center() - from.rect.center();
        double distance = 0;
        if (dx != 0) {
            if (std::abs(offset.y()) > 1 || offset.x() * dx <= 0) continue;
            distance = std::abs(offset.x());
        } else {
            if (cell.column != from.column || (cell.row - from.row) * dy <= 0) continue;
            distance = std::abs(cell.row - from.row) * 1e6 + std::abs(offset.x());
        }
        if (best == nullptr || distance < bestDistance) {
            best = &cell;
            bestDistance = distance;
        }
    }
    return best;
}

std::vector<CellId> CanvasLayout::range(const CellId& from, const CellId& to) const {
    const Cell* first = find(from);
    const Cell* last = find(to);
    if (first == nullptr || last == nullptr || first->column != last->column ||
        from.part != to.part)
        return {to};
    std::vector<CellId> cellsBetween;
    const auto [low, high] = std::minmax(first->row, last->row);
    for (const Cell& cell : cells)
        if (cell.column == first->column && cell.id.part == to.part && cell.row >= low &&
            cell.row <= high)
            cellsBetween.push_back(cell.id);
    return cellsBetween;
}

}  // namespace ui
