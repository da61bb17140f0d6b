// SPDX-License-Identifier: Apache-2.0
#include "core/ops/attention.h"

#include "tests/ops/parity.h"

namespace {

using core::AttentionShape;
using core::Tensor;
using parity::Values;

/// batch, heads, queries, keys, headDim, scale: size 1, odd sizes, vectors' widths, more than one
/// block of queries.
const std::vector<AttentionShape> kShapes{
    {1, 1, 1, 1, 1, 1.0F},      {1, 2, 3, 5, 7, 0.4F},     {2, 3, 50, 50, 32, 0.177F},
    {1, 1, 65, 16, 4, -0.5F},   {1, 2, 130, 17, 9, 0.3F},  {3, 1, 2, 33, 64, 0.125F},
    {1, 1, 64, 64, 16, 0.25F},  {1, 1, 7, 140, 48, 0.2F},  {1, 2, 70, 75, 96, 0.1F},
    {1, 1, 33, 40, 129, 0.09F}, {1, 1, 35, 18, 256, 0.06F}};

struct Reference {
    Values o;
    Values logSumExp;
};

class Example {
  public:
    explicit Example(const AttentionShape& sizes)
        : s(sizes),
          q(parity::randomValues(queryElements(), 1)),
          k(parity::randomValues(keyElements(), 2)),
          v(parity::randomValues(keyElements(), 3)),
          dOut(parity::randomValues(queryElements(), 4)) {}

    std::int64_t width() const { return s.heads * s.headDim; }
    std::int64_t queryElements() const { return s.batch * s.queries * width(); }
    std::int64_t keyElements() const { return s.batch * s.keys * width(); }

    Reference forward() const {
        Reference out{Values(q.size(), 0.0), {}};
        for (std::int64_t b = 0; b < s.batch; ++b)
            for (std::int64_t h = 0; h < s.heads; ++h)
                for (std::int64_t i = 0; i < s.queries; ++i) row(out, b, h, i);
        return out;
    }

    AttentionShape s;
    Values q;
    Values k;
    Values v;
    Values dOut;

