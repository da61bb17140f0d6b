// SPDX-License-Identifier: Apache-2.0
// forward and eval.
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace upcycle_test {
namespace {

constexpr std::int64_t kImages = 5;
constexpr std::int64_t kTokens = kImages * 5;

class ComputeTest : public AppTest {
  protected:
    const std::string dense_ = Workshop::get().dense().string();
    const std::string sparse_ = Workshop::get().upcycled().string();

    /// IN.safetensors with the given labels (none when empty).
    std::string writeInput(const std::vector<std::int64_t>& labels,
                           core::Shape shape = {kImages, 1, 8, 8}) const {
        std::vector<core::TensorInfo> infos(labels.empty() ? 1 : 2);
        infos[0].name = "pixel_values";
        infos[0].shape = shape;
        if (!labels.empty()) {
            infos[1].name = "labels";
            infos[1].dtype = core::DType::I64;
            infos[1].shape = core::Shape{static_cast<std::int64_t>(labels.size())};
        }
        core::WriterOptions options;
        options.force = true;
        const auto writer = core::CheckpointWriter::create(path("in.safetensors"), infos, options);
        std::vector<float> pixels(static_cast<std::size_t>(shape.elements()));
        for (std::size_t i = 0; i < pixels.size(); ++i)
            pixels[i] = std::sin(static_cast<float>(i) * 0.7F);
        writer->write(0, std::as_bytes(std::span(pixels)));
        if (!labels.empty()) writer->write(1, std::as_bytes(std::span(labels)));
        writer->commit();
        return path("in.safetensors");
    }
    Result forward(const std::string& model, const std::string& input,
                   const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"forward",   model,      "--input",
                                     input,       "--output", path("out.safetensors"),
                                     "--threads", "1"};
        all.insert(all.end(), more.begin(), more.end());
        return upcycle(all);
    }
    std::shared_ptr<const core::Checkpoint> open(const std::string& name) const {
        return core::Checkpoint::open(path(name));
    }
    static std::vector<float> values(const core::Checkpoint& file, const std::string& name) {
        const core::TensorInfo* info = file.find(name);
        EXPECT_NE(info, nullptr) << name;
        return info == nullptr ? std::vector<float>{} : file.readFloats(*info);
    }
    float lossOf(const std::string& model, const std::vector<std::int64_t>& labels) const {
        EXPECT_EQ(forward(model, writeInput(labels)).exit, 0);
        return values(*open("out.safetensors"), "loss").at(0);
    }
};

TEST_F(ComputeTest, DenseGivesLogitsAndLoss) {
    ASSERT_EQ(forward(dense_, writeInput({})).exit, 0);
    const auto plain = open("out.safetensors");
    EXPECT_EQ(plain->find("logits")->shape, (core::Shape{kImages, 4}));
    EXPECT_EQ(plain->find("loss"), nullptr);
    ASSERT_EQ(forward(dense_, writeInput({0, 1, 2, 3, -100})).exit, 0);
    const auto labelled = open("out.safetensors");
    EXPECT_EQ(labelled->find("loss")->shape, core::Shape{});
    const std::vector<float> logits = values(*labelled, "logits");
    double expected = 0;
    for (std::size_t row = 0; row < 4; ++row) {
        double sum = 0;
        for (std::size_t c = 0; c < 4; ++c)
            sum += std::exp(static_cast<double>(logits[row * 4 + c]));
        expected += std::log(sum) - static_cast<double>(logits[row * 4 + row]);
    }
    EXPECT_NEAR(static_cast<double>(values(*labelled, "loss")[0]), expected / 4, 1e-5);
}

TEST_F(ComputeTest, MoeBlocksShowTheirRouting) {
    ASSERT_EQ(forward(sparse_, writeInput({0, 1, 2, 3, 0})).exit, 0);
    const auto out = open("out.safetensors");
    for (const char* block : {"encoder.2", "encoder.3"}) {
        const std::string name = block;
        EXPECT_EQ(out->find(name + ".router_probabilities")->shape, (core::Shape{kTokens, 3}));
        EXPECT_EQ(out->find(name + ".combine_weights")->shape, (core::Shape{kTokens, 3}));
        const std::vector<float> p = values(*out, name + ".router_probabilities");
        const std::vector<float> w = values(*out, name + ".combine_weights");
        std::vector<int> taken(3);
        for (std::size_t token = 0; token < kTokens; ++token) {
            double sum = 0;
            double weight = 0;
            for (std::size_t expert = 0; expert < 3; ++expert) {
                sum += static_cast<double>(p[token * 3 + expert]);
                weight += static_cast<double>(w[token * 3 + expert]);
                taken[expert] += w[token * 3 + expert] > 0 ? 1 : 0;
            }
            EXPECT_NEAR(sum, 1.0, 1e-5);
            EXPECT_TRUE(weight == 0 || std::abs(weight - 1.0) < 1e-5) << weight;
        }
        EXPECT_EQ(taken, std::vector<int>(3, 17)) << "ceil(2 * 25 / 3) tokens an expert";
    }
    EXPECT_NE(out->find("aux_loss"), nullptr);
    EXPECT_GT(values(*out, "z_loss").at(0), 0.0F);
}

TEST_F(ComputeTest, GradientsHaveTheFilesNamesAndAreGradients) {
    const std::vector<std::int64_t> labels{0, 1, 2, 3, 0};
    ASSERT_EQ(forward(sparse_, writeInput(labels), {"--gradients", path("g.safetensors")}).exit, 0);
    const auto gradients = open("g.safetensors");
    const auto model = core::Checkpoint::open(sparse_);
    ASSERT_EQ(gradients->tensors().size(), model->tensors().size());
    for (const core::TensorInfo& info : model->tensors()) {
        const core::TensorInfo* gradient = gradients->find(info.name);
        ASSERT_NE(gradient, nullptr) << info.name;
        EXPECT_EQ(gradient->shape, info.shape) << info.name;
    }
    // d loss / d classifier.bias sums to 0, and a step against it lowers the loss.
    double sum = 0;
    for (const float g : values(*gradients, "classifier.bias")) sum += static_cast<double>(g);
    EXPECT_NEAR(sum, 0.0, 1e-6);
}

TEST_F(ComputeTest, TotalLossAddsTheRouterLosses) {
    const std::string input = writeInput({0, 1, 2, 3, 0});
    const std::string router = "vit.encoder.layer.3.mlp.router.classifier.weight";
    ASSERT_EQ(forward(sparse_, input, {"--gradients", path("plain.safetensors")}).exit, 0);
    ASSERT_EQ(forward(sparse_, input,
                      {"--gradients", path("total.safetensors"), "--loss", "total", "--z", "0.5"})
                  .exit,
              0);
    EXPECT_NE(values(*open("plain.safetensors"), router),
              values(*open("total.safetensors"), router));
    expectRefused(forward(sparse_, input, {"--z", "0.5"}), 2, {"total"});
}

TEST_F(ComputeTest, BadInputsAreRefusedAndNothingIsWritten) {
    const std::vector<std::int64_t> labels{0, 1, 2, 3, 0};
    expectRefused(forward(dense_, path("missing.safetensors")), 3, {"missing.safetensors"});
    expectRefused(forward(dense_, writeInput({}, {kImages, 3, 8, 8})), 3, {"pixel_values"});
    expectRefused(forward(dense_, writeInput({}, {64})), 3, {"pixel_values"});
    expectRefused(forward(dense_, writeInput({0, 1})), 3, {"labels"});
    expectRefused(forward(dense_, writeInput({0, 1, 2, 3, 4})), 3, {"labels", "4"});
    expectRefused(forward(dense_, writeInput({0, 1, 2, 3, -1})), 3, {"labels", "-1"});
    expectRefused(forward(dense_, writeInput({}), {"--gradients", path("g.safetensors")}), 3,
                  {"labels"});
    expectRefused(
        upcycle({"forward", dense_, "--input", writeInput(labels), "--output", path("out.bin")}), 2,
        {"--output"});
    EXPECT_FALSE(std::filesystem::exists(path("out.safetensors")));
    EXPECT_FALSE(std::filesystem::exists(path("g.safetensors")));
}

TEST_F(ComputeTest, ForwardIsRepeatable) {
    const std::vector<std::int64_t> labels{3, 2, 1, 0, 1};
    EXPECT_EQ(lossOf(sparse_, labels), lossOf(sparse_, labels));
}

TEST_F(ComputeTest, EvalHasItsMetrics) {
    const Json document =
        jsonOf(expectDone({"eval", sparse_, "--data", kData, "--metrics", "loss,accuracy,fewshot:3",
                           "--threads", "1", "--json"}));
    EXPECT_EQ(document["split"], "test");
    EXPECT_EQ(document["examples"], 96);
    EXPECT_GT(document["loss"], 0.5);
    for (const char* key : {"accuracy", "fewshot:3"}) {
        EXPECT_GE(document[key], 0.0) << key;
        EXPECT_LE(document[key], 1.0) << key;
    }
    EXPECT_EQ(document["routers"].size(), 2U);
    const Json few = jsonOf(expectDone({"eval", dense_, "--data", kData, "--examples", "10",
                                        "--split", "train", "--metrics", "loss", "--json"}));
    EXPECT_EQ(few["examples"], 10);
    EXPECT_FALSE(few.contains("accuracy"));
    expectRefused(upcycle({"eval", dense_, "--data", kData, "--metrics", "beauty"}), 2, {"beauty"});
    expectRefused(upcycle({"eval", dense_, "--data", kData, "--split", "half"}), 2, {"half"});
}

}  // namespace
}  // namespace upcycle_test
