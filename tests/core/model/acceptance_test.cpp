// SPDX-License-Identifier: Apache-2.0
// What sparse upcycling promises (Komatsuzaki et al. 2023): step-0 equality, the renormalisation
// example of appendix B.7, and capacities.
#include "core/cpu/cpu_backend.h"
#include "core/model/router.h"
#include "core/model/router_stats.h"
#include "tests/core/model/fixture.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace core::test {
namespace {

constexpr double kExact = 2e-6;  // rounding of f32

std::map<std::string, MoeSpec> lastHalf(const MoeSpec& moe) {
    return {{"encoder.2", moe}, {"encoder.3", moe}};
}

double logitsError(const MoeSpec& moe) {
    const auto dense = randomModel(smallVit(), 1);
    const auto sparse = upcycle(*dense, lastHalf(moe), 0.5F);
    const Batch batch = randomBatch(smallVit().vit, 3, 2);
    const ForwardResult expected = dense->forward(batch, {});
    return relativeError(sparse->forward(batch, {}).logits.span<float>(),
                         expected.logits.span<float>());
}

TEST(StepZero, TopKWithoutDropsComputesTheDenseFunction) {
    for (const TopKOrder order : {TopKOrder::SoftmaxTopK, TopKOrder::TopKSoftmax})
        for (const int k : {1, 2, 5}) EXPECT_LT(logitsError(topK(5, k, 0, true, order)), kExact);
    EXPECT_LT(logitsError(topK(5, 2, 0, false, TopKOrder::TopKSoftmax)), kExact);
    EXPECT_LT(logitsError(topK(5, 2, 5, true)), kExact) << "a capacity of all tokens";
}

TEST(StepZero, ExpertChoiceOfAllTokensComputesTheDenseFunction) {
    EXPECT_LT(logitsError(expertChoice(4, 4)), kExact);
    EXPECT_LT(logitsError(expertChoice(1, 1)), kExact);
    EXPECT_LT(logitsError(expertChoice(3, 3, true, {GroupSize::Kind::Tokens, 7})), kExact);
    EXPECT_LT(logitsError(expertChoice(4, 4, false)), kExact) << "a full softmax sums to 1";
}

TEST(StepZero, WithoutRenormalisationItDoesNot) {
    EXPECT_GT(logitsError(expertChoice(4, 2, false)), 1e-3);
    EXPECT_GT(logitsError(topK(5, 2, 0, false)), 1e-3);
}

TEST(StepZero, ExpertChoiceWithCapacityDiffersOnlyByUnroutedTokens) {
    const auto dense = randomModel(smallVit(), 1);
    const auto sparse = upcycle(*dense, lastHalf(expertChoice(8, 2)), 0.5F);
    const Batch batch = randomBatch(smallVit().vit, 3, 2);
    ForwardOptions options;
    options.keepOutputs = true;
    const ForwardResult expected = dense->forward(batch, options);
    options.substituteOutputs = expected.mlpOutputs;
    const ForwardResult found = sparse->forward(batch, options);
    ASSERT_EQ(found.routers.size(), 2U);
    const std::int64_t hidden = smallVit().vit.hidden;
    std::int64_t everywhere = 0;
    for (std::size_t i = 0; i < found.routers.size(); ++i) {
        const Tensor& theirs = expected.mlpOutputs[i + 2].second;
        const Tensor& ours = found.mlpOutputs[i + 2].second;
        const auto* offsets = found.routers[i].assignment.tokenOffsets.data<std::int32_t>();
        std::int64_t unrouted = 0;
        for (std::int64_t t = 0; t < ours.size(0); ++t) {
            const auto row = ours.rows(t, t + 1).span<float>();
            if (offsets[t] == offsets[t + 1]) {
                ++unrouted;
                EXPECT_EQ(std::count(row.begin(), row.end(), 0.0F), hidden);
            } else {
                EXPECT_LT(relativeError(row, theirs.rows(t, t + 1).span<float>()), kExact);
            }
        }
        everywhere += unrouted;
        RouterStatsAccumulator stats;
        stats.add(found.routers[i], sparse->backend());
        EXPECT_DOUBLE_EQ(stats.stats()[0].unrouted,
                         static_cast<double>(unrouted) / static_cast<double>(ours.size(0)));
        EXPECT_NEAR(stats.stats()[0].combineSum, 1 - stats.stats()[0].unrouted, 1e-6);
    }
    EXPECT_GT(everywhere, 0) << "else this test shows nothing";
}

/// A router whose logits are its input: probabilities are what a test wants them to be.
class IdentityRouter {
  public:
    explicit IdentityRouter(const MoeSpec& moe) : moe_(moe), backend_(makeCpuBackend(1)) {
        weight_.shape = {moe.experts, moe.experts};
        weight_.value = Tensor::zeros(weight_.shape);
        for (std::int64_t e = 0; e < moe.experts; ++e)
            weight_.value.data<float>()[e * moe.experts + e] = 1.0F;
    }
    Routing route(const std::vector<float>& probabilities, std::int64_t sequences = 1) {
        const auto tokens = static_cast<std::int64_t>(probabilities.size()) / moe_.experts;
        Tensor x = Tensor::of<float>({tokens, moe_.experts}, probabilities);
        for (float& value : x.span<float>()) value = std::log(value);
        return Router(Linear(weight_), moe_)
            .forward({*backend_, workspace_, shown_}, x, {sequences});
    }
    std::vector<float> denseWeights(const Routing& routing) {
        RouterObservation observation;
        observation.weights = routing.weights;
        observation.assignment = routing.assignment;
        const Tensor dense = denseCombineWeights(observation, *backend_);
        return {dense.span<float>().begin(), dense.span<float>().end()};
    }

