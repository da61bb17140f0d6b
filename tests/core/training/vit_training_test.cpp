// SPDX-License-Identifier: Apache-2.0
#include "core/training/evaluation.h"
#include "core/training/trainer.h"
#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

namespace core::test {
namespace {

constexpr std::int64_t kSide = 8;
constexpr std::int64_t kClasses = 4;
constexpr int kSteps = 100;
/// ViTConfig's 0.02 belongs to widths of hundreds: at a width of 16 it makes every layer almost
/// nothing beside its residual, and the first hundred steps go by on that plateau.
constexpr float kStd = 0.1F;

/// Bright squares in one of the four corners, over noise: what a small ViT learns at once.
std::shared_ptr<MemoryImages> makeCorners(std::int64_t count) {
    const CounterRandom random(hashName(4, "corners"));
    const Tensor pixels = Tensor::host({count, kSide * kSide});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t label = i % kClasses;
        labels.push_back(label);
        for (std::int64_t p = 0; p < kSide * kSide; ++p) {
            const bool right = p % kSide >= kSide / 2;
            const bool lower = p / kSide >= kSide / 2;
            const bool bright = (lower ? 2 : 0) + (right ? 1 : 0) == label;
            pixels.data<float>()[i * kSide * kSide + p] =
                (bright ? 1.0F : 0.0F) +
                0.5F * random.normal(static_cast<std::uint64_t>(i * kSide * kSide + p));
        }
    }
    return std::make_shared<MemoryImages>(pixels, labels, kClasses);
}

ModelSpec smallVit(bool moe) {
    ModelSpec spec;
    spec.vit = {.imageSize = kSide,
                .patchSize = 4,
                .channels = 1,
                .hidden = 16,
                .intermediate = 32,
                .heads = 2,
                .layers = 2,
                .classes = kClasses,
                .layerNormEpsilon = 1e-6F,
                .activation = Activation::GeluErf,
                .qkvBias = true,
                .labels = {},
                .initializerRange = kStd};
    for (int i = 0; i < 2; ++i)
        spec.blocks.push_back({"encoder." + std::to_string(i), "encoder", i, std::nullopt});
    if (moe) {
        spec.blocks[1].moe = MoeSpec{};
        spec.blocks[1].moe->experts = 4;
    }
    return spec;
}

std::unique_ptr<Model> makeVit(bool moe, std::shared_ptr<Backend> backend) {
    std::unique_ptr<Model> model = makeModel(smallVit(moe), std::move(backend), true);
    initializeParameters(model->parameters(), 1, model->backend());
    return model;
}

LoaderOptions loaderOptions(std::int64_t batch) {
    LoaderOptions options;
    options.batch = batch;
    options.shape = {.channels = 1, .height = kSide, .width = kSide};
    options.seed = 6;
    return options;
}

TrainerSpec trainerSpec() {
    TrainerSpec spec;
    spec.steps = kSteps;
    spec.clip = 1.0;
    spec.schedule = {.kind = ScheduleKind::Rsqrt, .lr = 1e-2, .warmup = 10, .timescale = 60};
    spec.optimizer.weightDecay = 0.01;
    spec.loss.z = 1e-3F;
    return spec;
}

class VitTraining : public ::testing::TestWithParam<bool> {};

TEST_P(VitTraining, Learns) {
    const auto model = makeVit(GetParam(), makeCpuBackend(1));
    BatchLoader loader(makeCorners(160), loaderOptions(32), {});
    Trainer trainer(*model, loader, trainerSpec(), 0);
    std::vector<double> losses;
    for (int i = 0; i < kSteps; ++i) {
        const StepMetrics metrics = trainer.step(i % 10 == 0);
        ASSERT_TRUE(metrics.applied);
        losses.push_back(metrics.loss);
        ASSERT_EQ(metrics.routers.size(), GetParam() && i % 10 == 0 ? 1U : 0U);
    }
    EXPECT_NEAR(losses.front(), std::log(4.0), 0.2);
    EXPECT_LT(losses.back(), 0.05);
    const EvalResult result = evaluate(*model, *makeCorners(240), loaderOptions(50), {}, nullptr);
    EXPECT_GT(result.accuracy, 0.95);
    EXPECT_EQ(result.routers.size(), GetParam() ? 1U : 0U);
}

TEST_P(VitTraining, IsBitEqualWhenRepeated) {
    const auto data = makeCorners(160);
    std::vector<std::vector<double>> losses(2);
    for (std::vector<double>& run : losses) {
        const auto model = makeVit(GetParam(), makeCpuBackend(2));
        BatchLoader loader(data, loaderOptions(32), {});
        Trainer trainer(*model, loader, trainerSpec(), 0);
        for (int i = 0; i < 12; ++i) run.push_back(trainer.step(false).loss);
    }
    EXPECT_EQ(losses[0], losses[1]);
}

INSTANTIATE_TEST_SUITE_P(Blocks, VitTraining, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "moe" : "dense"; });

