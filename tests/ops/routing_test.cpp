// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"

#include "tests/ops/parity.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace {

using core::Assignment;
using core::RoutingGroups;
using core::Tensor;
using core::TopKPlacement;
using parity::Values;
using Ints = std::vector<std::int64_t>;
using Lists = std::vector<Ints>;

TEST(ExpertCapacity, GoldenNumbers) {
    using core::ops::expertCapacity;
    EXPECT_EQ(expertCapacity(2.0, 6400, 8), 1600);
    EXPECT_EQ(expertCapacity(1.0, 10, 3), 4);     // 3.33 rounds up
    EXPECT_EQ(expertCapacity(1.25, 50, 8), 8);    // 7.8125
    EXPECT_EQ(expertCapacity(0.1, 10, 8), 1);     // at least one
    EXPECT_EQ(expertCapacity(8.0, 50, 8), 50);    // all of them
    EXPECT_EQ(expertCapacity(100.0, 50, 8), 50);  // never more than the tokens
    EXPECT_EQ(expertCapacity(2.0, 0, 8), 0);
    EXPECT_EQ(expertCapacity(1.1, 10, 1), 10);
    EXPECT_EQ(expertCapacity(0.7, 10, 7), 1);    // 0.7 * 10 / 7 is 1 up to rounding, not 2
    EXPECT_EQ(expertCapacity(1.4, 50, 7), 10);   // 10.000000000000002
    EXPECT_EQ(expertCapacity(1e-12, 50, 8), 1);  // the tolerance does not undo "at least one"
    EXPECT_EQ(expertCapacity(1e300, 5, 2), 5);
}

TEST(ForeignCapacity, GoldenNumbers) {
    using core::ops::CapacityRule;
    using core::ops::foreignCapacity;
    EXPECT_EQ(foreignCapacity(CapacityRule::Vmoe, 1.05, 400, 8, 2), 108);  // 105 to a multiple of 4
    EXPECT_EQ(foreignCapacity(CapacityRule::Vmoe, 2.0, 50, 8, 1), 16);     // 12.5 -> 13 -> 16
    EXPECT_EQ(foreignCapacity(CapacityRule::Flaxformer, 1.0, 10, 8, 2), 4);
    EXPECT_EQ(foreignCapacity(CapacityRule::Flaxformer, 1.25, 100, 8, 2), 16);  // 15.625; no k
    EXPECT_EQ(foreignCapacity(CapacityRule::Flaxformer, 1.0, 36, 8, 1), 4);     // 4.5 to even
    EXPECT_EQ(foreignCapacity(CapacityRule::Megatron, 1.25, 100, 8, 2), 32);    // 31.25
    EXPECT_EQ(foreignCapacity(CapacityRule::Megatron, 1.0, 4096, 64, 2), 128);
}

class RoutingOps : public parity::OpsTest {
  protected:
    RoutingGroups groups(Ints begins, const std::vector<std::uint8_t>& real = {}) {
        return {std::move(begins), real.empty() ? Tensor() : mask(real)};
    }
    Tensor scores(std::int64_t experts, const Values& values) {
        return f32({static_cast<std::int64_t>(values.size()) / experts, experts}, values);
    }
    /// Tokens of every expert in slot order.
    Lists byExpert(const Assignment& a) {
        const Ints token = readInts(a.slotToken);
        Lists lists;
        for (std::size_t e = 0; e + 1 < a.offsets.size(); ++e)
            lists.emplace_back(token.begin() + a.offsets[e], token.begin() + a.offsets[e + 1]);
        return lists;
    }
    void expectConsistent(const Assignment& a) {
        const Ints token = readInts(a.slotToken);
        const Ints expert = readInts(a.slotExpert);
        const Ints first = readInts(a.tokenOffsets);
        const Ints slots = readInts(a.tokenSlots);
        ASSERT_EQ(static_cast<std::int64_t>(token.size()), a.slots());
        ASSERT_EQ(static_cast<std::int64_t>(first.size()), a.tokens + 1);
        for (std::size_t s = 0; s < expert.size(); ++s) {
            EXPECT_GE(static_cast<std::int64_t>(s), a.offsets[static_cast<std::size_t>(expert[s])]);
            EXPECT_LT(static_cast<std::int64_t>(s),
                      a.offsets[static_cast<std::size_t>(expert[s]) + 1]);
        }
        for (std::size_t t = 0; t + 1 < first.size(); ++t)
            for (std::int64_t i = first[t]; i < first[t + 1]; ++i) {
                EXPECT_EQ(token[static_cast<std::size_t>(slots[static_cast<std::size_t>(i)])],
                          static_cast<std::int64_t>(t));
                if (i > first[t]) {
                    EXPECT_GT(slots[static_cast<std::size_t>(i)],
                              slots[static_cast<std::size_t>(i) - 1]);
                }
            }
        EXPECT_EQ(first.back(), a.slots());
    }
};

