// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"
#include "core/surgery/report.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace core::test {
namespace {

const std::string kEncoder = "encoder.block.1.layer.1.";
const std::string kDecoder = "decoder.block.3.layer.2.";

std::string expert(const std::string& place, int number, const std::string& matrix) {
    return place + "mlp.experts.expert_" + std::to_string(number) + "." + matrix + ".weight";
}

SurgeryPlan planOf(const ModelSpec& spec, const std::vector<std::string>& blocks,
                   std::int64_t experts, ExpertInit from = {}) {
    SurgeryPlan plan;
    for (const std::string& block : blocks) {
        plan.layers[block] = defaultLayerPlan(spec, *spec.find(block));
        plan.layers[block].moe.experts = experts;
        plan.layers[block].experts = from;
    }
    return plan;
}

class T5Surgery : public testing::Test {
  protected:
    std::shared_ptr<const Checkpoint> upcycled(const Checkpoint& dense, const SurgeryPlan& plan) {
        const Path target = folder_ / ("moe" + std::to_string(made_++));
        convert(dense, plan, target);
        return Checkpoint::open(target);
    }

    TemporaryFolder folder_;
    int made_ = 0;
};

TEST_F(T5Surgery, HoldsCopiesRoutersAndTheRestUntouched) {
    for (const bool gated : {true, false}) {
        const SmallT5 t5{.gated = gated};
        const auto dense = t5.write(folder_ / (gated ? "v1_1" : "v1_0"));
        const SurgeryPlan plan = planOf(t5.spec(), {"encoder.1", "decoder.3"}, 3);
        const auto sparse = upcycled(*dense, plan);
        std::set<std::string> expected;
        for (const TensorInfo& tensor : dense->tensors()) expected.insert(tensor.name);
        const std::vector<std::string> matrices =
            gated ? std::vector<std::string>{"wi_0", "wi_1", "wo"}
                  : std::vector<std::string>{"wi", "wo"};
        for (const std::string& place : {kEncoder, kDecoder}) {
            expected.insert(place + "mlp.router.classifier.weight");
            for (const std::string& matrix : matrices) {
                const std::string name = place + "DenseReluDense." + matrix + ".weight";
                EXPECT_EQ(expected.erase(name), 1U);
                for (int e = 0; e < 3; ++e) {
                    expected.insert(expert(place, e, matrix));
                    EXPECT_EQ(valuesOf(*sparse, expert(place, e, matrix)), valuesOf(*dense, name));
                }
            }
        }
        std::set<std::string> found;
        for (const TensorInfo& tensor : sparse->tensors()) {
            found.insert(tensor.name);
            if (dense->find(tensor.name) != nullptr) {
                EXPECT_EQ(valuesOf(*sparse, tensor.name), valuesOf(*dense, tensor.name));
            }
        }
        EXPECT_EQ(found, expected);
        EXPECT_EQ(sparse->find(kEncoder + "mlp.router.classifier.weight")->shape, (Shape{3, 6}));

        const ModelSpec spec = readSpec(*sparse);
        EXPECT_EQ(spec.find("encoder.1")->moe, plan.layers.at("encoder.1").moe);
        EXPECT_EQ(spec.find("decoder.3")->moe, plan.layers.at("decoder.3").moe);
        EXPECT_FALSE(spec.find("encoder.2")->moe);
        EXPECT_EQ(spec.t5.gated, gated);
    }
}

TEST_F(T5Surgery, ThePaperTakesTheOddBlocksOfBothStacks) {
    const ModelSpec spec = SmallT5{}.spec();
    EXPECT_EQ(presetBlocks(spec, {Preset::Paper, 0}),
              (std::vector<std::string>{"encoder.1", "encoder.3", "decoder.1", "decoder.3"}));
    const MoeSpec encoder = defaultLayerPlan(spec, *spec.find("encoder.1")).moe;
    EXPECT_EQ(encoder.router, RouterKind::ExpertChoice);
    EXPECT_EQ(encoder.experts, 32);
    EXPECT_EQ(encoder.capacity, 2);
    EXPECT_FALSE(encoder.renormalize);
    const MoeSpec decoder = defaultLayerPlan(spec, *spec.find("decoder.1")).moe;
    EXPECT_EQ(decoder.router, RouterKind::TopK);
    EXPECT_EQ(decoder.k, 2);
    EXPECT_FALSE(decoder.renormalize);
}

TEST_F(T5Surgery, ACausalDecoderRefusesWhatLooksAhead) {
    const ModelSpec spec = SmallT5{}.spec();
    const auto refusal = [&](auto change) {
        SurgeryPlan plan = planOf(spec, {"decoder.3"}, 4);
        change(plan.layers["decoder.3"].moe);
        return errorOf(ErrorKind::BadInput, [&] { compilePlan(spec, {}, plan); });
    };
    const std::string choice = refusal([](MoeSpec& moe) { moe.router = RouterKind::ExpertChoice; });
    EXPECT_TRUE(contains(choice, "decoder.3") && contains(choice, "future")) << choice;
    const std::string priority = refusal([](MoeSpec& moe) { moe.batchPriority = true; });
    EXPECT_TRUE(contains(priority, "batch_priority")) << priority;
}

TEST_F(T5Surgery, DroppedNeuronsAreTheSameInAllMatricesOfAnExpert) {
    const SmallT5 t5;
    const auto dense = t5.write(folder_ / "dense");
    const auto sparse =
        upcycled(*dense, planOf(t5.spec(), {"encoder.1"}, 2, {ExpertInit::Kind::Drop, 0.5}));
    const std::string place = kEncoder + "DenseReluDense.";
    for (int e = 0; e < 2; ++e) {
        std::vector<std::set<std::size_t>> changed;
        for (const char* matrix : {"wi_0", "wi_1", "wo"}) {
            const auto before = valuesOf(*dense, place + matrix + ".weight");
            const auto after = valuesOf(*sparse, expert(kEncoder, e, matrix));
            std::set<std::size_t>& neurons = changed.emplace_back();
            for (std::size_t i = 0; i < before.size(); ++i)
                if (before[i] != after[i])
                    neurons.insert(std::string(matrix) == "wo" ? i % 10 : i / 6);
        }
        EXPECT_EQ(changed[0].size(), 5U);
        EXPECT_EQ(changed[0], changed[1]);
        EXPECT_EQ(changed[0], changed[2]);
    }
}

double deviation(const std::vector<float>& values) {
    double squares = 0;
    for (const float value : values) squares += std::pow(static_cast<double>(value), 2);
    return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST_F(T5Surgery, RandomExpertsStartAsTransformersStartsThem) {
    SmallT5 t5{.further = "\"initializer_factor\": 0.5,"};
    const SurgeryPlan plan = planOf(t5.spec(), {"encoder.1"}, 64, {ExpertInit::Kind::Random, 0});
    const auto dense = t5.write(folder_ / "dense");
    const auto sparse = upcycled(*dense, plan);
    std::vector<float> in;
    std::vector<float> out;
    for (int e = 0; e < 64; ++e) {
        const auto wi = valuesOf(*sparse, expert(kEncoder, e, "wi_1"));
        const auto wo = valuesOf(*sparse, expert(kEncoder, e, "wo"));
        in.insert(in.end(), wi.begin(), wi.end());
        out.insert(out.end(), wo.begin(), wo.end());
    }
    EXPECT_NEAR(deviation(in), 0.5 / std::sqrt(6), 0.01);
    EXPECT_NEAR(deviation(out), 0.5 / std::sqrt(10), 0.01);
}

TEST_F(T5Surgery, TheStoryNamesBothStacks) {
    const SmallT5 t5;
    const auto dense = t5.write(folder_ / "dense");
    const auto sparse =
        upcycled(*dense, planOf(t5.spec(), presetBlocks(t5.spec(), {Preset::Paper, 0}), 4));
    const std::atomic<bool> cancel{false};
    const CheckpointDiff diff = diffCheckpoints(*dense, *sparse, {}, {}, cancel);
    ASSERT_EQ(diff.story.size(), 3U);
    EXPECT_EQ(diff.story[0],
              "blocks encoder.1, encoder.3 became MoE, 4 experts each, expert-choice, capacity 2, "
              "all copies of the dense MLP");
    EXPECT_EQ(diff.story[1],
              "blocks decoder.1, decoder.3 became MoE, 4 experts each, top-k, k = 2, capacity 2, "
              "all copies of the dense MLP");
}

TEST_F(T5Surgery, ACheckpointWithoutAConfigGetsOneThatIsRead) {
    const SmallT5 t5;
    WriterOptions options;
    const auto dense = t5.write(folder_ / "dense");
    std::vector<TensorInfo> infos(dense->tensors().begin(), dense->tensors().end());
    const auto writer = CheckpointWriter::create(folder_ / "bare.safetensors", infos, options);
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const std::vector<float> values = dense->readFloats(infos[i]);
        writer->write(i, std::as_bytes(std::span(values)));
    }
    writer->commit();
    const auto bare = Checkpoint::open(folder_ / "bare.safetensors");
    ASSERT_TRUE(bare->configText().empty());
    const auto sparse = upcycled(*bare, planOf(t5.spec(), {"encoder.1"}, 2));
    const ModelSpec spec = readSpec(*sparse);
    EXPECT_EQ(spec.t5.heads, 3);
    EXPECT_EQ(spec.t5.dKv, 2);
    EXPECT_EQ(spec.t5.activation, Activation::GeluTanh);
    EXPECT_FALSE(spec.t5.tiedEmbeddings);
    EXPECT_TRUE(spec.find("encoder.1")->moe);
}

}  // namespace
}  // namespace core::test
