// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_examples.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/tensor/ignored_label.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace core {
namespace {

using Json = nlohmann::json;

/// A block's last text counts when it has at least this share of a whole one.
constexpr std::int64_t kLeastPart = 8;

[[noreturn]] void refuse(const PlacedDocument& placed, const std::string& what,
                         const std::string& hint) {
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: line {} {}", placed.file->string(), placed.document.line, what),
                hint);
}

Json objectOf(const PlacedDocument& placed) {
    Json json = Json::parse(placed.document.text, nullptr, false);
    if (!json.is_object()) refuse(placed, "is not a JSON object", "JSONL has one object a line");
    return json;
}

std::string field(const PlacedDocument& placed, const Json& object, const std::string& name) {
    const auto found = object.find(name);
    if (found == object.end()) {
        std::string names;
        for (const auto& [key, value] : object.items())
            names += (names.empty() ? "" : ", ") + printable(key, 40);
        refuse(placed,
               fmt::format("has no field '{}' (it has: {})", printable(name), printable(names)),
               "name the field: --set text.input_field=..., text.target_field=..., "
               "text.text_field=...");
    }
    if (!found->is_string())
        refuse(placed, fmt::format("has a field '{}' that is not a text", printable(name)),
               "name a field that holds texts: --set text.input_field=..., "
               "text.target_field=..., text.text_field=...");
    return found->get<std::string>();
}

/// The prefix with the line's fields in the place of {name}.
std::string filled(const std::string& prefix, const PlacedDocument& placed, const Json& object) {
    std::string text;
    for (std::size_t i = 0; i < prefix.size();) {
        const std::size_t end = prefix[i] == '{' ? prefix.find('}', i) : std::string::npos;
        if (end == std::string::npos) {
            text += prefix[i++];
        } else {
            text += field(placed, object, prefix.substr(i + 1, end - i - 1));
            i = end + 1;
        }
    }
    return text;
}

/// At most `most` ids, the last of which is the end of sequence.
bool finish(std::vector<std::int32_t>& ids, std::int64_t most, std::int32_t eos) {
    const bool cut = static_cast<std::int64_t>(ids.size()) > most - 1;
    if (cut) ids.resize(static_cast<std::size_t>(most - 1));
    ids.push_back(eos);
    return cut;
}

BlockExamples corrupted(const TextBlock& block, TextSource::Kind kind,
                        const TextLoaderOptions& options) {
    const TextSpec& text = options.text;
    std::vector<std::int32_t> tokens;
    for (const PlacedDocument& placed : block.documents) {
        const std::vector<std::int32_t> ids = options.tokenizer->encode(
            kind == TextSource::Kind::Text ? placed.document.text
                                           : field(placed, objectOf(placed), text.textField));
        tokens.insert(tokens.end(), ids.begin(), ids.end());
    }
    const std::int64_t raw = lengthsForInputs(text.inputsLength, text.corruption).raw;
    const auto count = static_cast<std::int64_t>(tokens.size());
    BlockExamples result;
    std::uint64_t number = 0;
    for (std::int64_t begin = 0; begin < count; begin += raw, ++number) {
        const std::int64_t length = std::min(raw, count - begin);
        if (length < std::max<std::int64_t>(raw / kLeastPart, 2)) break;
        const std::span<const std::int32_t> part(tokens.data() + begin,
                                                 static_cast<std::size_t>(length));
        const std::uint64_t key =
            hashName(block.documents.front().key, fmt::format("spans {}", number));
        result.examples.push_back(
            corruptSpans(part, noiseMask(length, text.corruption, key), *options.tokenizer));
    }
    return result;
}

BlockExamples pairs(const TextBlock& block, const TextLoaderOptions& options) {
    const TextSpec& text = options.text;
    const Tokenizer& tokenizer = *options.tokenizer;
    const std::int64_t targets = text.targetsLength > 0 ? text.targetsLength : text.inputsLength;
    BlockExamples result;
    for (const PlacedDocument& placed : block.documents) {
        const Json object = objectOf(placed);
        TextExample example{tokenizer.encode(filled(text.prefix, placed, object) +
                                             field(placed, object, text.inputField)),
                            tokenizer.encode(field(placed, object, text.targetField))};
        const bool cutInputs = finish(example.inputs, text.inputsLength, tokenizer.eos());
        const bool cutTargets = finish(example.targets, targets, tokenizer.eos());
        if (cutInputs || cutTargets) ++result.truncated;
        result.examples.push_back(std::move(example));
    }
    return result;
}

std::int64_t longest(const std::vector<TextExample>& examples,
                     std::vector<std::int32_t> TextExample::*ids) {
    std::size_t most = 1;
    for (const TextExample& example : examples) most = std::max(most, (example.*ids).size());
    return static_cast<std::int64_t>(most);
}

}  // namespace

std::string documentText(const Document& document, const TextSource& source, const Path& file,
                         const std::string& fieldName) {
    if (source.kind == TextSource::Kind::Text) return document.text;
    const PlacedDocument placed{document, &file, 0};
    return field(placed, objectOf(placed), fieldName);
}

BlockExamples examplesOf(const TextBlock& block, TextSource::Kind kind,
                         const TextLoaderOptions& options) {
    if (block.documents.empty()) return {};
    return options.task == TextTask::SpanCorruption ? corrupted(block, kind, options)
                                                    : pairs(block, options);
}

Tensor shiftRight(const Tensor& labels, std::int64_t start, std::int64_t pad) {
    Tensor shifted = Tensor::host(labels.shape(), DType::I64);
    const std::int64_t length = labels.size(1);
    for (std::int64_t i = 0; i < labels.elements(); ++i) {
        const std::int64_t before = i % length == 0 ? start : labels.data<std::int64_t>()[i - 1];
        shifted.data<std::int64_t>()[i] = before == kIgnoredLabel ? pad : before;
    }
    return shifted;
}

HostBatch batchOf(const std::vector<TextExample>& examples, std::int32_t pad,
                  std::int32_t decoderStart) {
    const auto count = static_cast<std::int64_t>(examples.size());
    const Shape inputs{count, longest(examples, &TextExample::inputs)};
    const Shape targets{count, longest(examples, &TextExample::targets)};
    HostBatch batch;
    batch.inputIds = Tensor::host(inputs, DType::I64);
    batch.inputMask = Tensor::host(inputs, DType::U8);
    batch.labels = Tensor::host(targets, DType::I64);
    batch.decoderMask = Tensor::host(targets, DType::U8);
    auto* ids = batch.inputIds.data<std::int64_t>();
    auto* mask = batch.inputMask.data<std::uint8_t>();
    auto* labels = batch.labels.data<std::int64_t>();
    auto* real = batch.decoderMask.data<std::uint8_t>();
    for (const TextExample& example : examples) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(inputs[1]); ++i) {
            const bool has = i < example.inputs.size();
            *ids++ = has ? example.inputs[i] : pad;
            *mask++ = has ? 1 : 0;
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(targets[1]); ++i) {
            const bool has = i < example.targets.size();
            *labels++ = has ? example.targets[i] : kIgnoredLabel;
            *real++ = has ? 1 : 0;
        }
    }
    batch.decoderInputIds = shiftRight(batch.labels, decoderStart, pad);
    return batch;
}

}  // namespace core
