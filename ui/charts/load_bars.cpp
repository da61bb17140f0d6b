// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/load_bars.h"

#include "ui/charts/chart_painting.h"
#include "ui/charts/csv_writer.h"
#include "ui/charts/heat_map.h"
#include "ui/theme/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int kMaxBar = 44;

QString loadText(double load) {
    return std::isfinite(load) ? QLocale().toString(load, 'f', 2) : valueText(load);
}

}  // namespace

LoadBars::LoadBars(const QString& title, QWidget* parent) : ChartWidget(title, parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
}

void LoadBars::setLoads(const QString& layer, std::vector<double> loads) {
    if (layer != layer_) resetScale();
    layer_ = layer;
    loads_ = std::move(loads);
    for (const double load : loads_) {
        if (std::isfinite(load)) top_ = std::max(top_, loadTop(load));
    }
    if (bar_ && *bar_ >= static_cast<int>(loads_.size())) bar_.reset();
    update();
}

void LoadBars::resetScale() { top_ = 2; }

QString LoadBars::barText(int expert) const {
    const double load = loads_[static_cast<std::size_t>(expert)];
    const QString text = tr("expert %1: load %2").arg(expert).arg(loadText(load));
    return load == 0 ? tr("%1 (no token at all)").arg(text) : text;
}

QByteArray LoadBars::csv() const {
    QByteArray table = "block,expert,load\n";
    for (std::size_t expert = 0; expert < loads_.size(); ++expert) {
        table += csvField(layer_) + ',' + QByteArray::number(static_cast<qulonglong>(expert)) +
                 ',' + csvNumber(loads_[expert]) + '\n';
    }
    return table;
}

std::vector<LegendEntry> LoadBars::legend() const {
    if (loads_.empty()) return {};
    const auto [low, high] = std::minmax_element(loads_.begin(), loads_.end());
    const Tokens& t = tokens();
    std::vector<LegendEntry> entries{
        {tr("lowest"), t.series[0], loadText(*low)},
        {tr("highest"), t.series[0], loadText(*high)},
    };
    const auto dead = std::count(loads_.begin(), loads_.end(), 0.0);
    if (dead > 0) entries.push_back({tr("without tokens"), t.danger, QString::number(dead)});
    return entries;
}

Axis LoadBars::axis() const { return roundedAxis(0, top_, false, 4); }

QRectF LoadBars::areaIn(const QRect& body) const {
    const int left = yLabelWidth();
    const int top = xLabelHeight() / 2;
    return {static_cast<double>(body.left() + left), static_cast<double>(body.top() + top),
            static_cast<double>(body.width() - left - space::kS),
            static_cast<double>(body.height() - top - xLabelHeight())};
}

QRectF LoadBars::barRect(const QRectF& area, const Axis& scale, int expert) const {
    const double slot = area.width() / static_cast<double>(loads_.size());
    const double gap = slot >= 6 ? std::min(6.0, slot * 0.25) : slot >= 3 ? 1 : 0;
    const double width = std::min<double>(kMaxBar, slot - gap);
    const double load = loads_[static_cast<std::size_t>(expert)];
    const double height =
        std::isfinite(load) ? std::min(1.0, scale.position(load)) * area.height() : 0;
    const double middle = area.left() + (expert + 0.5) * slot;
    return {middle - width / 2, area.bottom() - height, width, height};
}

void LoadBars::renderBody(QPainter& painter, const QRect& body) {
    const Tokens& t = tokens();
    const QRectF area = areaIn(body);
    const Axis scale = axis();
    const int experts = static_cast<int>(loads_.size());
    const double slot = area.width() / experts;
    drawYAxis(painter, area, scale);
    painter.setPen(Qt::NoPen);
    for (int expert = 0; expert < experts; ++expert) {
        const QRectF bar = barRect(area, scale, expert);
        if (loads_[static_cast<std::size_t>(expert)] == 0) {
            painter.setBrush(t.danger);
            const double mark = std::clamp(slot / 6, 1.0, 3.5);
            painter.drawEllipse(QPointF(bar.center().x(), area.bottom() - mark - 1), mark, mark);
            continue;
        }
        painter.setBrush(t.series[0]);
        const double corner = std::min(3.0, bar.width() / 4);
        painter.setClipRect(area);
        painter.drawRoundedRect(bar.adjusted(0, 0, 0, corner), corner, corner);
        painter.setClipping(false);
    }
    const double even = area.bottom() - scale.position(1) * area.height();
    painter.setPen(QPen(t.textMuted, 1, Qt::DashLine));
    painter.drawLine(QPointF(area.left(), crisp(even)), QPointF(area.right(), crisp(even)));
    Axis below;
    below.from = 0;
    below.to = experts;
    int stride = 1;
    while (stride * slot < 28) stride *= 2;
    for (int expert = 0; expert < experts; expert += stride) {
        below.ticks.push_back({expert + 0.5, QString::number(expert)});
    }
    drawXAxis(painter, area, below, tr("expert"));
}

void LoadBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    drawCard(painter, size());
    if (isEmpty()) return;
    const QRect body = bodyRect(size());
    renderBody(painter, body);
    if (bar_) {
        const QRectF bar = barRect(areaIn(body), axis(), *bar_);
        drawReadoutBox(painter, QRectF(body), bar.right(), tr("expert %1").arg(*bar_),
                       {{tr("load"), loadText(loads_[static_cast<std::size_t>(*bar_)]), {}}});
    }
    if (hasFocus()) drawFocusRing(painter, QRectF(body).adjusted(-6, -6, 6, 6));
}

std::optional<int> LoadBars::barAt(QPoint position) const {
    const QRectF area = areaIn(bodyRect(size()));
    if (isEmpty() || !area.contains(position)) return std::nullopt;
    const int experts = static_cast<int>(loads_.size());
    const double slot = area.width() / experts;
    return std::clamp(static_cast<int>((position.x() - area.left()) / slot), 0, experts - 1);
}

void LoadBars::setBar(std::optional<int> bar) {
    if (bar == bar_) return;
    bar_ = bar;
    if (bar_) setAccessibleDescription(barText(*bar_));
    update();
}

void LoadBars::mouseMoveEvent(QMouseEvent* event) { setBar(barAt(event->pos())); }

void LoadBars::leaveEvent(QEvent* event) {
    ChartWidget::leaveEvent(event);
    setBar(std::nullopt);
}

void LoadBars::keyPressEvent(QKeyEvent* event) {
    const int step = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    if (step == 0 || isEmpty()) return event->ignore();
    const int last = static_cast<int>(loads_.size()) - 1;
    setBar(std::clamp(bar_.value_or(step > 0 ? -1 : last + 1) + step, 0, last));
}

void LoadBars::focusInEvent(QFocusEvent* event) {
    ChartWidget::focusInEvent(event);
    update();
}

void LoadBars::focusOutEvent(QFocusEvent* event) {
    ChartWidget::focusOutEvent(event);
    setBar(std::nullopt);
    update();
}

}  // namespace ui
