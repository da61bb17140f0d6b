// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ui {

struct Vertex {
    double x = 0, y = 0;
    bool operator==(const Vertex&) const = default;
};

/// Lines that are not joined to each other: line i is vertices [starts[i], starts[i + 1]) (the last
/// one ends with the vertices).
struct Polylines {
    std::vector<Vertex> vertices;
    std::vector<std::size_t> starts;

    std::size_t lines() const noexcept { return starts.size(); }
    std::span<const Vertex> line(std::size_t index) const;
};

struct DecimateView {
    double from = 0, to = 0;    ///< visible x range, from < to
    int columns = 0;            ///< pixels over that range
    bool positiveOnly = false;  ///< log axis: y <= 0 cannot be drawn and is a gap
};

/// Min-max decimation: per pixel column the smallest and the largest value in their order, so that
/// no extreme is ever lost; one point beyond each edge keeps the line going out of the picture.
/// Where a column has points but none that can be drawn (NaN, infinite), the line ends and a new
/// one begins. With at most two points a column the points themselves are given, each gap kept.
/// REQUIRES: x ascending, as many y as x. Cost: one pass over the visible y.
Polylines decimate(std::span<const double> x, std::span<const double> y, const DecimateView& view);

}  // namespace ui
