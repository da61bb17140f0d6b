// SPDX-License-Identifier: Apache-2.0
#include "core/data/synthetic_tokens.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace core {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 24U;
constexpr const char* kExample = "for example synthetic:tokens,vocab=32128,inputs=256,targets=64";

std::int64_t numberFrom(const std::string& source, std::string_view text, std::int64_t least) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < least || value > kMost)
        throw Error(ErrorKind::Usage,
                    fmt::format("data source '{}': '{}' is not a whole number from {} to {}",
                                printable(source), printable(text), least, kMost),
                    kExample);
    return value;
}

}  // namespace

SyntheticTokens parseSyntheticTokens(const std::string& source) {
    SyntheticTokens spec;
    const std::string_view text = std::string_view(source).substr(source.find(':') + 1);
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view option = text.substr(begin, end - begin);
        const std::size_t equals = std::min(option.find('='), option.size());
        const std::string_view key = option.substr(0, equals);
        const std::string_view value = option.substr(std::min(equals + 1, option.size()));
        if (key == "vocab")
            spec.vocabulary = numberFrom(source, value, 3);
        else if (key == "inputs")
            spec.inputs = numberFrom(source, value, 1);
        else if (key == "targets")
            spec.targets = numberFrom(source, value, 1);
        else if (key == "examples")
            spec.examples = numberFrom(source, value, 1);
        else if (option != "tokens")
            throw Error(ErrorKind::Usage,
                        fmt::format("data source '{}': '{}' is not one of vocab, inputs, targets, "
                                    "examples",
                                    printable(source), printable(key)),
                        kExample);
        begin = end + 1;
    }
    return spec;
}

TextExample syntheticExample(const SyntheticTokens& spec, Split part, std::uint64_t seed,
                             std::uint64_t epoch, std::uint64_t number) {
    const CounterRandom random(
        hashName(seed, fmt::format("synthetic.tokens.{}.{}.{}", splitName(part), epoch, number)));
    std::uint64_t index = 0;
    const auto draw = [&](std::int64_t count) {
        std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
        for (std::int32_t& id : ids)
            id = 2 + static_cast<std::int32_t>(
                         random.below(index++, static_cast<std::uint64_t>(spec.vocabulary - 2)));
        return ids;
    };
    TextExample example;
    example.inputs = draw(spec.inputs);
    example.targets = draw(spec.targets);
    return example;
}

}  // namespace core
