// SPDX-License-Identifier: Apache-2.0
// The same small training on the CPU and on the CUDA backend (on the host SIMT harness): the losses
// and the weights agree, and the order of a device's threads changes no bit.
#include "core/cpu/cpu_backend.h"
#include "core/ops/memory.h"
#include "core/training/trainer.h"
#include "gpu/cuda_backend.h"
#include "tests/core/model/small_t5.h"
#include "tests/core/model/upcycled.h"
#include "tests/gpu/simt/runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace core::test {
namespace {

constexpr int kSteps = 6;

/// The same batches again and again.
class RepeatedBatches final : public BatchSource {
  public:
    explicit RepeatedBatches(std::vector<HostBatch> batches) : batches_(std::move(batches)) {}
    std::optional<HostBatch> next() override { return batches_[at_++ % batches_.size()]; }
    DataPosition position() const override { return {0, at_}; }

  private:
    std::vector<HostBatch> batches_;
    std::uint64_t at_ = 0;
};

struct Case {
    std::string name;
    std::function<std::unique_ptr<Model>()> make;  ///< on the CPU, with gradients
    std::vector<HostBatch> batches;
    TrainerSpec spec;
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

std::vector<HostBatch> images(std::int64_t examples) {
    std::vector<HostBatch> batches;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const Batch batch = randomBatch(smallVit().vit, examples, seed);
        batches.push_back({batch.pixels, batch.labels});
    }
    return batches;
}

/// Texts with padding, and labels there that do not count.
std::vector<HostBatch> texts() {
    std::vector<HostBatch> batches;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        Batch batch = randomText(smallT5().t5, 4, 11, 7, seed);
        const Tensor decoderMask = paddingMask(7, {0, 2, 0, 5});
        for (std::int64_t i = 0; i < batch.labels.elements(); ++i)
            if (decoderMask.data<std::uint8_t>()[i] == 0)
                batch.labels.data<std::int64_t>()[i] = -100;
        batches.push_back({Tensor(), batch.labels, batch.inputIds, paddingMask(11, {0, 4, 1, 0}),
                           batch.decoderInputIds, decoderMask});
    }
    return batches;
}

TrainerSpec trainerSpec(OptimizerKind optimizer, double lr) {
    TrainerSpec spec;
    spec.steps = kSteps;
    spec.clip = 1.0;
    spec.optimizer.kind = optimizer;
    spec.optimizer.weightDecay = 0.01;
    spec.schedule = {.kind = ScheduleKind::Constant, .lr = lr};
    spec.loss.aux = 0.01F;
    spec.loss.z = 1e-3F;
    return spec;
}

std::unique_ptr<Model> upcycledVit(const MoeSpec& moe) {
    const auto dense = randomModel(smallVit(), 7);
    return upcycle(*dense, {{"encoder.1", moe}, {"encoder.3", moe}}, 0.5F, true);
}

std::unique_ptr<Model> upcycledT5() {
    const auto dense = randomT5(smallT5(), 8);
    return upcycle(*dense, {{"encoder.1", topK(3, 2, 0.0)}, {"decoder.1", topK(3, 1, 0.0)}}, 0.5F,
                   true);
}

std::vector<Case> cases() {
    TrainerSpec pieces = trainerSpec(OptimizerKind::AdamW, 1e-3);
    pieces.microbatch = 2;
    TrainerSpec adafactor = trainerSpec(OptimizerKind::Adafactor, 1e-2);
    adafactor.dropout = 0.1F;
    adafactor.optimizer.minDimToFactor = 8;
    return {
        {"VitExpertChoiceAdamW", [] { return upcycledVit(expertChoice(4, 2.0)); }, images(4),
         trainerSpec(OptimizerKind::AdamW, 1e-3)},
        {"VitTopKInMicrobatches", [] { return upcycledVit(topK(4, 2, 1.0)); }, images(4), pieces},
        {"VitSgd", [] { return upcycledVit(expertChoice(3, 1.0, false)); }, images(1),
         trainerSpec(OptimizerKind::Sgd, 1e-2)},
        {"T5DroplessTopK", upcycledT5, texts(), adafactor},
        {"T5ExpertChoice",
         [] {
             const auto dense = randomT5(smallT5(), 8);
             return upcycle(*dense, {{"encoder.1", expertChoice(3, 1.5)}}, 0.5F, true);
         },
         texts(), trainerSpec(OptimizerKind::AdamW, 1e-3)}};
}

