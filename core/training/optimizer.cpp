// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include "core/base/error.h"
#include "core/ops/memory.h"
#include "core/ops/optimizer.h"
#include "core/tensor/arena.h"
#include "core/training/optimizer_internal.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <span>
#include <utility>

namespace core {
namespace {

float decayOf(const OptimizerSpec& spec, const Parameter& parameter) {
    return parameter.decay ? static_cast<float>(spec.weightDecay) : 0.0F;
}

/// An optimizer whose update of an element does not look at others: parameters that lie one after
/// the other in memory and have one rule are updated as one tensor.
class Elementwise : public Optimizer {
  protected:
    Elementwise(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
                std::shared_ptr<Backend> backend, std::initializer_list<const char*> slots)
        : Optimizer(spec, parameters.size()),
          spec_(spec),
          backend_(std::move(backend)),
          slots_(slots.size()),
          order_(parameters.size()) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            return std::less<>()(parameters[a].value.raw(), parameters[b].value.raw());
        });
        state_.resize(parameters.size() * slots_);
        std::vector<Shape> shapes;
        for (const std::size_t i : order_) shapes.push_back(parameters[i].shape);
        std::size_t slot = 0;
        for (const char* name : slots) {
            const std::vector<Tensor> moments = zeroStates(*backend_, shapes);
            for (std::size_t at = 0; at < order_.size(); ++at) {
                const std::size_t i = order_[at];
                state_[i * slots_ + slot] = {name, i, parameters[i].parts, moments[at]};
            }
            ++slot;
        }
    }

    /// body(weight, gradient, moments of each slot, parameter) for every stretch of one rule;
    /// `parameter` is the index of its first.
    template <typename Body>
    void forStretches(const std::vector<Parameter>& parameters, Body body) {
        for (std::size_t at = 0; at < order_.size();) {
            std::size_t last = at;
            while (last + 1 < order_.size() && goesOn(parameters, order_[last], order_[last + 1]))
                ++last;
            const std::size_t first = order_[at];
            const std::size_t end = order_[last];
            const auto all = [&](const Tensor& from, const Tensor& to) {
                return first == end ? from : from.through(to);
            };
            std::vector<Tensor> moments;
            for (std::size_t slot = 0; slot < slots_; ++slot)
                moments.push_back(all(moment(first, slot), moment(end, slot)));
            body(all(parameters[first].value, parameters[end].value),
                 all(parameters[first].gradient, parameters[end].gradient), moments, first);
            at = last + 1;
        }
    }

    OptimizerSpec spec_;
    std::shared_ptr<Backend> backend_;

  private:
    const Tensor& moment(std::size_t parameter, std::size_t slot) const {
        return state_[parameter * slots_ + slot].value;
    }
    bool goesOn(const std::vector<Parameter>& parameters, std::size_t a, std::size_t b) {
        bool follow = parameters[a].value.isFollowedBy(parameters[b].value) &&
                      parameters[a].gradient.isFollowedBy(parameters[b].gradient);
        for (std::size_t slot = 0; slot < slots_; ++slot)
            follow = follow && moment(a, slot).isFollowedBy(moment(b, slot));
        const bool sameDecay = decayOf(spec_, parameters[a]) == decayOf(spec_, parameters[b]);
        return follow && sameDecay && starts()[a] == starts()[b];
    }

    std::size_t slots_;
    std::vector<std::size_t> order_;  ///< of the parameters in memory
};

class AdamW final : public Elementwise {
  public:
    AdamW(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
          std::shared_ptr<Backend> backend)
        : Elementwise(spec, parameters, std::move(backend), {"m", "v"}) {}

    void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                std::int64_t step) override {
        forStretches(parameters, [&](const Tensor& weight, const Tensor& gradient,
                                     const std::vector<Tensor>& moments, std::size_t first) {
            const AdamWArgs args{.lr = static_cast<float>(lr),
                                 .beta1 = spec_.beta1,
                                 .beta2 = spec_.beta2,
                                 .epsilon = static_cast<float>(spec_.epsilon),
                                 .weightDecay = decayOf(spec_, parameters[first]),
                                 .step = step - starts()[first] + 1};
            ops::adamwStep(*backend_, weight, moments[0], moments[1], gradient, scale, args);
        });
    }
};

class Sgd final : public Elementwise {
  public:
    Sgd(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
        std::shared_ptr<Backend> backend)
        : Elementwise(spec, parameters, std::move(backend), {"momentum"}) {}

    void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                std::int64_t step) override {
        forStretches(parameters, [&](const Tensor& weight, const Tensor& gradient,
                                     const std::vector<Tensor>& moments, std::size_t first) {
            const SgdArgs args{.lr = static_cast<float>(lr),
                               .momentum = static_cast<float>(spec_.momentum),
                               .weightDecay = decayOf(spec_, parameters[first]),
                               .nesterov = spec_.nesterov,
                               .firstStep = step == starts()[first]};
            ops::sgdStep(*backend_, weight, moments[0], gradient, scale, args);
        });
    }
};

}  // namespace

std::string_view optimizerName(OptimizerKind kind) noexcept {
    switch (kind) {
        case OptimizerKind::AdamW:
            return "adamw";
        case OptimizerKind::Adafactor:
            return "adafactor";
        case OptimizerKind::Sgd:
            return "sgd";
    }
    return "";
}

std::optional<OptimizerKind> optimizerFromName(std::string_view name) noexcept {
    for (const OptimizerKind kind :
         {OptimizerKind::AdamW, OptimizerKind::Adafactor, OptimizerKind::Sgd})
        if (optimizerName(kind) == name) return kind;
    return std::nullopt;
}

Tensor zeroState(Backend& backend, const Shape& shape) {
    return zeroStates(backend, {&shape, 1}).front();
}

std::vector<Tensor> zeroStates(Backend& backend, std::span<const Shape> shapes) {
    std::vector<Tensor> states =
        allocateTogether(shapes, [&](std::size_t bytes) { return backend.allocate(bytes); });
    for (const Tensor& all : joined(states)) ops::fill(backend, all, 0.0F);
    return states;
}

std::unique_ptr<Optimizer> makeOptimizer(const OptimizerSpec& spec,
                                         const std::vector<Parameter>& parameters,
                                         std::shared_ptr<Backend> backend) {
    switch (spec.kind) {
        case OptimizerKind::AdamW:
            return std::make_unique<AdamW>(spec, parameters, std::move(backend));
        case OptimizerKind::Adafactor:
            return makeAdafactor(spec, parameters, std::move(backend));
        case OptimizerKind::Sgd:
            return std::make_unique<Sgd>(spec, parameters, std::move(backend));
    }
    throw Error(ErrorKind::Internal, "unhandled optimizer");
}

}  // namespace core
