// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/surgery/report.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

std::uint64_t floatsIn(const Checkpoint& checkpoint) {
    std::uint64_t count = 0;
    for (const TensorInfo& tensor : checkpoint.tensors())
        count += static_cast<std::uint64_t>(tensor.shape.elements());
    return count;
}

std::uint64_t bytesIn(const Checkpoint& checkpoint) {
    std::uint64_t bytes = 0;
    for (const TensorInfo& tensor : checkpoint.tensors()) bytes += tensor.bytes;
    return bytes;
}

TEST(Cost, IsExactlyWhatTheWrittenFileHolds) {
    const TemporaryFolder folder;
    const auto dense = SmallVit{}.write(folder / "dense");
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(5);
    plan.layers["encoder.3"] = moeLayer(2, {ExpertInit::Kind::Drop, 0.5});
    const PlanReport report = compilePlan(readSpec(*dense), dense->tensors(), plan);
    EXPECT_EQ(report.before.parameters, floatsIn(*dense));
    EXPECT_EQ(report.before.fileBytes, bytesIn(*dense));
    for (const bool half : {false, true}) {
        ConvertOptions options;
        if (half) options.dtype = DType::BF16;
        const Path target = folder / (half ? "half" : "full");
        const ConvertResult result = convert(*dense, plan, target, options);
        const auto sparse = Checkpoint::open(target);
        EXPECT_EQ(report.after.parameters, floatsIn(*sparse));
        EXPECT_EQ(result.bytes, bytesIn(*sparse));
        EXPECT_EQ(result.tensors, sparse->tensors().size());
        EXPECT_EQ(convertedBytes(*dense, plan, options), bytesIn(*sparse));
        EXPECT_EQ(report.after.fileBytes / (half ? 2 : 1), bytesIn(*sparse));
        const ModelCost cost = modelCost(readSpec(*sparse), sparse->tensors());
        EXPECT_EQ(cost.parameters, report.after.parameters);
        EXPECT_EQ(cost.activeParameters, report.after.activeParameters);
        EXPECT_EQ(cost.fileBytes, bytesIn(*sparse));
    }
}

/// H 8, I 12, 2 patches a side of 2x2x1, T = 10 tokens, 3 classes, 4 blocks.
TEST(Cost, FlopsAndActiveParametersByHand) {
    const SmallVit vit;
    const ModelSpec spec = vit.spec();
    const double linear = 4 * 2 * 8 * 8;
    const double scores = 2 * 2 * 10 * 8;
    const double mlp = 2 * 2 * 8 * 12;
    const double ends = (2.0 * 8 * 4 * 9 + 2.0 * 8 * 3) / 10;
    EXPECT_DOUBLE_EQ(modelCost(spec, {}).flopsPerToken, 4 * (linear + scores + mlp) + ends);

    const auto after = [&](const MoeSpec& moe) {
        ModelSpec output = spec;
        output.blocks[3].moe = moe;
        return modelCost(output, {}).flopsPerToken - modelCost(spec, {}).flopsPerToken;
    };
    MoeSpec moe;
    moe.experts = 6;
    moe.capacity = 1.5;
    const double router = 2 * 8 * 6;
    EXPECT_DOUBLE_EQ(after(moe), 0.5 * mlp + router);
    moe.capacity = 100;
    EXPECT_DOUBLE_EQ(after(moe), 5 * mlp + router);
    moe.router = RouterKind::TopK;
    moe.k = 3;
    EXPECT_DOUBLE_EQ(after(moe), 2 * mlp + router);
    moe.capacity = 1;
    EXPECT_DOUBLE_EQ(after(moe), router);
    moe.dropless = true;
    EXPECT_DOUBLE_EQ(after(moe), 2 * mlp + router);
}

TEST(Cost, ActiveParametersLeaveOutIdleExperts) {
    const TemporaryFolder folder;
    const auto dense = SmallVit{}.write(folder / "dense");
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(6);
    const PlanReport report = compilePlan(readSpec(*dense), dense->tensors(), plan);
    const std::uint64_t expert = 2 * 8 * 12 + 8 + 12;
    const std::uint64_t router = 6 * 8;
    EXPECT_EQ(report.before.activeParameters, report.before.parameters);
    EXPECT_EQ(report.after.parameters, report.before.parameters + 5 * expert + router);
    EXPECT_EQ(report.after.activeParameters, report.before.parameters + expert + router);
}

