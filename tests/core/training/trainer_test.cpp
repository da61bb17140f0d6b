// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace core::test {
namespace {

constexpr std::int64_t kInputs = 16;
constexpr std::int64_t kClasses = 5;

LoaderOptions loaderOptions(std::int64_t batch) {
    LoaderOptions options;
    options.batch = batch;
    options.shape = {.channels = 1, .height = 4, .width = 4};
    options.seed = 3;
    return options;
}

TrainerSpec trainerSpec() {
    TrainerSpec spec;
    spec.steps = 100;
    spec.schedule.lr = 0.05;
    return spec;
}

/// The weights after `steps` steps on `data`.
std::vector<float> train(const TrainerSpec& spec, const std::shared_ptr<MemoryImages>& data,
                         int steps, std::vector<StepMetrics>* all = nullptr) {
    LinearModel model(makeCpuBackend(2), kInputs, kClasses);
    BatchLoader loader(data, loaderOptions(24), {});
    Trainer trainer(model, loader, spec, 0);
    for (int i = 0; i < steps; ++i) {
        const StepMetrics metrics = trainer.step();
        if (all != nullptr) all->push_back(metrics);
    }
    std::vector<float> weights;
    for (const Parameter& p : model.parameters())
        weights.insert(weights.end(), p.value.span<float>().begin(), p.value.span<float>().end());
    return weights;
}

void expectNear(const std::vector<float>& a, const std::vector<float>& b, float tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(Trainer, LossFallsAndMetricsSayWhatHappened) {
    std::vector<StepMetrics> metrics;
    TrainerSpec spec = trainerSpec();
    spec.schedule.warmup = 4;
    train(spec, makeClusters(240, kInputs, kClasses), 60, &metrics);
    EXPECT_LT(metrics.back().loss, 0.5 * metrics.front().loss);
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        EXPECT_EQ(metrics[i].step, static_cast<std::int64_t>(i) + 1);
        EXPECT_DOUBLE_EQ(metrics[i].lr, 0.05 * std::min(1.0, static_cast<double>(i) / 4));
        EXPECT_EQ(metrics[i].examples, 24);
        EXPECT_EQ(metrics[i].tokens, 24 * 5);  // 8x8 pixels, patches of 4, and the cls token
        EXPECT_TRUE(metrics[i].applied);
        EXPECT_GT(metrics[i].gradNorm, 0);
        EXPECT_GT(metrics[i].seconds, 0);
    }
}

TEST(Trainer, IsBitEqualWhenRepeated) {
    const auto data = makeClusters(100, kInputs, kClasses);
    EXPECT_EQ(train(trainerSpec(), data, 20), train(trainerSpec(), data, 20));
}

TEST(Trainer, MicrobatchesAddUpToTheBatch) {
    const auto data = makeClusters(100, kInputs, kClasses);
    std::vector<StepMetrics> whole;
    const std::vector<float> expected = train(trainerSpec(), data, 12, &whole);
    for (const std::int64_t microbatch : {1, 7, 12, 24, 50}) {
        TrainerSpec spec = trainerSpec();
        spec.microbatch = microbatch;
        std::vector<StepMetrics> metrics;
        expectNear(train(spec, data, 12, &metrics), expected, 2e-5F);
        EXPECT_NEAR(metrics[5].loss, whole[5].loss, 1e-5);
        EXPECT_NEAR(metrics[5].gradNorm, whole[5].gradNorm, 1e-4 * whole[5].gradNorm);
    }
}

TEST(Trainer, MicrobatchesAreWeightedByCountedLabels) {
    const auto clusters = makeClusters(48, kInputs, kClasses);
    const Tensor pixels = Tensor::host({48, kInputs});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 48; ++i) {
        const std::int64_t label = clusters->read(i, {}, pixels.data<float>() + i * kInputs);
        labels.push_back(i % 3 == 0 || i < 16 ? -100 : label);  // very uneven microbatches
    }
    const auto data = std::make_shared<MemoryImages>(pixels, labels, kClasses);
    TrainerSpec spec = trainerSpec();
    std::vector<StepMetrics> whole;
    const std::vector<float> expected = train(spec, data, 10, &whole);
    spec.microbatch = 2;
    std::vector<StepMetrics> metrics;
    expectNear(train(spec, data, 10, &metrics), expected, 2e-5F);
    for (std::size_t i = 0; i < whole.size(); ++i)
        EXPECT_NEAR(metrics[i].loss, whole[i].loss, 1e-5);
}

