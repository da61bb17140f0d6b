// SPDX-License-Identifier: Apache-2.0
#include "core/model/loss_reading.h"

#include "core/base/error.h"
#include "core/ops/memory.h"

#include <algorithm>

namespace core {

std::vector<Tensor> lossesThere(const ForwardResult& result) {
    std::vector<Tensor> there;
    if (result.lossThere.defined()) there.push_back(result.lossThere);
    for (const RouterObservation& router : result.routers) {
        if (router.auxLossThere.defined()) there.push_back(router.auxLossThere);
        there.push_back(router.zLossThere);
    }
    return there;
}

LossReading::LossReading(const ForwardResult& result) : counted_(result.counted) {
    CORE_CHECK((counted_ > 0) == result.lossThere.defined(), "a loss where labels count");
    for (const RouterObservation& router : result.routers)
        balanced_.push_back(router.auxLossThere.defined());
}

std::size_t LossReading::numbers() const noexcept {
    return (counted_ > 0 ? 1U : 0U) + balanced_.size() +
           static_cast<std::size_t>(std::count(balanced_.begin(), balanced_.end(), true));
}

LossReading::Losses LossReading::read(std::span<const double> numbers) const {
    CORE_CHECK(numbers.size() == this->numbers(), "the numbers of the same forward");
    Losses losses;
    std::size_t at = 0;
    if (counted_ > 0) losses.loss = numbers[at++] / static_cast<double>(counted_);
    const auto routers = static_cast<double>(balanced_.size());
    for (const bool balanced : balanced_) {
        losses.routerAuxLosses.push_back(balanced ? numbers[at++] : 0.0);
        losses.routerZLosses.push_back(numbers[at++]);
        losses.auxLoss += losses.routerAuxLosses.back() / routers;
        losses.zLoss += losses.routerZLosses.back() / routers;
    }
    return losses;
}

void readLosses(ForwardResult& result, Backend& backend) {
    std::vector<double> numbers;
    for (const Tensor& there : lossesThere(result))
        numbers.push_back(ops::hostNumber(backend, there));
    LossReading::Losses losses = LossReading(result).read(numbers);
    result.loss = losses.loss;
    result.auxLoss = losses.auxLoss;
    result.zLoss = losses.zLoss;
    for (std::size_t i = 0; i < result.routers.size(); ++i) {
        result.routers[i].auxLoss = losses.routerAuxLosses[i];
        result.routers[i].zLoss = losses.routerZLosses[i];
    }
}

}  // namespace core