/// What training left.
struct Trained {
    std::vector<double> metrics;              ///< loss, aux, z and gradient norm of every step
    std::vector<std::vector<float>> weights;  ///< per parameter
};

Trained train(Model& model, const Case& test, bool ahead = false) {
    RepeatedBatches batches(test.batches);
    Trainer trainer(model, batches, test.spec, 0);
    Trained result;
    const auto note = [&](const StepMetrics& step) {
        EXPECT_TRUE(step.applied);
        result.metrics.insert(result.metrics.end(),
                              {step.loss, step.auxLoss, step.zLoss, step.gradNorm});
    };
    for (int i = 0; i < kSteps; ++i) {
        if (!ahead) {
            note(trainer.step());
            continue;
        }
        trainer.begin(false);
        if (trainer.uncollected() > 1) note(*trainer.collect(true));
    }
    while (const auto step = trainer.collect(true)) note(*step);
    for (const Parameter& p : model.parameters()) {
        const Tensor value = ops::readable(model.backend(), p.value);
        result.weights.emplace_back(value.span<float>().begin(), value.span<float>().end());
    }
    return result;
}

/// The same weights on the CUDA backend.
std::unique_ptr<Model> onDevice(Model& host) {
    auto model = makeModel(host.spec(), gpu::makeCudaBackend(0), true);
    for (std::size_t i = 0; i < host.parameters().size(); ++i)
        model->backend().upload(model->parameters()[i].value, host.parameters()[i].value);
    return model;
}

class TrainingOnBoth : public testing::TestWithParam<Case> {};

TEST_P(TrainingOnBoth, LossesAndWeightsAgree) {
    const auto host = GetParam().make();
    const auto device = onDevice(*host);
    const Trained onHost = train(*host, GetParam());
    const Trained found = train(*device, GetParam());
    ASSERT_EQ(found.metrics.size(), onHost.metrics.size());
    for (std::size_t i = 0; i < found.metrics.size(); ++i)
        EXPECT_NEAR(found.metrics[i], onHost.metrics[i], 1e-4 * std::abs(onHost.metrics[i]) + 1e-7)
            << "metric " << i % 4 << " of step " << i / 4;
    for (std::size_t p = 0; p < found.weights.size(); ++p) {
        // Softmax does not see a key's bias: its gradient is rounding alone, and AdamW's step is as
        // large for that as for anything.
        if (host->parameters()[p].name.ends_with("key.bias")) continue;
        for (std::size_t i = 0; i < found.weights[p].size(); ++i)
            ASSERT_NEAR(found.weights[p][i], onHost.weights[p][i], 2e-4)
                << host->parameters()[p].name << "[" << i << "]";
    }
}

TEST_P(TrainingOnBoth, TheOrderOfThreadsChangesNoBit) {
    std::vector<Trained> runs;
    for (const std::uint64_t seed : {11U, 12U}) {
        simt::setSeed(seed);
        const auto host = GetParam().make();
        runs.push_back(train(*onDevice(*host), GetParam()));
    }
    EXPECT_EQ(runs[0].metrics, runs[1].metrics);
    EXPECT_EQ(runs[0].weights, runs[1].weights);
}

TEST_P(TrainingOnBoth, StepsThatBeginAheadAsGraphsChangeNoBit) {
    const auto host = GetParam().make();
    const auto device = onDevice(*host);
    const auto ahead = onDevice(*host);
    const auto graphs = [](Model& model) {
        return dynamic_cast<const gpu::CudaBackend&>(model.backend()).graphsLaunched();
    };
    const Trained one = train(*device, GetParam());
    const Trained other = train(*ahead, GetParam(), true);
    EXPECT_EQ(one.metrics, other.metrics);
    EXPECT_EQ(one.weights, other.weights);
    // Clearing and updating are graphs from the second time on; forward and backward from the third
    // on: the second makes one piece of the first one's memory.
    EXPECT_EQ(graphs(*device), 2 * (kSteps - 1)) << "observed routers are read in the middle";
    const std::int64_t examples = GetParam().batches.front().labels.size(0);
    const std::int64_t microbatch = GetParam().spec.microbatch;
    const std::int64_t pieces = microbatch == 0 ? 1 : examples / microbatch;
    EXPECT_EQ(graphs(*ahead), 2 * (kSteps - 1) + pieces * kSteps - 2);
}

INSTANTIATE_TEST_SUITE_P(Models, TrainingOnBoth, testing::ValuesIn(cases()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace core::test
