// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/smoothing.h"

#include <cmath>
#include <limits>

namespace ui {

void Smoothing::setWeight(double weight) {
    if (weight == weight_) return;
    weight_ = weight;
    restart();
}

void Smoothing::restart() {
    average_ = 0;
    remaining_ = 1;
    values_.clear();
}

std::span<const double> Smoothing::of(const Series& series) {
    if (series.revision() != revision_ || series.size() < values_.size()) {
        revision_ = series.revision();
        restart();
    }
    values_.reserve(series.size());
    for (std::size_t i = values_.size(); i < series.size(); ++i) {
        const double y = series.y()[i];
        if (!std::isfinite(y)) {
            values_.push_back(std::numeric_limits<double>::quiet_NaN());
            continue;
        }
        average_ = weight_ * average_ + (1 - weight_) * y;
        remaining_ *= weight_;
        values_.push_back(average_ / (1 - remaining_));
    }
    return values_;
}

}  // namespace ui
