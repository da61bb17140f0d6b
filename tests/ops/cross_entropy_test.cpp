// SPDX-License-Identifier: Apache-2.0
#include "core/ops/cross_entropy.h"

#include "tests/ops/parity.h"

#include <algorithm>
#include <numeric>

namespace {

using core::Tensor;
using parity::Values;
using Labels = std::vector<std::int64_t>;

constexpr std::int64_t kIgnored = -100;

struct Example {
    Example(std::int64_t rows_, std::int64_t classes_) : rows(rows_), classes(classes_) {
        logits = parity::randomValues(rows * classes, 1, 3.0);
        for (std::int64_t r = 0; r < rows; ++r)
            labels.push_back(r % 4 == 3 ? kIgnored : r * 7 % classes);
    }

    const double* row(std::int64_t r) const { return logits.data() + r * classes; }

    double logSumExp(std::int64_t r) const {
        const double most = *std::max_element(row(r), row(r) + classes);
        double total = 0.0;
        for (std::int64_t c = 0; c < classes; ++c) total += std::exp(row(r)[c] - most);
        return most + std::log(total);
    }

    Values softmaxLoss(double smoothing) const {
        return lossOf(smoothing, [&](double target, std::int64_t r, std::int64_t c) {
            return -target * (row(r)[c] - logSumExp(r));
        });
    }

    Values sigmoidLoss(double smoothing) const {
        return lossOf(smoothing, [&](double target, std::int64_t r, std::int64_t c) {
            const double x = row(r)[c];
            return target * std::log1p(std::exp(-x)) + (1.0 - target) * std::log1p(std::exp(x));
        });
    }

    /// The sum over the classes of each row of of(smoothed target, r, c), 0 for an ignored label.
    template <typename F>
    Values lossOf(double smoothing, F of) const {
        Values loss;
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t label = labels[static_cast<std::size_t>(r)];
            double value = 0.0;
            for (std::int64_t c = 0; label != kIgnored && c < classes; ++c)
                value += of(
                    smoothing / static_cast<double>(classes) + (c == label ? 1.0 - smoothing : 0.0),
                    r, c);
            loss.push_back(value);
        }
        return loss;
    }

    std::int64_t rows;
    std::int64_t classes;
    Values logits;
    Labels labels;
};

const std::vector<std::pair<std::int64_t, std::int64_t>> kSizes{{1, 1},    {1, 10},   {9, 10},
                                                                {300, 10}, {5, 1003}, {6, 33}};

class CrossEntropyOps : public parity::OpsTest {};

TEST_P(CrossEntropyOps, SoftmaxForward) {
    for (const auto& [rows, classes] : kSizes)
        for (const float smoothing : {0.0F, 0.1F}) {
            const Example ex(rows, classes);
            const Tensor loss = f32Output({rows});
            const Tensor logSumExp = f32Output({rows});
            core::ops::softmaxCrossEntropyForward(backend(), loss, logSumExp,
                                                  tensor({rows, classes}, ex.logits),
                                                  labels(ex.labels), smoothing);
            if (classes > 1)
                expectClose(loss, ex.softmaxLoss(static_cast<double>(smoothing)), "loss");
            Values expected;
            for (std::int64_t r = 0; r < ex.rows; ++r) expected.push_back(ex.logSumExp(r));
            expectClose(logSumExp, expected, "logSumExp");
        }
}

TEST_P(CrossEntropyOps, SoftmaxGradientByDifferences) {
    for (const float smoothing : {0.0F, 0.2F}) {
        const Example ex(6, 11);
        Values logSumExp;
        for (std::int64_t r = 0; r < ex.rows; ++r) logSumExp.push_back(ex.logSumExp(r));
        const Tensor dLogits = output({6, 11});
        core::ops::softmaxCrossEntropyBackward(backend(), dLogits, tensor({6, 11}, ex.logits),
                                               f32({6}, logSumExp), labels(ex.labels), smoothing,
                                               0.25F);
        const auto loss = [&](const Values& v) {
            Example moved = ex;
            moved.logits = v;
            const Values rows = moved.softmaxLoss(static_cast<double>(smoothing));
            return 0.25 * std::accumulate(rows.begin(), rows.end(), 0.0);
        };
        expectClose(dLogits, parity::numericGradient(loss, ex.logits), "dLogits");
    }
}

