// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// What matters of SentencePiece's `ModelProto` (sentencepiece_model.proto), read and written
/// without the library, so that nothing unchecked reaches it.
struct SentencePieceModel {
    enum class Kind : std::uint8_t { Unigram = 1, Bpe = 2, Word = 3, Char = 4 };
    enum class PieceType : std::uint8_t {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6
    };
    struct Piece {
        std::string text;
        float score = 0;
        PieceType type = PieceType::Normal;
    };

    Kind kind = Kind::Unigram;
    bool byteFallback = false;
    std::vector<Piece> pieces;
    /// Which pieces of a text between added tokens get a space before them.
    enum class Prefix : std::uint8_t {
        Model,      ///< as the model's own addDummyPrefix says: all or none
        TextFirst,  ///< the text's first (T5Tokenizer, legacy false)
        TextNone,   ///< none (the same with add_prefix_space false)
        JsonFirst,  ///< that at the text's beginning (Metaspace, prepend_scheme first)
        JsonNone    ///< none (prepend_scheme never)
    };

    Prefix prefix = Prefix::Model;
    /// The compiled rules of normalisation; empty = none.
    std::string charsMap;
    bool addDummyPrefix = true;
    bool removeExtraWhitespaces = true;
};

/// Reads a serialised ModelProto. BadInput names `path`, the place and what was expected;
/// everything that the library takes for granted is checked (checkSentencePieceModel).
SentencePieceModel parseSentencePieceModel(const Path& path, std::string_view bytes);

/// BadInput unless every piece is non-empty UTF-8 without NUL and unlike all others, every score is
/// finite, exactly one piece is the unknown one, byte pieces are `<0xNN>` of a model with byte
/// fallback, and the rules of normalisation lead nowhere beyond their own end.
void checkSentencePieceModel(const SentencePieceModel& model, const Path& path);

/// `serialized`, a ModelProto, with its add_dummy_prefix off.
std::string withoutDummyPrefix(std::string serialized);

/// The ModelProto of `model`, with SentencePiece's own names for special pieces.
std::string serializeSentencePieceModel(const SentencePieceModel& model);

}  // namespace core
