// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <string>
#include <vector>

namespace core {

/// Load balance of one MoE layer over one or more batches (definitions: load 1 = even, 0 = dead).
struct RouterStats {
    std::string block;
    std::vector<double> load;  ///< [E] accepted assignments / mean over experts
    double unrouted = 0;       ///< tokens that no expert took / real tokens
    double dropped = 0;        ///< assignments over capacity / asked for
    double entropy = 0;  ///< mean over tokens of -sum p log p / log E (1 = undecided; 0 when E = 1)
    double combineSum = 0;  ///< mean over real tokens of the summed combine weights
    double cv = 0;          ///< population std of accepted assignments / mean
};

/// Sums observations of the same layer; stats() of nothing is all zero.
class RouterStatsAccumulator {
  public:
    void add(const RouterObservation& observation, Backend& backend);
    std::vector<RouterStats> stats() const;
    void clear();

  private:
    struct Sums {
        std::string block;
        std::vector<double> accepted;
        double tokens = 0, unrouted = 0, asked = 0, dropped = 0, entropy = 0, combine = 0;
    };
    std::vector<Sums> layers_;
};

/// The combine weights as a table F32 [n, E] on the host, 0 where a token is not routed.
Tensor denseCombineWeights(const RouterObservation& observation, Backend& backend);

}  // namespace core
