// SPDX-License-Identifier: Apache-2.0
#include "core/run/evaluate_in_pieces.h"

#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace core::test {
namespace {

std::unique_ptr<Model> makeMoeVit() {
    ModelSpec spec;
    spec.vit.imageSize = 4;
    spec.vit.patchSize = 2;
    spec.vit.channels = 1;
    spec.vit.hidden = 8;
    spec.vit.intermediate = 12;
    spec.vit.heads = 2;
    spec.vit.layers = 1;
    spec.vit.classes = 5;
    spec.vit.initializerRange = 0.5F;
    spec.blocks.push_back({"encoder.0", "encoder", 0, MoeSpec{}});
    spec.blocks[0].moe->router = RouterKind::TopK;
    spec.blocks[0].moe->experts = 4;
    spec.blocks[0].moe->k = 1;
    auto model = makeModel(spec, makeCpuBackend(1), false);
    initializeParameters(model->parameters(), 1, model->backend());
    return model;
}

LoaderOptions loaderOptions() {
    LoaderOptions options;
    options.batch = 4;
    options.shape = {.channels = 1, .height = 4, .width = 4};
    return options;
}

TEST(EvaluateInPieces, IsEvaluateToTheLastBit) {
    const auto data = makeClusters(61, 16, 5);
    const auto model = makeMoeVit();
    const EvalResult whole = evaluate(*model, *data, loaderOptions(), {}, nullptr);
    BatchLoader batches(data, inOrder(loaderOptions()), {});
    const auto pieces = evaluateInPieces(*model, batches, {}, [](std::int64_t) { return true; });
    ASSERT_TRUE(pieces.has_value());
    EXPECT_EQ(pieces->examples, 61);
    EXPECT_EQ(pieces->loss, whole.loss);
    EXPECT_EQ(pieces->accuracy, whole.accuracy);
    ASSERT_EQ(pieces->routers.size(), 1U);
    EXPECT_EQ(pieces->routers[0].load, whole.routers[0].load);
    EXPECT_EQ(pieces->routers[0].cv, whole.routers[0].cv);
    EXPECT_EQ(pieces->routers[0].dropped, whole.routers[0].dropped);
    EXPECT_GT(whole.routers[0].cv, 0.0);
}

/// Every picture takes 25 ms.
class SlowImages final : public ImageDataset {
  public:
    explicit SlowImages(std::shared_ptr<const ImageDataset> images) : images_(std::move(images)) {}
    std::int64_t size() const override { return images_->size(); }
    std::int64_t classes() const override { return images_->classes(); }
    std::int64_t label(std::int64_t index) const override { return images_->label(index); }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
        return images_->read(index, shape, into);
    }
    bool isNormalized() const override { return true; }
    std::string description() const override { return "slow images"; }

  private:
    std::shared_ptr<const ImageDataset> images_;
};

TEST(EvaluateInPieces, IsDroppedBetweenBatches) {
    const auto data = std::make_shared<SlowImages>(makeClusters(60, 16, 5));
    const auto model = makeMoeVit();
    std::vector<std::int64_t> asked;
    BatchLoader batches(data, inOrder(loaderOptions()), {});
    const auto result = evaluateInPieces(*model, batches, {}, [&](std::int64_t done) {
        asked.push_back(done);
        return asked.size() < 2;
    });
    EXPECT_FALSE(result.has_value());
    ASSERT_EQ(asked.size(), 2U);
    for (const std::int64_t done : asked) EXPECT_EQ(done % 4, 0);
    EXPECT_GT(asked[1], asked[0]);
    EXPECT_LT(asked[1], 60);
}

}  // namespace
}  // namespace core::test
