// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace simt {

/// Uniform in [0, bound), from the seed; bound > 0.
std::size_t randomBelow(std::size_t bound);

}  // namespace simt
