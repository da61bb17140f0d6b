// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_view.h"

#include "ui/canvas/canvas_accessible.h"

#include <QAccessible>
#include <QFocusEvent>
#include <QScrollBar>
#include <QStyle>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kSmallestZoom = 0.4;
constexpr double kLargestZoom = 2.0;
constexpr int kTransitionMs = 160;
constexpr double kScrollMargin = 16;
constexpr double kLeastRoomyZoom = 0.9;

}  // namespace

CanvasView::CanvasView(Document& document, PlanEditor& editor, QWidget* parent)
    : QAbstractScrollArea(parent), document_(document), editor_(editor) {
    installCanvasAccessibility();
    setObjectName(QStringLiteral("canvas"));
    setAccessibleName(tr("Layers of the model"));
    setAccessibleDescription(
        tr("Arrows move between cells, space switches an MLP between dense and "
           "mixture of experts."));
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    transition_.setDuration(kTransitionMs);
    transition_.setUpdateInterval(16);
    connect(&transition_, &QTimeLine::valueChanged, viewport(), qOverload<>(&QWidget::update));
    connect(&transition_, &QTimeLine::finished, this, [this] {
        changing_.clear();
        viewport()->update();
    });
    connect(&document_, &Document::opened, this, &CanvasView::rebuild);
    connect(&document_, &Document::closed, this, &CanvasView::rebuild);
    connect(&document_, &Document::planChanged, this, &CanvasView::takePlan);
    connect(&document_, &Document::selectionChanged, viewport(), qOverload<>(&QWidget::update));
    rebuild();
}

void CanvasView::rebuild() {
    density_ = CanvasDensity::Roomy;
    layout_ = document_.hasModel() ? layoutCanvas(document_.model().spec) : CanvasLayout();
    roomyWidth_ = layout_.size.width();
    focus_.reset();
    anchor_.reset();
    hovered_.reset();
    press_.reset();
    changing_.clear();
    transition_.stop();
    shown_ = document_.hasModel() ? layerNames(document_.plan()) : std::set<std::string>();
    if (const auto mlp =
            std::find_if(layout_.cells.begin(), layout_.cells.end(),
                         [](const CanvasLayout::Cell& cell) { return cell.id.part == Part::Mlp; });
        mlp != layout_.cells.end())
        focus_ = mlp->id;
    verticalScrollBar()->setValue(0);
    fitted_ = true;
    zoomToFit();
    QAccessibleEvent event(this, QAccessible::ObjectReorder);
    QAccessible::updateAccessibility(&event);
}

void CanvasView::takePlan() {
    const std::set<std::string> now = layerNames(document_.plan());
    std::set<std::string> changed;
    std::set_symmetric_difference(now.begin(), now.end(), shown_.begin(), shown_.end(),
                                  std::inserter(changed, changed.begin()));
    const bool animate =
        isVisible() && style()->styleHint(QStyle::SH_Widget_Animation_Duration) > 0;
    transition_.stop();
    changing_.clear();
    if (animate && !changed.empty()) {
        changing_ = changed;
        transition_.start();
    }
    shown_ = now;
    for (const std::string& block : changed) announceSwitch(*this, {block, Part::Mlp});
    viewport()->update();
}

QPointF CanvasView::origin() const {
    const double width = layout_.size.width() * zoom_;
    const double left = std::max(0.0, (viewport()->width() - width) / 2);
    return {std::floor(left) - horizontalScrollBar()->value(),
            static_cast<double>(-verticalScrollBar()->value())};
}

QPointF CanvasView::toLayout(const QPointF& viewport) const {
    return (viewport - origin()) / zoom_;
}

QRectF CanvasView::cellRect(const CellId& cell) const {
    const CanvasLayout::Cell* found = layout_.find(cell);
    if (found == nullptr) return {};
    return QRectF(found->rect.topLeft() * zoom_ + origin(), found->rect.size() * zoom_);
}

