// SPDX-License-Identifier: Apache-2.0
// The way of a T5: inspect, plan, convert, diff, SwitchTransformers; and what is not in this
// version (training).
#include "core/checkpoint/checkpoint.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace upcycle_test {
namespace {

/// tests/reference/make_t5_headers.py: three blocks in the encoder, two in the decoder; zeros.
std::string fixture(const std::string& name) {
    return UPCYCLER_SOURCE_DIR "/tests/reference/t5/" + name;
}

class T5Test : public AppTest {
  protected:
    std::string planned(const std::string& model, const std::vector<std::string>& more) const {
        std::vector<std::string> all{"plan", model, "-o", path("plan.json")};
        all.insert(all.end(), more.begin(), more.end());
        expectDone(all);
        return path("plan.json");
    }
    std::string upcycled(const std::string& model, const std::vector<std::string>& more) const {
        const std::string plan = planned(model, more);
        expectDone({"convert", model, "--plan", plan, "-o", path("moe")});
        return path("moe");
    }
};

TEST_F(T5Test, IsShownWithItsNumbers) {
    const Json document = jsonOf(expectDone({"inspect", fixture("v1_1"), "--json"}));
    EXPECT_EQ(document["family"], "t5");
    EXPECT_EQ(document["architecture"]["hidden"], 6);
    EXPECT_EQ(document["architecture"]["gated"], true);
    EXPECT_EQ(document["architecture"]["activation"], "gelu_tanh");
    EXPECT_EQ(document["architecture"]["tied_embeddings"], false);
    EXPECT_EQ(document["blocks"].size(), 5U);
    EXPECT_EQ(document["blocks"][3]["name"], "decoder.0");
    EXPECT_TRUE(document["notes"].empty());

    const Json old = jsonOf(expectDone({"inspect", fixture("old"), "--json"}));
    EXPECT_EQ(old["notes"].size(), 4U);
    const Json plain = jsonOf(expectDone({"inspect", fixture("v1_0"), "--json"}));
    EXPECT_EQ(old["parameters"], plain["parameters"]) << "repeated and stray tensors do not count";
}

TEST_F(T5Test, ThePaperRoutesEachStackInItsWay) {
    const Json report = jsonOf(expectDone({"plan", fixture("v1_1"), "--json"}));
    const Json& blocks = report["plan"]["blocks"];
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks["encoder.1"]["router"], "expert-choice");
    EXPECT_EQ(blocks["encoder.1"]["renormalize"], false);
    EXPECT_EQ(blocks["decoder.1"]["router"], "top-k");
    EXPECT_EQ(blocks["decoder.1"]["k"], 2);
    EXPECT_GT(report["after"]["training_bytes"], report["before"]["training_bytes"]);
    EXPECT_GT(report["after"]["flops_per_decoder_token"],
              report["before"]["flops_per_decoder_token"]);
    const Result text = expectDone({"plan", fixture("v1_1")});
    EXPECT_NE(text.out.find("training memory (B "), std::string::npos) << text.out;
    EXPECT_LT(text.out.find("encoder.1"), text.out.find("decoder.1")) << "in the model's order";
}

TEST_F(T5Test, ADecoderRefusesWhatLooksAhead) {
    expectRefused(upcycle({"plan", fixture("v1_1"), "--router", "expert-choice"}), 3,
                  {"decoder.1", "future"});
    expectRefused(
        upcycle({"plan", fixture("v1_1"), "--layers", "decoder.0", "--batch-priority", "on"}), 3,
        {"decoder.0", "batch_priority"});
}

TEST_F(T5Test, IsUpcycledAndItsStoryTold) {
    const std::string moe = upcycled(fixture("v1_1"), {"--experts", "3"});
    const Json document = jsonOf(expectDone({"inspect", moe, "--json"}));
    EXPECT_EQ(document["blocks"][1]["mlp"], "moe");
    EXPECT_EQ(document["blocks"][1]["experts"], 3);
    EXPECT_EQ(document["blocks"][4]["router"], "top-k");
    auto config = Json::parse(core::readTextFile(moe + "/config.json"));
    auto source = Json::parse(core::readTextFile(fixture("v1_1") + "/config.json"));
    EXPECT_EQ(config["architectures"][0], "UpcycledT5ForConditionalGeneration");
    for (const char* key : {"architectures", "auto_map"}) {  // they name the modelling file
        config.erase(key);
        source.erase(key);
    }
    source["upcycling"] = config["upcycling"];
    EXPECT_EQ(config, source) << "nothing else of the config changes";
    const Json diff = jsonOf(expectDone({"diff", fixture("v1_1"), moe, "--json"}));
    EXPECT_EQ(diff["story"][0],
              "block encoder.1 became MoE, 3 experts each, expert-choice, capacity 2, all copies "
              "of the dense MLP");
    EXPECT_EQ(diff["story"][1],
              "block decoder.1 became MoE, 3 experts each, top-k, k = 2, capacity 2, all copies of "
              "the dense MLP");
}

