// SPDX-License-Identifier: Apache-2.0
#include "core/model/generation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace core {
namespace {

/// log sum exp of a row of logits.
double logSumExp(std::span<const float> row) {
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit) - largest);
    return largest + std::log(sum);
}

struct Candidate {
    std::int64_t beam = 0;
    std::int64_t token = 0;
    double score = 0;  ///< log probability of the whole
};

/// The better one first; ties to the lower beam and token. NaN is worse than all.
bool isBetter(const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return std::isnan(b.score) ? !std::isnan(a.score) : a.score > b.score;
    return std::pair(a.beam, a.token) < std::pair(b.beam, b.token);
}

struct Beam {
    std::vector<std::int64_t> tokens;
    double score = 0;
};

/// The search for the target of one input.
class BeamSearch {
  public:
    BeamSearch(const GenerationOptions& options, std::int64_t end)
        : options_(options), end_(end), running_(static_cast<std::size_t>(options.beams)) {
        for (std::size_t i = 1; i < running_.size(); ++i)
            running_[i].score = -std::numeric_limits<double>::infinity();  // all are alike as yet
    }

    bool isDone() const { return done_; }

    /// Takes the logits [beams, V] behind the running beams; returns, for each of the new ones, the
    /// beam that it goes on from.
    std::vector<std::int64_t> extend(std::span<const float> logits) {
        const std::vector<Candidate> best = candidates(logits);
        const std::size_t length = running_.front().tokens.size() + 1;
        const bool last = std::cmp_greater_equal(length, options_.maxTokens);
        std::vector<Beam> next;
        std::vector<std::int64_t> from;
        for (std::size_t i = 0; i < best.size(); ++i) {
            const bool ends = last || best[i].token == end_;
            if (ends && i < running_.size()) finish(best[i]);
            if (ends || next.size() == running_.size()) continue;
            next.push_back(continued(best[i]));
            from.push_back(best[i].beam);
        }
        if (next.size() < running_.size()) {  // the last token, or a vocabulary of next to nothing
            done_ = true;
            from.resize(running_.size());
            std::iota(from.begin(), from.end(), 0);
            return from;
        }
        running_ = std::move(next);
        done_ = finished_.size() == running_.size() &&
                normalized(running_.front().score, length) <= finished_.back().score;
        return from;
    }

    std::int64_t lastToken(std::size_t beam, std::int64_t start) const {
        const std::vector<std::int64_t>& tokens = running_[beam].tokens;
        return tokens.empty() ? start : tokens.back();
    }

    Generated result() const {
        if (finished_.empty()) return {running_.front().tokens, running_.front().score};
        return {finished_.front().tokens, finished_.front().score};
    }

  private:
    double normalized(double score, std::size_t length) const {
        return score / std::pow(static_cast<double>(length), options_.lengthPenalty);
    }

    /// The 2 * beams best continuations: with one end of sequence a beam, enough to go on.
    std::vector<Candidate> candidates(std::span<const float> logits) const {
        const std::size_t vocab = logits.size() / running_.size();
        const std::size_t most = std::min(2 * running_.size(), logits.size());
        std::vector<Candidate> best;
        best.reserve(logits.size());
        for (std::size_t beam = 0; beam < running_.size(); ++beam) {
            if (running_[beam].score == -std::numeric_limits<double>::infinity()) continue;
            const std::span<const float> row = logits.subspan(beam * vocab, vocab);
            const double base = running_[beam].score - logSumExp(row);
            for (std::size_t token = 0; token < vocab; ++token)
                best.push_back({static_cast<std::int64_t>(beam), static_cast<std::int64_t>(token),
                                base + static_cast<double>(row[token])});
        }
        const auto middle = best.begin() + static_cast<std::ptrdiff_t>(std::min(most, best.size()));
        std::partial_sort(best.begin(), middle, best.end(), isBetter);
        best.erase(middle, best.end());
        return best;
    }

    Beam continued(const Candidate& candidate) const {
        Beam beam = running_[static_cast<std::size_t>(candidate.beam)];
        beam.tokens.push_back(candidate.token);
        beam.score = candidate.score;
        return beam;
    }

    void finish(const Candidate& candidate) {
        Beam beam = continued(candidate);
        beam.score = normalized(beam.score, beam.tokens.size());
        const auto place =
            std::find_if(finished_.begin(), finished_.end(),
                         [&beam](const Beam& other) { return other.score < beam.score; });
        finished_.insert(place, std::move(beam));
        if (finished_.size() > running_.size()) finished_.pop_back();
    }

