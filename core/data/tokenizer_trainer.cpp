// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer_trainer.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/data/sentencepiece_tokenizer.h"
#include "core/data/text_files.h"

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <exception>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace core {
namespace {

constexpr std::size_t kMaxSentenceBytes = 4096;
constexpr std::size_t kMostBytes = std::size_t{64} << 20U;  ///< SentencePiece needs twenty times it
constexpr std::int64_t kProgressEvery = 4096;
constexpr std::int64_t kMaxVocabulary = 1 << 20;
constexpr std::int64_t kMaxSentences = 100'000'000;

/// An even sample of what is added, in the order of what it replaced: of `capacity` sentences, or
/// of as many as kMostBytes hold.
class Reservoir {
  public:
    Reservoir(std::int64_t capacity, std::uint64_t seed)
        : capacity_(capacity), random_(hashName(seed, "tokenizer sentences")) {}

    void add(std::string_view sentence) {
        const auto index = static_cast<std::uint64_t>(seen_++);
        if (static_cast<std::int64_t>(kept_.size()) < capacity_) {
            kept_.emplace_back(sentence);
            bytes_ += sentence.size();
            if (bytes_ >= kMostBytes) capacity_ = static_cast<std::int64_t>(kept_.size());
            return;
        }
        const std::uint64_t place = random_.below(index, index + 1);
        if (place < kept_.size()) kept_[place] = sentence;
    }

    std::int64_t seen() const { return seen_; }
    const std::vector<std::string>& kept() const { return kept_; }

  private:
    std::int64_t capacity_;
    CounterRandom random_;
    std::int64_t seen_ = 0;
    std::size_t bytes_ = 0;
    std::vector<std::string> kept_;
};

class Sentences final : public sentencepiece::SentenceIterator {
  public:
    explicit Sentences(const std::vector<std::string>& all) : all_(all) {}
    bool done() const override { return at_ == all_.size(); }
    void Next() override { ++at_; }
    const std::string& value() const override { return all_[at_]; }
    sentencepiece::util::Status status() const override { return {}; }

  private:
    const std::vector<std::string>& all_;
    std::size_t at_ = 0;
};

[[noreturn]] void stopped() {
    throw Error(ErrorKind::Stopped, "stopped before the tokenizer was whole",
                "nothing was written: run it again to its end");
}

Reservoir readTexts(const NextText& texts, const TokenizerTraining& options,
                    const TokenizerProgress& progress, const std::atomic<bool>& cancel) {
    Reservoir reservoir(options.sentences, options.seed);
    const auto addLine = [&](std::string_view line) {
        while (!line.empty()) {
            const std::size_t bytes =
                line.size() > kMaxSentenceBytes ? cutBefore(line, kMaxSentenceBytes) : line.size();
            const std::string_view sentence =
                stripWhitespaceRight(stripWhitespaceLeft(line.substr(0, bytes)));
            line.remove_prefix(bytes);
            if (sentence.empty()) continue;
            reservoir.add(sentence);
            if (reservoir.seen() % kProgressEvery != 0) continue;
            if (cancel) stopped();
            if (progress) progress(reservoir.seen());
        }
    };
    while (const std::optional<std::string> text = texts()) {
        if (cancel) stopped();
        for (std::string_view rest = *text; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            addLine(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    if (cancel) stopped();
    if (progress) progress(reservoir.seen());
    return reservoir;
}

std::unordered_map<std::string, std::string> arguments(const TokenizerTraining& options) {
    return {{"model_type", "unigram"},
            {"vocab_size", std::to_string(options.vocabulary)},
            {"byte_fallback", options.byteFallback ? "true" : "false"},
            {"normalization_rule_name", "nmt_nfkc"},
            {"pad_id", "0"},
            {"eos_id", "1"},
            {"unk_id", "2"},
            {"bos_id", "-1"},
            {"num_threads", "4"},
            {"minloglevel", "3"}};
}

/// The last whole number of a message of the library; 0 where there is none.
std::int64_t lastNumber(std::string_view message) {
    constexpr std::string_view kDigits = "0123456789";
    const std::size_t end = message.find_last_of(kDigits);
    if (end == std::string_view::npos) return 0;
    const std::size_t before = message.find_last_not_of(kDigits, end);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    std::int64_t number = 0;
    for (const char c : message.substr(begin, std::min<std::size_t>(end + 1 - begin, 18)))
        number = 10 * number + (c - '0');
    return number;
}

[[noreturn]] void refuseTraining(std::string_view message, const TokenizerTraining& options,
                                 std::int64_t used) {
    const std::string asked = fmt::format("a vocabulary of {}", formatExact(options.vocabulary));
    if (message.find("too high") != std::string_view::npos)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is too large for {} sentences, which give at most {} pieces",
                                asked, formatExact(used), formatExact(lastNumber(message))),
                    "ask for a smaller vocabulary, or give more text");
    if (message.find("smaller than required_chars") != std::string_view::npos)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is too small: the characters of the text alone need {} pieces",
                                asked, formatExact(lastNumber(message))),
                    "ask for a larger vocabulary");
    throw Error(
        ErrorKind::BadInput,
        fmt::format("SentencePiece cannot train {} on {} sentences", asked, formatExact(used)),
        "give more text, or ask for another vocabulary");
}

void checkOptions(const TokenizerTraining& options) {
    const std::int64_t least = options.byteFallback ? 256 + 4 : 4;
    if (options.vocabulary < least || options.vocabulary > kMaxVocabulary)
        throw Error(ErrorKind::Usage,
                    fmt::format("a vocabulary of {} is not between {} and {}", options.vocabulary,
                                least, kMaxVocabulary),
                    "choose a number in between: T5's has 32,000 pieces");
    if (options.sentences < 1 || options.sentences > kMaxSentences)
        throw Error(ErrorKind::Usage,
                    fmt::format("{} sentences are not between 1 and {}", options.sentences,
                                formatExact(kMaxSentences)),
                    "choose a number in between: a million is plenty");
}

}  // namespace

TrainedTokenizer trainTokenizer(const NextText& texts, const TokenizerTraining& options,
                                const Path& path, const TokenizerProgress& progress,
                                const std::atomic<bool>& cancel) {
    checkOptions(options);
    AtomicTarget target(path, AtomicTarget::Kind::File, options.replace);
    const Reservoir reservoir = readTexts(texts, options, progress, cancel);
    const auto used = static_cast<std::int64_t>(reservoir.kept().size());
    if (used == 0)
        throw Error(ErrorKind::BadInput, "the texts hold no sentence to learn from",
                    "give files with text in them");
    silenceSentencePiece();
    Sentences sentences(reservoir.kept());
    std::string model, message;
    try {
        const auto status =
            sentencepiece::SentencePieceTrainer::Train(arguments(options), &sentences, &model);
        if (!status.ok()) message = status.ToString();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception&) {
        model.clear();
    }
    if (cancel) stopped();
    if (!message.empty() || model.empty()) refuseTraining(message, options, used);
    parseSentencePieceModel(path, model);
    File file = File::createNew(target.temporary());
    file.writeAt(0, std::as_bytes(std::span(model)));
    file.close();
    target.commit();
    return {reservoir.seen(), used};
}

}  // namespace core
