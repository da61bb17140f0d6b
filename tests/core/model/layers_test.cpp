// SPDX-License-Identifier: Apache-2.0
// Every layer's backward against finite differences of its forward.
#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"
#include "core/model/vit_block.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <functional>

namespace core::test {
namespace {

constexpr std::int64_t kSequences = 2;
constexpr std::int64_t kTokens = 14;
constexpr std::int64_t kHidden = 6;
constexpr std::int64_t kInner = 9;

class Layers : public testing::Test {
  protected:
    const Parameter& parameter(const Shape& shape, float mean = 0.0F) {
        Parameter p;
        p.shape = shape;
        p.value = Tensor::host(shape);
        p.gradient = Tensor::zeros(shape);
        fillNormal(p.value, mean, 0.5F, 100 + parameters_.size());
        parameters_.push_back(std::move(p));
        return parameters_.back();
    }
    Linear linear(std::int64_t out, std::int64_t in) {
        const Parameter& weight = parameter({out, in});
        return Linear(weight, &parameter({out}));
    }
    LayerNorm norm() {
        const Parameter& gamma = parameter({kHidden}, 1.0F);
        return {gamma, parameter({kHidden}), 1e-5F};
    }
    SelfAttention attention() {
        const Linear q = linear(kHidden, kHidden);
        const Linear k = linear(kHidden, kHidden);
        const Linear v = linear(kHidden, kHidden);
        return {q, k, v, linear(kHidden, kHidden), 2};
    }
    Mlp mlp() {
        const Linear up = linear(kInner, kHidden);
        return {up, linear(kHidden, kInner), Activation::GeluErf};
    }
    MoeMlp moe(const MoeSpec& spec) {
        const Router router(Linear(parameter({spec.experts, kHidden})), spec);
        MoeMlp::Experts experts;
        experts.upWeight = &parameter({spec.experts, kInner, kHidden});
        experts.upBias = &parameter({spec.experts, kInner});
        experts.downWeight = &parameter({spec.experts, kHidden, kInner});
        experts.downBias = &parameter({spec.experts, kHidden});
        return {router, experts, Activation::Silu};
    }

    /// `run(pass, y, x)` is a forward; `back(pass, dx, dy)` follows it. The loss is <y, target>
    /// plus what `run` returns.
    using Run = std::function<double(const Pass&, Out, const Tensor&)>;
    using Back = std::function<void(const Pass&, Out, const Tensor&)>;

    double loss(const Run& run, const Tensor& x) {
        workspace_.reset();
        shown_.reset();
        const Pass pass{*backend_, workspace_, shown_, true};
        const Tensor y = pass.tensor(x.shape());
        double sum = run(pass, y, x);
        for (std::int64_t i = 0; i < y.elements(); ++i)
            sum += static_cast<double>(y.data<float>()[i]) *
                   static_cast<double>(target_.data<float>()[i]);
        return sum;
    }

    void check(const Run& run, const Back& back) {
        Tensor x = Tensor::host({kTokens, kHidden});
        target_ = Tensor::host(x.shape());
        fillNormal(x, 0.0F, 1.0F, 1);
        fillNormal(target_, 0.0F, 1.0F, 2);
        loss(run, x);
        const Pass pass{*backend_, workspace_, shown_, true};
        const Tensor dx = Tensor::host(x.shape());
        const Tensor dy = Tensor::host(x.shape());
        std::copy_n(target_.data<float>(), dy.elements(), dy.data<float>());
        for (float& value : dx.span<float>()) value = std::nanf("");
        back(pass, dx, dy);
        checkTensor("x", run, x, x, dx);
        for (std::size_t i = 0; i < parameters_.size(); ++i)
            checkTensor("parameter " + std::to_string(i), run, x, parameters_[i].value,
                        parameters_[i].gradient);
    }

    /// Each element (or every third of many) is moved both ways.
    void checkTensor(const std::string& name, const Run& run, const Tensor& x, const Tensor& value,
                     const Tensor& gradient) {
        double largest = 0.3;  // a key bias has the gradient 0, its slope is rounding
        for (const float g : gradient.span<float>())
            largest = std::max(largest, std::abs(static_cast<double>(g)));
        constexpr float kStep = 4e-3F;
        const std::int64_t stride = value.elements() > 100 ? 3 : 1;
        for (std::int64_t i = 0; i < value.elements(); i += stride) {
            float& element = value.data<float>()[i];
            const float before = element;
            element = before + kStep;
            const double above = loss(run, x);
            element = before - kStep;
            const double below = loss(run, x);
            element = before;
            const double slope = (above - below) / (2.0 * static_cast<double>(kStep));
            EXPECT_NEAR(static_cast<double>(gradient.data<float>()[i]), slope, 4e-3 * largest)
                << name << " element " << i;
        }
    }

    std::shared_ptr<Backend> backend_ = makeCpuBackend(1);
    Workspace workspace_, shown_;
    std::deque<Parameter> parameters_;  // stable addresses
    Tensor target_;
};

TEST_F(Layers, Linear) {
    const Linear layer = linear(kHidden, kHidden);
    Tensor saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = x;
            layer.forward(pass, y, x);
            return 0.0;
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) { layer.backward(pass, dx, saved, dy); });
}

TEST_F(Layers, LayerNorm) {
    const LayerNorm layer = norm();
    LayerNorm::Saved saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = layer.forward(pass, y, x);
            return 0.0;
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) { layer.backward(pass, dx, saved, dy); });
}

TEST_F(Layers, SelfAttention) {
    const SelfAttention layer = attention();
    SelfAttention::Saved saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = layer.forward(pass, y, x, kSequences);
            return 0.0;
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) { layer.backward(pass, dx, saved, dy); });
}

TEST_F(Layers, Mlp) {
    const Mlp layer = mlp();
    Mlp::Saved saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = layer.forward(pass, y, x);
            return 0.0;
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) { layer.backward(pass, dx, saved, dy); });
}

/// With the expert's choice of tokens fixed by large margins a step does not change it; here all
/// experts take all tokens, or all K are asked.
TEST_F(Layers, MoeMlpWithBothLosses) {
    const MoeMlp layer = moe(topK(3, 2, 0, true));
    MoeMlp::Saved saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = layer.forward(pass, y, x, {kSequences});
            return 3.0 * ops::hostNumber(pass.backend, saved.routing.auxLoss) +
                   2.0 * ops::hostNumber(pass.backend, saved.routing.zLoss);
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) {
            layer.backward(pass, dx, saved, dy, 3.0F, 2.0F);
        });
}

TEST_F(Layers, BlockWithExpertChoice) {
    const LayerNorm before = norm();
    const SelfAttention attend = attention();
    const LayerNorm after = norm();
    const VitBlock layer("encoder.0", before, attend, after,
                         FeedForward(moe(expertChoice(2, 1.5, false))));
    VitBlock::Saved saved;
    check(
        [&](const Pass& pass, Out y, const Tensor& x) {
            saved = layer.forward(pass, y, x, kSequences, {});
            return 0.5 * ops::hostNumber(pass.backend, saved.routing()->zLoss);
        },
        [&](const Pass& pass, Out dx, const Tensor& dy) {
            layer.backwardInPlace(pass, saved, dy, 0.0F, 0.5F);
            std::copy_n(dy.data<float>(), dy.elements(), dx.data<float>());
        });
}

}  // namespace
}  // namespace core::test
