// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"
#include "ui/charts/plot_view.h"
#include "ui/theme/theme.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ui {
namespace {

constexpr int kYTicks = 4;
constexpr int kPixelsPerXTick = 80;
constexpr int kPixelsPerMarker = 14;

QColor faint(const QColor& color, const QColor& onto) {
    const auto mix = [](float a, float b) { return a * 0.28F + b * 0.72F; };
    return QColor::fromRgbF(mix(color.redF(), onto.redF()), mix(color.greenF(), onto.greenF()),
                            mix(color.blueF(), onto.blueF()));
}

/// The y on the straight line through a and b at x, as the axis draws it.
double crossing(const Vertex& a, const Vertex& b, double x, bool logarithmic) {
    const double along = (x - a.x) / (b.x - a.x);
    return logarithmic ? a.y * std::pow(b.y / a.y, along) : a.y + along * (b.y - a.y);
}

/// Cuts the lines at the edges of [from, to]: nothing is drawn outside the axes, in a picture
/// format without clipping either.
Polylines clipped(const Polylines& lines, double from, double to, bool logarithmic) {
    Polylines result;
    for (std::size_t i = 0; i < lines.lines(); ++i) {
        const std::span<const Vertex> line = lines.line(i);
        const std::size_t start = result.vertices.size();
        for (std::size_t j = 0; j < line.size(); ++j) {
            const Vertex& v = line[j];
            if (v.x < from) {
                if (j + 1 < line.size() && line[j + 1].x > from) {
                    result.vertices.push_back({from, crossing(v, line[j + 1], from, logarithmic)});
                    if (line[j + 1].x > to) {
                        result.vertices.push_back({to, crossing(v, line[j + 1], to, logarithmic)});
                    }
                }
            } else if (v.x > to) {
                if (j > 0 && line[j - 1].x >= from && line[j - 1].x < to) {
                    result.vertices.push_back({to, crossing(line[j - 1], v, to, logarithmic)});
                }
            } else {
                result.vertices.push_back(v);
            }
        }
        if (result.vertices.size() > start) result.starts.push_back(start);
    }
    return result;
}

}  // namespace

PlotContent LineChart::makeContent(int columns) {
    PlotContent content;
    content.xName = xName_;
    if (isEmpty()) return content;
    const Range range = shownRange();
    content.x.from = range.from;
    content.x.to = range.to;
    content.x.ticks = linearTicks(range.from, range.to, std::max(2, columns / kPixelsPerXTick));

    const DecimateView window{range.from, range.to, columns, logarithmic_};
    const auto add = [&](std::span<const double> x, std::span<const double> y, const QColor& color,
                         double width, bool markers) {
        PlotCurve curve;
        curve.lines = clipped(decimate(x, y, window), range.from, range.to, logarithmic_);
        curve.color = color;
        const bool dense = static_cast<double>(curve.lines.vertices.size()) > 1.5 * columns;
        curve.width =
            dense ? std::min(width, 1.0) : width;  // wider ones take twice as long to draw
        curve.markers = markers && curve.lines.vertices.size() <
                                       static_cast<std::size_t>(columns / kPixelsPerMarker);
        content.curves.push_back(std::move(curve));
    };
    const Tokens& t = tokens();
    if (smoothing_ > 0) {
        for (const Curve& curve : curves_) {
            if (!curve.style.smooth) continue;
            const QColor color = t.series[static_cast<std::size_t>(curve.style.color)];
            add(curve.series->x(), curve.series->y(), faint(color, t.surface), 1, false);
        }
    }
    for (std::size_t i = 0; i < curves_.size(); ++i) {
        const auto& [style, series] = curves_[i];
        const QColor color = t.series[static_cast<std::size_t>(style.color)];
        const bool averaged = smoothing_ > 0 && style.smooth;
        add(series->x(), averaged ? smoothed_[i].of(*series) : series->y(), color, 1.75,
            style.markers);
    }

    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const PlotCurve& curve : content.curves) {
        for (const Vertex& v : curve.lines.vertices) {
            low = std::min(low, v.y);
            high = std::max(high, v.y);
        }
    }
    if (low > high) low = high = logarithmic_ ? 1 : 0;
    if (yBase_ && !logarithmic_) low = std::min(low, *yBase_);
    if (yTop_) high = std::max(high, *yTop_);
    content.y = roundedAxis(low, high, logarithmic_, kYTicks, format_);
    return content;
}

}  // namespace ui
