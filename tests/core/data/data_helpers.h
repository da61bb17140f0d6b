// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace core::test {

/// Image i is filled with i % 251, its label is i % classes.
class CountingImages : public ImageDataset {
  public:
    explicit CountingImages(std::int64_t size, std::int64_t classes = 7)
        : size_(size), classes_(classes) {}
    std::int64_t size() const override { return size_; }
    std::int64_t classes() const override { return classes_; }
    std::int64_t label(std::int64_t index) const override { return index % classes_; }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        std::fill(into, into + shape.channels * shape.height * shape.width,
                  static_cast<float>(index % 251));
        return label(index);
    }
    std::string description() const override { return "counting images"; }

  private:
    std::int64_t size_;
    std::int64_t classes_;
};

inline std::string bigEndian(std::uint32_t value) {
    return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U),
            static_cast<char>(value >> 8U), static_cast<char>(value)};
}

/// IDX bytes of `sizes` with the given elements.
inline std::string idxBytes(const std::vector<std::uint32_t>& sizes, std::string_view elements) {
    std::string bytes = bigEndian(0x0800U + static_cast<std::uint32_t>(sizes.size()));
    for (const std::uint32_t size : sizes) bytes += bigEndian(size);
    return bytes += elements;
}

/// Writes a gzip file.
void writeGzip(const Path& path, std::string_view bytes);

/// MNIST's four files: `train` and `test` images of height x width, pixel = image number, label =
/// image number % 3.
void writeIdxFolder(const Path& folder, int train, int test, int height, int width);

}  // namespace core::test