/// Some values equal, so that ties occur.
Values coarseScores(std::int64_t n, std::uint64_t seed) {
    Values values = parity::randomValues(n, seed);
    for (double& value : values) value = std::round(value * 4.0) / 4.0;
    return values;
}

std::vector<std::uint8_t> someMask(std::int64_t n) {
    std::vector<std::uint8_t> real;
    for (std::int64_t t = 0; t < n; ++t) real.push_back(t % 5 == 3 || t > n - 3 ? 0 : 1);
    return real;
}

struct Setting {
    std::int64_t tokens;
    std::int64_t experts;
    Ints begins;
    bool masked;
    double capacity;
};

const std::vector<Setting> kSettings{{1, 1, {0, 1}, false, 1.0},
                                     {50, 8, {0, 50}, false, 2.0},
                                     {50, 8, {0, 7, 7, 33, 50}, true, 1.25},
                                     {33, 5, {0, 16, 32, 33}, true, 0.5},
                                     {640, 4, {0, 640}, false, 1.0},
                                     {12, 3, {0, 4, 8, 12}, false, 99.0},
                                     {9001, 5, {0, 1, 8200, 9001}, true, 1.25}};

std::vector<Ints> realTokens(const Setting& s, const std::vector<std::uint8_t>& real) {
    std::vector<Ints> out;
    for (std::size_t g = 0; g + 1 < s.begins.size(); ++g) {
        out.emplace_back();
        for (std::int64_t t = s.begins[g]; t < s.begins[g + 1]; ++t)
            if (!s.masked || real[static_cast<std::size_t>(t)] != 0) out.back().push_back(t);
    }
    return out;
}

TEST_P(RoutingOps, ExpertChoiceTakesTheLargest) {
    for (const Setting& s : kSettings) {
        const Values p = coarseScores(s.tokens * s.experts, 1);
        const auto real = someMask(s.tokens);
        Lists expected(static_cast<std::size_t>(s.experts));
        for (const Ints& group : realTokens(s, real))
            for (std::int64_t e = 0; e < s.experts; ++e) {
                Ints order = group;
                std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
                    return p[static_cast<std::size_t>(a * s.experts + e)] >
                           p[static_cast<std::size_t>(b * s.experts + e)];
                });
                const double n = static_cast<double>(group.size());
                const double wanted =
                    std::ceil(s.capacity * n / static_cast<double>(s.experts) - 1e-9);
                order.resize(static_cast<std::size_t>(std::min(n, std::max(1.0, wanted))));
                auto& list = expected[static_cast<std::size_t>(e)];
                list.insert(list.end(), order.begin(), order.end());
            }
        const Assignment a = core::ops::expertChoice(
            backend(), scores(s.experts, p),
            groups(s.begins, s.masked ? real : std::vector<std::uint8_t>()), s.capacity);
        EXPECT_EQ(byExpert(a), expected);
        EXPECT_EQ(a.tokens, s.tokens);
        EXPECT_EQ(a.experts, s.experts);
        for (std::size_t e = 0; e < expected.size(); ++e)
            EXPECT_EQ(a.requested[e], static_cast<std::int64_t>(expected[e].size()));
        expectConsistent(a);
    }
}

TEST_P(RoutingOps, ExpertChoiceTiesGoToTheLowerRow) {
    const Assignment a = core::ops::expertChoice(
        backend(), scores(2, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}), groups({0, 4}), 1.0);
    EXPECT_EQ(byExpert(a), (Lists{{0, 1}, {0, 1}}));
    EXPECT_EQ(readInts(a.tokenOffsets), (Ints{0, 2, 4, 4, 4}));
}

TEST_P(RoutingOps, ExpertChoiceWithFullCapacityTakesEverybody) {
    const Assignment a = core::ops::expertChoice(backend(), scores(4, parity::randomValues(48, 1)),
                                                 groups({0, 12}), 4.0);
    EXPECT_EQ(a.offsets, (Ints{0, 12, 24, 36, 48}));
}

