// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ui {

/// One measured quantity over a growing x, kept whole: what a chart draws, zooms into and exports.
/// y may be NaN or infinite (a gap in the line).
class Series {
  public:
    /// REQUIRES: x is finite and not below the last x.
    void append(double x, double y);
    /// Removes every point with a larger x.
    void cutAfter(double x);
    void clear();

    std::span<const double> x() const noexcept { return x_; }
    std::span<const double> y() const noexcept { return y_; }
    std::size_t size() const noexcept { return x_.size(); }
    bool empty() const noexcept { return x_.empty(); }
    /// Changes whenever points already given changed, so that derived values start anew; appending
    /// leaves it alone.
    std::uint64_t revision() const noexcept { return revision_; }
    /// Index of the point nearest to `at`; REQUIRES: not empty.
    std::size_t nearest(double at) const;

  private:
    std::vector<double> x_;
    std::vector<double> y_;
    std::uint64_t revision_ = 0;
};

using SeriesPtr = std::shared_ptr<const Series>;

}  // namespace ui