  private:
    void row(Reference& out, std::int64_t b, std::int64_t h, std::int64_t i) const {
        const auto query = static_cast<std::size_t>((b * s.queries + i) * width() + h * s.headDim);
        const auto keyAt = [&](std::int64_t j) {
            return static_cast<std::size_t>((b * s.keys + j) * width() + h * s.headDim);
        };
        Values p;
        double most = -1e300;
        for (std::int64_t j = 0; j < s.keys; ++j) {
            double score = 0.0;
            for (std::size_t d = 0; d < static_cast<std::size_t>(s.headDim); ++d)
                score += q[query + d] * k[keyAt(j) + d];
            p.push_back(score * static_cast<double>(s.scale));
            most = std::max(most, p.back());
        }
        double total = 0.0;
        for (double& value : p) total += value = std::exp(value - most);
        out.logSumExp.push_back(most + std::log(total));
        for (std::int64_t j = 0; j < s.keys; ++j)
            for (std::size_t d = 0; d < static_cast<std::size_t>(s.headDim); ++d)
                out.o[query + d] += p[static_cast<std::size_t>(j)] / total * v[keyAt(j) + d];
    }
};

class AttentionOps : public parity::OpsTest {
  protected:
    Tensor queries(const Example& ex, const Values& values) {
        return tensor({ex.s.batch * ex.s.queries, ex.width()}, values);
    }
    Tensor keys(const Example& ex, const Values& values) {
        return tensor({ex.s.batch * ex.s.keys, ex.width()}, values);
    }
    Tensor nanQueries(const Example& ex) { return output({ex.s.batch * ex.s.queries, ex.width()}); }
    Tensor nanKeys(const Example& ex) { return output({ex.s.batch * ex.s.keys, ex.width()}); }
};

TEST_P(AttentionOps, Forward) {
    for (const AttentionShape& shape : kShapes) {
        const Example ex(shape);
        const Tensor o = nanQueries(ex);
        const Tensor logSumExp = f32Output({shape.batch, shape.heads, shape.queries});
        core::ops::attentionForward(backend(), o, logSumExp, queries(ex, ex.q), keys(ex, ex.k),
                                    keys(ex, ex.v), shape);
        const Reference expected = ex.forward();
        expectClose(o, expected.o, "o");
        expectClose(logSumExp, expected.logSumExp, "logSumExp");
    }
}

TEST_P(AttentionOps, GradientByDifferences) {
    for (const AttentionShape& shape :
         {AttentionShape{1, 1, 1, 1, 1, 1.0F}, AttentionShape{1, 2, 3, 5, 7, 0.4F},
          AttentionShape{2, 1, 5, 18, 3, 0.7F}, AttentionShape{1, 1, 67, 3, 2, 0.5F}}) {
        const Example ex(shape);
        const Reference saved = ex.forward();
        const Tensor dq = nanQueries(ex);
        const Tensor dk = nanKeys(ex);
        const Tensor dv = nanKeys(ex);
        core::ops::attentionBackward(
            backend(), dq, dk, dv, {}, queries(ex, ex.dOut), queries(ex, ex.q), keys(ex, ex.k),
            keys(ex, ex.v), queries(ex, saved.o),
            f32({shape.batch, shape.heads, shape.queries}, saved.logSumExp), shape);
        const auto gradient = [&](Values Example::*member) {
            return parity::numericGradient(
                [&](const Values& moved) {
                    Example other = ex;
                    other.*member = moved;
                    return parity::dot(ex.dOut, other.forward().o);
                },
                ex.*member);
        };
        expectClose(dv, gradient(&Example::v), "dv", 4.0);
        if (shape.keys == 1)
            continue;  // the softmax of one key is constant: dq and dk are rounding
        expectClose(dq, gradient(&Example::q), "dq", 4.0);
        expectClose(dk, gradient(&Example::k), "dk", 4.0);
    }
}

TEST_P(AttentionOps, BackwardOfLargerShapes) {
    for (const AttentionShape& shape : kShapes) {
        const Example ex(shape);
        const Reference saved = ex.forward();
        const Values o = stored(saved.o);
        const auto keyCount = static_cast<std::size_t>(ex.keyElements());
        Values dv(keyCount, 0.0);
        Values dk(keyCount, 0.0);
        Values dq(ex.q.size(), 0.0);
        const std::int64_t width = ex.width();
        for (std::int64_t index = 0; index < shape.batch * shape.heads * shape.queries; ++index) {
            const std::int64_t b = index / (shape.heads * shape.queries);
            const std::int64_t h = index / shape.queries % shape.heads;
            const std::int64_t i = index % shape.queries;
            const auto query =
                static_cast<std::size_t>((b * shape.queries + i) * width + h * shape.headDim);
            const auto dims = static_cast<std::size_t>(shape.headDim);
            double inner = 0.0;
            for (std::size_t d = 0; d < dims; ++d) inner += ex.dOut[query + d] * o[query + d];
            for (std::int64_t j = 0; j < shape.keys; ++j) {
                const auto key =
                    static_cast<std::size_t>((b * shape.keys + j) * width + h * shape.headDim);
                double score = 0.0;
                double dP = 0.0;
                for (std::size_t d = 0; d < dims; ++d) {
                    score += ex.q[query + d] * ex.k[key + d];
                    dP += ex.dOut[query + d] * ex.v[key + d];
                }
                const auto scale = static_cast<double>(shape.scale);
                const double p =
                    std::exp(score * scale - saved.logSumExp[static_cast<std::size_t>(index)]);
                const double dScore = p * (dP - inner) * scale;
                for (std::size_t d = 0; d < dims; ++d) {
                    dv[key + d] += p * ex.dOut[query + d];
                    dk[key + d] += dScore * ex.q[query + d];
                    dq[query + d] += dScore * ex.k[key + d];
                }
            }
        }
        const Tensor deviceDq = nanQueries(ex);
        const Tensor deviceDk = nanKeys(ex);
        const Tensor deviceDv = nanKeys(ex);
        core::ops::attentionBackward(
            backend(), deviceDq, deviceDk, deviceDv, {}, queries(ex, ex.dOut), queries(ex, ex.q),
            keys(ex, ex.k), keys(ex, ex.v), queries(ex, saved.o),
            f32({shape.batch, shape.heads, shape.queries}, saved.logSumExp), shape);
        expectClose(deviceDv, dv, "dv", 2.0);
        if (shape.keys == 1) continue;
        expectClose(deviceDk, dk, "dk", 2.0);
        expectClose(deviceDq, dq, "dq", 2.0);
    }
}

TEST_P(AttentionOps, LargeScoresDoNotOverflow) {
    Example ex({1, 1, 4, 20, 8, 100.0F});
    const Tensor o = nanQueries(ex);
    const Tensor logSumExp = f32Output({1, 1, 4});
    core::ops::attentionForward(backend(), o, logSumExp, queries(ex, ex.q), keys(ex, ex.k),
                                keys(ex, ex.v), ex.s);
    expectClose(o, ex.forward().o, "o", 100.0);
}

TEST_P(AttentionOps, TheGradientsOfKeysCancel) {
    // Adding one vector to all keys changes nothing: with equal queries their gradients add up to
    // 0.
    for (const AttentionShape& shape :
         {AttentionShape{1, 1, 7, 50, 8, 0.35F}, AttentionShape{2, 3, 5, 17, 16, 0.25F},
          AttentionShape{1, 1, 4, 1, 5, 1.0F}}) {
        Example ex(shape);
        for (std::size_t i = 0; i < ex.q.size(); ++i) ex.q[i] = 2.0;
        for (double& v : ex.v) v = parity::representable(v + 4.0);
        const Tensor o = nanQueries(ex);
        const Tensor logSumExp = f32Output({shape.batch, shape.heads, shape.queries});
        const Tensor dq = nanQueries(ex);
        const Tensor dk = nanKeys(ex);
        core::ops::attentionForward(backend(), o, logSumExp, queries(ex, ex.q), keys(ex, ex.k),
                                    keys(ex, ex.v), shape);
        core::ops::attentionBackward(backend(), dq, dk, nanKeys(ex), {}, queries(ex, ex.dOut),
                                     queries(ex, ex.q), keys(ex, ex.k), keys(ex, ex.v), o,
                                     logSumExp, shape);
        const Values gradients = read(dk);
        const auto width = static_cast<std::size_t>(ex.width());
        Values sums(width, 0.0);
        double largest = 0.0;
        for (std::size_t i = 0; i < gradients.size(); ++i) {
            sums[i % width] += gradients[i];
            largest = std::max(largest, std::abs(gradients[i]));
        }
        double fromO = 0.0;  // what rounding o moves
        const Values found = read(o);
        for (std::size_t i = 0; i < found.size(); ++i)
            fromO += 2.0 * static_cast<double>(shape.scale) * std::abs(found[i] * ex.dOut[i]);
        double fromGradients = 0.0;
        for (const double gradient : gradients) fromGradients += std::abs(gradient);
        for (const double sum : sums)
            EXPECT_LE(std::abs(sum), 4e-6 * largest + rounding() * (fromO + fromGradients))
                << shape.keys;
    }
}

TEST_P(AttentionOps, RejectsOtherShapes) {
    const AttentionShape shape{1, 2, 3, 4, 5, 1.0F};
    const auto forward = [&](const Tensor& q, const Tensor& k, const Tensor& logSumExp,
                             const AttentionShape& s) {
        core::ops::attentionForward(backend(), output({3, 10}), logSumExp, q, k, output({4, 10}),
                                    s);
    };
    EXPECT_THROW(forward(output({3, 9}), output({4, 10}), f32Output({1, 2, 3}), shape),
                 core::CheckFailure);
    EXPECT_THROW(forward(output({3, 10}), output({3, 10}), f32Output({1, 2, 3}), shape),
                 core::CheckFailure);
    EXPECT_THROW(forward(output({3, 10}), output({4, 10}), f32Output({2, 3}), shape),
                 core::CheckFailure);
    EXPECT_THROW(
        forward(output({3, 10}), output({4, 10}), f32Output({1, 2, 3}), {1, 2, 3, 4, 0, 1.0F}),
        core::CheckFailure);
}

PARITY_SUITE(AttentionOps);

}  // namespace
