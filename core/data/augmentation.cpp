// SPDX-License-Identifier: Apache-2.0
#include "core/data/augmentation.h"

#include "core/base/random.h"

#include <algorithm>

namespace core {
namespace {

float at(const std::vector<float>& perChannel, std::int64_t channel) {
    return perChannel.size() == 1 ? perChannel[0] : perChannel[static_cast<std::size_t>(channel)];
}

/// into[x] = factor * row[x + shift] + offset, row being zero outside [0, width).
void shiftRow(const float* row, std::int64_t width, std::int64_t shift, float factor, float offset,
              float* into) {
    const std::int64_t begin = std::clamp<std::int64_t>(-shift, 0, width);
    const std::int64_t end = std::clamp<std::int64_t>(width - shift, 0, width);
    std::fill(into, into + begin, offset);
    for (std::int64_t x = begin; x < end; ++x) into[x] = factor * row[x + shift] + offset;
    std::fill(into + std::max(begin, end), into + width, offset);
}

}  // namespace

AugmentationDraw drawAugmentation(const Augmentation& augmentation, std::uint64_t seed,
                                  std::uint64_t epoch, std::int64_t example) noexcept {
    const CounterRandom random(hashName(seed, "augmentation"), epoch);
    const std::uint64_t first = static_cast<std::uint64_t>(example) * 4;
    const auto span = 2 * static_cast<std::uint64_t>(augmentation.cropPadding) + 1;
    const auto shift = [&](std::uint64_t index) {
        return static_cast<std::int64_t>(random.below(first + index, span)) -
               augmentation.cropPadding;
    };
    return {.shiftX = shift(0),
            .shiftY = shift(1),
            .flip = augmentation.flip && random.below(first + 2, 2) == 1};
}

void prepareImage(const float* raw, const ImageShape& shape, const Normalization& normalization,
                  bool normalized, const AugmentationDraw& draw, float* into) {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
        const float deviation = normalized ? 1.0F : at(normalization.std, c);
        const float factor = normalized ? 1.0F : 1.0F / (255.0F * deviation);
        const float offset = normalized ? 0.0F : -at(normalization.mean, c) / deviation;
        const float* plane = raw + c * shape.height * shape.width;
        for (std::int64_t y = 0; y < shape.height; ++y, into += shape.width) {
            const std::int64_t from = y + draw.shiftY;
            if (from < 0 || from >= shape.height)
                std::fill(into, into + shape.width, offset);
            else
                shiftRow(plane + from * shape.width, shape.width, draw.shiftX, factor, offset,
                         into);
            if (draw.flip) std::reverse(into, into + shape.width);
        }
    }
}

}  // namespace core
