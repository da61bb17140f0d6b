// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_state_io.h"

#include "core/checkpoint/checkpoint_writer.h"
#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace core::test {
namespace {

Tensor one() { return Tensor::of<float>({1}, std::vector{1.0F}); }

/// Tensor of counting values, a different range for each name.
Tensor counting(const Shape& shape, float first) {
    const Tensor tensor = Tensor::host(shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i)
        tensor.data<float>()[i] = first + static_cast<float>(i);
    return tensor;
}

/// A dense model's MLP matrix and bias.
std::vector<Parameter> denseParameters() {
    return {makeParameter("mlp.weight", counting({4, 6}, 0)),
            makeParameter("mlp.bias", counting({4}, 50))};
}

/// The same MLP as `experts` copies behind a router.
std::vector<Parameter> moeParameters(std::int64_t experts) {
    const auto expert = [&](const std::string& rest, const Shape& part) {
        std::vector<std::int64_t> sizes{experts};
        sizes.insert(sizes.end(), part.sizes().begin(), part.sizes().end());
        Parameter p = makeParameter("expert_{e}." + rest, Tensor::zeros(Shape(sizes)));
        p.experts = experts;
        p.parts.clear();
        for (std::int64_t e = 0; e < experts; ++e)
            p.parts.push_back({"expert_" + std::to_string(e) + "." + rest, part});
        return p;
    };
    return {makeParameter("router.weight", Tensor::zeros({experts, 6})), expert("weight", {4, 6}),
            expert("bias", {4})};
}

MomentSources expertSources(std::int64_t experts) {
    MomentSources sources{{"router.weight", ""}};
    for (std::int64_t e = 0; e < experts; ++e)
        for (const std::string rest : {"weight", "bias"})
            sources["expert_" + std::to_string(e) + "." + rest] = "mlp." + rest;
    return sources;
}

void save(const Path& target, Optimizer& optimizer, const std::vector<Parameter>& parameters,
          Backend& backend) {
    const auto writer =
        CheckpointWriter::create(target, optimizerTensors(optimizer, parameters), {});
    saveOptimizerState(
        optimizer, parameters, backend,
        [&](std::size_t index, std::span<const std::byte> bytes) { writer->write(index, bytes); });
    writer->commit();
}

OptimizerSpec specOf(OptimizerKind kind, std::int64_t stepOffset = 0) {
    OptimizerSpec spec;
    spec.kind = kind;
    spec.minDimToFactor = 3;
    spec.stepOffset = stepOffset;
    return spec;
}

class OptimizerStateIo : public ::testing::TestWithParam<OptimizerKind> {
  protected:
    /// A dense optimizer after some steps, saved.
    void SetUp() override {
        dense = denseParameters();
        optimizer = makeOptimizer(specOf(GetParam(), 7), dense, backend);
        for (std::int64_t step = 7; step < 10; ++step) {
            for (Parameter& p : dense) copyInto(p.gradient, counting(p.shape, 1.0F));
            optimizer->update(dense, 0.01, one(), step);
        }
        save(file, *optimizer, dense, *backend);
    }

