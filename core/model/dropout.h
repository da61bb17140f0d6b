// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"

#include <cstdint>
#include <string_view>

namespace core {

/// Dropout at one place of a network: y = x / (1 - rate) where the counter-based random of `key`
/// keeps an element, else 0. Every place derives its own key, so that none repeats another's
/// pattern. Rate 0 does nothing. backward is the same call on the gradient.
struct Dropout {
    float rate = 0;
    std::uint64_t key = 0;

    Dropout at(std::string_view place) const;
    void apply(const Pass& pass, InOut x) const;
};

}  // namespace core
