// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"

#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "tests/core/model/fixture.h"
#include "tests/core/model/headers_only.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

std::vector<float> flatGradients(Model& model) {
    std::vector<float> all;
    for (const auto& [name, values] : gradientsByName(model))
        all.insert(all.end(), values.begin(), values.end());
    return all;
}

std::unique_ptr<Model> sparseModel() {
    const auto dense = randomModel(smallVit(), 1);
    return upcycle(*dense, {{"encoder.1", topK(3, 2, 1.0)}, {"encoder.3", expertChoice(4, 2)}},
                   0.5F, true);
}

ForwardOptions training() {
    ForwardOptions options;
    options.training = true;
    options.loss.aux = 0.1F;
    options.loss.z = 0.01F;
    return options;
}

TEST(VitModel, GradientsAccumulateAndScale) {
    const auto model = sparseModel();
    const Batch batch = randomBatch(smallVit().vit, 3, 4);
    const auto pass = [&](float scale) {
        model->forward(batch, training());
        model->backward(scale);
    };
    pass(1.0F);
    const std::vector<float> once = flatGradients(*model);
    pass(0.5F);
    std::vector<float> expected = once;
    for (float& value : expected) value *= 1.5F;
    EXPECT_LT(relativeError(flatGradients(*model), expected), 1e-5);
    model->zeroGradients();
    pass(1.0F);
    EXPECT_EQ(flatGradients(*model), once) << "bitwise repeatable";
}

/// Batch-wide quantities apart (routing, which compares tokens), a batch's gradient is the mean of
/// its parts'.
TEST(VitModel, MicrobatchesAddUpToTheBatch) {
    const auto model = randomModel(smallVit(), 3, true);
    const Batch batch = randomBatch(smallVit().vit, 4, 4);
    ForwardOptions options;
    options.training = true;
    model->forward(batch, options);
    model->backward(1.0F);
    const std::vector<float> whole = flatGradients(*model);
    model->zeroGradients();
    for (const auto& [begin, end] : {std::pair<int, int>{0, 1}, {1, 4}}) {
        model->forward({batch.pixels.rows(begin, end), batch.labels.rows(begin, end)}, options);
        model->backward(static_cast<float>(end - begin) / 4.0F);
    }
    EXPECT_LT(relativeError(flatGradients(*model), whole), 1e-5);
}

TEST(VitModel, TheGradientIsTheSlopeOfTheTotalLoss) {
    const auto model = sparseModel();
    const Batch batch = randomBatch(smallVit().vit, 3, 4);
    for (const LossKind kind : {LossKind::Softmax, LossKind::Sigmoid}) {
        ForwardOptions options = training();
        options.loss.kind = kind;
        options.loss.labelSmoothing = 0.2F;
        const auto total = [&] {
            const ForwardResult r = model->forward(batch, options);
            return r.loss + static_cast<double>(options.loss.aux) * r.auxLoss +
                   static_cast<double>(options.loss.z) * r.zLoss;
        };
        model->zeroGradients();
        total();
        model->backward(1.0F);
        double squares = 0;
        for (const float g : flatGradients(*model)) squares += static_cast<double>(g * g);
        const float step = 2e-3F / static_cast<float>(std::sqrt(squares));
        const auto move = [&](float factor) {
            for (const Parameter& p : model->parameters())
                for (std::int64_t i = 0; i < p.value.elements(); ++i)
                    p.value.data<float>()[i] += factor * step * p.gradient.data<float>()[i];
        };
        move(1.0F);
        const double above = total();
        move(-2.0F);
        const double below = total();
        move(1.0F);
        EXPECT_NEAR((above - below) / (2.0 * static_cast<double>(step) * squares), 1.0, 5e-3);
    }
}

TEST(VitModel, EvaluationGivesTheSameAndNeedsLessMemory) {
    const auto one = sparseModel();
    const auto other = sparseModel();
    const Batch batch = randomBatch(smallVit().vit, 5, 4);
    const ForwardResult trained = one->forward(batch, training());
    ForwardOptions options = training();
    options.training = false;
    const ForwardResult evaluated = other->forward(batch, options);
    const auto a = trained.logits.span<float>();
    const auto b = evaluated.logits.span<float>();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
    EXPECT_EQ(trained.loss, evaluated.loss);
    EXPECT_EQ(trained.auxLoss, evaluated.auxLoss);
    EXPECT_EQ(trained.zLoss, evaluated.zLoss);
    ASSERT_EQ(evaluated.routers.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto p = trained.routers[i].probabilities.span<float>();
        const auto q = evaluated.routers[i].probabilities.span<float>();
        EXPECT_TRUE(std::equal(p.begin(), p.end(), q.begin()));
    }
    EXPECT_LT(other->workspace().peakBytes(), one->workspace().peakBytes() / 2);
}

TEST(VitModel, TheWorkspaceStopsGrowing) {
    const auto model = sparseModel();
    const Batch batch = randomBatch(smallVit().vit, 5, 4);
    std::size_t capacity = 0;
    for (int step = 0; step < 4; ++step) {
        model->forward(batch, training());
        model->backward(1.0F);
        if (step > 1) {
            EXPECT_EQ(model->workspace().capacityBytes(), capacity);
        }
        capacity = model->workspace().capacityBytes();
    }
}

