// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"
#include "core/ops/attention.h"
#include "tests/ops/parity.h"

namespace {

using core::AttentionOptions;
using core::AttentionShape;
using core::Tensor;
using parity::Values;

/// Which of the options a case has.
struct Case {
    AttentionShape shape;
    bool bias = false, mask = false, causal = false;
    std::int64_t queryOffset = 0;
    float dropout = 0;
};

const std::vector<Case> kCases{
    {{1, 1, 1, 1, 1, 1.0F}, true, true, true},
    {{2, 3, 5, 7, 4, 1.0F}, true, false, false},
    {{3, 2, 4, 9, 5, 0.5F}, false, true, false},
    {{2, 2, 70, 70, 8, 1.0F}, true, false, true},
    {{1, 2, 33, 33, 3, -0.5F}, false, false, true},
    {{2, 1, 3, 20, 6, 1.0F}, true, true, true, 17},
    {{2, 2, 9, 11, 4, 0.7F}, true, true, false, 0, 0.25F},
    {{1, 3, 66, 66, 5, 1.0F}, true, true, true, 0, 0.1F},
    {{2, 1, 17, 80, 3, 1.0F}, true, true, true, 61, 0.2F},
};

constexpr std::uint64_t kKey = 0xFEDCBA9876543210ULL;

class Example {
  public:
    explicit Example(const Case& c)
        : s(c.shape),
          c_(c),
          q(random(s.batch * s.queries * width(), 1)),
          k(random(s.batch * s.keys * width(), 2)),
          v(random(s.batch * s.keys * width(), 3)),
          bias(c.bias ? random(s.heads * s.queries * s.keys, 4) : Values{}),
          dOut(random(s.batch * s.queries * width(), 5)) {
        for (std::int64_t i = 0; i < s.batch * s.keys; ++i)
            mask.push_back(i % 3 == 1 || i / s.keys == 2 ? 0 : 1);  // the third entry sees nothing
    }

    std::int64_t width() const { return s.heads * s.headDim; }

    Values o() const {
        Values out(q.size(), 0.0);
        for (std::int64_t b = 0; b < s.batch; ++b)
            for (std::int64_t h = 0; h < s.heads; ++h)
                for (std::int64_t i = 0; i < s.queries; ++i) row(out, b, h, i);
        return out;
    }

    AttentionShape s;
    Case c_;
    Values q, k, v, bias, dOut;
    std::vector<std::uint8_t> mask;

  private:
    static Values random(std::int64_t n, std::uint64_t seed) {
        return parity::randomValues(n, seed);
    }

    bool sees(std::int64_t b, std::int64_t i, std::int64_t j) const {
        return (!c_.mask || mask[static_cast<std::size_t>(b * s.keys + j)] != 0) &&
               (!c_.causal || j <= i + c_.queryOffset);
    }