/// Peak of what a training step of the real model allocates.
double measuredBytes(const ModelSpec& spec, std::int64_t batch, const StepSettings& settings) {
    const auto model = makeModel(spec, makeCpuBackend(1), true, {}, settings.dtype);
    initializeParameters(model->parameters(), 1, model->backend());
    double weights = 0;
    for (const Parameter& parameter : model->parameters())
        weights += static_cast<double>(parameter.value.bytes() + parameter.gradient.bytes() +
                                       (parameter.bf16.defined() ? parameter.bf16.bytes() : 0));
    Batch input;
    input.pixels =
        Tensor::zeros({batch, spec.vit.channels, spec.vit.imageSize, spec.vit.imageSize});
    input.labels = Tensor::zeros({batch}, DType::I64);
    ForwardOptions options;
    options.training = true;
    options.recompute = settings.recompute;
    model->forward(input, options);
    model->backward(1);
    return weights + static_cast<double>(model->workspace().peakBytes() + input.pixels.bytes());
}

struct TrainingCase {
    const char* name;
    std::int64_t batch;
    std::int64_t experts;  ///< 0 = dense
    RouterKind router;
    GroupSize group;
    StepSettings settings{};
};
void PrintTo(const TrainingCase& value, std::ostream* stream) { *stream << value.name; }

class TrainingMemory : public testing::TestWithParam<TrainingCase> {};

TEST_P(TrainingMemory, EstimateIsWithinATenthOfThePeak) {
    const TrainingCase& c = GetParam();
    ModelSpec spec = SmallVit{.layers = 4, .hidden = 48, .inner = 192, .image = 16}.spec();
    MoeSpec moe;
    moe.experts = c.experts;
    moe.router = c.router;
    moe.group = c.group;
    if (c.experts > 0) spec.blocks[2].moe = spec.blocks[3].moe = moe;
    const double measured = measuredBytes(spec, c.batch, c.settings);
    const auto estimated = static_cast<double>(trainingBytes(spec, c.batch, 0, {}, c.settings));
    EXPECT_NEAR(estimated / measured, 1.0, 0.1) << estimated << " estimated, " << measured;
    double weights = 0;
    for (const Parameter& parameter : describeParameters(spec))
        weights += 4.0 * static_cast<double>(parameter.shape.elements());
    EXPECT_EQ(static_cast<double>(trainingBytes(spec, c.batch, 2, {}, c.settings)) - estimated,
              2 * weights);
}

INSTANTIATE_TEST_SUITE_P(
    Models, TrainingMemory,
    testing::Values(
        TrainingCase{"DenseOne", 1, 0, RouterKind::ExpertChoice, {}},
        TrainingCase{"Dense", 32, 0, RouterKind::ExpertChoice, {}},
        TrainingCase{"ExpertChoice", 32, 8, RouterKind::ExpertChoice, {}},
        TrainingCase{"ManyExperts", 4, 32, RouterKind::ExpertChoice, {}},
        TrainingCase{"Sequences", 16, 8, RouterKind::ExpertChoice, {GroupSize::Kind::Sequence, 0}},
        TrainingCase{"TopK", 32, 8, RouterKind::TopK, {}},
        TrainingCase{"SmallGroups", 8, 4, RouterKind::ExpertChoice, {GroupSize::Kind::Tokens, 50}},
        TrainingCase{"DenseBf16", 32, 0, RouterKind::ExpertChoice, {}, {DType::BF16, false}},
        TrainingCase{"MoeBf16", 32, 8, RouterKind::ExpertChoice, {}, {DType::BF16, false}},
        TrainingCase{"DenseAgain", 32, 0, RouterKind::ExpertChoice, {}, {DType::F32, true}},
        TrainingCase{"MoeAgain", 32, 8, RouterKind::ExpertChoice, {}, {DType::F32, true}},
        TrainingCase{"MoeAgainBf16", 32, 8, RouterKind::TopK, {}, {DType::BF16, true}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace core::test