TEST_F(T5Test, LeavesAsSwitchTransformersWhereItFits) {
    const std::string moe =
        upcycled(fixture("v1_0"), {"--experts", "2", "--layers", "encoder.1,decoder.1", "--router",
                                   "top-k", "--k", "1", "--dropless"});
    expectDone({"export", moe, "-o", path("switch"), "--layout", "switch"});
    const Json document = jsonOf(expectDone({"inspect", path("switch"), "--json"}));
    EXPECT_EQ(document["family"], "t5");
    EXPECT_EQ(document["blocks"][1]["experts"], 2);
    EXPECT_EQ(document["blocks"][1]["k"], 1);
    const auto checkpoint = core::Checkpoint::open(path("switch"));
    EXPECT_NE(checkpoint->find("encoder.block.0.layer.1.mlp.wi.weight"), nullptr);

    const std::string plan = planned(fixture("v1_1"), {"--experts", "2"});
    expectRefused(upcycle({"convert", fixture("v1_1"), "--plan", plan, "-o", path("no"), "--layout",
                           "switch"}),
                  3, {"SwitchTransformers", "gated"});
    EXPECT_FALSE(std::filesystem::exists(path("no")));
    expectRefused(upcycle({"convert", moe, "-o", path("no"), "--layout", "flax"}), 2, {"flax"});
}

/// What transformers computes: tests/reference/make_t5_fixtures.py.
std::string computed(const std::string& name) {
    return UPCYCLER_SOURCE_DIR "/tests/core/model/fixtures/t5/" + name;
}

std::vector<float> floatsIn(const std::string& file, const std::string& name) {
    const auto checkpoint = core::Checkpoint::open(file);
    const core::TensorInfo* info = checkpoint->find(name);
    EXPECT_NE(info, nullptr) << name;
    return info == nullptr ? std::vector<float>() : checkpoint->readFloats(*info);
}

void expectNear(const std::vector<float>& found, const std::vector<float>& expected,
                const std::string& name) {
    ASSERT_EQ(found.size(), expected.size()) << name;
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 1e-4F * largest) << name << " " << i;
}

TEST_F(T5Test, ForwardGivesWhatTransformersGives) {
    for (const char* name : {"v10_tied_relu", "v11_untied_gated_gelu", "mt5", "switch_drops"}) {
        const std::string reference = computed(name) + "/reference.safetensors";
        const std::string out = path("out.safetensors");
        const std::string gradients = path("gradients.safetensors");
        expectDone({"forward", computed(name), "--input", reference, "--output", out, "--gradients",
                    gradients});
        expectNear(floatsIn(out, "logits"), floatsIn(reference, "logits"), name);
        expectNear(floatsIn(out, "loss"), floatsIn(reference, "loss"), name);
        const auto model = core::Checkpoint::open(computed(name) + "/model.safetensors");
        EXPECT_EQ(core::Checkpoint::open(gradients)->tensors().size(), model->tensors().size())
            << "under the names as stored, a tied matrix once";
        for (const core::TensorInfo& tensor : model->tensors())
            expectNear(floatsIn(gradients, tensor.name),
                       floatsIn(reference, "gradient/" + tensor.name), tensor.name);
    }
}

TEST_F(T5Test, ForwardRefusesABatchThatDoesNotFit) {
    const std::string model = computed("v10_tied_relu");
    const auto forward = [&](const std::string& input) {
        return upcycle({"forward", model, "--input", input, "--output", path("out.safetensors")});
    };
    expectRefused(forward(model + "/model.safetensors"), 3, {"model.safetensors", "input_ids"});
    expectRefused(forward(computed("larger") + "/reference.safetensors"), 3,
                  {"reference.safetensors", "hold the token", "expected 0 to 36"});
    EXPECT_FALSE(std::filesystem::exists(path("out.safetensors")));
}

TEST_F(T5Test, TheStepZeroReport) {
    const std::string dense = computed("v11_untied_gated_gelu");
    const std::string input = dense + "/reference.safetensors";
    const std::string exact =
        upcycled(dense, {"--experts", "3", "--layers", "encoder.1,decoder.1", "--router", "top-k",
                         "--dropless", "--renormalize", "on"});
    const Json holds = jsonOf(expectDone({"check", dense, exact, "--input", input, "--json"}));
    EXPECT_EQ(holds["holds"], true);
    EXPECT_EQ(holds["blocks"].size(), 2U);
    const Json random = jsonOf(expectDone({"check", dense, exact, "--json"}));
    EXPECT_EQ(random["holds"], true);
    std::filesystem::remove_all(exact);
    const std::string paper = upcycled(dense, {"--experts", "3"});
    const Json differs = jsonOf(expectDone({"check", dense, paper, "--json"}));
    EXPECT_EQ(differs["holds"], false);
    EXPECT_NE(differs["causes"].dump().find("renormalize is off"), std::string::npos);
}

TEST_F(T5Test, ImagesAreNotForIt) {
    const std::string model = fixture("v1_0");
    expectRefused(upcycle({"eval", model, "--data", kData}), 3, {"t5", "is no text"});
    expectRefused(upcycle({"check", model, model, "--data", kData}), 3, {"t5", "is no text"});
    expectRefused(upcycle({"new", path("run"), "--model", model, "--data", kData}), 3,
                  {"t5", "is no text"});
    EXPECT_FALSE(std::filesystem::exists(path("run")));
}

}  // namespace
}  // namespace upcycle_test
