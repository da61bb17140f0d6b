// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/series.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ui {

/// Exponential moving average of a series, free of the bias towards its start:
/// m_i = w m_(i-1) + (1 - w) y_i, value_i = m_i / (1 - w^i). Values that are not finite give NaN
/// and leave the average as it was. Computes only what has been appended since the last call.
class Smoothing {
  public:
    /// 0 <= weight < 1; 0 gives the values themselves.
    void setWeight(double weight);
    double weight() const noexcept { return weight_; }
    /// As many values as the series has points; valid until the next call.
    std::span<const double> of(const Series& series);

  private:
    void restart();

    double weight_ = 0;
    double average_ = 0;
    double remaining_ = 1;  ///< w^i
    std::uint64_t revision_ = 0;
    std::vector<double> values_;
};

}  // namespace ui