TEST_P(CrossEntropyOps, SoftmaxGradientWithZLossByDifferences) {
    const Example ex(6, 11);
    Values logSumExp;
    for (std::int64_t r = 0; r < ex.rows; ++r) logSumExp.push_back(ex.logSumExp(r));
    const Tensor dLogits = output({6, 11});
    core::ops::softmaxCrossEntropyBackward(backend(), dLogits, tensor({6, 11}, ex.logits),
                                           f32({6}, logSumExp), labels(ex.labels), 0.1F, 0.25F,
                                           0.03F);
    const auto loss = [&](const Values& v) {
        Example moved = ex;
        moved.logits = v;
        const Values rows = moved.softmaxLoss(static_cast<double>(0.1F));
        double total = std::accumulate(rows.begin(), rows.end(), 0.0);
        for (std::int64_t r = 0; r < moved.rows; ++r)
            if (moved.labels[static_cast<std::size_t>(r)] != kIgnored)
                total += static_cast<double>(0.03F) * moved.logSumExp(r) * moved.logSumExp(r);
        return 0.25 * total;
    };
    expectClose(dLogits, parity::numericGradient(loss, ex.logits), "dLogits");
}

TEST_P(CrossEntropyOps, SigmoidForward) {
    for (const auto& [rows, classes] : kSizes)
        for (const float smoothing : {0.0F, 0.1F}) {
            const Example ex(rows, classes);
            const Tensor loss = f32Output({rows});
            core::ops::sigmoidCrossEntropyForward(
                backend(), loss, tensor({rows, classes}, ex.logits), labels(ex.labels), smoothing);
            expectClose(loss, ex.sigmoidLoss(static_cast<double>(smoothing)), "loss");
        }
}

TEST_P(CrossEntropyOps, SigmoidGradientByDifferences) {
    for (const float smoothing : {0.0F, 0.2F}) {
        const Example ex(6, 19);
        const Tensor dLogits = output({6, 19});
        core::ops::sigmoidCrossEntropyBackward(backend(), dLogits, tensor({6, 19}, ex.logits),
                                               labels(ex.labels), smoothing, -0.5F);
        const auto loss = [&](const Values& v) {
            Example moved = ex;
            moved.logits = v;
            const Values rows = moved.sigmoidLoss(static_cast<double>(smoothing));
            return -0.5 * std::accumulate(rows.begin(), rows.end(), 0.0);
        };
        expectClose(dLogits, parity::numericGradient(loss, ex.logits), "dLogits");
    }
}

TEST_P(CrossEntropyOps, HugeLogitsStayFinite) {
    const Tensor logits = tensor({2, 3}, {9984, -9984, 0.0, -9984, 9984, 9984});
    const Tensor loss = f32Output({2});
    core::ops::softmaxCrossEntropyForward(backend(), loss, f32Output({2}), logits, labels({0, 0}),
                                          0.0F);
    expectClose(loss, {0.0, 19968.0 + std::log(2.0)}, "softmax loss");
    core::ops::sigmoidCrossEntropyForward(backend(), loss, logits, labels({0, 0}), 0.0F);
    expectClose(loss, {std::log(2.0), 29952.0}, "sigmoid loss");
}

TEST_P(CrossEntropyOps, IgnoredRowsCountNothing) {
    const Tensor logits = tensor({2, 3}, parity::randomValues(6, 1));
    const Tensor loss = f32Output({2});
    const Tensor dLogits = output({2, 3});
    core::ops::softmaxCrossEntropyForward(backend(), loss, f32Output({2}), logits,
                                          labels({kIgnored, kIgnored}), 0.1F);
    EXPECT_EQ(read(loss), Values(2, 0.0));
    core::ops::sigmoidCrossEntropyBackward(backend(), dLogits, logits, labels({kIgnored, kIgnored}),
                                           0.1F, 1.0F);
    EXPECT_EQ(read(dLogits), Values(6, 0.0));
}

TEST_P(CrossEntropyOps, RejectsLabelsOutOfRange) {
    const Tensor logits = tensor({1, 3}, {0, 0, 0});
    for (const std::int64_t label : {std::int64_t{3}, std::int64_t{-1}, std::int64_t{1} << 40}) {
        const std::string words = "label " + std::to_string(label) + " is not within 0 and 3";
        expectRefusal(
            [&] {
                core::ops::softmaxCrossEntropyForward(backend(), f32Output({1}), f32Output({1}),
                                                      logits, labels({label}), 0.0F);
                backend().synchronize();
            },
            words);
        expectRefusal(
            [&] {
                core::ops::sigmoidCrossEntropyBackward(backend(), output({1, 3}), logits,
                                                       labels({label}), 0.0F, 1.0F);
                backend().synchronize();
            },
            words);
    }
    EXPECT_THROW(core::ops::softmaxCrossEntropyForward(backend(), f32Output({1}), f32Output({1}),
                                                       logits, labels({0, 0}), 0.0F),
                 core::CheckFailure);
    EXPECT_THROW(
        core::ops::sigmoidCrossEntropyForward(backend(), f32Output({1}), logits, labels({0}), 1.5F),
        core::CheckFailure);
}

PARITY_SUITE(CrossEntropyOps);

}  // namespace
