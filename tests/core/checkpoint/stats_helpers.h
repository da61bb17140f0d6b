// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint_writer.h"
#include "core/checkpoint/tensor_stats.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace core::test {

/// One tensor of any stored type.
template <typename T>
std::shared_ptr<const Checkpoint> writeTensor(const Path& path, DType dtype,
                                              const std::vector<T>& values) {
    TensorInfo info;
    info.name = "t";
    info.dtype = dtype;
    info.shape = {static_cast<std::int64_t>(values.size())};
    const auto writer = CheckpointWriter::create(path, {info}, {});
    writer->write(0, std::as_bytes(std::span(values)));
    writer->commit();
    return Checkpoint::open(path);
}

inline TensorStats statsOfFirst(const Checkpoint& checkpoint) {
    const std::atomic<bool> cancel{false};
    return computeStats(checkpoint, checkpoint.tensors()[0], cancel);
}

/// Written apart from the engine: plain loops in long double.
struct Reference {
    long double min = 0, max = 0, mean = 0, std = 0;
    std::uint64_t zeros = 0, nan = 0, infinite = 0;
    std::vector<std::uint64_t> bins;

    explicit Reference(const std::vector<double>& values) : bins(64) {
        std::vector<long double> finite;
        for (const double value : values) {
            if (std::isnan(value))
                ++nan;
            else if (std::isinf(value))
                ++infinite;
            else
                finite.push_back(static_cast<long double>(value));
            zeros += value == 0 ? 1 : 0;
        }
        if (finite.empty()) return;
        min = *std::min_element(finite.begin(), finite.end());
        max = *std::max_element(finite.begin(), finite.end());
        for (const long double value : finite) mean += value;
        mean /= static_cast<long double>(finite.size());
        for (const long double value : finite) std += (value - mean) * (value - mean);
        std = std::sqrt(std / static_cast<long double>(finite.size()));
        for (const long double value : finite) {
            const long double place = max > min ? 64 * ((value - min) / (max - min)) : 0;
            ++bins[std::min<std::size_t>(63, static_cast<std::size_t>(place))];
        }
    }
};

}  // namespace core::test
