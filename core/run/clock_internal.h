// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace core {

/// Unix seconds now, to the microsecond.
inline double unixSeconds() {
    using std::chrono::microseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<double>(std::chrono::duration_cast<microseconds>(now).count()) * 1e-6;
}

}  // namespace core
