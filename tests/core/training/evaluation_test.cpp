// SPDX-License-Identifier: Apache-2.0
#include "core/training/evaluation.h"

#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace core::test {
namespace {

LoaderOptions optionsFor(std::int64_t inputs, std::int64_t batch) {
    LoaderOptions options;
    options.batch = batch;
    options.shape = {.channels = 1, .height = 1, .width = inputs};
    options.augmentation = {.cropPadding = 2, .flip = true};  // evaluation must not use it
    return options;
}

TEST(Evaluation, LossAndAccuracyDoNotDependOnTheBatch) {
    const auto data = makeClusters(37, 12, 5);
    LinearModel model(makeCpuBackend(2), 12, 5);
    double loss = 0;
    std::int64_t correct = 0;
    for (std::int64_t i = 0; i < 37; ++i) {  // softmax regression in double
        std::vector<float> x(12);
        const std::int64_t label = data->read(i, {}, x.data());
        std::vector<double> logits(5, 0.0);
        for (std::size_t k = 0; k < 5; ++k)
            for (std::size_t j = 0; j < 12; ++j)
                logits[k] +=
                    static_cast<double>(x[j]) *
                    static_cast<double>(model.parameters()[0].value.data<float>()[k * 12 + j]);
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit);
        loss += std::log(sum) - logits[static_cast<std::size_t>(label)];
        correct += std::max_element(logits.begin(), logits.end()) - logits.begin() == label ? 1 : 0;
    }
    for (const std::int64_t batch : {1, 8, 37, 100}) {
        const EvalResult result = evaluate(model, *data, optionsFor(12, batch), {}, nullptr);
        EXPECT_EQ(result.examples, 37);
        EXPECT_NEAR(result.loss, loss / 37, 1e-5 * loss / 37);
        EXPECT_DOUBLE_EQ(result.accuracy, static_cast<double>(correct) / 37);
        EXPECT_GT(result.seconds, 0);
    }
}

TEST(Evaluation, CanBeCancelled) {
    const auto data = makeClusters(37, 12, 5);
    LinearModel model(makeCpuBackend(1), 12, 5);
    const std::atomic<bool> cancel{true};
    const EvalResult result = evaluate(model, *data, optionsFor(12, 8), {}, &cancel);
    EXPECT_EQ(result.examples, 0);
    EXPECT_EQ(result.loss, 0);
}

TEST(Evaluation, NanLogitsAreNeverRight) {
    LinearModel model(makeCpuBackend(1), 12, 5);
    for (float& weight : model.parameters()[0].value.span<float>())
        weight = std::numeric_limits<float>::quiet_NaN();
    const EvalResult result =
        evaluate(model, *makeClusters(37, 12, 5), optionsFor(12, 8), {}, nullptr);
    EXPECT_EQ(result.accuracy, 0);
    EXPECT_TRUE(std::isnan(result.loss));
}

TEST(Evaluation, AmongEqualLogitsTheFirstIsTheAnswer) {
    LinearModel model(makeCpuBackend(1), 12, 5);
    for (float& weight : model.parameters()[0].value.span<float>()) weight = 0;
    const EvalResult result =
        evaluate(model, *makeClusters(40, 12, 5), optionsFor(12, 8), {}, nullptr);
    EXPECT_DOUBLE_EQ(result.accuracy, 0.2);
}

TEST(Evaluation, FewShotRefusesFeaturesThatAreNotFinite) {
    const auto clusters = makeClusters(40, 12, 4);
    const Tensor pixels = Tensor::host({40, 12});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 40; ++i)
        labels.push_back(clusters->read(i, {}, pixels.data<float>() + i * 12));
    pixels.data<float>()[100] = std::numeric_limits<float>::infinity();
    const MemoryImages broken(pixels, labels, 4);
    LinearModel model(makeCpuBackend(1), 12, 4);
    const auto refuses = [&](const ImageDataset& train, const ImageDataset& test) {
        errorOf(ErrorKind::BadInput,
                [&] { fewShot(model, train, test, optionsFor(12, 7), 10, 1, 5); });
    };
    refuses(broken, *clusters);
    refuses(*clusters, broken);
}

class FewShot : public ::testing::TestWithParam<std::pair<std::string, std::int64_t>> {};

TEST_P(FewShot, EqualsTheClosedFormReference) {
    const std::string& name = GetParam().first;
    const std::int64_t shots = GetParam().second;
    const Fixture fixture;
    const auto load = [&](const std::string& images, const std::string& labels) {
        std::vector<std::int64_t> values;
        const Tensor tensor = fixture.tensor(name + "." + labels);
        for (const float value : tensor.span<float>())
            values.push_back(static_cast<std::int64_t>(value));
        return MemoryImages(fixture.tensor(name + "." + images), values, 4);
    };
    const MemoryImages train = load("train", "labels");
    const MemoryImages test = load("test", "test_labels");
    const std::int64_t width = fixture.tensor(name + ".train").size(1);
    LinearModel model(makeCpuBackend(2), width, 4);
    const Tensor accuracies = fixture.tensor(name + ".accuracies");
    const auto values = accuracies.span<float>();
    const auto best = std::max_element(values.begin(), values.end());

    // All images are drawn, so that every draw is the reference's.
    for (const int draws : {1, 3}) {
        const FewShotResult result =
            fewShot(model, train, test, optionsFor(width, 7), shots, draws, 5);
        EXPECT_EQ(result.shots, shots);
        EXPECT_EQ(result.draws, draws);
        EXPECT_NEAR(result.accuracy, static_cast<double>(*best), 1e-6);
        EXPECT_DOUBLE_EQ(result.l2, std::ldexp(1.0, static_cast<int>(best - values.begin()) - 10));
    }
    errorOf(ErrorKind::BadInput,
            [&] { fewShot(model, train, test, optionsFor(width, 7), shots + 1, 1, 5); });
}

INSTANTIATE_TEST_SUITE_P(Forms, FewShot,
                         ::testing::Values(std::pair{std::string("probe_primal"), 10},
                                           std::pair{std::string("probe_dual"), 2}),
                         [](const auto& test) { return test.param.first; });

}  // namespace
}  // namespace core::test
