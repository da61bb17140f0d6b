// SPDX-License-Identifier: Apache-2.0
#include "core/run/profile.h"

#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "core/ops/attention.h"
#include "core/ops/embedding.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace core {
namespace {

constexpr const char* kConfig = R"({
  "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 24,
  "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40, "image_size": 8,
  "patch_size": 4, "num_channels": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-6,
  "qkv_bias": true, "id2label": {"0": "a", "1": "b", "2": "c", "3": "d"},
  "upcycling": {"schema": 1, "blocks": {"encoder.1": {"experts": 4, "capacity": 2.0,
    "router": "expert-choice", "renormalize": true, "group_size": "batch"}}}})";

const OpProfile* findOp(const std::vector<OpProfile>& ops, const std::string& name) {
    const auto place =
        std::find_if(ops.begin(), ops.end(), [&](const OpProfile& op) { return op.op == name; });
    return place == ops.end() ? nullptr : &*place;
}

class ProfilingBackendTest : public testing::Test {
  protected:
    static Tensor filled(Shape shape, float value) {
        const Tensor tensor = Tensor::host(std::move(shape));
        std::fill_n(tensor.data<float>(), tensor.elements(), value);
        return tensor;
    }
    ProfilingBackend backend_{makeCpuBackend(1)};
};

TEST_F(ProfilingBackendTest, RecordsOnlyWhileItIsTold) {
    const Tensor y = filled({3}, 1.0F);
    ops::fill(backend_, y, 2.0F);
    EXPECT_TRUE(backend_.profile().empty());
    backend_.setRecording(true);
    ops::fill(backend_, y, 3.0F);
    backend_.setRecording(false);
    ops::fill(backend_, y, 4.0F);
    ASSERT_EQ(backend_.profile().size(), 1U);
    EXPECT_EQ(backend_.profile()[0].calls, 1);
    EXPECT_EQ(y.data<float>()[2], 4.0F) << "every call reaches the backend";
}

TEST_F(ProfilingBackendTest, KnowsWhatAProductHasToDo) {
    const Tensor x = filled({5, 3}, 2.0F);
    const Tensor weight = filled({7, 3}, 0.5F);
    const Tensor bias = filled({7}, 1.0F);
    const Tensor y = filled({5, 7}, 0.0F);
    const Tensor dWeight = filled({7, 3}, 0.0F);
    backend_.setRecording(true);
    ops::linearForward(backend_, y, x, weight, bias);
    ops::linearForward(backend_, y, x, weight, bias);
    ops::linearBackwardWeight(backend_, dWeight, {}, y, x);
    EXPECT_EQ(y.data<float>()[34], 4.0F);
    const std::vector<OpProfile> ops = backend_.profile();
    ASSERT_EQ(ops.size(), 2U);
    EXPECT_EQ(ops[0].op, "linearForward");
    EXPECT_EQ(ops[0].calls, 2);
    EXPECT_EQ(ops[0].sizes, "5 x 3 -> 7");
    EXPECT_EQ(ops[0].work.flops, 2 * (2.0 * 5 * 3 * 7));
    EXPECT_EQ(ops[0].work.bytes, 2 * 4.0 * (5 * 3 + 7 * 3 + 7 + 5 * 7));
    EXPECT_EQ(ops[1].work.bytes, 4.0 * (2 * 7 * 3 + 5 * 7 + 5 * 3))
        << "an accumulated tensor is read and written";
    EXPECT_GT(ops[0].seconds, 0.0);
}

TEST_F(ProfilingBackendTest, CountsThePairsThatAttentionSees) {
    const AttentionShape shape{2, 3, 4, 4, 8, 1.0F};
    AttentionOptions causal;
    causal.causal = true;
    EXPECT_EQ(attentionFlops(shape, {}, 2), 2.0 * 2 * 2 * 3 * 4 * 4 * 8);
    EXPECT_EQ(attentionFlops(shape, causal, 2), 2.0 * 2 * 2 * 3 * (1 + 2 + 3 + 4) * 8);
    causal.queryOffset = 100;
    EXPECT_EQ(attentionFlops(shape, causal, 4), attentionFlops(shape, {}, 4));
}

TEST_F(ProfilingBackendTest, ATableIsNotReadWhole) {
    const Tensor table = filled({1000, 4}, 1.0F);
    const Tensor ids = Tensor::zeros({3}, DType::I64);
    const Tensor y = filled({3, 4}, 0.0F);
    backend_.setRecording(true);
    ops::embeddingForward(backend_, y, ids, table);
    EXPECT_EQ(backend_.profile().at(0).work.bytes, 2 * 4.0 * 12 + 8 * 3);
}