TEST(Trainer, ClipsByTheGlobalNorm) {
    const auto data = makeClusters(100, kInputs, kClasses);
    TrainerSpec spec = trainerSpec();
    spec.optimizer.kind = OptimizerKind::Sgd;
    spec.optimizer.momentum = 0;
    spec.schedule.lr = 1.0;
    const auto stepLength = [&](double clip, StepMetrics& metrics) {
        spec.clip = clip;
        std::vector<StepMetrics> all;
        const std::vector<float> before = train(spec, data, 0);
        const std::vector<float> after = train(spec, data, 1, &all);
        metrics = all[0];
        double squares = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
            squares += std::pow(static_cast<double>(after[i] - before[i]), 2);
        return std::sqrt(squares);
    };
    StepMetrics metrics;
    const double unclipped = stepLength(0, metrics);
    const double norm = metrics.gradNorm;
    ASSERT_GT(norm, 0.1);
    EXPECT_NEAR(unclipped, norm, 1e-4 * norm);
    EXPECT_NEAR(stepLength(0.01, metrics), 0.01, 1e-5);
    EXPECT_DOUBLE_EQ(metrics.gradNorm, norm);  // what is shown is the norm before clipping
    EXPECT_NEAR(stepLength(1e6, metrics), norm, 1e-4 * norm);
}

TEST(Trainer, SkipsTheUpdateWhenSomethingIsNotFinite) {
    const auto clusters = makeClusters(48, kInputs, kClasses);
    const Tensor pixels = Tensor::host({48, kInputs});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 48; ++i)
        labels.push_back(clusters->read(i, {}, pixels.data<float>() + i * kInputs));
    pixels.data<float>()[5 * kInputs] = std::numeric_limits<float>::quiet_NaN();
    const auto data = std::make_shared<MemoryImages>(pixels, labels, kClasses);
    LinearModel model(makeCpuBackend(1), kInputs, kClasses);
    BatchLoader loader(data, loaderOptions(24), {});
    Trainer trainer(model, loader, trainerSpec(), 0);
    int skipped = 0;
    for (int i = 0; i < 6; ++i) {  // one batch of each epoch of two holds the bad image
        const Tensor before = Tensor::host({kClasses, kInputs});
        copyInto(before, model.parameters()[0].value);
        const StepMetrics metrics = trainer.step();
        EXPECT_EQ(metrics.step, i + 1);
        const auto a = before.rawSpan();
        const auto b = model.parameters()[0].value.rawSpan();
        EXPECT_EQ(std::equal(a.begin(), a.end(), b.begin()), !metrics.applied);
        skipped += metrics.applied ? 0 : 1;
        EXPECT_EQ(metrics.applied, std::isfinite(metrics.loss));
    }
    EXPECT_EQ(skipped, 3);
    for (const float weight : model.parameters()[0].value.span<float>())
        EXPECT_TRUE(std::isfinite(weight));
}

TEST(Trainer, ContinuesScheduleAndMomentsOfARun) {
    const auto data = makeClusters(96, kInputs, kClasses);
    TrainerSpec spec = trainerSpec();
    spec.schedule.kind = ScheduleKind::Rsqrt;
    spec.schedule.timescale = 4;
    spec.schedule.startStep = 100;
    const auto backend = std::shared_ptr<Backend>(makeCpuBackend(1));
    LinearModel model(backend, kInputs, kClasses);
    BatchLoader loader(data, loaderOptions(24), {});
    Trainer first(model, loader, spec, 0);
    for (int i = 0; i < 9; ++i) first.step();

    LinearModel copy(backend, kInputs, kClasses);
    BatchLoader again(data, loaderOptions(24), loader.position());
    Trainer second(copy, again, spec, 9);
    for (std::size_t p = 0; p < 2; ++p)
        copyInto(copy.parameters()[p].value, model.parameters()[p].value);
    for (std::size_t s = 0; s < first.optimizer().state().size(); ++s)
        copyInto(second.optimizer().state()[s].value, first.optimizer().state()[s].value);
    second.optimizer().starts() = first.optimizer().starts();
    for (int i = 0; i < 9; ++i) {
        const StepMetrics a = first.step();
        const StepMetrics b = second.step();
        EXPECT_EQ(a.step, b.step);
        EXPECT_EQ(a.loss, b.loss);
        EXPECT_EQ(a.lr, b.lr);
        EXPECT_EQ(a.gradNorm, b.gradNorm);
    }
}

}  // namespace
}  // namespace core::test
