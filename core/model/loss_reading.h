// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// The losses of a forward that are numbers on the device (F64 [1] each): the sum of the
/// cross-entropy where labels counted, then of every router its balance loss (Top-K) and z-loss.
std::vector<Tensor> lossesThere(const ForwardResult& result);

/// How those numbers make up a forward's losses; outlives the forward's tensors.
class LossReading {
  public:
    explicit LossReading(const ForwardResult& result);
    struct Losses {
        double loss = 0;     ///< mean over counted labels
        double auxLoss = 0;  ///< means over the routers
        double zLoss = 0;
        std::vector<double> routerAuxLosses, routerZLosses;
    };
    /// Of the numbers of lossesThere().
    Losses read(std::span<const double> numbers) const;
    std::size_t numbers() const noexcept;

  private:
    std::int64_t counted_;
    std::vector<bool> balanced_;  ///< per router: whether it has a balance loss
};

/// Puts the losses into the result. A forward's last work: it waits for the device.
void readLosses(ForwardResult& result, Backend& backend);

}  // namespace core
