// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_layout.h"

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kMargin = 24;
constexpr double kHeaderHeight = 40;
constexpr double kRowHeight = 46;
constexpr double kRowGap = 8;
constexpr double kCellGap = 10;
constexpr double kLabelWidth = 34;
constexpr double kStreamWidth = 18;
constexpr double kNormWidth = 34;
constexpr double kAttentionWidth = 128;
constexpr double kCrossWidth = 140;
constexpr double kMlpWidth = 316;
constexpr double kStackGap = 56;
constexpr double kSwitchWidth = 46;

double widthOf(Part part) {
    switch (part) {
        case Part::AttentionNorm:
        case Part::CrossNorm:
        case Part::MlpNorm:
            return kNormWidth;
        case Part::Attention:
            return kAttentionWidth;
        case Part::CrossAttention:
            return kCrossWidth;
        default:
            return kMlpWidth;
    }
}

bool belongsTo(const core::ModelSpec& spec, const CellId& cell, const std::string& stack) {
    if (cell.place == stack) return true;
    const core::BlockSpec* block = spec.find(cell.place);
    return block != nullptr && block->stack == stack;
}

double rowTop(int row) { return kMargin + kHeaderHeight + row * (kRowHeight + kRowGap); }

/// Fills one column; `left` is where its labels begin. Returns its right edge.
double layoutStack(CanvasLayout& layout, const core::ModelSpec& spec, const std::string& stack,
                   const std::vector<CellId>& cells, int column, double left) {
    const double cellsLeft = left + kLabelWidth + kStreamWidth;
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
                    {id.place, text, QRectF(left, rowTop(row), kLabelWidth, kRowHeight)});
            }
        }
        const double width = widthOf(id.part);
        layout.cells.push_back(
            {id, QRectF(x, rowTop(row), width, kRowHeight), column, row, inBlock});
        x += width + kCellGap;
        if (inBlock) right = std::max(right, x - kCellGap);
    }
    for (CanvasLayout::Cell& cell : layout.cells) {
        if (cell.column != column || cell.inBlock) continue;
        if (cell.id.part == Part::Embedding) cell.rect.setRight(right);
        if (cell.id.part == Part::FinalNorm)
            cell.rect.setWidth(kNormWidth + kAttentionWidth + kCellGap);
        if (cell.id.part == Part::Head) {
            cell.rect.setLeft(cellsLeft + kNormWidth + kAttentionWidth + 2 * kCellGap);
            cell.rect.setRight(right);
        }
    }
    const double streamX = cellsLeft - kStreamWidth / 2;
    layout.stacks.push_back(
        {stack, QRectF(left, kMargin, right - left, kHeaderHeight),
         QRectF(streamX, rowTop(firstRow) + kRowHeight / 2, 0, rowTop(row) - rowTop(firstRow)),
         blocks});
    return right;
}

}  // namespace

CanvasLayout layoutCanvas(const core::ModelSpec& spec) {
    CanvasLayout layout;
    const std::vector<CellId> all = cellsOf(spec);
    double left = kMargin;
    int column = 0;
    for (const std::string& stack : stacksOf(spec)) {
        std::vector<CellId> cells;
        std::copy_if(all.begin(), all.end(), std::back_inserter(cells),
                     [&](const CellId& cell) { return belongsTo(spec, cell, stack); });
        left = layoutStack(layout, spec, stack, cells, column++, left) + kStackGap;
    }
    double bottom = kMargin;
    for (const CanvasLayout::Cell& cell : layout.cells)
        bottom = std::max(bottom, cell.rect.bottom());
    layout.size = QSizeF(std::max(left - kStackGap, 0.0) + kMargin, bottom + kMargin);
    return layout;
}

QRectF switchArea(const QRectF& mlp) {
    return QRectF(mlp.right() - kSwitchWidth, mlp.top(), kSwitchWidth, mlp.height());
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