TEST_P(RoutingOps, PaddingIsNeverRouted) {
    const std::vector<std::uint8_t> real{0, 1, 0, 1, 1, 0};
    const Values p(12, 0.5);
    const Assignment choice =
        core::ops::expertChoice(backend(), scores(2, p), groups({0, 3, 6}, real), 9.0);
    EXPECT_EQ(byExpert(choice), (Lists{{1, 3, 4}, {1, 3, 4}}));
    EXPECT_EQ(choice.groupTokens, (Ints{1, 2}));
    const Assignment top = topK(scores(2, p), groups({0, 3, 6}, real), {1, 1.0, true});
    EXPECT_EQ(byExpert(top), (Lists{{1, 3, 4}, {}}));
    EXPECT_EQ(readInts(top.askedExperts), (Ints{-1, 0, -1, 0, 0, -1}));
    const Assignment nobody = core::ops::expertChoice(
        backend(), scores(2, p), groups({0, 6}, std::vector<std::uint8_t>(6, 0)), 1.0);
    EXPECT_EQ(nobody.slots(), 0);
}

struct TopKReference {
    Lists accepted;
    Ints requested;
    Ints asked;
    Values groupRequested;
};

TopKReference topKReference(const Setting& s, const Values& score,
                            const std::vector<std::uint8_t>& real, std::int64_t k, bool dropless,
                            TopKPlacement placement) {
    const auto experts = static_cast<std::size_t>(s.experts);
    const auto at = [&](std::int64_t t, std::int64_t e) {
        return score[static_cast<std::size_t>(t * s.experts + e)];
    };
    TopKReference out{
        Lists(experts), Ints(experts, 0), Ints(static_cast<std::size_t>(s.tokens * k), -1), {}};
    for (Ints group : realTokens(s, real)) {
        for (const std::int64_t t : group) {
            Ints order(experts);
            std::iota(order.begin(), order.end(), 0);
            std::stable_sort(order.begin(), order.end(),
                             [&](std::int64_t a, std::int64_t b) { return at(t, a) > at(t, b); });
            std::copy_n(order.begin(), k, out.asked.begin() + t * k);
        }
        const auto best = [&](std::int64_t t) {
            return at(t, out.asked[static_cast<std::size_t>(t * k)]);
        };
        if (placement == TopKPlacement::BatchPriority)
            std::stable_sort(group.begin(), group.end(),
                             [&](std::int64_t a, std::int64_t b) { return best(a) > best(b); });
        const std::int64_t capacity = core::ops::expertCapacity(
            s.capacity, static_cast<std::int64_t>(group.size()), s.experts);
        Values requested(experts, 0.0);
        std::vector<Ints> taken(experts);
        std::vector<std::pair<std::int64_t, std::int64_t>> turns;  // (token, its choice)
        for (std::size_t i = 0; i < group.size(); ++i)
            for (std::int64_t choice = 0; choice < k; ++choice)
                turns.emplace_back(group[i], choice);
        if (placement != TopKPlacement::TokenOrder)
            std::stable_sort(turns.begin(), turns.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        for (const auto& [t, choice] : turns) {
            const auto e =
                static_cast<std::size_t>(out.asked[static_cast<std::size_t>(t * k + choice)]);
            requested[e] += 1.0;
            ++out.requested[e];
            if (dropless || static_cast<std::int64_t>(taken[e].size()) < capacity)
                taken[e].push_back(t);
        }
        for (std::size_t e = 0; e < experts; ++e)
            out.accepted[e].insert(out.accepted[e].end(), taken[e].begin(), taken[e].end());
        out.groupRequested.insert(out.groupRequested.end(), requested.begin(), requested.end());
    }
    return out;
}

TEST_P(RoutingOps, FixedSlotsHoldWhateverTheGroupsSize) {
    const Values score(14, 0.0);  // all ask expert 0
    const Assignment a =
        topK(scores(2, score), groups({0, 2, 7}), {1, 1.0, true, TopKPlacement::ChoicesFirst, 3});
    EXPECT_EQ(byExpert(a), (Lists{{0, 1, 2, 3, 4}, {}}));
}

TEST_P(RoutingOps, TopKPlacesInTheOrderOfTheRule) {
    for (const Setting& s : kSettings)
        for (std::int64_t k = 1; k <= std::min<std::int64_t>(3, s.experts); ++k)
            for (const bool dropless : {false, true})
                for (const TopKPlacement placement :
                     {TopKPlacement::ChoicesFirst, TopKPlacement::BatchPriority,
                      TopKPlacement::TokenOrder}) {
                    const Values score = coarseScores(s.tokens * s.experts, 2);
                    const auto real = someMask(s.tokens);
                    const TopKReference expected =
                        topKReference(s, score, real, k, dropless, placement);
                    const Assignment a =
                        topK(scores(s.experts, score),
                             groups(s.begins, s.masked ? real : std::vector<std::uint8_t>()),
                             {static_cast<int>(k), s.capacity, dropless, placement});
                    EXPECT_EQ(byExpert(a), expected.accepted);
                    EXPECT_EQ(a.requested, expected.requested);
                    EXPECT_EQ(readInts(a.askedExperts), expected.asked);
                    EXPECT_EQ(read(a.groupRequested), expected.groupRequested);
                    expectConsistent(a);
                }
}

TEST_P(RoutingOps, TopKDropsOverCapacity) {
    // Everybody wants expert 0 first and expert 1 second; capacity ceil(1 * 4 / 2) = 2.
    const Tensor score = scores(2, {0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.95, 0.05});
    const Assignment inOrder = topK(score, groups({0, 4}), {2, 1.0, false});
    EXPECT_EQ(byExpert(inOrder), (Lists{{0, 1}, {0, 1}}));
    EXPECT_EQ(inOrder.requested, (Ints{4, 4}));
    const Assignment byPriority =
        topK(score, groups({0, 4}), {2, 1.0, false, TopKPlacement::BatchPriority});
    EXPECT_EQ(byExpert(byPriority), (Lists{{3, 0}, {3, 0}}));
    const Assignment one = topK(score, groups({0, 4}), {1, 1.0, false});
    EXPECT_EQ(byExpert(one), (Lists{{0, 1}, {}}));
}

TEST_P(RoutingOps, TopKTiesGoToTheLowerExpert) {
    const Assignment a = topK(scores(3, Values(6, 0.0)), groups({0, 2}), {2, 1.0, true});
    EXPECT_EQ(readInts(a.askedExperts), (Ints{0, 1, 0, 1}));
    const Assignment zeros = topK(scores(2, {-0.0, 0.0}), groups({0, 1}), {1, 1.0, true});
    EXPECT_EQ(readInts(zeros.askedExperts), (Ints{0}));
}

TEST_P(RoutingOps, NanIsTheLowestScore) {
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    const Values p{nan, nan, -infinity, 0.5, infinity, nan, 0.1, -0.5};
    const Assignment choice = core::ops::expertChoice(backend(), scores(2, p), groups({0, 4}), 2.0);
    EXPECT_EQ(byExpert(choice), (Lists{{2, 3, 1, 0}, {1, 3, 0, 2}}));
    const Assignment top =
        topK(scores(2, p), groups({0, 4}), {1, 2.0, false, TopKPlacement::BatchPriority});
    EXPECT_EQ(readInts(top.askedExperts), (Ints{0, 1, 0, 0}));
    EXPECT_EQ(byExpert(top), (Lists{{2, 3, 0}, {1}}));
    const Assignment all = topK(scores(2, Values(8, nan)), groups({0, 4}),
                                {2, 1.0, false, TopKPlacement::BatchPriority});
    EXPECT_EQ(all.slots(), 4);
}

TEST_P(RoutingOps, RejectsWhatCannotBeRouted) {
    const Tensor p = scores(2, Values(8, 0.5));
    EXPECT_THROW(core::ops::expertChoice(backend(), p, groups({0, 3}), 1.0), core::CheckFailure);
    EXPECT_THROW(core::ops::expertChoice(backend(), p, groups({0, 3, 2, 4}), 1.0),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::expertChoice(backend(), p, groups({0, 4}, {1, 1}), 1.0),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::expertChoice(backend(), p, groups({0, 4}), std::nan("")),
                 core::CheckFailure);
    EXPECT_THROW(topK(p, groups({0, 4}), {3, 1.0, false}), core::CheckFailure);
    EXPECT_THROW(topK(p, groups({0, 4}), {0, 1.0, false}), core::CheckFailure);
}

PARITY_SUITE(RoutingOps);

}  // namespace
