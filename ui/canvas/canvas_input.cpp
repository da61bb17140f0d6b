// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_view.h"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include <cmath>

namespace ui {
namespace {

constexpr double kWheelZoom = 1.15;
constexpr int kRowsPerPage = 8;

void flip(std::set<CellId>& cells, const CellId& cell) {
    if (!cells.erase(cell)) cells.insert(cell);
}

}  // namespace

void CanvasView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    byKeyboard_ = false;
    press_ = Press{toLayout(event->position()), event->pos(), event->modifiers(), false};
    selectionBefore_ = event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier)
                           ? document_.selection()
                           : std::set<CellId>();
}

void CanvasView::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = toLayout(event->position());
    const CanvasLayout::Cell* over = press_ ? nullptr : layout_.cellAt(at);
    const std::optional<CellId> hovered = over ? std::optional(over->id) : std::nullopt;
    if (hovered != hovered_) {
        hovered_ = hovered;
        viewport()->setCursor(hovered && hovered->part == Part::Mlp ? Qt::PointingHandCursor
                                                                    : Qt::ArrowCursor);
        viewport()->update();
    }
    if (!press_) return;
    if ((event->pos() - press_->screen).manhattanLength() >= QApplication::startDragDistance())
        press_->dragging = true;
    if (!press_->dragging) return;
    band_ = QRectF(press_->at, at).normalized();
    std::set<CellId> cells = selectionBefore_;
    for (CellId& cell : layout_.cellsIn(band_)) cells.insert(std::move(cell));
    document_.select(std::move(cells));
    ensureVisible(QRectF(event->position(), QSizeF(1, 1)));
    viewport()->update();
}

void CanvasView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !press_) return;
    const Press press = *press_;
    press_.reset();
    band_ = {};
    viewport()->update();
    if (!press.dragging) click(press);
}

void CanvasView::click(const Press& press) {
    if (const CanvasLayout::Cell* cell = layout_.cellAt(press.at)) {
        clickCell(*cell, press);
        return;
    }
    const bool add = press.modifiers & Qt::ControlModifier;
    std::set<CellId> cells = add ? document_.selection() : std::set<CellId>();
    if (const CanvasLayout::RowLabel* label = layout_.labelAt(press.at)) {
        for (const CanvasLayout::Cell& cell : layout_.cells)
            if (cell.id.place == label->block) cells.insert(cell.id);
        anchor_ = CellId{label->block, Part::Mlp};
        setFocusCell(*anchor_);
    }
    document_.select(std::move(cells));
}

void CanvasView::clickCell(const CanvasLayout::Cell& cell, const Press& press) {
    const CellId id = cell.id;
    setFocusCell(id);
    if (press.modifiers & Qt::ShiftModifier) {
        extendTo(id, true);
        return;
    }
    anchor_ = id;
    if (press.modifiers & Qt::ControlModifier) {
        std::set<CellId> cells = document_.selection();
        flip(cells, id);
        document_.select(std::move(cells));
        return;
    }
    const std::set<CellId> alone{id};
    const bool wasAlone = document_.selection() == alone;
    document_.select(alone);
    if (id.part != Part::Mlp) return;
    const bool moe = document_.plan().layers.contains(id.place);
    if (!moe || wasAlone || switchArea(cell.rect).contains(press.at)) toggleCell(id);
}

void CanvasView::extendTo(const CellId& cell, bool switchThem) {
    const std::vector<CellId> range = layout_.range(anchor_.value_or(cell), cell);
    document_.select({range.begin(), range.end()});
    if (!switchThem || cell.part != Part::Mlp || !anchor_ ||
        !document_.plan().layers.contains(anchor_->place))
        return;
    std::vector<std::string> blocks;
    for (const CellId& id : range)
        if (!document_.plan().layers.contains(id.place)) blocks.push_back(id.place);
    editor_.switchBlocks(blocks, true);
}

