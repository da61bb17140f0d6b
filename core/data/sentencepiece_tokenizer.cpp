// SPDX-License-Identifier: Apache-2.0
#include "core/data/sentencepiece_tokenizer.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>
#include <mutex>

// Exported by the library, declared in none of its installed headers.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace core {
namespace {

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";
constexpr std::string_view kGuard = "<unk>";

[[noreturn]] void refuse(const Path& path, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what),
                "give the tokenizer of a T5 (spiece.model or tokenizer.json)");
}

std::string_view kindName(SentencePieceModel::Kind kind) {
    switch (kind) {
        case SentencePieceModel::Kind::Unigram:
            return "unigram";
        case SentencePieceModel::Kind::Bpe:
            return "BPE";
        case SentencePieceModel::Kind::Word:
            return "word";
        case SentencePieceModel::Kind::Char:
            return "character";
    }
    return "";
}

struct Sentinels {
    std::int32_t first = -1;
    std::int32_t count = 0;
};

Sentinels findSentinels(const Path& path, const SentencePieceModel& model,
                        const std::vector<AddedToken>& added) {
    std::map<std::int32_t, std::int32_t> idOf;
    const auto note = [&](std::string_view text, std::int32_t id) {
        const auto number = sentinelNumber(text);
        if (!number) return;
        const std::int32_t known = idOf.emplace(*number, id).first->second;
        if (known != id)
            refuse(path, fmt::format("<extra_id_{}> has two ids, {} and {}", *number, known, id));
    };
    for (std::size_t id = 0; id < model.pieces.size(); ++id) {
        std::string_view text = model.pieces[id].text;
        if (text.starts_with(kSpaceMark)) text.remove_prefix(kSpaceMark.size());
        note(text, static_cast<std::int32_t>(id));
    }
    for (const AddedToken& token : added) note(token.text, token.id);
    Sentinels sentinels;
    for (const auto& [number, id] : idOf) {
        if (number == 0) sentinels.first = id;
        if (number != sentinels.count || id != sentinels.first - number)
            refuse(path, fmt::format("<extra_id_{}> has id {}, expected sentinels from 0 on whose "
                                     "ids descend by one",
                                     number, id));
        ++sentinels.count;
    }
    return sentinels;
}

class SentencePieceTokenizer final : public Tokenizer {
  public:
    SentencePieceTokenizer(Path path, const SentencePieceModel& model, std::string_view serialized,
                           std::vector<AddedToken> added, Sentinels sentinels)
        : Tokenizer(std::move(path), sentinels.first),
          sentinels_(sentinels),
          kind_(model.kind),
          prefix_(model.prefix),
          added_(std::move(added)),
          size_(static_cast<std::int64_t>(model.pieces.size())) {
        if (prefix_ == Prefix::Model)
            load(serialized);
        else
            load(withoutDummyPrefix(std::string(serialized)));
        pad_ = requireSpecial(processor_.pad_id(), "<pad>");
        eos_ = requireSpecial(processor_.eos_id(), "</s>");
        unknown_ = processor_.unk_id();
        if (prefix_ != Prefix::Model) {
            spaceId_ = processor_.PieceToId(kSpaceMark);
            guardPieces_ = plainIds(kGuard).size();
        }
        for (const AddedToken& token : added_.all()) {
            size_ = std::max<std::int64_t>(size_, token.id + 1);
            byId_[token.id] = token.text;
        }
    }

    std::vector<std::int32_t> encode(std::string_view text) const override {
        const std::string prefixed = prefix_ == Prefix::TextFirst ? textFirst(text) : std::string();
        const std::string_view all = prefix_ == Prefix::TextFirst ? prefixed : text;
        std::vector<std::int32_t> ids;
        for (const AddedTokens::Segment& segment : added_.split(all)) {
            if (segment.token != nullptr) {
                // T5Tokenizer takes the prefix away again before a special token.
                if (prefix_ == Prefix::TextFirst && segment.token->special && ids.size() == 1 &&
                    ids.front() == spaceId_)
                    ids.clear();
                ids.push_back(segment.token->id);
                continue;
            }
            const std::vector<int> found =
                encodePlain(segment.text, segment.text.data() == all.data());
            ids.insert(ids.end(), found.begin(), found.end());
        }
        return ids;
    }

    std::string decode(std::span<const std::int32_t> ids) const override {
        std::vector<std::string> parts;
        std::vector<int> plain;
        const auto flush = [&] {
            const std::string text = processor_.DecodeIds(plain);
            const std::string_view stripped = stripWhitespaceLeft(stripWhitespaceRight(text));
            if (!stripped.empty()) parts.emplace_back(stripped);
            plain.clear();
        };
        for (const std::int32_t id : ids) {
            if (id < 0 || id >= size_ || id == pad_ || id == eos_) continue;
            const auto added = byId_.find(id);
            const bool inModel = id < processor_.GetPieceSize();
            const std::int32_t number = sentinels_.first - id;
            const bool isSentinel = number >= 0 && number < sentinels_.count;
            if (!isSentinel && inModel) {
                plain.push_back(id);
                continue;
            }
            if (!isSentinel && added == byId_.end()) continue;
            flush();
            parts.push_back(isSentinel ? fmt::format("<extra_id_{}>", number) : added->second);
        }
        flush();
        return fmt::format("{}", fmt::join(parts, " "));
    }

