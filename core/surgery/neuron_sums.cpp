// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/neuron_sums.h"

#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace core {

NeuronAxis::NeuronAxis(const Shape& shape, int axis) {
    if (axis < 0) return;
    neurons_ = std::max<std::int64_t>(shape[axis], 1);
    for (int i = axis + 1; i < static_cast<int>(shape.rank()); ++i) stride_ *= shape[i];
    stride_ = std::max<std::int64_t>(stride_, 1);
}

NeuronSums::NeuronSums(const NeuronAxis& axis)
    : axis_(axis), sums_(static_cast<std::size_t>(axis.neurons())) {}

void NeuronSums::add(std::int64_t begin, std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) continue;
        Sum& sum = sums_[axis_.neuronOf(begin + static_cast<std::int64_t>(i))];
        const auto value = static_cast<double>(values[i]);
        sum.sum += value;
        sum.squares += value * value;
        sum.count += 1;
    }
}

Spread NeuronSums::spread(std::span<const std::uint8_t> chosen) const {
    Sum total;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        if (chosen[i] == 0) continue;
        total.sum += sums_[i].sum;
        total.squares += sums_[i].squares;
        total.count += sums_[i].count;
    }
    if (total.count == 0) return {};
    const double mean = total.sum / total.count;
    return {mean, std::sqrt(std::max(0.0, total.squares / total.count - mean * mean))};
}

Spread NeuronSums::spreadOfAll() const {
    return spread(std::vector<std::uint8_t>(sums_.size(), 1));
}

std::vector<std::uint8_t> dropSet(std::uint64_t key, std::int64_t neurons, double ratio) {
    const CounterRandom random(key);
    std::vector<std::pair<std::uint32_t, std::int64_t>> order;
    order.reserve(static_cast<std::size_t>(neurons));
    for (std::int64_t i = 0; i < neurons; ++i)
        order.emplace_back(random.word(static_cast<std::uint64_t>(i)), i);
    const std::int64_t count =
        std::clamp<std::int64_t>(std::llround(ratio * static_cast<double>(neurons)), 0, neurons);
    std::sort(order.begin(), order.end());
    std::vector<std::uint8_t> chosen(static_cast<std::size_t>(neurons));
    for (std::int64_t i = 0; i < count; ++i)
        chosen[static_cast<std::size_t>(order[static_cast<std::size_t>(i)].second)] = 1;
    return chosen;
}

}  // namespace core
