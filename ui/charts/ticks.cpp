// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/ticks.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

/// Beyond it an axis has no meaning and differences would overflow.
constexpr double kLargest = 1e300;

/// The round number nearest above range / count.
double roundStep(double range, int count) {
    const double rough = range / std::max(count, 1);
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (power * factor >= rough * (1 - 1e-9)) return power * factor;
    }
    return power * 10;
}

struct Unit {
    double size = 1;
    QString suffix;
};

Unit unitOf(double largest) {
    if (largest >= 1e9) return {1e9, QStringLiteral(" B")};
    if (largest >= 1e6) return {1e6, QStringLiteral(" M")};
    if (largest >= 1e4) return {1e3, QStringLiteral(" k")};
    return {};
}

/// "2e-5": no zero at the end of the mantissa, none before the exponent.
QString scientific(double value, int digits) {
    const QStringList parts = QString::number(value, 'e', digits).split(QLatin1Char('e'));
    return QLocale().toString(parts[0].toDouble(), 'g', digits + 1) + QLatin1Char('e') +
           QString::number(parts[1].toInt());
}

int decimalsOf(double step) {
    return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
}

/// Labels that show `step` exactly, all alike.
QString tickText(double value, double step, double largest, ValueFormat format) {
    if (format == ValueFormat::Percent) {
        return QLocale().toString(value * 100, 'f', decimalsOf(step * 100)) + QStringLiteral(" %");
    }
    if (largest < 1.001e-3) {
        if (value == 0) return QLocale().toString(0);
        const double power = std::pow(10.0, std::floor(std::log10(std::abs(value))));
        return scientific(value, decimalsOf(step / power));
    }
    const Unit unit = unitOf(largest);
    return QLocale().toString(value / unit.size, 'f', decimalsOf(step / unit.size)) + unit.suffix;
}

}  // namespace

double Axis::position(double value) const {
    if (!logarithmic) return (value - from) / (to - from);
    return std::log(value / from) / std::log(to / from);
}

double Axis::valueAt(double at) const {
    if (!logarithmic) return from + at * (to - from);
    return from * std::pow(to / from, at);
}

std::vector<Tick> linearTicks(double from, double to, int count, ValueFormat format) {
    const double step = roundStep(to - from, count);
    const double largest = std::max(std::abs(from), std::abs(to));
    const double first = std::ceil(from / step - 1e-6);
    const int last = static_cast<int>(std::floor(to / step - first + 1e-6));
    std::vector<Tick> ticks;
    for (int i = 0; i <= last; ++i) {
        const double value = (first + i) * step;
        ticks.push_back({value == 0 ? 0.0 : value, tickText(value, step, largest, format)});
    }
    return ticks;
}

std::vector<Tick> logTicks(double from, double to, int count, ValueFormat format) {
    const double decades = std::log10(to / from);
    if (decades < 0.7) return linearTicks(from, to, count, format);
    const int stride = std::max(1, static_cast<int>(std::ceil(decades / std::max(count, 1))));
    const std::vector<double> factors =
        decades * 3 <= count ? std::vector{1.0, 2.0, 5.0} : std::vector{1.0};
    std::vector<Tick> ticks;
    const int first = static_cast<int>(std::floor(std::log10(from) + 1e-9));
    const int last = static_cast<int>(std::ceil(std::log10(to) - 1e-9));
    for (int exponent = first; exponent <= last; exponent += stride) {
        for (const double factor : factors) {
            const double value = factor * std::pow(10.0, exponent);
            if (value < from * (1 - 1e-9) || value > to * (1 + 1e-9)) continue;
            const double size = std::pow(10.0, exponent);
            ticks.push_back({value, format == ValueFormat::Plain && value < 1e-3
                                        ? scientific(value, 0)
                                        : tickText(value, size, value, format)});
        }
    }
    return ticks;
}

Axis roundedAxis(double low, double high, bool logarithmic, int count, ValueFormat format) {
    low = std::clamp(low, -kLargest, kLargest);
    high = std::clamp(high, -kLargest, kLargest);
    if (high - low <= std::abs(high) * 1e-12) low = high;
    Axis axis;
    axis.logarithmic = logarithmic;
    if (logarithmic) {
        if (low == high) {
            low /= 1.5;
            high *= 1.5;
        }
        const double padding = std::pow(high / low, 0.04);
        axis.from = low / padding;
        axis.to = high * padding;
        axis.ticks = logTicks(axis.from, axis.to, count, format);
        return axis;
    }
    if (low == high) {
        const double half = low == 0 ? 1.0 : std::abs(low) * 0.1;
        high += half;
        low = low >= 0 ? std::max(0.0, low - half) : low - half;
    }
    const double step = roundStep(high - low, count);
    axis.from = std::floor(low / step + 1e-9) * step;
    axis.to = std::ceil(high / step - 1e-9) * step;
    if (axis.from == axis.to) axis.to += step;
    axis.ticks = linearTicks(axis.from, axis.to, count + 2, format);
    return axis;
}

QString valueText(double value, ValueFormat format) {
    if (std::isnan(value)) return QCoreApplication::translate("ui::Chart", "not a number");
    if (std::isinf(value)) return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
    if (format == ValueFormat::Percent) {
        return QLocale().toString(value * 100, 'f', 2) + QStringLiteral(" %");
    }
    const double size = std::abs(value);
    if (size != 0 && size < 1e-3) return scientific(value, 3);
    const Unit unit = unitOf(size);
    const double scaled = size / unit.size;
    const int decimals = scaled >= 1000 ? 0 : scaled >= 100 ? 1 : scaled >= 10 ? 2 : 3;
    if (unit.size == 1 && value == std::floor(value)) return QLocale().toString(value, 'f', 0);
    return QLocale().toString(value / unit.size, 'f', decimals) + unit.suffix;
}

}  // namespace ui
