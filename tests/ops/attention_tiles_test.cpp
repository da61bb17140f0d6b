// SPDX-License-Identifier: Apache-2.0
// Attention beyond one tile of a device's kernels, every option with its gradients, against the
// derivatives written out in double.
#include "core/base/random.h"
#include "core/ops/attention.h"
#include "tests/ops/parity.h"

#include <ostream>

namespace {

using core::AttentionOptions;
using core::AttentionShape;
using core::Tensor;
using parity::Values;

struct Case {
    AttentionShape shape;
    bool bias = false, mask = false, causal = false;
    std::int64_t queryOffset = 0;
    float dropout = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    const AttentionShape& s = c.shape;
    return out << s.batch << " x " << s.heads << " heads, " << s.queries << " queries, " << s.keys
               << " keys, " << s.headDim << " wide" << (c.bias ? ", bias" : "")
               << (c.mask ? ", mask" : "") << (c.causal ? ", causal + " : ", all + ")
               << c.queryOffset << ", dropout " << c.dropout;
}

/// Images' 197 patches, T5's biases; lengths of 1, one more than a tile and one more than a group
/// of four; heads of every width of tiles, and of a width that does not fill 16 bytes.
const std::vector<Case> kCases{
    {{1, 1, 197, 197, 64, 0.125F}},
    {{2, 2, 65, 17, 64, 0.125F}, true, true, false, 0, 0.25F},
    {{1, 2, 17, 197, 64, 0.1F}, false, true, false, 0, 0.1F},
    {{2, 1, 66, 65, 64, 0.125F}, true, false, true, 0, 0.1F},
    {{1, 1, 1, 65, 64, 0.125F}, true},
    {{1, 1, 65, 1, 64, 0.125F}, false, true},
    {{1, 1, 100, 130, 32, 0.2F}, true, true, true, 29, 0.2F},
    {{1, 1, 70, 41, 128, 0.1F}, true, true, true, 5, 0.1F},
    {{2, 1, 20, 35, 200, 0.08F}, true, true, true, 15, 0.1F},
    {{2, 2, 67, 66, 12, 0.3F}, true, false, true},
};

constexpr std::uint64_t kKey = 0x0123456789ABCDEFULL;

class Example {
  public:
    explicit Example(const Case& ofCase)
        : c(ofCase),
          s(ofCase.shape),
          q(parity::randomValues(s.batch * s.queries * width(), 1)),
          k(parity::randomValues(s.batch * s.keys * width(), 2)),
          v(parity::randomValues(s.batch * s.keys * width(), 3)),
          dOut(parity::randomValues(s.batch * s.queries * width(), 4)),
          o(q.size(), 0.0),
          dq(q.size(), 0.0),
          dk(k.size(), 0.0),
          dv(v.size(), 0.0) {
        if (c.bias) bias = parity::randomValues(s.heads * s.queries * s.keys, 5);
        dBias.assign(bias.size(), 0.0);
        for (std::int64_t i = 0; i < s.batch * s.keys; ++i) mask.push_back(i % 3 == 1 ? 0 : 1);
        for (std::int64_t b = 0; b < s.batch; ++b)
            for (std::int64_t h = 0; h < s.heads; ++h)
                for (std::int64_t i = 0; i < s.queries; ++i) addRow(b, h, i);
    }

    std::int64_t width() const { return s.heads * s.headDim; }

    Case c;
    AttentionShape s;
    Values q, k, v, dOut, bias;
    std::vector<std::uint8_t> mask;
    Values o, logSumExp;
    Values dq, dk, dv, dBias;  ///< of dot(dOut, o)

  private:
    bool sees(std::int64_t b, std::int64_t i, std::int64_t j) const {
        return (!c.mask || mask[static_cast<std::size_t>(b * s.keys + j)] != 0) &&
               (!c.causal || j <= i + c.queryOffset);
    }