  private:
    MoeSpec moe_;
    std::shared_ptr<Backend> backend_;
    Parameter weight_;
    Workspace workspace_, shown_;
};

TEST(Renormalise, TheExampleOfTheAppendix) {
    // Capacity 1: token 0 is taken by experts 0, 1, 2 with (0.3, 0.2, 0.1), token 1 by expert 3
    // alone, tokens 2 and 3 by nobody.
    IdentityRouter router(expertChoice(4, 1));
    const std::vector<float> weights = router.denseWeights(router.route({
        0.30F,
        0.20F,
        0.10F,
        0.40F,  //
        0.01F,
        0.01F,
        0.01F,
        0.97F,  //
        0.25F,
        0.15F,
        0.05F,
        0.55F,  //
        0.25F,
        0.15F,
        0.05F,
        0.55F,
    }));
    const std::vector<float> expected{
        0.5F, 1.0F / 3.0F, 1.0F / 6.0F, 0,  //
        0,    0,           0,           1,  //
        0,    0,           0,           0,  //
        0,    0,           0,           0,
    };
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], 1e-6);
    EXPECT_EQ(weights[7], 1.0F) << "a single expert's weight is 1 exactly";
}

TEST(Renormalise, ASingleExpertSendsNoGradientToTheRouter) {
    const auto dense = randomModel(smallVit(), 1);
    const auto sparse = upcycle(*dense, lastHalf(topK(4, 1, 0)), 0.5F, true);
    ForwardOptions options;
    options.training = true;
    sparse->forward(randomBatch(smallVit().vit, 2, 3), options);
    sparse->backward(1.0F);
    for (const auto& [name, gradient] : gradientsByName(*sparse))
        if (name.find("router") != std::string::npos) {
            EXPECT_LT(maxMagnitude(gradient), 1e-7) << name;
        }
}

struct CapacityCase {
    double capacity;
    std::int64_t experts, tokens, sequences;
    GroupSize group;
    std::vector<std::int64_t> perGroup;  ///< slots an expert has in every group
};

TEST(Capacity, SlotsPerExpertAndGroup) {
    const GroupSize sequence{GroupSize::Kind::Sequence, 0};
    const std::vector<CapacityCase> cases{
        {2.0, 8, 50, 1, {}, {13}},                                  // ceil(12.5)
        {2.0, 8, 150, 3, sequence, {13, 13, 13}},                   //
        {2.0, 8, 150, 3, {}, {38}},                                 // ceil(37.5)
        {1.0, 32, 197, 1, {}, {7}},                                 // ceil(6.16)
        {2.0, 32, 4096, 1, {}, {256}},                              // exact
        {0.1, 3, 10, 1, {}, {1}},                                   // at least 1
        {9.0, 3, 10, 1, {}, {10}},                                  // at most n
        {1.4, 7, 50, 1, {}, {10}},                                  // 10.000000000000002
        {1.37, 5, 20, 2, {GroupSize::Kind::Tokens, 7}, {2, 2, 2}},  // 1.918, 1.918, 1.644
        {2.0, 4, 22, 2, {GroupSize::Kind::Tokens, 10}, {5, 5, 1}},  // the last has 2
        {1.0, 3, 10, 2, {GroupSize::Kind::Tokens, 1000000}, {4}},   //
    };
    for (const CapacityCase& c : cases) {
        Tensor probabilities = Tensor::host({c.tokens, c.experts});
        fillNormal(probabilities, 0, 1, 5);
        for (float& value : probabilities.span<float>()) value = std::exp(value);
        const auto values = probabilities.span<float>();
        IdentityRouter router(expertChoice(c.experts, c.capacity, true, c.group));
        const Routing routing = router.route({values.begin(), values.end()}, c.sequences);
        ASSERT_EQ(routing.groups.begins.size(), c.perGroup.size() + 1);
        std::int64_t total = 0;
        for (const std::int64_t slots : c.perGroup) total += slots;
        for (std::size_t e = 0; e < static_cast<std::size_t>(c.experts); ++e)
            EXPECT_EQ(routing.assignment.offsets[e + 1] - routing.assignment.offsets[e], total)
                << "C " << c.capacity << " E " << c.experts << " n " << c.tokens;
    }
}

TEST(Capacity, TopKDropsWhatIsOverIt) {
    // All four tokens ask expert 0 first; capacity ceil(1 * 4 / 2) = 2 keeps the first two.
    const std::vector<float> probabilities{0.9F, 0.1F, 0.8F, 0.2F, 0.7F, 0.3F, 0.95F, 0.05F};
    MoeSpec moe = topK(2, 1, 1.0, false);
    IdentityRouter inOrder(moe);
    Routing routing = inOrder.route(probabilities);
    std::vector<float> weights = inOrder.denseWeights(routing);
    EXPECT_NEAR(weights[0], 0.9F, 1e-6);
    EXPECT_NEAR(weights[2], 0.8F, 1e-6);
    EXPECT_EQ(weights[4], 0.0F);
    EXPECT_EQ(weights[6], 0.0F);
    EXPECT_EQ(routing.assignment.requested, (std::vector<std::int64_t>{4, 0}));
    moe.batchPriority = true;
    IdentityRouter byPriority(moe);
    weights = byPriority.denseWeights(byPriority.route(probabilities));
    EXPECT_NEAR(weights[0], 0.9F, 1e-6);
    EXPECT_EQ(weights[2], 0.0F);
    EXPECT_NEAR(weights[6], 0.95F, 1e-6);
}

}  // namespace
}  // namespace core::test
