// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_view.h"
#include "ui/theme/theme.h"

#include <QPaintEvent>
#include <QPainter>

#include <algorithm>

namespace ui {
namespace {

bool hasWarning(const core::PlanReport& report, const std::string& block) {
    return std::any_of(report.warnings.begin(), report.warnings.end(),
                       [&](const core::PlanWarning& warning) { return warning.block == block; });
}

}  // namespace

CellLook CanvasView::lookOf(const CanvasLayout::Cell& cell) const {
    const OpenedModel& model = document_.model();
    CellLook look;
    look.part = cell.id.part;
    look.text = cellText(model, document_.plan(), cell.id);
    look.selected = document_.selection().contains(cell.id);
    look.hovered = hovered_ == cell.id;
    look.focused = hasFocus() && byKeyboard_ && focus_ == cell.id;
    if (cell.id.part != Part::Mlp) return look;
    const std::string& block = cell.id.place;
    look.locked = !isSwitchable(model.spec, block);
    look.warning = hasWarning(document_.report(), block);
    const auto moe = moeOf(model.spec, document_.plan(), block);
    look.moe = moe ? 1 : 0;
    if (changing_.contains(block)) {
        const double progress = transition_.currentValue();
        look.moe = moe ? progress : 1 - progress;
    }
    if (moe) look.experts = moe->experts;
    return look;
}

void CanvasView::paintStack(QPainter& painter, const CanvasLayout::Stack& stack) const {
    const Tokens& t = tokens();
    const auto& layers = document_.plan().layers;
    const auto moes = std::count_if(
        document_.model().spec.blocks.begin(), document_.model().spec.blocks.end(),
        [&](const core::BlockSpec& block) {
            return block.stack == stack.name && (block.moe || layers.contains(block.name));
        });
    const QFont title = textFont(TextRole::Title);
    painter.setFont(title);
    painter.setPen(t.text);
    const QString name = stackName(stack.name);
    painter.drawText(stack.header, Qt::AlignLeft | Qt::AlignTop, name);
    QRectF rest = stack.header;
    rest.setLeft(rest.left() + QFontMetricsF(title).horizontalAdvance(name) + space::kS);
    rest.setHeight(QFontMetricsF(title).height());
    painter.setFont(textFont(TextRole::Caption));
    painter.setPen(t.textMuted);
    QString count = tr("%n block(s)", nullptr, stack.blocks);
    if (moes > 0) count += QStringLiteral(" · ") + tr("%n MoE", nullptr, static_cast<int>(moes));
    painter.drawText(rest, Qt::AlignLeft | Qt::AlignVCenter, count);
    painter.setPen(QPen(t.borderStrong, 1.5));
    painter.drawLine(stack.stream.topLeft(), stack.stream.bottomLeft());
}

/// The encoder's output, drawn as what it is: one line into every cross-attention.
void CanvasView::paintMemory(QPainter& painter) const {
    if (layout_.memory.empty()) return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(tokens().accentBorder, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(layout_.memory.data(), static_cast<int>(layout_.memory.size()));
}

void CanvasView::paintConnectors(QPainter& painter, const QRectF& visible) const {
    const Tokens& t = tokens();
    for (std::size_t i = 0; i < layout_.cells.size(); ++i) {
        const CanvasLayout::Cell& cell = layout_.cells[i];
        if (cell.rect.bottom() < visible.top() || cell.rect.top() > visible.bottom()) continue;
        const bool first = i == 0 || layout_.cells[i - 1].row != cell.row ||
                           layout_.cells[i - 1].column != cell.column;
        const double y = cell.rect.center().y();
        const double stream = layout_.stacks[static_cast<std::size_t>(cell.column)].stream.left();
        const double from = first ? stream : layout_.cells[i - 1].rect.right();
        painter.setPen(QPen(t.borderStrong, 1.5));
        painter.drawLine(QPointF(from, y), QPointF(cell.rect.left(), y));
        if (!first) continue;
        painter.setPen(QPen(t.borderStrong, 1.5));
        painter.setBrush(t.window);
        const double dot = isCompact(cell.rect) ? 2.5 : 3.5;
        painter.drawEllipse(QPointF(stream, y), dot, dot);
    }
}

void CanvasView::paintLabels(QPainter& painter, const QRectF& visible) const {
    const Tokens& t = tokens();
    painter.setFont(textFont(TextRole::Caption));
    painter.setPen(t.textMuted);
    for (const CanvasLayout::RowLabel& label : layout_.labels)
        if (label.rect.intersects(visible))
            painter.drawText(
                label.rect.adjusted(0, 0, isCompact(label.rect) ? -space::kXs : -space::kS, 0),
                Qt::AlignRight | Qt::AlignVCenter, label.text);
}

void CanvasView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    const Tokens& t = tokens();
    painter.fillRect(event->rect(), t.window);
    if (!document_.hasModel()) return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(origin());
    painter.scale(zoom_, zoom_);
    const QRectF visible(toLayout(event->rect().topLeft()), QSizeF(event->rect().size()) / zoom_);
    for (const CanvasLayout::Stack& stack : layout_.stacks) paintStack(painter, stack);
    paintMemory(painter);
    paintConnectors(painter, visible);
    paintLabels(painter, visible);
    for (const CanvasLayout::Cell& cell : layout_.cells)
        if (cell.rect.adjusted(-4, -4, 4, 4).intersects(visible))
            paintCell(painter, cell.rect, lookOf(cell), t);
    if (band_.isNull()) return;
    QColor fill = t.accent;
    fill.setAlphaF(0.12F);
    painter.setPen(QPen(t.accent, 1));
    painter.setBrush(fill);
    painter.drawRect(band_);
}

}  // namespace ui
