// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/check.h"

#include "core/base/error.h"
#include "core/model/router_stats.h"
#include "core/ops/memory.h"
#include "core/surgery/check_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double kLogitsTolerance = 1e-4;
/// Eight bits of an element, rounded in every block.
constexpr double kLogitsToleranceBf16 = 3e-2;

/// The rows (of the last axis) of real tokens; all without a mask.
std::vector<float> floatsOf(const Tensor& tensor, const Tensor& mask, Backend& backend) {
    const Tensor host = ops::hostFloats(backend, tensor);
    const auto values = host.span<float>();
    if (!mask.defined()) return {values.begin(), values.end()};
    const Tensor real = ops::readable(backend, mask);
    const std::int64_t width = host.elements() / real.elements();
    std::vector<float> rows;
    for (std::int64_t row = 0; row < real.elements(); ++row)
        if (real.data<std::uint8_t>()[row] != 0)
            rows.insert(rows.end(), values.begin() + row * width,
                        values.begin() + (row + 1) * width);
    return rows;
}

/// max |a - b| / max |b|; infinite when a value is not finite.
double relativeError(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0;
    double largest = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
        difference = std::max(difference, d);
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return difference == 0 ? 0 : difference / largest;
}

void requireSame(const char* what, std::int64_t dense, std::int64_t upcycled) {
    if (dense != upcycled)
        throw Error(ErrorKind::BadInput,
                    fmt::format("the two models differ in more than MoE blocks: {} is {} in the "
                                "dense one and {} in the other",
                                what, dense, upcycled),
                    "compare a model with the one it was upcycled from");
}

void requireSameVit(const VitSpec& a, const VitSpec& b) {
    requireSame("hidden_size", a.hidden, b.hidden);
    requireSame("intermediate_size", a.intermediate, b.intermediate);
    requireSame("num_attention_heads", a.heads, b.heads);
    requireSame("image_size", a.imageSize, b.imageSize);
    requireSame("patch_size", a.patchSize, b.patchSize);
    requireSame("num_channels", a.channels, b.channels);
    requireSame("the number of classes", a.classes, b.classes);
    requireSame("qkv_bias", a.qkvBias, b.qkvBias);
}

void requireSameT5(const T5Spec& a, const T5Spec& b) {
    requireSame("vocab_size", a.vocab, b.vocab);
    requireSame("d_model", a.dModel, b.dModel);
    requireSame("d_kv", a.dKv, b.dKv);
    requireSame("d_ff", a.dFf, b.dFf);
    requireSame("num_heads", a.heads, b.heads);
    requireSame("num_layers", a.encoderLayers, b.encoderLayers);
    requireSame("num_decoder_layers", a.decoderLayers, b.decoderLayers);
    requireSame("relative_attention_num_buckets", a.relativeBuckets, b.relativeBuckets);
    requireSame("relative_attention_max_distance", a.relativeMaxDistance, b.relativeMaxDistance);
    requireSame("the gate of the MLPs", a.gated, b.gated);
    requireSame("tie_word_embeddings", a.tiedEmbeddings, b.tiedEmbeddings);
}

void requireComparable(const ModelSpec& dense, const ModelSpec& upcycled) {
    if (dense.family != upcycled.family)
        throw Error(ErrorKind::BadInput,
                    fmt::format("the two models differ in more than MoE blocks: one is a {}, the "
                                "other a {}",
                                familyName(dense.family), familyName(upcycled.family)),
                    "compare a model with the one it was upcycled from");
    requireSame("the number of blocks", static_cast<std::int64_t>(dense.blocks.size()),
                static_cast<std::int64_t>(upcycled.blocks.size()));
    if (dense.family == Family::T5)
        requireSameT5(dense.t5, upcycled.t5);
    else
        requireSameVit(dense.vit, upcycled.vit);
    for (std::size_t i = 0; i < dense.blocks.size(); ++i)
        if (dense.blocks[i].moe && dense.blocks[i].moe != upcycled.blocks[i].moe)
            throw Error(ErrorKind::BadInput,
                        fmt::format("block {} is MoE in the dense model, with other settings or "
                                    "dense in the other",
                                    dense.blocks[i].name),
                        "compare a model with the one it was upcycled from");
}

const Tensor& outputOf(const ForwardResult& result, const std::string& block) {
    const auto at = std::find_if(result.mlpOutputs.begin(), result.mlpOutputs.end(),
                                 [&](const auto& output) { return output.first == block; });
    CORE_CHECK(at != result.mlpOutputs.end(), "an MLP output of " + block);
    return at->second;
}

/// Every MoE block on the dense model's input of that block.
std::vector<BlockCheck> checkBlocks(Model& dense, const ForwardResult& expected, Model& upcycled,
                                    const Batch& batch) {
    ForwardOptions options;
    options.keepOutputs = true;
    options.substituteOutputs = expected.mlpOutputs;
    const ForwardResult found = upcycled.forward(batch, options);
    RouterStatsAccumulator accumulator;
    for (const RouterObservation& router : found.routers)
        accumulator.add(router, upcycled.backend());
    std::vector<BlockCheck> blocks;
    for (const RouterStats& stats : accumulator.stats()) {
        const bool decoder = upcycled.spec().find(stats.block)->stack == "decoder";
        const Tensor& mask = decoder ? batch.decoderMask : batch.inputMask;
        blocks.push_back(
            {stats.block,
             relativeError(floatsOf(outputOf(found, stats.block), mask, upcycled.backend()),
                           floatsOf(outputOf(expected, stats.block), mask, dense.backend())),
             stats.unrouted, stats.dropped, stats.combineSum});
    }
    return blocks;
}

}  // namespace

CheckReport checkUpcycled(Model& dense, Model& upcycled, const Batch& batch) {
    requireComparable(dense.spec(), upcycled.spec());
    ForwardOptions options;
    options.keepOutputs = true;
    const ForwardResult expected = dense.forward(batch, options);
    CheckReport report;
    report.blocks = checkBlocks(dense, expected, upcycled, batch);
    const ForwardResult found = upcycled.forward(batch, {});
    report.logitsRelativeError =
        relativeError(floatsOf(found.logits, batch.decoderMask, upcycled.backend()),
                      floatsOf(expected.logits, batch.decoderMask, dense.backend()));
    const bool bf16 = upcycled.computeType() == DType::BF16;
    report.holds = report.logitsRelativeError <= (bf16 ? kLogitsToleranceBf16 : kLogitsTolerance);
    report.causes = causesOf(dense, upcycled, report.blocks);
    return report;
}

}  // namespace core
