// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/histogram.h"

#include "ui/theme/theme.h"

#include <QEvent>
#include <QHelpEvent>
#include <QLocale>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace ui {
namespace {

constexpr int kBins = 64;

QString valueText(double value) { return QLocale().toString(value, 'g', 3); }

}  // namespace

Histogram::Histogram(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("Histogram of the values"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void Histogram::setStats(const std::optional<core::TensorStats>& stats) {
    stats_ = stats;
    setAccessibleDescription(
        stats ? tr("From %1 to %2").arg(valueText(stats->min), valueText(stats->max)) : QString());
    update();
}

QRectF Histogram::plot() const {
    const double labels = QFontMetricsF(textFont(TextRole::Caption)).height() + space::kXs;
    return QRectF(rect()).adjusted(0, 2, 0, -labels);
}

int Histogram::binAt(double x) const {
    const QRectF area = plot();
    return std::clamp(static_cast<int>((x - area.left()) / area.width() * kBins), 0, kBins - 1);
}

void Histogram::paintEvent(QPaintEvent*) {
    const Tokens& t = tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = plot();
    painter.setPen(QPen(t.border, 1));
    painter.drawLine(QPointF(area.left(), area.bottom() + 0.5),
                     QPointF(area.right(), area.bottom() + 0.5));
    if (!stats_) return;
    const std::uint64_t highest =
        *std::max_element(stats_->histogram.begin(), stats_->histogram.end());
    if (highest == 0) return;
    const double width = area.width() / kBins;
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.series[0]);
    for (int i = 0; i < kBins; ++i) {
        const std::uint64_t count = stats_->histogram[static_cast<std::size_t>(i)];
        if (count == 0) continue;
        const double share = static_cast<double>(count) / static_cast<double>(highest);
        const double height = std::max(1.0, share * area.height());
        painter.drawRect(QRectF(area.left() + i * width, area.bottom() - height,
                                std::max(1.0, width - 1), height));
    }
    painter.setFont(textFont(TextRole::Caption));
    painter.setPen(t.textMuted);
    const QRectF labels(area.left(), area.bottom() + space::kXs, area.width(),
                        height() - area.bottom() - space::kXs);
    painter.drawText(labels, Qt::AlignLeft | Qt::AlignTop, valueText(stats_->min));
    painter.drawText(labels, Qt::AlignRight | Qt::AlignTop, valueText(stats_->max));
}

bool Histogram::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip || !stats_) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int bin = binAt(help->pos().x());
    const double step = (stats_->max - stats_->min) / kBins;
    const std::uint64_t count = stats_->histogram[static_cast<std::size_t>(bin)];
    QToolTip::showText(
        help->globalPos(),
        tr("%1 to %2: %3 values")
            .arg(valueText(stats_->min + bin * step), valueText(stats_->min + (bin + 1) * step),
                 QLocale().toString(static_cast<qulonglong>(count))),
        this);
    return true;
}

}  // namespace ui
