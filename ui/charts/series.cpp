// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/series.h"

#include <algorithm>
#include <iterator>

namespace ui {

void Series::append(double x, double y) {
    x_.push_back(x);
    y_.push_back(y);
}

void Series::cutAfter(double x) {
    const auto end = std::upper_bound(x_.begin(), x_.end(), x);
    if (end == x_.end()) return;
    const auto kept = std::distance(x_.begin(), end);
    x_.erase(end, x_.end());
    y_.erase(y_.begin() + kept, y_.end());
    ++revision_;
}

void Series::clear() {
    x_.clear();
    y_.clear();
    ++revision_;
}

std::size_t Series::nearest(double at) const {
    const auto after = std::lower_bound(x_.begin(), x_.end(), at);
    if (after == x_.begin()) return 0;
    if (after == x_.end()) return x_.size() - 1;
    const auto index = static_cast<std::size_t>(std::distance(x_.begin(), after));
    return at - x_[index - 1] <= x_[index] - at ? index - 1 : index;
}

}  // namespace ui
