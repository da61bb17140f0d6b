// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/surgery/report.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <numeric>

namespace core::test {
namespace {

/// 4-byte elements: each tensor of a training step of one encoder and one decoder block, by hand.
/// d_model 6, d_ff 10 (gated), 3 heads of 2, 11 words; two examples of 5 input and 3 target tokens.
const TextLengths kLengths{5, 3};
constexpr std::int64_t kBatch = 2;

double sum(std::initializer_list<double> terms) {
    return std::accumulate(terms.begin(), terms.end(), 0.0);
}

double weights(const ModelSpec& spec) {
    double elements = 0;
    for (const Parameter& parameter : describeParameters(spec))
        elements += static_cast<double>(parameter.shape.elements());
    return elements;
}

/// What is needed beside weights, gradients and the optimizer's state.
double activations(const ModelSpec& spec) {
    return static_cast<double>(trainingBytes(spec, kBatch, 0, kLengths)) / 4 - 2 * weights(spec);
}

ModelSpec oneBlockEach() { return SmallT5{.encoderLayers = 1, .decoderLayers = 1}.spec(); }

/// Kept to backward without both MLPs' inner tensors.
double keptBesideMlps() {
    const double encoder = sum({75, 60,                  // bias, embedded tokens
                                60, 10, 240, 30, 60,     // normed, 1/rms, q k v o, logSumExp, sum
                                60, 10, 60,              // normed, 1/rms, sum
                                10, 60});                // last 1/rms and norm
    const double decoder = sum({27, 36,                  //
                                36, 6, 144, 18, 36,      // self-attention
                                36, 6, 72, 120, 18, 36,  // cross-attention: k and v of the inputs
                                36, 6, 36,               //
                                6, 36});
    const double loss = sum({66, 6, 6});  // logits, losses, logSumExp
    const double batch =
        2 * sum({20, 12, 12, 2.5, 1.5});  // ids, labels; masks of bytes; and the next
    return encoder + decoder + loss + batch;
}
constexpr double kDenseEncoderMlp = 3 * 10 * 10;
constexpr double kDenseDecoderMlp = 3 * 6 * 10;
/// Gradients of both stacks' outputs.
constexpr double kBetween = 60 + 36;

TEST(T5Memory, CountsEveryTensorOfADenseStep) {
    // The largest need is the encoder's attention: the bias' gradient; d, dx; do, dq, dk, dv; dx
    // through k or v.
    const double backward = sum({kBetween, 75, 120, 240, 60});
    EXPECT_DOUBLE_EQ(activations(oneBlockEach()),
                     keptBesideMlps() + kDenseEncoderMlp + kDenseDecoderMlp + backward);
}

TEST(T5Memory, CountsTheSlotsOfBothStacksRouters) {
    ModelSpec spec = oneBlockEach();
    MoeSpec moe;
    moe.experts = 4;
    moe.capacity = 2;
    spec.blocks[0].moe = moe;  // 4 experts take 5 of 10 tokens
    moe.router = RouterKind::TopK;
    moe.k = 2;
    moe.capacity = 1;
    moe.group = {GroupSize::Kind::Sequence, 0};
    spec.blocks[1].moe = moe;  // 4 experts take 1 of 3 tokens, twice
    const double slot = 3 * 10 + 6 + 4;
    const double encoder = sum({2 * 40, 2 * 10, 20 * slot});       // tables, sums
    const double decoder = sum({2 * 24, 2 * 6, 2 * 6, 8 * slot});  // and what was asked
    const double backward = sum({kBetween, 75, 120, 20 * (6 + 2 * 10 + 1), 60, 40});
    EXPECT_DOUBLE_EQ(activations(spec), keptBesideMlps() + encoder + decoder + backward);
}

TEST(T5Memory, AnUngatedMlpHasOneMatrixLess) {
    const ModelSpec gated = oneBlockEach();
    ModelSpec plain = gated;
    plain.t5.gated = false;
    EXPECT_DOUBLE_EQ(activations(gated) - activations(plain), 100 + 60);
}

TEST(T5Memory, ReluWithoutAGateLiesInThePlaceOfWhatItIsOf) {
    ModelSpec gelu = oneBlockEach();
    gelu.t5.gated = false;
    gelu.t5.activation = Activation::GeluTanh;
    ModelSpec relu = gelu;
    relu.t5.activation = Activation::Relu;
    EXPECT_DOUBLE_EQ(activations(gelu) - activations(relu), 100 + 60);
    gelu.t5.gated = relu.t5.gated = true;
    EXPECT_DOUBLE_EQ(activations(gelu), activations(relu));
}

TEST(T5Memory, GrowsWithTheWordsAndTheLengths) {
    const ModelSpec spec = oneBlockEach();
    ModelSpec words = spec;
    words.t5.vocab = 1000;
    const double logits = 6 * 1000;
    EXPECT_DOUBLE_EQ(activations(words) - activations(spec),
                     logits - 66 + (logits + kBetween) - sum({kBetween, 75, 120, 240, 60}));
    EXPECT_EQ(trainingBytes(spec, 7, 0),
              trainingBytes(spec, 7, 0, {kT5InputTokens, kT5TargetTokens}));
    EXPECT_GT(trainingBytes(spec, 7, 0), trainingBytes(spec, 7, 0, {511, 114}));
    EXPECT_GT(trainingBytes(spec, 7, 0), trainingBytes(spec, 7, 0, {512, 113}));
}

TEST(T5Memory, ThePlanAddsAdafactorsState) {
    const ModelSpec spec = specFromConfig(
        R"({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": 128,
            "d_ff": 256, "d_kv": 64, "num_heads": 2, "num_layers": 1, "vocab_size": 200,
            "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false})",
        "config.json");
    const double state = sum({12 * (128 + 128), 2 * 3 * (128 + 256), 2 * (200 + 128),  // factored
                              2 * 32 * 2, 7 * 128});  // position biases and norms as they are
    const auto planned = static_cast<double>(modelCost(spec, {}, 3).trainingBytes);
    EXPECT_DOUBLE_EQ(planned - static_cast<double>(trainingBytes(spec, 3, 0)), 4 * state);
    ModelSpec sparse = spec;
    MoeSpec moe;
    moe.experts = 5;
    sparse.blocks[1].moe = moe;
    const double more = sum({4 * 3 * (128 + 256), 5 * 128});  // a router is too narrow
    const auto upcycled = static_cast<double>(modelCost(sparse, {}, 3).trainingBytes);
    EXPECT_DOUBLE_EQ(upcycled - static_cast<double>(trainingBytes(sparse, 3, 0)),
                     4 * (state + more));
}

TEST(T5Memory, AnEncoderAloneIsNotTrained) {
    const ModelSpec spec = specFromConfig(
        R"({"model_type": "t5", "architectures": ["T5EncoderModel"]})", "config.json");
    EXPECT_EQ(trainingBytes(spec, 8, 0), 0U);
    EXPECT_EQ(modelCost(spec, {}).trainingBytes, 0U);
}

/// Peak of what a training step of the real model allocates.
double measuredBytes(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                     const StepSettings& settings) {
    const auto model = makeModel(spec, makeCpuBackend(1), true, {}, settings.dtype);
    initializeParameters(model->parameters(), 1, model->backend());
    Batch input;
    input.inputIds = Tensor::zeros({batch, lengths.inputs}, DType::I64);
    input.decoderInputIds = Tensor::zeros({batch, lengths.targets}, DType::I64);
    input.labels = Tensor::zeros({batch, lengths.targets}, DType::I64);
    ForwardOptions options;
    options.training = true;
    options.recompute = settings.recompute;
    const ForwardResult result = model->forward(input, options);
    model->backward(1);
    double copies = 0;
    for (const Parameter& parameter : model->parameters())
        copies += parameter.bf16.defined() ? static_cast<double>(parameter.bf16.bytes()) : 0;
    return 8 * weights(spec) + copies +
           static_cast<double>(model->workspace().peakBytes() + result.logits.bytes() +
                               input.inputIds.bytes() + 2 * input.labels.bytes());
}

struct Measured {
    const char* name;
    std::int64_t vocab;
    TextLengths lengths;
    std::int64_t experts;  ///< 0 = dense
    bool gated;
    StepSettings settings{};
};
void PrintTo(const Measured& value, std::ostream* stream) { *stream << value.name; }

class MeasuredT5 : public testing::TestWithParam<Measured> {};

TEST_P(MeasuredT5, EstimateIsWithinATenthOfThePeak) {
    const Measured& c = GetParam();
    ModelSpec spec = SmallT5{.encoderLayers = 3, .decoderLayers = 3, .gated = c.gated}.spec();
    spec.t5.vocab = c.vocab;
    spec.t5.dModel = 48;
    spec.t5.dKv = 16;
    spec.t5.dFf = 128;
    if (c.experts > 0)
        for (const char* name : {"encoder.1", "decoder.1"})
            for (BlockSpec& block : spec.blocks)
                if (block.name == name) {
                    block.moe = defaultLayerPlan(spec, block).moe;
                    block.moe->experts = c.experts;
                }
    const double measured = measuredBytes(spec, 8, c.lengths, c.settings);
    const auto estimated = static_cast<double>(trainingBytes(spec, 8, 0, c.lengths, c.settings));
    EXPECT_NEAR(estimated / measured, 1.0, 0.1) << estimated << " estimated, " << measured;
}

INSTANTIATE_TEST_SUITE_P(
    Models, MeasuredT5,
    testing::Values(Measured{"Dense", 64, {48, 16}, 0, true},
                    Measured{"Ungated", 64, {16, 48}, 0, false},
                    Measured{"ManyWords", 3000, {24, 24}, 0, true},
                    Measured{"Upcycled", 64, {48, 16}, 8, true},
                    Measured{"UpcycledUngated", 500, {32, 32}, 4, false},
                    Measured{"UpcycledBf16", 64, {48, 16}, 8, true, {DType::BF16, false}},
                    Measured{"ManyWordsBf16", 3000, {24, 24}, 0, true, {DType::BF16, false}},
                    Measured{"Again", 64, {48, 16}, 8, true, {DType::F32, true}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace core::test