    std::string piece(std::int32_t id) const override {
        CORE_CHECK(id >= 0 && id < size_, "an id of the tokenizer");
        const auto added = byId_.find(id);
        if (added != byId_.end()) return added->second;
        return id < processor_.GetPieceSize() ? processor_.IdToPiece(id) : std::string();
    }

    std::int64_t size() const override { return size_; }
    std::int32_t pad() const override { return pad_; }
    std::int32_t eos() const override { return eos_; }
    std::int32_t unknown() const override { return unknown_; }
    std::int32_t sentinels() const override { return sentinels_.count; }
    std::string description() const override {
        return fmt::format("SentencePiece {}, {} pieces and {} sentinels", kindName(kind_),
                           formatExact(size_ - sentinels_.count), formatExact(sentinels_.count));
    }

  private:
    using Prefix = SentencePieceModel::Prefix;

    /// Spaces for U+2581, and one U+2581 in front (T5Tokenizer.tokenize, legacy false).
    static std::string textFirst(std::string_view text) {
        if (text.empty()) return {};
        std::string result(kSpaceMark);
        while (!text.empty()) {
            const bool mark = text.starts_with(kSpaceMark);
            result += mark ? ' ' : text.front();
            text.remove_prefix(mark ? kSpaceMark.size() : 1);
        }
        return result;
    }

    std::vector<int> plainIds(std::string_view text) const {
        std::vector<int> found;
        if (!processor_.Encode(text, &found).ok())
            throw Error(ErrorKind::Internal,
                        fmt::format("{}: a text cannot be encoded", file().string()),
                        "this is a bug: please report it with the text");
        return found;
    }

    /// Ids of text between added tokens. SentencePiece takes leading white space away; where it
    /// counts, the text is encoded behind a word whose pieces are then left out, as T5Tokenizer's
    /// _tokenize does.
    std::vector<int> encodePlain(std::string_view text, bool first) const {
        if (prefix_ == Prefix::Model) return plainIds(text);
        const bool json = prefix_ == Prefix::JsonFirst || prefix_ == Prefix::JsonNone;
        bool spaced = text.starts_with(' ') || text.starts_with(kSpaceMark);
        std::string guarded(kGuard);
        if (prefix_ == Prefix::JsonFirst && first && !spaced) {
            guarded += ' ';
            spaced = true;
        }
        if (json) spaced = spaced || stripWhitespaceLeft(text).size() < text.size();
        if (!spaced) return plainIds(text);
        std::vector<int> ids = plainIds(guarded.append(text));
        if (ids.size() >= guardPieces_)
            ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(guardPieces_));
        return ids;
    }

    void load(std::string_view serialized) {
        silenceSentencePiece();
        bool loaded = false;
        try {
            loaded = processor_.LoadFromSerializedProto(serialized).ok();
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception&) {
            loaded = false;
        }
        if (!loaded) refuse(file(), "SentencePiece cannot use this model");
    }

    std::int32_t requireSpecial(int id, std::string_view name) const {
        if (id < 0) refuse(file(), fmt::format("has no piece {}, which a T5 needs", name));
        return id;
    }

    Sentinels sentinels_;
    SentencePieceModel::Kind kind_;
    Prefix prefix_;
    AddedTokens added_;
    std::map<std::int32_t, std::string> byId_;
    sentencepiece::SentencePieceProcessor processor_;
    std::int64_t size_;
    std::int32_t pad_ = -1, eos_ = -1, unknown_ = -1, spaceId_ = -1;
    std::size_t guardPieces_ = 0;
};

}  // namespace

std::optional<std::int32_t> sentinelNumber(std::string_view text) {
    constexpr std::string_view kPrefix = "<extra_id_";
    if (!text.starts_with(kPrefix) || !text.ends_with('>')) return std::nullopt;
    const std::string_view digits = text.substr(kPrefix.size(), text.size() - kPrefix.size() - 1);
    std::int32_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc() || end != digits.data() + digits.size() || number < 0 ||
        digits != std::to_string(number))
        return std::nullopt;
    return number;
}

void silenceSentencePiece() {
    static std::once_flag once;
    constexpr int kFatal = 3;
    std::call_once(once, [] { sentencepiece::logging::SetMinLogLevel(kFatal); });
}

std::shared_ptr<const Tokenizer> makeSentencePieceTokenizer(Path file,
                                                            const SentencePieceModel& model,
                                                            std::string_view serialized,
                                                            std::vector<AddedToken> added) {
    const Sentinels sentinels = findSentinels(file, model, added);
    return std::make_shared<SentencePieceTokenizer>(std::move(file), model, serialized,
                                                    std::move(added), sentinels);
}

}  // namespace core
