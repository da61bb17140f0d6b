// SPDX-License-Identifier: Apache-2.0
#include "core/model/router_stats.h"

#include "core/base/parallel.h"
#include "core/ops/assignment.h"
#include "core/ops/memory.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace core {
namespace {

/// Sum over real tokens of -sum p log p, in nats.
double entropySum(const Tensor& probabilities, const std::uint8_t* mask) {
    const std::int64_t tokens = probabilities.size(0);
    const std::int64_t experts = probabilities.size(1);
    const float* p = probabilities.data<float>();
    constexpr std::int64_t kGrain = 1024;
    std::vector<double> sums(static_cast<std::size_t>(std::max(parallelParts(tokens, kGrain), 1)));
    parallelFor(tokens, kGrain, [&](std::int64_t begin, std::int64_t end, int part) {
        double sum = 0;
        for (std::int64_t t = begin; t < end; ++t) {
            float row = 0;
            for (std::int64_t e = 0; e < experts && (mask == nullptr || mask[t] != 0); ++e) {
                const float value = p[t * experts + e];
                if (value > 0) row -= value * std::log(value);
            }
            sum += static_cast<double>(row);
        }
        sums[static_cast<std::size_t>(part)] = sum;
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

void RouterStatsAccumulator::add(const RouterObservation& observation, Backend& backend) {
    auto sums = std::find_if(layers_.begin(), layers_.end(),
                             [&](const Sums& s) { return s.block == observation.block; });
    if (sums == layers_.end()) {
        layers_.emplace_back();
        sums = layers_.end() - 1;
        sums->block = observation.block;
    }
    Assignment a = observation.assignment;
    ops::readCounts(backend, a);
    sums->accepted.resize(static_cast<std::size_t>(a.experts));
    double accepted = 0;
    for (std::size_t e = 0; e < sums->accepted.size(); ++e) {
        const auto count = static_cast<double>(a.offsets[e + 1] - a.offsets[e]);
        sums->accepted[e] += count;
        accepted += count;
    }
    const Tensor mask = ops::readable(backend, observation.mask);
    const std::uint8_t* real = mask.defined() ? mask.data<std::uint8_t>() : nullptr;
    const Tensor offsets = ops::readable(backend, a.tokenOffsets);
    const auto* first = offsets.data<std::int32_t>();
    for (std::int64_t t = 0; t < a.tokens; ++t) {
        if (real != nullptr && real[t] == 0) continue;
        sums->tokens += 1;
        if (first[t + 1] == first[t]) sums->unrouted += 1;
    }
    const double asked = std::accumulate(a.requested.begin(), a.requested.end(), 0.0);
    sums->asked += asked;
    sums->dropped += asked - accepted;
    sums->entropy += entropySum(ops::readable(backend, observation.probabilities), real);
    const Tensor weights = ops::readable(backend, observation.weights);
    for (const float weight : weights.rows(0, a.slots()).span<float>())
        sums->combine += static_cast<double>(weight);
}

std::vector<RouterStats> RouterStatsAccumulator::stats() const {
    std::vector<RouterStats> result;
    for (const Sums& sums : layers_) {
        RouterStats stats;
        stats.block = sums.block;
        const auto experts = static_cast<double>(sums.accepted.size());
        const double mean =
            std::accumulate(sums.accepted.begin(), sums.accepted.end(), 0.0) / experts;
        double variance = 0;
        for (const double count : sums.accepted) {
            const double load = mean > 0 ? count / mean : 0;
            stats.load.push_back(load);
            if (mean > 0) variance += (load - 1) * (load - 1) / experts;
        }
        stats.cv = std::sqrt(variance);
        if (sums.tokens > 0) {
            stats.unrouted = sums.unrouted / sums.tokens;
            stats.combineSum = sums.combine / sums.tokens;
            if (experts > 1) stats.entropy = sums.entropy / sums.tokens / std::log(experts);
        }
        if (sums.asked > 0) stats.dropped = sums.dropped / sums.asked;
        result.push_back(std::move(stats));
    }
    return result;
}

void RouterStatsAccumulator::clear() { layers_.clear(); }

Tensor denseCombineWeights(const RouterObservation& observation, Backend& backend) {
    const Assignment& a = observation.assignment;
    Tensor dense = Tensor::zeros({a.tokens, a.experts});
    const Tensor tokens = ops::readable(backend, a.slotToken);
    const Tensor experts = ops::readable(backend, a.slotExpert);
    const Tensor weights = ops::readable(backend, observation.weights);
    for (std::int64_t s = 0; s < a.slots(); ++s) {
        const std::int32_t token = tokens.data<std::int32_t>()[s];
        if (token >= 0)
            dense.data<float>()[token * a.experts + experts.data<std::int32_t>()[s]] =
                weights.data<float>()[s];
    }
    return dense;
}

}  // namespace core