    TemporaryFolder folder;
    Path file = folder / "optimizer.safetensors";
    std::shared_ptr<Backend> backend = makeCpuBackend(1);
    std::vector<Parameter> dense;
    std::unique_ptr<Optimizer> optimizer;
};

TEST_P(OptimizerStateIo, ComesBackBitEqual) {
    const auto restored = makeOptimizer(specOf(GetParam()), dense, backend);
    loadOptimizerState(*restored, dense, *backend, *Checkpoint::open(file), {}, 10);
    ASSERT_EQ(restored->state().size(), optimizer->state().size());
    for (std::size_t i = 0; i < optimizer->state().size(); ++i) {
        const auto a = optimizer->state()[i].value.rawSpan();
        const auto b = restored->state()[i].value.rawSpan();
        EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
    EXPECT_EQ(restored->starts(), (std::vector<std::int64_t>{7, 7}));
}

TEST_P(OptimizerStateIo, NamesAndShapesAreThoseOfTheFileTensors) {
    const auto checkpoint = Checkpoint::open(file);
    for (const OptimizerState& state : optimizer->state()) {
        ASSERT_EQ(state.parts.size(), 1U);
        const TensorInfo* info = checkpoint->find(state.slot + "/" + state.parts[0].tensor);
        ASSERT_NE(info, nullptr);
        EXPECT_EQ(info->dtype, DType::F32);
        if (state.slot == "row" || state.slot == "column") continue;
        EXPECT_EQ(info->shape, dense[state.parameter].shape);
    }
}

TEST_P(OptimizerStateIo, MomentsAreCopiedToEveryExpertAndRoutersBeginAnew) {
    constexpr std::int64_t kExperts = 3;
    std::vector<Parameter> moe = moeParameters(kExperts);
    const auto carried = makeOptimizer(specOf(GetParam()), moe, backend);
    loadOptimizerState(*carried, moe, *backend, *Checkpoint::open(file), expertSources(kExperts),
                       10);
    EXPECT_EQ(carried->starts(), (std::vector<std::int64_t>{10, 7, 7}));
    for (const OptimizerState& state : carried->state()) {
        if (state.parameter == 0) {
            for (const float value : state.value.span<float>()) EXPECT_EQ(value, 0.0F);
            continue;
        }
        const auto from = std::find_if(
            optimizer->state().begin(), optimizer->state().end(), [&](const OptimizerState& s) {
                return s.slot == state.slot && s.parameter == state.parameter - 1;
            });
        ASSERT_NE(from, optimizer->state().end());
        const std::int64_t each = from->value.elements();
        ASSERT_EQ(state.value.elements(), kExperts * each);
        for (std::int64_t i = 0; i < state.value.elements(); ++i)
            EXPECT_EQ(state.value.data<float>()[i], from->value.data<float>()[i % each]);
    }
}

TEST_P(OptimizerStateIo, ACarriedExpertStepsLikeTheDenseMlp) {
    std::vector<Parameter> moe = moeParameters(2);
    for (std::int64_t e = 0; e < 2; ++e) {
        copyInto(moe[1].value.rows(e, e + 1), dense[0].value);
        copyInto(moe[2].value.rows(e, e + 1), dense[1].value);
        copyInto(moe[1].gradient.rows(e, e + 1), dense[0].gradient);
        copyInto(moe[2].gradient.rows(e, e + 1), dense[1].gradient);
    }
    const auto carried = makeOptimizer(specOf(GetParam()), moe, backend);
    loadOptimizerState(*carried, moe, *backend, *Checkpoint::open(file), expertSources(2), 10);
    carried->update(moe, 0.01, one(), 10);
    optimizer->update(dense, 0.01, one(), 10);
    for (std::size_t p = 0; p < 2; ++p)
        for (std::int64_t i = 0; i < moe[p + 1].value.elements(); ++i)
            EXPECT_EQ(moe[p + 1].value.data<float>()[i],
                      dense[p].value.data<float>()[i % dense[p].value.elements()]);
}

TEST_P(OptimizerStateIo, MissingOrMisshapenStateIsNamed) {
    const auto checkpoint = Checkpoint::open(file);
    const auto refusal = [&](const std::vector<Parameter>& parameters) {
        const auto other = makeOptimizer(specOf(GetParam()), parameters, backend);
        return errorOf(ErrorKind::BadInput, [&] {
            loadOptimizerState(*other, parameters, *backend, *checkpoint, {}, 10);
        });
    };
    EXPECT_NE(refusal({makeParameter("head.weight", counting({4, 6}, 0))}).find("head.weight"),
              std::string::npos);
    EXPECT_NE(refusal({makeParameter("mlp.bias", counting({5}, 0))}).find("mlp.bias"),
              std::string::npos);
    const auto late = makeOptimizer(specOf(GetParam()), dense, backend);
    EXPECT_NE(errorOf(ErrorKind::BadInput,
                      [&] { loadOptimizerState(*late, dense, *backend, *checkpoint, {}, 6); })
                  .find("start/"),
              std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OptimizerStateIo,
                         ::testing::Values(OptimizerKind::AdamW, OptimizerKind::Adafactor,
                                           OptimizerKind::Sgd),
                         [](const auto& test) { return std::string(optimizerName(test.param)); });

}  // namespace
}  // namespace core::test