TEST(VitModel, LabelsThatDoNotCount) {
    const auto model = randomModel(smallVit(), 3, true);
    Batch batch = randomBatch(smallVit().vit, 2, 4);
    std::fill_n(batch.labels.data<std::int64_t>(), 2, -100);
    ForwardOptions options;
    options.training = true;
    const ForwardResult result = model->forward(batch, options);
    EXPECT_EQ(result.counted, 0);
    EXPECT_EQ(result.loss, 0);
    model->backward(1.0F);
    EXPECT_EQ(maxMagnitude(flatGradients(*model)), 0);
    batch.labels = {};
    EXPECT_EQ(model->forward(batch, {}).loss, 0);
}

TEST(VitModel, RefusesAnInputThatDoesNotFit) {
    const auto model = randomModel(smallVit(), 3);
    const Batch good = randomBatch(smallVit().vit, 2, 4);
    const auto refuse = [&](const Batch& batch, const std::string& word) {
        try {
            model->forward(batch, {});
            ADD_FAILURE() << word;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::BadInput);
            EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
        }
    };
    refuse({Tensor::zeros({2, 3, 12, 12}), {}}, "[2, 3, 12, 12]");
    refuse({Tensor::zeros({2, 2, 12, 9}), {}}, "[B, 2, 12, 12]");
    refuse({Tensor::zeros({0, 2, 12, 12}), {}}, "pixel_values");
    refuse({{}, {}}, "undefined");
    refuse({good.pixels, Tensor::zeros({3}, DType::I64)}, "labels");
    refuse({good.pixels, Tensor::zeros({2}, DType::F32)}, "labels");
    const std::vector<std::int64_t> wrong{0, 5};
    refuse({good.pixels, Tensor::of<std::int64_t>({2}, wrong)}, "label 5");
}

TEST(Parameters, StartWithTheConfigsDeviation) {
    ModelSpec spec = smallVit();
    spec.vit.initializerRange = 0.5F;
    const auto model = makeModel(spec, makeCpuBackend(1), false);
    initializeParameters(model->parameters(), 5, model->backend());
    for (const Parameter& p : model->parameters()) {
        if (p.name.ends_with(".bias") || p.name.find("layernorm") != std::string::npos) continue;
        double squares = 0;
        for (const float v : p.value.span<float>()) squares += static_cast<double>(v * v);
        EXPECT_NEAR(std::sqrt(squares / static_cast<double>(p.value.elements())), 0.5, 0.25)
            << p.name;
    }
}

TEST(Parameters, StartAtRandomReproducibly) {
    ModelSpec spec = smallVit();
    spec.blocks[1].moe = expertChoice(3, 1);
    const auto start = [&](std::uint64_t seed) {
        auto model = makeModel(spec, makeCpuBackend(1), false);
        initializeParameters(model->parameters(), seed, model->backend());
        return model;
    };
    const auto a = start(5);
    const auto b = start(5);
    const auto c = start(6);
    for (std::size_t i = 0; i < a->parameters().size(); ++i) {
        const Parameter& p = a->parameters()[i];
        const auto values = p.value.span<float>();
        const auto same = b->parameters()[i].value.span<float>();
        EXPECT_TRUE(std::equal(values.begin(), values.end(), same.begin())) << p.name;
        if (p.name.ends_with(".bias")) {
            EXPECT_EQ(maxMagnitude(values), 0) << p.name;
        } else if (p.name.find("layernorm") != std::string::npos) {
            EXPECT_EQ(std::count(values.begin(), values.end(), 1.0F), p.value.elements());
        } else {
            const auto other = c->parameters()[i].value.span<float>();
            EXPECT_FALSE(std::equal(values.begin(), values.end(), other.begin())) << p.name;
            double squares = 0;
            for (const float v : values) squares += static_cast<double>(v * v);
            EXPECT_NEAR(std::sqrt(squares / static_cast<double>(values.size())), 0.02, 0.01);
            EXPECT_LT(maxMagnitude(values), 0.1);
        }
        if (p.experts > 0 && !p.name.ends_with(".bias")) {
            const auto first = p.value.rows(0, 1).span<float>();
            const auto second = p.value.rows(1, 2).span<float>();
            EXPECT_FALSE(std::equal(first.begin(), first.end(), second.begin())) << p.name;
        }
    }
}

TEST(Parameters, LoadingNamesWhatIsWrong) {
    const ModelSpec spec = smallVit();
    auto model = makeModel(spec, makeCpuBackend(1), false);
    const auto complete = [&] {
        HeadersOnly checkpoint("", {});
        for (const Parameter& p : model->parameters())
            for (const ParameterPart& part : p.parts) checkpoint.add(part.tensor, part.shape);
        return checkpoint;
    };
    const auto refuse = [&](const HeadersOnly& checkpoint, const std::string& word) {
        try {
            loadParameters(model->parameters(), checkpoint, model->backend());
            ADD_FAILURE() << word;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::BadInput);
            EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
        }
    };
    HeadersOnly missing = complete();
    missing.remove("classifier.bias");
    refuse(missing, "classifier.bias [5] is missing");
    HeadersOnly misshapen = complete();
    misshapen.edit("classifier.bias")->shape = {6};
    refuse(misshapen, "classifier.bias is [6], expected [5]");
    HeadersOnly integers = complete();
    integers.edit("classifier.bias")->dtype = DType::I32;
    refuse(integers, "I32");
    loadParameters(model->parameters(), complete(), model->backend());
}

TEST(Model, FamiliesThatAreOnlyShown) {
    ModelSpec llama;
    llama.family = Family::Llama;
    try {
        makeModel(llama, makeCpuBackend(1), false);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput);
    }
}

}  // namespace
}  // namespace core::test
