// SPDX-License-Identifier: Apache-2.0
#include "core/model/generation.h"

#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "tests/core/model/fixture.h"
#include "tests/core/model/small_t5.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace core::test {
namespace {

Batch inputsOf(const Fixture& fixture) {
    const Batch batch = fixture.textBatch();
    Batch inputs;
    inputs.inputIds = batch.inputIds;
    inputs.inputMask = batch.inputMask;
    return inputs;
}

/// The fixture's model with another end of sequence.
std::unique_ptr<Model> modelWithEnd(const Fixture& fixture, std::int64_t end) {
    ModelSpec spec = readSpec(fixture.model());
    spec.t5.eosToken = end;
    auto model = makeModel(spec, makeCpuBackend(1), false);
    loadParameters(model->parameters(), fixture.model(), model->backend());
    return model;
}

class GenerationParity : public testing::TestWithParam<std::string> {};

/// tests/reference/make_generation_fixtures.py: what transformers generates, greedily and with
/// beams of several length penalties.
TEST_P(GenerationParity, TokensAndScores) {
    const Fixture fixture("t5/" + GetParam());
    std::ifstream file(fixture.folder() / "generation.json");
    const nlohmann::json cases = nlohmann::json::parse(file);
    ASSERT_EQ(cases.size(), 7U);
    for (const nlohmann::json& one : cases) {
        SCOPED_TRACE(one.dump());
        const auto model = modelWithEnd(fixture, one.at("end"));
        GenerationOptions options;
        options.beams = one.at("beams");
        options.lengthPenalty = one.at("length_penalty");
        options.maxTokens = one.at("max_tokens");
        const std::vector<Generated> made = generate(*model, inputsOf(fixture), options);
        const auto& targets = one.at("targets");
        ASSERT_EQ(made.size(), targets.size());
        for (std::size_t i = 0; i < made.size(); ++i) {
            EXPECT_EQ(made[i].tokens, targets[i].get<std::vector<std::int64_t>>());
            if (!one.contains("scores")) continue;  // greedy
            const double score = one.at("scores")[i];
            EXPECT_NEAR(made[i].score, score, 1e-5 * std::max(1.0, std::abs(score)));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(T5, GenerationParity, testing::ValuesIn(t5Fixtures()),
                         [](const auto& p) { return p.param; });

/// The decoder's routers as they are in generation.
ModelSpec withoutCapacity(ModelSpec spec) {
    for (BlockSpec& block : spec.blocks)
        if (block.stack == "decoder" && block.moe) block.moe->dropless = true;
    return spec;
}

class CachedDecoding : public testing::TestWithParam<MoeSpec> {};

/// Every step's logits are those of a forward over all tokens so far.
TEST_P(CachedDecoding, EqualsTheUncachedDecoder) {
    const std::map<std::string, MoeSpec> moe{{"encoder.1", expertChoice(3, 1.0, false)},
                                             {"decoder.0", GetParam()},
                                             {"decoder.1", GetParam()}};
    const ModelSpec spec = smallT5(moe);
    const auto model = randomT5(spec, 3);
    const auto whole = randomT5(withoutCapacity(spec), 3);
    constexpr std::int64_t kInputs = 3, kRows = 2, kSteps = 11;
    Batch batch = randomText(spec.t5, kInputs * kRows, 7, kSteps, 9);
    Batch inputs;
    inputs.inputIds = Tensor::host({kInputs, 7}, DType::I64);
    const std::int64_t* const from = batch.inputIds.data<std::int64_t>();
    std::copy(from, from + kInputs * 7, inputs.inputIds.data<std::int64_t>());
    inputs.inputMask = paddingMask(7, {0, 3, 6});
    const auto decoding = model->startDecoding(inputs, kRows, kSteps);
    std::vector<std::vector<float>> steps;
    for (std::int64_t t = 0; t < kSteps; ++t) {
        std::vector<std::int64_t> tokens;
        for (std::int64_t row = 0; row < kInputs * kRows; ++row)
            tokens.push_back(batch.decoderInputIds.data<std::int64_t>()[row * kSteps + t]);
        const Tensor logits = decoding->step(tokens);
        steps.emplace_back(logits.span<float>().begin(), logits.span<float>().end());
        if (t == 4) {  // other work of the model in between changes nothing
            model->forward(randomText(spec.t5, 2, 5, 5, 1), {});
        }
    }
    // Both rows of an input are of the same inputs, in one batch of as many.
    for (std::int64_t row = 0; row < kRows; ++row) {
        Batch part;
        part.inputIds = inputs.inputIds;
        part.inputMask = inputs.inputMask;
        part.decoderInputIds = Tensor::host({kInputs, kSteps}, DType::I64);
        for (std::int64_t i = 0; i < kInputs; ++i)
            std::copy_n(batch.decoderInputIds.data<std::int64_t>() + (i * kRows + row) * kSteps,
                        kSteps, part.decoderInputIds.data<std::int64_t>() + i * kSteps);
        const Tensor logits = whole->forward(part, {}).logits;
        for (std::int64_t i = 0; i < kInputs; ++i)
            for (std::int64_t t = 0; t < kSteps; ++t) {
                const auto vocab = static_cast<std::size_t>(spec.t5.vocab);
                const std::span<const float> cached(
                    steps[static_cast<std::size_t>(t)].data() +
                        static_cast<std::size_t>(i * kRows + row) * vocab,
                    vocab);
                const std::span<const float> uncached(
                    logits.data<float>() + static_cast<std::size_t>(i * kSteps + t) * vocab, vocab);
                EXPECT_LE(maxDifference(cached, uncached), 1e-5 * maxMagnitude(uncached))
                    << "row " << row << " of input " << i << ", step " << t;
            }
    }
}

INSTANTIATE_TEST_SUITE_P(Routers, CachedDecoding,
                         testing::Values(topK(3, 2, 0.5, false), topK(3, 2, 2.0, true),
                                         topK(4, 1, 0.25, false), topK(2, 2, 1.0, true)));

class ReorderedRows : public testing::TestWithParam<DType> {};

TEST_P(ReorderedRows, GoOnFromTheirSources) {
    const auto values = randomT5(smallT5({{"decoder.1", topK(3, 2, 2.0, false)}}), 5);
    const auto model = makeModel(values->spec(), makeCpuBackend(1), false, {}, GetParam());
    for (std::size_t i = 0; i < model->parameters().size(); ++i)
        model->parameters()[i].value = values->parameters()[i].value;
    refreshCopies(model->parameters(), model->backend());
    const double allowed = GetParam() == DType::F32 ? 1e-5 : 1e-2;
    Batch inputs;
    inputs.inputIds = randomText(model->spec().t5, 1, 6, 3, 2).inputIds;
    const auto straight = model->startDecoding(inputs, 1, 3);
    straight->step(std::vector<std::int64_t>{0});
    straight->step(std::vector<std::int64_t>{7});
    const Tensor expected = straight->step(std::vector<std::int64_t>{11});
    const auto beams = model->startDecoding(inputs, 3, 3);
    beams->step(std::vector<std::int64_t>{0, 0, 0});
    beams->step(std::vector<std::int64_t>{3, 4, 7});
    beams->reorder(std::vector<std::int64_t>{2, 2, 0});
    const Tensor logits = beams->step(std::vector<std::int64_t>{5, 11, 11});
    const auto vocab = static_cast<std::size_t>(model->spec().t5.vocab);
    const std::span<const float> second(logits.data<float>() + vocab, vocab);
    EXPECT_LE(maxDifference(second, expected.span<float>()),
              allowed * maxMagnitude(expected.span<float>()));
    const std::span<const float> third(logits.data<float>() + 2 * vocab, vocab);
    EXPECT_GT(maxDifference(third, expected.span<float>()), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Types, ReorderedRows, testing::Values(DType::F32, DType::BF16),
                         [](const auto& p) { return std::string(dtypeName(p.param)); });

TEST(Generation, ATargetDoesNotDependOnItsNeighbours) {
    const auto model = randomT5(smallT5({{"decoder.0", topK(3, 1, 0.5, false)}}), 6);
    const Batch three = randomText(model->spec().t5, 3, 6, 3, 4);
    for (const std::int64_t beams : {1, 3}) {
        const GenerationOptions options{12, beams, 1.0};
        Batch inputs;
        inputs.inputIds = three.inputIds;
        const auto together = generate(*model, inputs, options);
        for (std::int64_t i = 0; i < 3; ++i) {
            inputs.inputIds = three.inputIds.rows(i, i + 1);
            EXPECT_EQ(generate(*model, inputs, options).front().tokens,
                      together[static_cast<std::size_t>(i)].tokens);
        }
    }
}

TEST(Generation, StopsWhenAsked) {
    const auto model = randomT5(smallT5(), 7);
    Batch inputs;
    inputs.inputIds = randomText(model->spec().t5, 1, 6, 3, 4).inputIds;
    for (const std::int64_t beams : {1, 2}) {
        int asked = 0;
        const auto made = generate(*model, inputs, {50, beams, 1.0}, [&] { return ++asked < 3; });
        EXPECT_TRUE(made.empty());
        EXPECT_EQ(asked, 3);
    }
}

TEST(Generation, ImageModelsSayThatTheyDoNot) {
    const Fixture fixture(denseFixtures().front());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), false);
    EXPECT_THROW(generate(*model, fixture.batch(), {}), Error);
}

}  // namespace
}  // namespace core::test
