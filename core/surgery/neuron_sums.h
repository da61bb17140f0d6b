// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/shape.h"

#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// Mean and population standard deviation.
struct Spread {
    double mean = 0;
    double std = 0;
};

/// Which neuron each element of a flattened tensor belongs to when `axis` runs over neurons;
/// axis -1: all belong to neuron 0.
class NeuronAxis {
  public:
    NeuronAxis(const Shape& shape, int axis);
    std::int64_t neurons() const noexcept { return neurons_; }
    std::size_t neuronOf(std::int64_t element) const noexcept {
        return static_cast<std::size_t>(element / stride_ % neurons_);
    }

  private:
    std::int64_t neurons_ = 1;
    std::int64_t stride_ = 1;
};

/// Sums of a tensor's finite elements per neuron, filled piece by piece in order.
class NeuronSums {
  public:
    explicit NeuronSums(const NeuronAxis& axis);
    /// Elements [begin, begin + values.size()).
    void add(std::int64_t begin, std::span<const float> values);
    /// Over the elements of the chosen neurons; zero for none.
    Spread spread(std::span<const std::uint8_t> chosen) const;
    Spread spreadOfAll() const;

  private:
    struct Sum {
        double sum = 0, squares = 0, count = 0;
    };
    NeuronAxis axis_;
    std::vector<Sum> sums_;
};

/// Drop-Upcycling's neuron set of one expert: round(ratio * neurons) of them, those with the
/// smallest random words of stream `key`; 1 = drawn anew.
std::vector<std::uint8_t> dropSet(std::uint64_t key, std::int64_t neurons, double ratio);

}  // namespace core
