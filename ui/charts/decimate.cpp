// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/decimate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace ui {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class LineBuilder {
  public:
    explicit LineBuilder(std::size_t expected) { lines_.vertices.reserve(expected); }

    void add(double x, double y) {
        if (!open_) lines_.starts.push_back(lines_.vertices.size());
        open_ = true;
        lines_.vertices.push_back({x, y});
    }
    void breakLine() { open_ = false; }
    Polylines take() { return std::move(lines_); }

  private:
    Polylines lines_;
    bool open_ = false;
};

struct Extremes {
    std::size_t lowest = 0, highest = 0;
    bool any = false;
};

/// Smallest and largest drawable value of [begin, end). Comparisons with NaN are false, which is
/// what leaves it out.
Extremes findExtremes(std::span<const double> y, std::size_t begin, std::size_t end, double floor) {
    double low = kInfinity;
    double high = -kInfinity;
    for (std::size_t i = begin; i < end; ++i) {
        const double value = y[i];
        const bool drawable = value > floor && value < kInfinity;
        low = drawable && value < low ? value : low;
        high = drawable && value > high ? value : high;
    }
    Extremes found;
    if (low > high) return found;
    found.any = true;
    const auto first = y.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = y.begin() + static_cast<std::ptrdiff_t>(end);
    found.lowest = static_cast<std::size_t>(std::find(first, last, low) - y.begin());
    found.highest = static_cast<std::size_t>(std::find(first, last, high) - y.begin());
    return found;
}

}  // namespace

std::span<const Vertex> Polylines::line(std::size_t index) const {
    const std::size_t begin = starts[index];
    const std::size_t end = index + 1 < starts.size() ? starts[index + 1] : vertices.size();
    return std::span(vertices).subspan(begin, end - begin);
}

Polylines decimate(std::span<const double> x, std::span<const double> y, const DecimateView& view) {
    const double floor = view.positiveOnly ? 0.0 : -kInfinity;
    const auto indexOf = [&](auto position) {
        return static_cast<std::size_t>(std::distance(x.begin(), position));
    };
    const std::size_t inside = indexOf(std::lower_bound(x.begin(), x.end(), view.from));
    const std::size_t outside = indexOf(std::upper_bound(x.begin(), x.end(), view.to));
    const std::size_t begin = inside > 0 ? inside - 1 : 0;
    const std::size_t end = std::min(outside + 1, x.size());
    const auto columns = static_cast<std::size_t>(std::max(view.columns, 1));

    LineBuilder lines(std::min(end - begin, 2 * columns + 2));
    const auto addPoint = [&](std::size_t i) {
        if (y[i] > floor && y[i] < kInfinity) {
            lines.add(x[i], y[i]);
        } else {
            lines.breakLine();
        }
    };
    if (outside - inside <= 2 * columns) {
        for (std::size_t i = begin; i < end; ++i) addPoint(i);
        return lines.take();
    }

    if (begin < inside) addPoint(begin);
    const double width = (view.to - view.from) / static_cast<double>(columns);
    std::size_t i = inside;
    for (std::size_t column = 0; column < columns && i < outside; ++column) {
        const double edge = view.from + width * static_cast<double>(column + 1);
        const auto from = x.begin() + static_cast<std::ptrdiff_t>(i);
        const auto to = x.begin() + static_cast<std::ptrdiff_t>(outside);
        const std::size_t next =
            column + 1 == columns ? outside : indexOf(std::lower_bound(from, to, edge));
        if (next == i) continue;
        const Extremes found = findExtremes(y, i, next, floor);
        if (!found.any) {
            lines.breakLine();
        } else {
            const auto [first, second] = std::minmax(found.lowest, found.highest);
            lines.add(x[first], y[first]);
            if (second != first) lines.add(x[second], y[second]);
        }
        i = next;
    }
    if (outside < end) addPoint(outside);
    return lines.take();
}

}  // namespace ui
