// SPDX-License-Identifier: Apache-2.0
#include "core/data/sentencepiece_model.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/protobuf.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <unordered_set>
#include <utility>

namespace core {
namespace {

using Piece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

// Field numbers of sentencepiece_model.proto.
constexpr std::uint32_t kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3, kDenormalizerSpec = 5;
constexpr std::uint32_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr std::uint32_t kModelType = 3, kVocabSize = 4, kByteFallback = 35, kUnkId = 40;
constexpr std::uint32_t kCharsMap = 2, kDummyPrefix = 3, kRemoveSpaces = 4;

[[noreturn]] void refuse(const Path& path, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what),
                "give a SentencePiece model (spiece.model of a T5), or copy it again");
}

template <typename F>
void eachField(const Path& path, std::string_view message, const std::string& what, F&& use) {
    ProtoReader reader(message);
    while (const auto field = reader.next()) use(*field);
    if (!reader.ok())
        refuse(path,
               fmt::format("this is not a whole SentencePiece model: {} cannot be read at byte {}",
                           what, reader.position()));
}

Piece parsePiece(const Path& path, std::string_view message, std::size_t index) {
    Piece piece;
    eachField(path, message, fmt::format("piece {}", index), [&](const ProtoField& field) {
        if (field.number == kPieceText) piece.text = field.bytes;
        if (field.number == kPieceScore)
            piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
        if (field.number == kPieceType) {
            if (field.value < 1 || field.value > 6)
                refuse(path,
                       fmt::format("piece {} has type {}, expected 1 to 6", index, field.value));
            piece.type = static_cast<PieceType>(field.value);
        }
    });
    return piece;
}

std::uint32_t littleEndian(std::string_view bytes, std::size_t at) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 4; ++i)
        word |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    return word;
}

/// A compiled map is the size of a Darts double array in bytes, the array's 32-bit units, and the
/// replacement strings, each ended by NUL. A leaf (highest bit) holds where its string begins, any
/// other unit an offset that is combined with a byte by exclusive or.
void checkCharsMap(const Path& path, std::string_view map) {
    if (map.empty()) return;
    const std::string what = "the rules of normalisation (precompiled_charsmap) are damaged";
    const std::size_t arrayBytes = map.size() < 4 ? 0 : littleEndian(map, 0);
    if (arrayBytes < 1024 || arrayBytes % 1024 != 0 || arrayBytes >= map.size() - 4)
        refuse(path, what);
    const std::size_t units = arrayBytes / 4;
    const std::string_view strings = map.substr(4 + arrayBytes);
    if (strings.back() != '\0') refuse(path, what);
    for (std::size_t at = 0; at < units; ++at) {
        const std::uint32_t unit = littleEndian(map, 4 + 4 * at);
        if ((unit >> 31U) != 0) {
            if ((unit & 0x7FFFFFFFU) >= strings.size()) refuse(path, what);
            continue;
        }
        const std::uint32_t offset = (unit >> 10U) << ((unit & (1U << 9U)) >> 6U);
        if (((at ^ offset) | 0xFFU) >= units) refuse(path, what);
    }
}

bool isByteName(std::string_view text) {
    return text.size() == 6 && text.starts_with("<0x") && text[5] == '>' &&
           text.substr(3, 2).find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

}  // namespace

