// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/canvas/canvas_layout.h"
#include "ui/canvas/cell_painter.h"
#include "ui/surgery/plan_editor.h"

#include <QAbstractScrollArea>
#include <QTimeLine>

#include <optional>
#include <set>
#include <string>

namespace ui {

/// The network as it is, and the place where MLPs are switched. A click on a dense MLP makes it
/// MoE; a click on an MoE cell selects it, a click on the one selected makes it dense again; a
/// click on the switch at its right always switches. Shift-click extends from the last click (and
/// makes MoE what is between when that one is MoE), ctrl-click adds to the selection, dragging
/// selects, a click on a row's number selects the row. Arrows move, with shift they extend; space
/// switches all selected; Ctrl+A selects every MLP; escape selects nothing.
class CanvasView : public QAbstractScrollArea {
    Q_OBJECT

  public:
    CanvasView(Document& document, PlanEditor& editor, QWidget* parent);

    double zoom() const { return zoom_; }
    /// Keeps the middle of the view in place; bounded to [0.4, 2].
    void setZoom(double zoom) { zoomAbout(zoom, QRectF(viewport()->rect()).center()); }
    /// As wide as the view, at most 1; compact where the roomy cells would be too small to read.
    void zoomToFit();
    CanvasDensity density() const { return density_; }

    const CanvasLayout& layoutOfCells() const { return layout_; }
    /// In viewport coordinates; empty when there is no such cell.
    QRectF cellRect(const CellId& cell) const;
    const std::optional<CellId>& focusCell() const { return focus_; }
    void setFocusCell(const CellId& cell);
    /// For screen readers: name and state of one cell.
    QString cellLabel(const CellId& cell) const;
    const Document& document() const { return document_; }
    /// Space on one cell.
    void toggleCell(const CellId& cell);

    void selectAllMlps();
    QSize sizeHint() const override { return {720, 560}; }
    QSize minimumSizeHint() const override { return {320, 240}; }

  Q_SIGNALS:
    void zoomChanged(double zoom);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override { mousePressEvent(event); }
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool viewportEvent(QEvent* event) override;

  private:
    struct Press {
        QPointF at;  ///< in layout coordinates
        QPoint screen;
        Qt::KeyboardModifiers modifiers;
        bool dragging = false;
    };

    void zoomAbout(double zoom, const QPointF& fixed);
    void rebuild();
    void takePlan();
    void updateScrollBars();
    QPointF origin() const;
    QPointF toLayout(const QPointF& viewport) const;
    CellLook lookOf(const CanvasLayout::Cell& cell) const;
    void paintStack(QPainter& painter, const CanvasLayout::Stack& stack) const;
    void paintMemory(QPainter& painter) const;
    void paintConnectors(QPainter& painter, const QRectF& visible) const;
    void paintLabels(QPainter& painter, const QRectF& visible) const;
    void click(const Press& press);
    void clickCell(const CanvasLayout::Cell& cell, const Press& press);
    void extendTo(const CellId& cell, bool switchThem);
    void moveFocus(int dx, int dy, Qt::KeyboardModifiers modifiers);
    void moveTo(const CanvasLayout::Cell& cell, Qt::KeyboardModifiers modifiers);
    bool handleKey(int key, Qt::KeyboardModifiers modifiers);
    void switchSelected();
    void ensureVisible(const QRectF& rect);
    void announceFocus();

    Document& document_;
    PlanEditor& editor_;
    CanvasLayout layout_;
    CanvasDensity density_ = CanvasDensity::Roomy;
    double roomyWidth_ = 0;  ///< of the roomy layout
    double zoom_ = 1;
    bool fitted_ = true;  ///< follow the view's width until the person zooms
    std::optional<CellId> focus_;
    bool byKeyboard_ = false;  ///< the ring around the focused cell is for those who use keys
    std::optional<CellId> anchor_;
    std::optional<CellId> hovered_;
    std::optional<Press> press_;
    QRectF band_;
    std::set<CellId> selectionBefore_;

    std::set<std::string> shown_;     ///< blocks drawn as MoE
    std::set<std::string> changing_;  ///< blocks in transition
    QTimeLine transition_;
};

}  // namespace ui
