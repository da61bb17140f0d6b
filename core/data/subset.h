// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// Some examples of another dataset, in the order of `indices`.
std::shared_ptr<const ImageDataset> makeSubset(std::shared_ptr<const ImageDataset> whole,
                                               std::vector<std::int64_t> indices,
                                               std::string description);

/// 0 ... count - 1 in an order that depends on (seed, stream) alone (Fisher-Yates).
std::vector<std::int64_t> keyedPermutation(std::int64_t count, std::uint64_t seed,
                                           std::uint64_t stream);

/// 5 % of `count` (at least one), drawn by seed, increasing; or all the others.
std::vector<std::int64_t> heldOutIndices(std::int64_t count, std::uint64_t seed, bool heldOut);

}  // namespace core
