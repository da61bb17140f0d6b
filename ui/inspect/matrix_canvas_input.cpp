// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/matrix_canvas.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kStep = 1.25;
constexpr double kPan = 64;
constexpr double kCursorPixels = 4;  ///< the cursor's least step on the screen
constexpr int kFar = 10;

}  // namespace

void MatrixCanvas::setCursorCell(std::optional<Cell> cell) {
    if (cell == cursor_) return;
    cursor_ = cell;
    update();
    Q_EMIT cursorMoved();
}

void MatrixCanvas::wheelEvent(QWheelEvent* event) {
    const double steps = event->angleDelta().y() / 120.0;
    if (steps != 0) zoomAt(event->position(), zoom_ * std::pow(kStep, steps));
    event->accept();
}

void MatrixCanvas::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton && event->button() != Qt::MiddleButton) return;
    grabbed_ = event->position();
    setCursor(Qt::ClosedHandCursor);
}

void MatrixCanvas::mouseMoveEvent(QMouseEvent* event) {
    if (grabbed_) {
        panBy(event->position() - *grabbed_);
        grabbed_ = event->position();
        return;
    }
    setCursorCell(cellAt(event->position()));
}

void MatrixCanvas::mouseReleaseEvent(QMouseEvent*) {
    grabbed_.reset();
    setCursor(Qt::CrossCursor);
}

void MatrixCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
    zoomAt(event->position(), zoom_ * 2);
}

void MatrixCanvas::leaveEvent(QEvent* event) {
    QWidget::leaveEvent(event);
    if (!hasFocus()) setCursorCell(std::nullopt);
}

void MatrixCanvas::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return zoomBy(kStep);
        case Qt::Key_Minus:
            return zoomBy(1 / kStep);
        case Qt::Key_0:
            return zoomToFit();
        case Qt::Key_1:
            return zoomToPixels();
        default:
            break;
    }
    if (!moveCursor(event)) QWidget::keyPressEvent(event);
}

bool MatrixCanvas::moveCursor(QKeyEvent* event) {
    int x = 0;
    int y = 0;
    switch (event->key()) {
        case Qt::Key_Left:
            x = -1;
            break;
        case Qt::Key_Right:
            x = 1;
            break;
        case Qt::Key_Up:
            y = -1;
            break;
        case Qt::Key_Down:
            y = 1;
            break;
        default:
            return false;
    }
    if (event->modifiers() & Qt::ControlModifier) {
        panBy({-x * kPan, -y * kPan});
        return true;
    }
    const auto step = [&](double scale) {
        const auto least = static_cast<std::int64_t>(std::ceil(kCursorPixels / scale));
        return std::max<std::int64_t>(1, scale < kCursorPixels ? least : 1) *
               ((event->modifiers() & Qt::ShiftModifier) ? kFar : 1);
    };
    const core::MatrixWindow seen = window();
    Cell cell = cursor_.value_or(Cell{seen.row + seen.rows / 2, seen.column + seen.columns / 2});
    cell.row = std::clamp<std::int64_t>(cell.row + y * step(yScale()), 0, rows_ - 1);
    cell.column = std::clamp<std::int64_t>(cell.column + x * step(zoom_), 0, columns_ - 1);
    setCursorCell(cell);
    keepCursorInView();
    return true;
}

void MatrixCanvas::keepCursorInView() {
    const QRectF cell = rectOf({cursor_->row, cursor_->column, 1, 1});
    const auto needed = [](double low, double high, double view) {
        if (low < 0) return -low + kPan / 2;
        return high > view ? view - high - kPan / 2 : 0.0;
    };
    const QPointF move(needed(cell.left(), cell.right(), width()),
                       needed(cell.top(), cell.bottom(), height()));
    if (!move.isNull()) panBy(move);
}

void MatrixCanvas::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
}

void MatrixCanvas::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    setCursorCell(std::nullopt);
    update();
}

}  // namespace ui