SentencePieceModel parseSentencePieceModel(const Path& path, std::string_view bytes) {
    SentencePieceModel model;
    bool trainer = false, normalizer = false;
    const auto readTrainer = [&](const ProtoField& field) {
        if (field.number == kModelType) {
            if (field.value < 1 || field.value > 4)
                refuse(path, fmt::format("has model type {}, expected 1 to 4", field.value));
            model.kind = static_cast<SentencePieceModel::Kind>(field.value);
        }
        if (field.number == kByteFallback) model.byteFallback = field.value != 0;
    };
    const auto readNormalizer = [&](const ProtoField& field) {
        if (field.number == kCharsMap) model.charsMap = field.bytes;
        if (field.number == kDummyPrefix) model.addDummyPrefix = field.value != 0;
        if (field.number == kRemoveSpaces) model.removeExtraWhitespaces = field.value != 0;
    };
    eachField(path, bytes, "the model", [&](const ProtoField& field) {
        if (field.number == kPieces)
            model.pieces.push_back(parsePiece(path, field.bytes, model.pieces.size()));
        if (field.number == kTrainerSpec) {
            trainer = true;
            eachField(path, field.bytes, "its trainer_spec", readTrainer);
        }
        if (field.number == kNormalizerSpec) {
            normalizer = true;
            eachField(path, field.bytes, "its normalizer_spec", readNormalizer);
        }
        if (field.number == kDenormalizerSpec)
            eachField(path, field.bytes, "its denormalizer_spec", [&](const ProtoField& rule) {
                if (rule.number == kCharsMap) checkCharsMap(path, rule.bytes);
            });
    });
    if (model.pieces.empty()) refuse(path, "is not a SentencePiece model: it has no pieces");
    if (!trainer || !normalizer)
        refuse(path,
               fmt::format("this is not a whole SentencePiece model: it ends after {} pieces, "
                           "before its trainer_spec and normalizer_spec",
                           model.pieces.size()));
    checkSentencePieceModel(model, path);
    return model;
}

void checkSentencePieceModel(const SentencePieceModel& model, const Path& path) {
    std::unordered_set<std::string_view> seen;
    std::size_t unknown = 0;
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        const Piece& piece = model.pieces[i];
        const auto refusePiece = [&](const std::string& what) {
            refuse(path, fmt::format("piece {} (\"{}\") {}", i, printable(piece.text), what));
        };
        if (piece.text.empty()) refusePiece("is empty");
        if (piece.text.find('\0') != std::string::npos || !isUtf8(piece.text))
            refusePiece("is not UTF-8 text");
        if (!seen.insert(piece.text).second) refusePiece("is there twice");
        if (!std::isfinite(piece.score)) refusePiece("has a score that is not finite");
        if (piece.type == PieceType::Unknown) ++unknown;
        if (piece.type == PieceType::Byte && (!model.byteFallback || !isByteName(piece.text)))
            refusePiece("is a byte, expected <0xNN> in a model with byte fallback");
    }
    if (unknown != 1) refuse(path, fmt::format("has {} unknown pieces, expected one", unknown));
    checkCharsMap(path, model.charsMap);
}

std::string withoutDummyPrefix(std::string serialized) {
    ProtoWriter off, all;
    off.varint(kDummyPrefix, 0);
    all.bytes(kNormalizerSpec, off.message());
    // A message field that comes once more is merged into the first.
    return std::move(serialized) + all.message();
}

std::string serializeSentencePieceModel(const SentencePieceModel& model) {
    ProtoWriter all, trainer, normalizer;
    std::uint64_t unknown = 0;
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        const Piece& piece = model.pieces[i];
        if (piece.type == PieceType::Unknown) unknown = i;
        ProtoWriter one;
        one.bytes(kPieceText, piece.text);
        one.number(kPieceScore, piece.score);
        one.varint(kPieceType, static_cast<std::uint64_t>(piece.type));
        all.bytes(kPieces, one.message());
    }
    trainer.varint(kModelType, static_cast<std::uint64_t>(model.kind));
    trainer.varint(kVocabSize, model.pieces.size());
    trainer.varint(kByteFallback, model.byteFallback ? 1 : 0);
    trainer.varint(kUnkId, unknown);
    normalizer.bytes(kCharsMap, model.charsMap);
    normalizer.varint(kDummyPrefix, model.addDummyPrefix ? 1 : 0);
    normalizer.varint(kRemoveSpaces, model.removeExtraWhitespaces ? 1 : 0);
    all.bytes(kTrainerSpec, trainer.message());
    all.bytes(kNormalizerSpec, normalizer.message());
    return all.message();
}

}  // namespace core
