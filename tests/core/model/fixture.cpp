// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/fixture.h"

#include "core/model/router_stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace core::test {

Fixture::Fixture(const std::string& name) {
    folder_ = Path(UPCYCLER_SOURCE_DIR) / "tests/core/model/fixtures" / name;
    model_ = Checkpoint::open(folder_ / "model.safetensors");
    reference_ = Checkpoint::open(folder_ / "reference.safetensors");
}

Tensor Fixture::reference(const std::string& name) const {
    const TensorInfo* info = reference_->find(name);
    if (info == nullptr) throw std::runtime_error("the fixture has no tensor " + name);
    Tensor tensor = Tensor::host(info->shape, info->dtype);
    reference_->read(*info, 0, tensor.elements(), tensor.rawSpan());
    return tensor;
}

double Fixture::scalar(const std::string& name) const {
    return static_cast<double>(*reference(name).data<float>());
}

Batch Fixture::batch() const { return {reference("pixel_values"), reference("labels")}; }

Batch Fixture::textBatch() const {
    const auto maskNamed = [&](const char* name) {
        if (!has(name)) return Tensor();
        const Tensor wide = reference(name);
        Tensor mask = Tensor::host(wide.shape(), DType::U8);
        for (std::int64_t i = 0; i < wide.elements(); ++i)
            mask.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(wide.data<std::int64_t>()[i]);
        return mask;
    };
    Batch batch;
    batch.labels = reference("labels");
    batch.inputIds = reference("input_ids");
    batch.inputMask = maskNamed("attention_mask");
    batch.decoderInputIds = reference("decoder_input_ids");
    batch.decoderMask = maskNamed("decoder_attention_mask");
    return batch;
}

double Fixture::realLogitsError(const Tensor& logits) const {
    const Tensor expected = reference("logits");
    const Tensor mask = textBatch().decoderMask;
    const std::int64_t vocab = logits.size(2);
    std::vector<float> found, wanted;
    for (std::int64_t row = 0; row < logits.elements() / vocab; ++row) {
        if (mask.defined() && mask.data<std::uint8_t>()[row] == 0) continue;
        const auto begin = static_cast<std::size_t>(row * vocab);
        const auto width = static_cast<std::size_t>(vocab);
        const auto a = logits.span<float>().subspan(begin, width);
        const auto b = expected.span<float>().subspan(begin, width);
        found.insert(found.end(), a.begin(), a.end());
        wanted.insert(wanted.end(), b.begin(), b.end());
    }
    return relativeError(found, wanted);
}

LossSpec Fixture::loss() const {
    LossSpec loss;
    if (has("aux_weight")) loss.aux = static_cast<float>(scalar("aux_weight"));
    if (has("z_weight")) loss.z = static_cast<float>(scalar("z_weight"));
    if (has("logit_z_weight")) loss.logitZ = static_cast<float>(scalar("logit_z_weight"));
    return loss;
}

std::vector<std::string> denseFixtures() {
    return {"dense_gelu",           "dense_gelu_new", "dense_relu_no_bias", "dense_silu",
            "dense_tanh_remainder", "dense_larger",   "dense_swish"};
}

std::vector<std::string> moeFixtures() {
    return {"ec_renormalized",         "ec_plain_sequence",          "ec_groups_of_seven",
            "top2_drops_renormalized", "top2_topk_softmax",          "top1_dropless",
            "top3_batch_priority",     "top2_dropless_topk_softmax", "mixed_routers",
            "zero_router_ties"};
}

std::vector<std::string> t5Fixtures() {
    return {"v10_tied_relu",
            "v11_untied_gated_gelu",
            "gated_silu_unequal_depths",
            "one_target",
            "one_input",
            "few_buckets_far_distances",
            "untied_silu",
            "mt5",
            "larger",
            "switch_top1",
            "switch_drops",
            "moe_paper",
            "moe_drops",
            "moe_dropless"};
}

double maxDifference(std::span<const float> a, std::span<const float> b) {
    EXPECT_EQ(a.size(), b.size());
    double difference = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
        difference = std::max(difference, d);
    }
    return difference;
}

double maxMagnitude(std::span<const float> values) {
    double largest = 0;
    for (const float value : values)
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    return largest;
}

double relativeError(std::span<const float> a, std::span<const float> b) {
    const double difference = maxDifference(a, b);
    return difference == 0 ? 0 : difference / maxMagnitude(b);
}

std::vector<std::pair<std::string, std::vector<float>>> gradientsByName(Model& model) {
    std::vector<std::pair<std::string, std::vector<float>>> gradients;
    for (const Parameter& parameter : model.parameters()) {
        const std::span<const float> all = parameter.gradient.span<float>();
        std::size_t begin = 0;
        for (const ParameterPart& part : parameter.parts) {
            const auto count = static_cast<std::size_t>(part.shape.elements());
            const auto values = all.subspan(begin, count);
            gradients.emplace_back(part.tensor, std::vector<float>(values.begin(), values.end()));
            begin += count;
        }
        EXPECT_EQ(begin, all.size()) << parameter.name;
    }
    return gradients;
}

namespace {

/// A key bias moves all scores of a query alike, so its true gradient is 0 and what is stored is
/// rounding: it is measured by the query bias' size.
std::string scaleName(const std::string& name) {
    const std::string key = "attention.attention.key.bias";
    if (!name.ends_with(key)) return name;
    return name.substr(0, name.size() - key.size()) + "attention.attention.query.bias";
}

}  // namespace

WorstGradient expectGradients(Model& model, const Fixture& fixture, double tolerance) {
    WorstGradient worst;
    for (const auto& [name, values] : gradientsByName(model)) {
        const Tensor expected = fixture.reference("gradient/" + name);
        const double difference = maxDifference(values, expected.span<float>());
        const Tensor scaled = fixture.reference("gradient/" + scaleName(name));
        const double scale = maxMagnitude(scaled.span<float>());
        EXPECT_LE(difference, tolerance * scale) << name << ", largest " << scale;
        if (scale > 0 && difference / scale > worst.error) worst = {difference / scale, name};
    }
    return worst;
}

void expectRouters(const ForwardResult& result, const Fixture& fixture, Backend& backend,
                   double tolerance) {
    ASSERT_FALSE(result.routers.empty());
    for (const RouterObservation& router : result.routers) {
        const Tensor probabilities = fixture.reference(router.block + ".router_probabilities");
        const Tensor weights = fixture.reference(router.block + ".combine_weights");
        EXPECT_LT(relativeError(router.probabilities.span<float>(), probabilities.span<float>()),
                  tolerance)
            << router.block;
        const Tensor dense = denseCombineWeights(router, backend);
        EXPECT_LT(relativeError(dense.span<float>(), weights.span<float>()), tolerance)
            << router.block;
        for (std::int64_t i = 0; i < dense.elements(); ++i)
            ASSERT_EQ(dense.data<float>()[i] == 0, weights.data<float>()[i] == 0)
                << router.block << " entry " << i;
    }
}

}  // namespace core::test