    GenerationOptions options_;
    std::int64_t end_;
    std::vector<Beam> running_;
    std::vector<Beam> finished_;  ///< the best first
    bool done_ = false;
};

/// The search with one beam and no choice.
class GreedySearch {
  public:
    GreedySearch(const GenerationOptions& options, std::int64_t end)
        : most_(options.maxTokens), end_(end) {}

    bool isDone() const { return done_; }

    void extend(std::span<const float> logits) {
        const auto best = std::max_element(logits.begin(), logits.end());
        const std::int64_t token = best - logits.begin();
        target_.tokens.push_back(token);
        target_.score += static_cast<double>(*best) - logSumExp(logits);
        done_ = token == end_ || std::ssize(target_.tokens) == most_;
    }

    std::int64_t lastToken(std::int64_t start, std::int64_t pad) const {
        if (done_) return pad;
        return target_.tokens.empty() ? start : target_.tokens.back();
    }

    const Generated& result() const { return target_; }

  private:
    std::int64_t most_, end_;
    Generated target_;
    bool done_ = false;
};

template <typename Search>
bool areDone(const std::vector<Search>& searches) {
    return std::all_of(searches.begin(), searches.end(),
                       [](const Search& search) { return search.isDone(); });
}

template <typename Search>
std::vector<Generated> results(const std::vector<Search>& searches) {
    std::vector<Generated> targets;
    for (const Search& search : searches) targets.push_back(search.result());
    return targets;
}

/// The logits of the rows of one input.
std::span<const float> part(const Tensor& logits, std::size_t input, std::size_t inputs) {
    const auto all = logits.span<float>();
    return all.subspan(input * (all.size() / inputs), all.size() / inputs);
}

std::vector<Generated> generateGreedily(Decoding& decoding, const T5Spec& t5, std::size_t inputs,
                                        const GenerationOptions& options,
                                        const std::function<bool()>& goOn) {
    std::vector<GreedySearch> searches(inputs, GreedySearch(options, t5.eosToken));
    while (!areDone(searches)) {
        if (goOn && !goOn()) return {};
        std::vector<std::int64_t> tokens;
        for (const GreedySearch& search : searches)
            tokens.push_back(search.lastToken(t5.decoderStartToken, t5.padToken));
        const Tensor logits = decoding.step(tokens);
        for (std::size_t i = 0; i < inputs; ++i)
            if (!searches[i].isDone()) searches[i].extend(part(logits, i, inputs));
    }
    return results(searches);
}

std::vector<Generated> searchBeams(Decoding& decoding, const T5Spec& t5, std::size_t inputs,
                                   const GenerationOptions& options,
                                   const std::function<bool()>& goOn) {
    const auto beams = static_cast<std::size_t>(options.beams);
    std::vector<BeamSearch> searches(inputs, BeamSearch(options, t5.eosToken));
    while (true) {
        if (goOn && !goOn()) return {};
        std::vector<std::int64_t> tokens;
        for (const BeamSearch& search : searches)
            for (std::size_t beam = 0; beam < beams; ++beam)
                tokens.push_back(search.lastToken(beam, t5.decoderStartToken));
        const Tensor logits = decoding.step(tokens);
        std::vector<std::int64_t> from(inputs * beams);
        std::iota(from.begin(), from.end(), 0);
        for (std::size_t i = 0; i < inputs; ++i) {
            if (searches[i].isDone()) continue;
            const std::vector<std::int64_t> own = searches[i].extend(part(logits, i, inputs));
            for (std::size_t beam = 0; beam < beams; ++beam)
                from[i * beams + beam] = static_cast<std::int64_t>(i * beams) + own[beam];
        }
        if (areDone(searches)) return results(searches);
        decoding.reorder(from);
    }
}

}  // namespace

std::vector<Generated> generate(Model& model, const Batch& inputs, const GenerationOptions& options,
                                const std::function<bool()>& goOn) {
    CORE_CHECK(options.maxTokens >= 1 && options.beams >= 1, "at least one token and one beam");
    const auto decoding = model.startDecoding(inputs, options.beams, options.maxTokens);
    const auto sequences = static_cast<std::size_t>(inputs.inputIds.size(0));
    const auto search = options.beams == 1 ? generateGreedily : searchBeams;
    return search(*decoding, model.spec().t5, sequences, options, goOn);
}

}  // namespace core