    void addRow(std::int64_t b, std::int64_t h, std::int64_t i) {
        const auto dims = static_cast<std::size_t>(s.headDim);
        const auto keys = static_cast<std::size_t>(s.keys);
        const auto query = static_cast<std::size_t>((b * s.queries + i) * width() + h * s.headDim);
        const auto firstKey = static_cast<std::size_t>(b * s.keys * width() + h * s.headDim);
        const auto biasAt = static_cast<std::size_t>((h * s.queries + i) * s.keys);
        const auto element = static_cast<std::size_t>(((b * s.heads + h) * s.queries + i) * s.keys);
        const auto keyAt = [&](std::size_t j) {
            return firstKey + j * static_cast<std::size_t>(width());
        };
        const auto scale = static_cast<double>(s.scale);
        const core::CounterRandom random(kKey);
        Values p(keys, 0.0);
        Values factor(keys, 1.0);
        Values dP(keys, 0.0);
        double total = 0.0;
        for (std::size_t j = 0; j < keys; ++j) {
            if (!sees(b, i, static_cast<std::int64_t>(j))) continue;
            double score = 0.0;
            for (std::size_t d = 0; d < dims; ++d) score += q[query + d] * k[keyAt(j) + d];
            p[j] = std::exp(score * scale + (c.bias ? bias[biasAt + j] : 0.0));
            total += p[j];
        }
        logSumExp.push_back(total == 0.0 ? 0.0 : std::log(total));
        if (total == 0.0) return;
        double inner = 0.0;
        for (std::size_t j = 0; j < keys; ++j) {
            p[j] /= total;
            if (c.dropout > 0)
                factor[j] = random.uniform(element + j) < c.dropout
                                ? 0.0
                                : 1.0 / (1.0 - static_cast<double>(c.dropout));
            for (std::size_t d = 0; d < dims; ++d) {
                o[query + d] += p[j] * factor[j] * v[keyAt(j) + d];
                dv[keyAt(j) + d] += p[j] * factor[j] * dOut[query + d];
                dP[j] += factor[j] * dOut[query + d] * v[keyAt(j) + d];
            }
            inner += p[j] * dP[j];
        }
        for (std::size_t j = 0; j < keys; ++j) {
            const double dScore = p[j] * (dP[j] - inner);
            if (c.bias) dBias[biasAt + j] += dScore;
            for (std::size_t d = 0; d < dims; ++d) {
                dq[query + d] += scale * dScore * k[keyAt(j) + d];
                dk[keyAt(j) + d] += scale * dScore * q[query + d];
            }
        }
    }
};

class AttentionTilesOps : public parity::OpsTest {};

TEST_P(AttentionTilesOps, ForwardAndGradients) {
    for (const Case& c : kCases) {
        SCOPED_TRACE(testing::PrintToString(c));
        const Example ex(c);
        const AttentionShape& s = ex.s;
        AttentionOptions options;
        if (c.bias) options.bias = f32({s.heads, s.queries, s.keys}, ex.bias);
        if (c.mask) options.keyMask = mask(ex.mask).view({s.batch, s.keys});
        options.causal = c.causal;
        options.queryOffset = c.queryOffset;
        options.dropout = c.dropout;
        options.dropoutKey = kKey;
        const core::Shape queryShape{s.batch * s.queries, ex.width()};
        const core::Shape keyShape{s.batch * s.keys, ex.width()};
        const Tensor q = tensor(queryShape, ex.q);
        const Tensor k = tensor(keyShape, ex.k);
        const Tensor v = tensor(keyShape, ex.v);
        const Tensor o = output(queryShape);
        const Tensor logSumExp = f32Output({s.batch, s.heads, s.queries});
        core::ops::attentionForward(backend(), o, logSumExp, q, k, v, s, options);
        expectClose(o, ex.o, "o");
        expectClose(logSumExp, ex.logSumExp, "logSumExp");

        const Tensor dq = output(queryShape);
        const Tensor dk = output(keyShape);
        const Tensor dv = output(keyShape);
        const Values before = parity::randomValues(static_cast<std::int64_t>(ex.bias.size()), 6);
        const Tensor dBias = c.bias ? f32({s.heads, s.queries, s.keys}, before) : Tensor();
        core::ops::attentionBackward(backend(), dq, dk, dv, dBias, tensor(queryShape, ex.dOut), q,
                                     k, v, o, logSumExp, s, options);
        expectClose(dv, ex.dv, "dv", 2.0);
        if (c.bias)
            expectWithin(2.0 * (GetParam().tolerance + rounding()), dBias,
                         parity::plus(before, ex.dBias), "dBias, accumulated");
        if (s.keys == 1) continue;  // the softmax of one key is constant: dq and dk are rounding
        expectClose(dq, ex.dq, "dq", 2.0);
        expectClose(dk, ex.dk, "dk", 2.0);
    }
}

PARITY_SUITE(AttentionTilesOps);

}  // namespace
