// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace core::test {

/// A file of tests/reference/make_checkpoint_fixtures.py.
inline Path fixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/reference/checkpoint" / name;
}

/// What the tensors of those files hold: -3, -2, -1, ...
inline std::vector<float> counting(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) - 3;
    return values;
}

struct Expected {
    const char* name;
    DType dtype;
    Shape shape;
};

/// Type, shape and values; of Bool three: true, false, true.
inline void expectCounting(const Checkpoint& checkpoint, const TensorInfo& info,
                           const Expected& expected) {
    EXPECT_EQ(info.dtype, expected.dtype) << info.name;
    EXPECT_EQ(info.shape, expected.shape) << info.name;
    const std::vector<float> values =
        expected.dtype == DType::Bool
            ? std::vector<float>{1, 0, 1}
            : counting(static_cast<std::size_t>(expected.shape.elements()));
    EXPECT_EQ(checkpoint.readFloats(info), values) << info.name;
}

}  // namespace core::test