TEST(VitTraining, MicrobatchesAddUpForADenseModel) {
    const auto data = makeCorners(96);
    std::vector<std::vector<double>> norms(2);
    for (const std::size_t run : {0U, 1U}) {
        const auto model = makeVit(false, makeCpuBackend(1));
        BatchLoader loader(data, loaderOptions(32), {});
        TrainerSpec spec = trainerSpec();
        spec.microbatch = run == 0 ? 0 : 9;
        Trainer trainer(*model, loader, spec, 0);
        for (int i = 0; i < 5; ++i) norms[run].push_back(trainer.step().gradNorm);
    }
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_NEAR(norms[1][i], norms[0][i], 1e-4 * norms[0][i]) << i;
}

/// What training left: metrics of the steps and all weights.
struct Trained {
    std::vector<double> metrics;
    std::vector<float> weights;
};

Trained trainInPieces(const MoeSpec& moe, std::int64_t microbatch) {
    ModelSpec model = smallVit(true);
    model.blocks[1].moe = moe;
    const auto vit = makeModel(model, makeCpuBackend(1), true);
    initializeParameters(vit->parameters(), 1, vit->backend());
    BatchLoader loader(makeCorners(96), loaderOptions(32), {});
    TrainerSpec spec = trainerSpec();
    spec.microbatch = microbatch;
    spec.loss.aux = 0.1F;
    spec.optimizer.kind = OptimizerKind::Sgd;
    spec.schedule = {.kind = ScheduleKind::Constant, .lr = 0.1};
    Trainer trainer(*vit, loader, spec, 0);
    Trained result;
    for (int i = 0; i < 5; ++i) {
        const StepMetrics m = trainer.step();
        result.metrics.insert(result.metrics.end(), {m.loss, m.auxLoss, m.zLoss, m.gradNorm});
        for (const RouterStats& router : m.routers)
            result.metrics.insert(result.metrics.end(), {router.unrouted, router.dropped});
    }
    for (const Parameter& p : vit->parameters())
        result.weights.insert(result.weights.end(), p.value.span<float>().begin(),
                              p.value.span<float>().end());
    return result;
}

TEST(VitTraining, MicrobatchesAddUpWhenNoRoutingGroupCrossesThem) {
    MoeSpec choice;
    choice.experts = 4;
    choice.capacity = 1.5;
    choice.group.kind = GroupSize::Kind::Sequence;
    MoeSpec topTwo = choice;
    topTwo.router = RouterKind::TopK;
    topTwo.k = 2;
    topTwo.group = {GroupSize::Kind::Tokens, 10};  // two images of 5 tokens
    for (const MoeSpec& moe : {choice, topTwo}) {
        const Trained whole = trainInPieces(moe, 0);
        for (const std::int64_t microbatch : {2, 6, 30}) {
            const Trained pieces = trainInPieces(moe, microbatch);
            ASSERT_EQ(pieces.metrics.size(), whole.metrics.size());
            for (std::size_t i = 0; i < whole.metrics.size(); ++i)
                EXPECT_NEAR(pieces.metrics[i], whole.metrics[i],
                            1e-4 * std::abs(whole.metrics[i]) + 1e-6)
                    << routerName(moe.router) << " " << microbatch << " " << i;
            for (std::size_t i = 0; i < whole.weights.size(); ++i)
                ASSERT_NEAR(pieces.weights[i], whole.weights[i], 1e-5) << i;
        }
    }
}

TEST(VitTraining, FashionMnistLossFalls) {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
        GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
    ModelSpec spec = smallVit(true);
    spec.vit.imageSize = 28;
    spec.vit.patchSize = 7;
    spec.vit.classes = 10;
    spec.vit.hidden = 32;
    spec.vit.intermediate = 64;
    const auto model = makeModel(spec, makeCpuBackend(1), true);
    initializeParameters(model->parameters(), 1, model->backend());
    LoaderOptions options = loaderOptions(64);
    options.shape = {.channels = 1, .height = 28, .width = 28};
    options.augmentation = {.cropPadding = 2, .flip = true};
    BatchLoader loader(openImages("fashion-mnist", Split::Train, options.shape, 0), options, {});
    TrainerSpec trainerOptions = trainerSpec();
    trainerOptions.steps = 200;
    trainerOptions.schedule = {.kind = ScheduleKind::Constant, .lr = 3e-3, .warmup = 50};
    Trainer trainer(*model, loader, trainerOptions, 0);
    double lastLosses = 0;
    for (int i = 0; i < 200; ++i) {
        const double loss = trainer.step(false).loss;
        if (i >= 180) lastLosses += loss / 20;
    }
    EXPECT_LT(lastLosses, 1.7);
    const auto test =
        sampleExamples(openImages("fashion-mnist", Split::Test, options.shape, 0), 500, 1);
    const EvalResult result = evaluate(*model, *test, options, {}, nullptr);
    EXPECT_EQ(result.examples, 500);
    EXPECT_GT(result.accuracy, 0.35);
    ASSERT_EQ(result.routers.size(), 1U);
    EXPECT_EQ(result.routers[0].load.size(), 4U);
}

}  // namespace
}  // namespace core::test