    void row(Values& out, std::int64_t b, std::int64_t h, std::int64_t i) const {
        const auto at = [&](std::int64_t length, std::int64_t r, std::int64_t d) {
            return static_cast<std::size_t>((b * length + r) * width() + h * s.headDim + d);
        };
        Values p(static_cast<std::size_t>(s.keys), 0.0);
        double total = 0.0;
        for (std::int64_t j = 0; j < s.keys; ++j) {
            if (!sees(b, i, j)) continue;
            double score = 0.0;
            for (std::int64_t d = 0; d < s.headDim; ++d)
                score += q[at(s.queries, i, d)] * k[at(s.keys, j, d)];
            score *= static_cast<double>(s.scale);
            if (c_.bias) score += bias[static_cast<std::size_t>((h * s.queries + i) * s.keys + j)];
            total += p[static_cast<std::size_t>(j)] = std::exp(score);
        }
        if (total == 0.0) return;
        const core::CounterRandom kept(kKey);
        const double rate = static_cast<double>(c_.dropout);
        for (std::int64_t j = 0; j < s.keys; ++j) {
            const auto element =
                static_cast<std::uint64_t>(((b * s.heads + h) * s.queries + i) * s.keys + j);
            if (c_.dropout > 0 && kept.uniform(element) < c_.dropout) continue;
            for (std::int64_t d = 0; d < s.headDim; ++d)
                out[at(s.queries, i, d)] +=
                    p[static_cast<std::size_t>(j)] / total / (1.0 - rate) * v[at(s.keys, j, d)];
        }
    }
};

class AttentionOptionsOps : public parity::OpsTest {
  protected:
    AttentionOptions options(const Example& ex) {
        AttentionOptions o;
        if (ex.c_.bias) o.bias = f32({ex.s.heads, ex.s.queries, ex.s.keys}, ex.bias);
        if (ex.c_.mask) o.keyMask = mask(ex.mask).view({ex.s.batch, ex.s.keys});
        o.causal = ex.c_.causal;
        o.queryOffset = ex.c_.queryOffset;
        o.dropout = ex.c_.dropout;
        o.dropoutKey = kKey;
        return o;
    }
    Tensor queries(const Example& ex, const Values& values) {
        return tensor({ex.s.batch * ex.s.queries, ex.width()}, values);
    }
    Tensor keys(const Example& ex, const Values& values) {
        return tensor({ex.s.batch * ex.s.keys, ex.width()}, values);
    }
    struct Result {
        Tensor o, logSumExp;
    };
    Result forward(const Example& ex) {
        Result r{output({ex.s.batch * ex.s.queries, ex.width()}),
                 f32Output({ex.s.batch, ex.s.heads, ex.s.queries})};
        core::ops::attentionForward(backend(), r.o, r.logSumExp, queries(ex, ex.q), keys(ex, ex.k),
                                    keys(ex, ex.v), ex.s, options(ex));
        return r;
    }
};

TEST_P(AttentionOptionsOps, Forward) {
    for (const Case& c : kCases) {
        const Example ex(c);
        expectClose(forward(ex).o, ex.o(), "o");
    }
}

TEST_P(AttentionOptionsOps, GradientByDifferences) {
    for (const Case& c : kCases) {
        if (c.shape.queries > 40) continue;
        Example ex(c);
        const Result r = forward(ex);
        const Tensor dq = output({ex.s.batch * ex.s.queries, ex.width()});
        const Tensor dk = output({ex.s.batch * ex.s.keys, ex.width()});
        const Tensor dv = output({ex.s.batch * ex.s.keys, ex.width()});
        const Values before = parity::randomValues(static_cast<std::int64_t>(ex.bias.size()), 6);
        const Tensor dBias = c.bias ? f32({ex.s.heads, ex.s.queries, ex.s.keys}, before) : Tensor();
        core::ops::attentionBackward(backend(), dq, dk, dv, dBias, queries(ex, ex.dOut),
                                     queries(ex, ex.q), keys(ex, ex.k), keys(ex, ex.v), r.o,
                                     r.logSumExp, ex.s, options(ex));
        const auto slope = [&](Values Example::*member) {
            const Values kept = ex.*member;
            Values result = parity::numericGradient(
                [&](const Values& moved) {
                    ex.*member = moved;
                    return parity::dot(ex.dOut, ex.o());
                },
                kept);
            ex.*member = kept;
            return result;
        };
        expectClose(dq, slope(&Example::q), "dq", 2.0);
        expectClose(dk, slope(&Example::k), "dk", 2.0);
        expectClose(dv, slope(&Example::v), "dv", 2.0);
        if (c.bias)
            expectWithin(2.0 * (GetParam().tolerance + rounding()), dBias,
                         parity::plus(before, slope(&Example::bias)), "dBias, accumulated");
    }
}

TEST_P(AttentionOptionsOps, ManyQueriesOneAfterTheOtherAreTheSame) {
    // A decoder's cache: one query at its place sees the keys so far, whose rows lie in a longer
    // table.
    const AttentionShape whole{2, 2, 70, 70, 8, 1.0F};
    Example ex({whole, true, false, true});
    const Values all = read(forward(ex).o);
    const std::int64_t width = ex.width();
    for (const std::int64_t i : {0, 1, 33, 69}) {
        const AttentionShape one{2, 2, 1, i + 1, 8, 1.0F};
        Values q, bias;
        for (std::int64_t b = 0; b < 2; ++b)
            q.insert(q.end(), ex.q.begin() + (b * 70 + i) * width,
                     ex.q.begin() + (b * 70 + i + 1) * width);
        for (std::int64_t h = 0; h < 2; ++h)
            bias.insert(bias.end(), ex.bias.begin() + (h * 70 + i) * 70,
                        ex.bias.begin() + (h * 70 + i) * 70 + i + 1);
        AttentionOptions options;
        options.bias = f32({2, 1, i + 1}, bias);
        options.causal = true;
        options.queryOffset = i;
        options.keyStride = 70;
        const Tensor o = output({2, width});
        core::ops::attentionForward(backend(), o, f32Output({2, 2, 1}), tensor({2, width}, q),
                                    keys(ex, ex.k), keys(ex, ex.v), one, options);
        Values expected;
        for (std::int64_t b = 0; b < 2; ++b)
            expected.insert(expected.end(), all.begin() + (b * 70 + i) * width,
                            all.begin() + (b * 70 + i + 1) * width);
        expectClose(o, expected, "o");
    }
}

TEST_P(AttentionOptionsOps, AQueryThatSeesNothingGivesAndTakesNothing) {
    Example ex({{1, 1, 2, 3, 4, 1.0F}, true, true, false});
    ex.mask = {0, 0, 0};
    const Result r = forward(ex);
    EXPECT_EQ(read(r.o), Values(8, 0.0));
    const Tensor dq = output({2, 4});
    const Tensor dk = output({3, 4});
    const Tensor dv = output({3, 4});
    const Tensor dBias = f32({1, 2, 3}, Values(6, 0.0));
    core::ops::attentionBackward(backend(), dq, dk, dv, dBias, queries(ex, ex.dOut),
                                 queries(ex, ex.q), keys(ex, ex.k), keys(ex, ex.v), r.o,
                                 r.logSumExp, ex.s, options(ex));
    EXPECT_EQ(read(dq), Values(8, 0.0));
    EXPECT_EQ(read(dk), Values(12, 0.0));
    EXPECT_EQ(read(dv), Values(12, 0.0));
    EXPECT_EQ(read(dBias), Values(6, 0.0));
}

TEST_P(AttentionOptionsOps, ANaNIsNotHidden) {
    Example ex({{1, 1, 2, 3, 4, 1.0F}, true, true, false});
    ex.v[0] = std::nan("");
    ex.mask = {1, 1, 1};
    EXPECT_TRUE(std::isnan(read(forward(ex).o)[0]));
}

TEST_P(AttentionOptionsOps, RejectsOtherShapes) {
    const Example ex(Case{{2, 1, 2, 3, 4, 1.0F}});
    AttentionOptions options;
    options.bias = f32Output({1, 3, 2});
    const auto run = [&] {
        core::ops::attentionForward(backend(), output({4, 4}), f32Output({2, 1, 2}),
                                    queries(ex, ex.q), keys(ex, ex.k), keys(ex, ex.v), ex.s,
                                    options);
    };
    EXPECT_THROW(run(), core::CheckFailure);
    options = {};
    options.keyMask = mask({1, 1, 1});
    EXPECT_THROW(run(), core::CheckFailure);
    options = {};
    options.keyStride = 2;
    EXPECT_THROW(run(), core::CheckFailure);
    options = {};
    options.dropout = 1.0F;
    EXPECT_THROW(run(), core::CheckFailure);
}

PARITY_SUITE(AttentionOptionsOps);

}  // namespace
