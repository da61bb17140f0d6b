// SPDX-License-Identifier: Apache-2.0
#include "core/data/resize.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace core {
namespace {

/// Output pixel i = sum of weights[k] * input[first + k].
struct Taps {
    std::int64_t first = 0;
    std::vector<float> weights;
};

/// Triangle filter from [begin, begin + length) of an axis of `size` pixels to `into` pixels.
std::vector<Taps> makeTaps(double begin, double length, std::int64_t size, std::int64_t into) {
    std::vector<Taps> taps(static_cast<std::size_t>(into));
    const double step = length / static_cast<double>(into);
    const double support = std::max(step, 1.0);
    for (std::int64_t i = 0; i < into; ++i) {
        const double centre = begin + (static_cast<double>(i) + 0.5) * step;
        const auto first = std::max<std::int64_t>(
            0, static_cast<std::int64_t>(std::floor(centre - support + 0.5)));
        const auto last = std::min<std::int64_t>(
            size, static_cast<std::int64_t>(std::floor(centre + support + 0.5)));
        std::vector<double> weights;
        double total = 0;
        for (std::int64_t x = first; x < last; ++x) {
            const double distance = std::abs(static_cast<double>(x) + 0.5 - centre) / support;
            weights.push_back(std::max(0.0, 1.0 - distance));
            total += weights.back();
        }
        Taps& tap = taps[static_cast<std::size_t>(i)];
        tap.first = first;
        for (const double weight : weights)
            tap.weights.push_back(static_cast<float>(weight / total));
    }
    return taps;
}

/// [H_in, W_in, C] -> [C, rows needed, W_out], only the rows that the vertical pass reads.
std::vector<float> resizeRows(const ImageView& image, const std::vector<Taps>& taps,
                              std::int64_t top, std::int64_t bottom) {
    const auto width = static_cast<std::int64_t>(taps.size());
    std::vector<float> out(static_cast<std::size_t>(image.channels * (bottom - top) * width));
    for (std::int64_t y = top; y < bottom; ++y) {
        const std::uint8_t* row = image.pixels + y * image.width * image.channels;
        for (std::int64_t x = 0; x < width; ++x) {
            const Taps& tap = taps[static_cast<std::size_t>(x)];
            for (int c = 0; c < image.channels; ++c) {
                const std::uint8_t* pixel = row + tap.first * image.channels + c;
                float sum = 0;
                for (const float weight : tap.weights) {
                    sum += weight * static_cast<float>(*pixel);
                    pixel += image.channels;
                }
                out[static_cast<std::size_t>((c * (bottom - top) + y - top) * width + x)] = sum;
            }
        }
    }
    return out;
}

void resizeColumns(const float* rows, const std::vector<Taps>& taps, std::int64_t top,
                   std::int64_t width, float* into) {
    for (const Taps& tap : taps) {
        std::fill(into, into + width, 0.0F);
        for (std::size_t k = 0; k < tap.weights.size(); ++k) {
            const float* row = rows + (tap.first - top + static_cast<std::int64_t>(k)) * width;
            for (std::int64_t x = 0; x < width; ++x) into[x] += tap.weights[k] * row[x];
        }
        into += width;
    }
}

void convertChannels(const std::vector<float>& planes, int channels, const ImageShape& shape,
                     float* into) {
    const std::int64_t plane = shape.height * shape.width;
    const auto rounded = [](float value) { return std::clamp(std::round(value), 0.0F, 255.0F); };
    for (std::int64_t i = 0; i < plane; ++i) {
        const float* p = planes.data() + i;
        if (shape.channels == 1 && channels == 3)
            into[i] = rounded(0.299F * p[0] + 0.587F * p[plane] + 0.114F * p[2 * plane]);
        else
            for (std::int64_t c = 0; c < shape.channels; ++c)
                into[c * plane + i] = rounded(p[channels == 1 ? 0 : c * plane]);
    }
}

}  // namespace

void fitImage(const ImageView& image, const ImageShape& shape, float* into) {
    const double w = static_cast<double>(image.width);
    const double h = static_cast<double>(image.height);
    const double scale =
        std::min(w / static_cast<double>(shape.width), h / static_cast<double>(shape.height));
    const double boxWidth = scale * static_cast<double>(shape.width);
    const double boxHeight = scale * static_cast<double>(shape.height);
    const auto across = makeTaps((w - boxWidth) / 2, boxWidth, image.width, shape.width);
    const auto down = makeTaps((h - boxHeight) / 2, boxHeight, image.height, shape.height);
    const std::int64_t top = down.front().first;
    const std::int64_t bottom =
        down.back().first + static_cast<std::int64_t>(down.back().weights.size());
    const std::vector<float> rows = resizeRows(image, across, top, bottom);
    std::vector<float> planes(
        static_cast<std::size_t>(image.channels * shape.height * shape.width));
    for (int c = 0; c < image.channels; ++c)
        resizeColumns(rows.data() + c * (bottom - top) * shape.width, down, top, shape.width,
                      planes.data() + c * shape.height * shape.width);
    convertChannels(planes, image.channels, shape, into);
}

void requireImageChannels(const ImageShape& shape, const std::string& source) {
    if (shape.channels == 1 || shape.channels == 3) return;
    throw Error(
        ErrorKind::BadInput,
        fmt::format("{} has images of 1 or 3 channels, the model takes {}", source, shape.channels),
        "use a model with num_channels 1 or 3");
}

}  // namespace core