TEST_F(ProfilingBackendTest, RemembersTheMostThatWasAllocated) {
    auto first = backend_.allocate(1000);
    EXPECT_EQ(backend_.peakBytes(), 1000U);
    first.reset();
    const auto second = backend_.allocate(400);
    const auto third = backend_.allocate(500);
    EXPECT_EQ(backend_.peakBytes(), 1000U);
    const auto fourth = backend_.allocate(200);
    EXPECT_EQ(backend_.peakBytes(), 1100U);
}

TEST(Profile, TheFloorIsTheSlowerOfProductsAndBytes) {
    OpProfile op;
    op.work = {100.0, 10.0};
    EXPECT_DOUBLE_EQ(floorSeconds(op, {50.0, 100.0}), 2.0);
    EXPECT_DOUBLE_EQ(floorSeconds(op, {1e9, 5.0}), 2.0);
}

class ProfileJobTest : public testing::Test {
  protected:
    void SetUp() override {
        const Path config = scratch_.path() / "config.json";
        writeTextFile(config, kConfig);
        job_ = scratchJob(config);
        job_.data = "synthetic:images=8x8x1,classes=4,examples=64";
        job_.batch = 4;
        job_.device = "cpu";
        job_.threads = 1;
    }
    ScratchFolder scratch_;
    JobSpec job_;
};

TEST_F(ProfileJobTest, MeasuresEveryOpOfAStep) {
    std::vector<std::int64_t> told;
    const StepProfile profile =
        profileJob(job_, 3, [&](std::int64_t done) { told.push_back(done); });
    EXPECT_EQ(told, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(profile.steps, 3);
    EXPECT_EQ(profile.examples, 4);
    EXPECT_EQ(profile.tokens, 4 * 5);
    EXPECT_TRUE(profile.randomWeights);
    EXPECT_GT(profile.seconds, 0.0);
    EXPECT_GT(profile.ceilings.flops, 0.0);
    EXPECT_GT(profile.ceilings.bytes, 0.0);
    double sum = 0;
    for (const OpProfile& op : profile.ops) {
        EXPECT_EQ(op.calls % 3, 0) << op.op << ": every step has as many calls";
        sum += op.seconds;
    }
    EXPECT_LE(sum, 3 * profile.opByOpSeconds);
    const OpProfile* const choice = findOp(profile.ops, "expertChoice");
    ASSERT_NE(choice, nullptr);
    EXPECT_EQ(choice->calls, 3) << "one MoE block";
    const OpProfile* const attention = findOp(profile.ops, "attentionForward");
    ASSERT_NE(attention, nullptr);
    EXPECT_EQ(attention->calls, 2 * 3) << "two blocks";
    EXPECT_NE(findOp(profile.ops, "adamwStep"), nullptr);
    EXPECT_TRUE(std::is_sorted(
        profile.ops.begin(), profile.ops.end(),
        [](const OpProfile& a, const OpProfile& b) { return a.seconds > b.seconds; }));
}

TEST_F(ProfileJobTest, MemoryByKindIsThatOfTheModel) {
    const StepProfile profile = profileJob(job_, 1, [](std::int64_t) {});
    std::vector<std::string> warnings;
    std::uint64_t bytes = 0;
    for (const Parameter& parameter : describeParameters(trainedSpec(job_, warnings)))
        bytes += 4 * static_cast<std::uint64_t>(parameter.shape.elements());
    const MemoryUse& memory = profile.memory;
    EXPECT_EQ(memory.parameters, bytes);
    EXPECT_EQ(memory.gradients, bytes);
    EXPECT_EQ(memory.optimizer, 2 * bytes) << "AdamW";
    EXPECT_EQ(memory.copies, 0U);
    EXPECT_GT(memory.activations, 0U);
    EXPECT_GT(memory.planned, memory.parameters + memory.gradients + memory.optimizer);
    EXPECT_GT(memory.process, memory.planned);
}

TEST_F(ProfileJobTest, ATypeThatIsNotComputedIsRefused) {
    job_.dtype = DType::F16;
    EXPECT_THROW(profileJob(job_, 1, [](std::int64_t) {}), Error);
}

TEST_F(ProfileJobTest, NothingIsWritten) {
    profileJob(job_, 1, [](std::int64_t) {});
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path()))
        names.push_back(entry.path().filename().string());
    EXPECT_EQ(names, std::vector<std::string>{"config.json"});
}

}  // namespace
}  // namespace core