void CanvasView::wheelEvent(QWheelEvent* event) {
    if (!(event->modifiers() & Qt::ControlModifier)) {
        QAbstractScrollArea::wheelEvent(event);
        return;
    }
    zoomAbout(zoom_ * std::pow(kWheelZoom, event->angleDelta().y() / 120.0), event->position());
    event->accept();
}

void CanvasView::keyPressEvent(QKeyEvent* event) {
    byKeyboard_ = true;
    viewport()->update();
    if (event->matches(QKeySequence::SelectAll)) {
        selectAllMlps();
        return;
    }
    if (!focus_ || !handleKey(event->key(), event->modifiers())) event->ignore();
}

bool CanvasView::handleKey(int key, Qt::KeyboardModifiers modifiers) {
    switch (key) {
        case Qt::Key_Left:
            moveFocus(-1, 0, modifiers);
            return true;
        case Qt::Key_Right:
            moveFocus(1, 0, modifiers);
            return true;
        case Qt::Key_Up:
            moveFocus(0, -1, modifiers);
            return true;
        case Qt::Key_Down:
            moveFocus(0, 1, modifiers);
            return true;
        case Qt::Key_PageUp:
            moveFocus(0, -kRowsPerPage, modifiers);
            return true;
        case Qt::Key_PageDown:
            moveFocus(0, kRowsPerPage, modifiers);
            return true;
        case Qt::Key_Home:
            moveFocus(0, -static_cast<int>(layout_.cells.size()), modifiers);
            return true;
        case Qt::Key_End:
            moveFocus(0, static_cast<int>(layout_.cells.size()), modifiers);
            return true;
        case Qt::Key_Space:
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (modifiers & Qt::ControlModifier) {
                std::set<CellId> cells = document_.selection();
                flip(cells, *focus_);
                document_.select(std::move(cells));
            } else {
                switchSelected();
            }
            return true;
        case Qt::Key_Escape:
            if (document_.selection().empty() && !press_) return false;
            if (press_)
                document_.select(selectionBefore_);
            else
                document_.select({});
            press_.reset();
            band_ = {};
            viewport()->update();
            return true;
        default:
            return false;
    }
}

void CanvasView::moveFocus(int dx, int dy, Qt::KeyboardModifiers modifiers) {
    const CanvasLayout::Cell* cell = layout_.find(*focus_);
    const int steps = std::abs(dx + dy);
    const int x = dx == 0 ? 0 : dx / std::abs(dx);
    const int y = dy == 0 ? 0 : dy / std::abs(dy);
    for (int i = 0; i < steps; ++i) {
        const CanvasLayout::Cell* next = layout_.neighbour(*cell, x, y);
        if (next == nullptr) break;
        cell = next;
    }
    moveTo(*cell, modifiers);
}

void CanvasView::moveTo(const CanvasLayout::Cell& cell, Qt::KeyboardModifiers modifiers) {
    const CellId from = *focus_;
    setFocusCell(cell.id);
    if (modifiers & Qt::ShiftModifier) {
        if (!anchor_) anchor_ = from;
        extendTo(cell.id, false);
    } else if (!(modifiers & Qt::ControlModifier)) {
        anchor_ = cell.id;
        document_.select({cell.id});
    }
}

void CanvasView::switchSelected() {
    if (document_.selection().contains(*focus_)) {
        if (const std::vector<std::string> blocks = document_.selectedMlps(); !blocks.empty()) {
            editor_.toggle(blocks);
            return;
        }
    }
    if (focus_->part != Part::Mlp) return;
    anchor_ = focus_;
    document_.select({*focus_});
    toggleCell(*focus_);
}

bool CanvasView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const CanvasLayout::Cell* cell = layout_.cellAt(toLayout(help->pos()));
        cell == nullptr ? QToolTip::hideText()
                        : QToolTip::showText(help->globalPos(), cellLabel(cell->id), viewport());
        return true;
    }
    if (event->type() == QEvent::Leave && hovered_) {
        hovered_.reset();
        viewport()->update();
    }
    return QAbstractScrollArea::viewportEvent(event);
}

}  // namespace ui
