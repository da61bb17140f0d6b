// SPDX-License-Identifier: Apache-2.0
#include "core/ops/patches.h"

#include "tests/ops/parity.h"

#include <array>

namespace {

using core::Tensor;
using parity::Values;

class PatchOps : public parity::OpsTest {};

TEST_P(PatchOps, PatchifyOrdersAsAConvolution) {
    struct Sizes {
        std::int64_t images, channels, height, width, patch;
    };
    for (const Sizes& s : {Sizes{1, 1, 1, 1, 1}, Sizes{2, 3, 6, 9, 3}, Sizes{128, 1, 28, 28, 4},
                           Sizes{1, 5, 7, 7, 7}}) {
        const Values pixels = parity::randomValues(s.images * s.channels * s.height * s.width, 1);
        const std::int64_t down = s.height / s.patch;
        const std::int64_t across = s.width / s.patch;
        Values expected;
        for (std::int64_t b = 0; b < s.images; ++b)
            for (std::int64_t y = 0; y < down; ++y)
                for (std::int64_t x = 0; x < across; ++x)
                    for (std::int64_t c = 0; c < s.channels; ++c)
                        for (std::int64_t i = 0; i < s.patch; ++i)
                            for (std::int64_t j = 0; j < s.patch; ++j) {
                                const std::int64_t row =
                                    (b * s.channels + c) * s.height + y * s.patch + i;
                                expected.push_back(pixels[static_cast<std::size_t>(
                                    row * s.width + x * s.patch + j)]);
                            }
        const Tensor patches = output({s.images * down * across, s.channels * s.patch * s.patch});
        core::ops::patchify(backend(), patches,
                            f32({s.images, s.channels, s.height, s.width}, pixels), s.patch);
        EXPECT_EQ(read(patches), expected);
    }
}

Values embed(const Values& patches, const Values& cls, const Values& positions, std::int64_t images,
             std::int64_t tokens, std::int64_t width) {
    Values y;
    for (std::int64_t b = 0; b < images; ++b)
        for (std::int64_t t = 0; t < tokens; ++t)
            for (std::int64_t d = 0; d < width; ++d) {
                const auto patch = static_cast<std::size_t>((b * (tokens - 1) + t - 1) * width + d);
                y.push_back((t == 0 ? cls[static_cast<std::size_t>(d)] : patches[patch]) +
                            positions[static_cast<std::size_t>(t * width + d)]);
            }
    return y;
}

TEST_P(PatchOps, EmbedForwardAndGradient) {
    for (const auto& [images, tokens, width] :
         {std::array<std::int64_t, 3>{1, 1, 1}, std::array<std::int64_t, 3>{3, 4, 5},
          std::array<std::int64_t, 3>{2, 17, 3}}) {
        const Values patches = parity::randomValues(images * (tokens - 1) * width, 1);
        const Values cls = parity::randomValues(width, 2);
        const Values positions = parity::randomValues(tokens * width, 3);
        const Values dy = parity::randomValues(images * tokens * width, 4);
        const Tensor y = output({images, tokens, width});
        core::ops::embedForward(backend(), y, tensor({images * (tokens - 1), width}, patches),
                                f32({width}, cls), f32({tokens, width}, positions));
        expectClose(y, embed(patches, cls, positions, images, tokens, width), "y");

        const Values beforeCls = parity::randomValues(width, 5);
        const Values beforePositions = parity::randomValues(tokens * width, 6);
        const Tensor dPatches = output({images * (tokens - 1), width});
        const Tensor dCls = f32({width}, beforeCls);
        const Tensor dPositions = f32({tokens, width}, beforePositions);
        core::ops::embedBackward(backend(), dPatches, dCls, dPositions,
                                 tensor({images, tokens, width}, dy));
        const std::int64_t b = images;
        const std::int64_t t = tokens;
        const std::int64_t w = width;
        const auto loss = [&, b, t, w](const Values& p, const Values& c, const Values& q) {
            return parity::dot(dy, embed(p, c, q, b, t, w));
        };
        expectClose(dPatches,
                    parity::numericGradient(
                        [&](const Values& v) { return loss(v, cls, positions); }, patches),
                    "dPatches");
        expectClose(
            dCls,
            parity::plus(beforeCls,
                         parity::numericGradient(
                             [&](const Values& v) { return loss(patches, v, positions); }, cls)),
            "dCls, accumulated");
        expectClose(
            dPositions,
            parity::plus(beforePositions,
                         parity::numericGradient(
                             [&](const Values& v) { return loss(patches, cls, v); }, positions)),
            "dPositions, accumulated");
    }
}

TEST_P(PatchOps, EmbedGradientOfManyImages) {
    const std::int64_t images = 130;
    const std::int64_t width = 12;
    const Values dy = parity::randomValues(images * 5 * width, 1);
    Values expected(static_cast<std::size_t>(5 * width), 0.0);
    for (std::size_t i = 0; i < dy.size(); ++i) expected[i % expected.size()] += dy[i];
    const Tensor dCls = f32({width}, Values(static_cast<std::size_t>(width), 0.0));
    const Tensor dPositions = f32({5, width}, Values(expected.size(), 0.0));
    core::ops::embedBackward(backend(), output({images * 4, width}), dCls, dPositions,
                             tensor({images, 5, width}, dy));
    expectClose(dPositions, expected, "dPositions");
    expectClose(dCls, Values(expected.begin(), expected.begin() + width), "dCls");
}

TEST_P(PatchOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::patchify(backend(), output({4, 9}), f32Output({1, 1, 7, 6}), 3),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::patchify(backend(), output({4, 9}), f32Output({1, 1, 6, 6}), 0),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::embedForward(backend(), output({2, 4, 5}), output({6, 5}),
                                         f32Output({5}), f32Output({3, 5})),
                 core::CheckFailure);
}

PARITY_SUITE(PatchOps);

}  // namespace
