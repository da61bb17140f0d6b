// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/color_scale.h"

#include "ui/theme/theme.h"

#include <QLocale>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int kStrip = 12;

QColor mixed(const QColor& a, const QColor& b, double share) {
    const auto mix = static_cast<float>(share);
    return QColor::fromRgbF(a.redF() + mix * (b.redF() - a.redF()),
                            a.greenF() + mix * (b.greenF() - a.greenF()),
                            a.blueF() + mix * (b.blueF() - a.blueF()));
}

}  // namespace

DivergingColors::DivergingColors(double top) : scale_(top > 0 ? kHalf / top : 0.0), table_() {
    const auto& stops = tokens().diverging;
    const auto last = static_cast<double>(stops.size() - 1);
    for (std::size_t i = 0; i < table_.size(); ++i) {
        const double at = last * static_cast<double>(i) / static_cast<double>(table_.size() - 1);
        const auto below = std::min(static_cast<std::size_t>(at), stops.size() - 2);
        table_[i] = mixed(stops[below], stops[below + 1], at - static_cast<double>(below)).rgb();
    }
}

QRgb DivergingColors::of(float value) const noexcept {
    const double place = std::clamp(static_cast<double>(value) * scale_, -1.0 * kHalf, 1.0 * kHalf);
    return table_[static_cast<std::size_t>(std::lround(place) + kHalf)];
}

ColorScale::ColorScale(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
    setAccessibleName(tr("Colour scale"));
}

void ColorScale::setTop(double top) {
    top_ = top;
    setAccessibleDescription(tr("from −%1 to %1").arg(QLocale().toString(top, 'g', 3)));
    update();
}

void ColorScale::setSignalled(bool signalled) {
    signalled_ = signalled;
    update();
}

void ColorScale::paintEvent(QPaintEvent*) {
    const Tokens& t = tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(textFont(TextRole::Caption));
    const int line = painter.fontMetrics().height();
    const int below = signalled_ ? line + space::kM : 0;
    const QRectF strip(0.5, line / 2.0, kStrip, std::min(320, height() - below - line));
    QLinearGradient gradient(strip.bottomLeft(), strip.topLeft());
    for (std::size_t i = 0; i < t.diverging.size(); ++i)
        gradient.setColorAt(static_cast<double>(i) / static_cast<double>(t.diverging.size() - 1),
                            t.diverging[i]);
    painter.setPen(QPen(t.borderStrong, 1));
    painter.setBrush(gradient);
    painter.drawRoundedRect(strip, 2, 2);
    painter.setPen(t.textMuted);
    const auto label = [&](double share, const QString& text) {
        const double y = strip.bottom() - share * strip.height() - line / 2.0;
        painter.drawText(QRectF(strip.right() + 6, y, width(), line), Qt::AlignLeft, text);
    };
    const auto text = [](double value) { return QLocale().toString(value, 'g', 3); };
    label(0, text(-top_));
    label(0.25, text(-top_ / 2));
    label(0.5, QStringLiteral("0"));
    label(0.75, text(top_ / 2));
    label(1, text(top_));
    if (!signalled_) return;
    const double y = strip.bottom() + space::kM;
    painter.setPen(QPen(t.borderStrong, 1));
    painter.setBrush(t.signal);
    painter.drawRoundedRect(QRectF(0.5, y + (line - kStrip) / 2.0, kStrip, kStrip), 2, 2);
    painter.setPen(t.textMuted);
    painter.drawText(QRectF(strip.right() + 6, y, width(), line), Qt::AlignLeft, tr("NaN, ±∞"));
}

}  // namespace ui
