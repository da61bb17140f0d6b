// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include "core/base/error.h"
#include "core/ops/memory.h"
#include "core/ops/optimizer.h"
#include "core/training/optimizer_internal.h"

#include <utility>

namespace core {
namespace {

float decayOf(const OptimizerSpec& spec, const Parameter& parameter) {
    return parameter.decay ? static_cast<float>(spec.weightDecay) : 0.0F;
}

class AdamW final : public Optimizer {
  public:
    AdamW(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
          std::shared_ptr<Backend> backend)
        : Optimizer(spec, parameters.size()), spec_(spec), backend_(std::move(backend)) {
        for (std::size_t i = 0; i < parameters.size(); ++i)
            for (const char* slot : {"m", "v"})
                state_.push_back(
                    {slot, i, parameters[i].parts, zeroState(*backend_, parameters[i].shape)});
    }

    void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                std::int64_t step) override {
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const AdamWArgs args{.lr = static_cast<float>(lr),
                                 .beta1 = spec_.beta1,
                                 .beta2 = spec_.beta2,
                                 .epsilon = static_cast<float>(spec_.epsilon),
                                 .weightDecay = decayOf(spec_, parameters[i]),
                                 .step = step - starts()[i] + 1};
            ops::adamwStep(*backend_, parameters[i].value, state_[2 * i].value,
                           state_[2 * i + 1].value, parameters[i].gradient, scale, args);
        }
    }

  private:
    OptimizerSpec spec_;
    std::shared_ptr<Backend> backend_;
};

class Sgd final : public Optimizer {
  public:
    Sgd(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
        std::shared_ptr<Backend> backend)
        : Optimizer(spec, parameters.size()), spec_(spec), backend_(std::move(backend)) {
        for (std::size_t i = 0; i < parameters.size(); ++i)
            state_.push_back(
                {"momentum", i, parameters[i].parts, zeroState(*backend_, parameters[i].shape)});
    }

    void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                std::int64_t step) override {
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const SgdArgs args{.lr = static_cast<float>(lr),
                               .momentum = static_cast<float>(spec_.momentum),
                               .weightDecay = decayOf(spec_, parameters[i]),
                               .nesterov = spec_.nesterov,
                               .firstStep = step == starts()[i]};
            ops::sgdStep(*backend_, parameters[i].value, state_[i].value, parameters[i].gradient,
                         scale, args);
        }
    }

  private:
    OptimizerSpec spec_;
    std::shared_ptr<Backend> backend_;
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
    const auto bytes = static_cast<std::size_t>(shape.elements()) * sizeof(float);
    const Tensor state(backend.allocate(bytes), 0, shape, DType::F32);
    ops::fill(backend, state, 0.0F);
    return state;
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