QString CanvasView::cellLabel(const CellId& cell) const {
    if (!document_.hasModel()) return {};
    return QStringLiteral("%1: %2").arg(cellName(cell),
                                        cellDescription(document_.model(), document_.plan(), cell));
}

void CanvasView::updateScrollBars() {
    const QSizeF size = layout_.size * zoom_;
    const QSize view = viewport()->size();
    horizontalScrollBar()->setRange(0, std::max(0, static_cast<int>(size.width()) - view.width()));
    horizontalScrollBar()->setPageStep(view.width());
    horizontalScrollBar()->setSingleStep(40);
    verticalScrollBar()->setRange(0, std::max(0, static_cast<int>(size.height()) - view.height()));
    verticalScrollBar()->setPageStep(view.height());
    verticalScrollBar()->setSingleStep(40);
    viewport()->update();
}

void CanvasView::zoomAbout(double zoom, const QPointF& fixed) {
    fitted_ = false;
    const double bounded = std::clamp(zoom, kSmallestZoom, kLargestZoom);
    if (bounded == zoom_) return;
    const QPointF kept = toLayout(fixed);
    zoom_ = bounded;
    updateScrollBars();
    const QPointF scroll = kept * zoom_ - fixed;
    horizontalScrollBar()->setValue(static_cast<int>(scroll.x()));
    verticalScrollBar()->setValue(static_cast<int>(scroll.y()));
    Q_EMIT zoomChanged(zoom_);
}

void CanvasView::zoomToFit() {
    if (document_.hasModel()) {
        const double roomy = viewport()->width() / roomyWidth_;
        const CanvasDensity density =
            roomy < kLeastRoomyZoom ? CanvasDensity::Compact : CanvasDensity::Roomy;
        if (density != density_) layout_ = layoutCanvas(document_.model().spec, density);
        density_ = density;
    }
    const double wanted =
        layout_.size.width() > 0 ? viewport()->width() / layout_.size.width() : 1.0;
    zoom_ = std::clamp(wanted, kSmallestZoom, 1.0);
    fitted_ = true;
    updateScrollBars();
    Q_EMIT zoomChanged(zoom_);
}

void CanvasView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    fitted_ ? zoomToFit() : updateScrollBars();
}

void CanvasView::ensureVisible(const QRectF& rect) {
    const QRectF box = rect.adjusted(-kScrollMargin, -kScrollMargin, kScrollMargin, kScrollMargin);
    const auto adjust = [](QScrollBar* bar, double low, double high, int extent) {
        if (low < 0) bar->setValue(bar->value() + static_cast<int>(std::floor(low)));
        if (high > extent) bar->setValue(bar->value() + static_cast<int>(std::ceil(high - extent)));
    };
    adjust(verticalScrollBar(), box.top(), box.bottom(), viewport()->height());
    adjust(horizontalScrollBar(), box.left(), box.right(), viewport()->width());
}

void CanvasView::setFocusCell(const CellId& cell) {
    if (layout_.find(cell) == nullptr) return;
    focus_ = cell;
    ensureVisible(cellRect(cell));
    viewport()->update();
    announceFocus();
}

void CanvasView::announceFocus() {
    if (focus_ && hasFocus()) announceCellFocus(*this, *focus_);
}

void CanvasView::toggleCell(const CellId& cell) {
    if (cell.part == Part::Mlp) editor_.toggle({cell.place});
}

void CanvasView::selectAllMlps() {
    std::set<CellId> mlps;
    for (const CanvasLayout::Cell& cell : layout_.cells)
        if (cell.id.part == Part::Mlp) mlps.insert(cell.id);
    document_.select(std::move(mlps));
}

void CanvasView::focusInEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusInEvent(event);
    if (event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason)
        byKeyboard_ = true;
    viewport()->update();
    announceFocus();
}

void CanvasView::focusOutEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

}  // namespace ui
