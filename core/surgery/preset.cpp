// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/surgery/layer_layout.h"
#include "core/surgery/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace core {
namespace {

std::optional<int> wholeNumber(std::string_view text) noexcept {
    int value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

bool chooses(const PresetChoice& choice, Family family, int index, int layers) {
    switch (choice.preset) {
        case Preset::Paper:
            return family == Family::Vit ? index >= layers - layers / 2 : isInterspersed(index, 2);
        case Preset::EveryOther:
            return isInterspersed(index, 2);
        case Preset::LastHalf:
            return index >= layers - layers / 2;
        case Preset::Last:
            return index >= layers - choice.count;
        case Preset::First:
            return index < choice.count;
        case Preset::All:
            return true;
        case Preset::None:
            return false;
    }
    return false;
}

[[noreturn]] void refuseBlock(const ModelSpec& spec, std::string_view item) {
    throw Error(
        ErrorKind::BadInput, fmt::format("'{}' names no block of this model", printable(item)),
        spec.blocks.empty() ? "the model has no blocks"
                            : fmt::format("its blocks are {} to {}; ranges are written as "
                                          "encoder.6-11",
                                          spec.blocks.front().name, spec.blocks.back().name));
}

/// "encoder.6" or "encoder.6-11".
void addBlocks(const ModelSpec& spec, std::string_view item, std::set<std::string>& chosen) {
    const std::size_t dot = item.rfind('.');
    if (dot == std::string_view::npos) refuseBlock(spec, item);
    const std::string_view stack = item.substr(0, dot);
    const std::string_view range = item.substr(dot + 1);
    const std::size_t dash = range.find('-');
    const std::optional<int> first = wholeNumber(range.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : wholeNumber(range.substr(dash + 1));
    if (!first || !last || *last < *first) refuseBlock(spec, item);
    std::size_t found = 0;
    for (const BlockSpec& block : spec.blocks)
        if (block.stack == stack && block.index >= *first && block.index <= *last) {
            chosen.insert(block.name);
            ++found;
        }
    if (found != static_cast<std::size_t>(*last) - static_cast<std::size_t>(*first) + 1)
        refuseBlock(spec, item);
}

}  // namespace

std::optional<PresetChoice> presetFromText(std::string_view text) noexcept {
    constexpr std::array<std::pair<std::string_view, Preset>, 5> kPlain{
        {{"paper", Preset::Paper},
         {"every-other", Preset::EveryOther},
         {"last-half", Preset::LastHalf},
         {"all", Preset::All},
         {"none", Preset::None}}};
    for (const auto& [name, preset] : kPlain)
        if (text == name) return PresetChoice{preset, 0};
    constexpr std::array<std::pair<std::string_view, Preset>, 2> kCounted{
        {{"last:", Preset::Last}, {"first:", Preset::First}}};
    for (const auto& [name, preset] : kCounted)
        if (text.starts_with(name))
            if (const std::optional<int> count = wholeNumber(text.substr(name.size())))
                return PresetChoice{preset, *count};
    return std::nullopt;
}

std::vector<std::string> presetBlocks(const ModelSpec& spec, const PresetChoice& choice) {
    std::vector<std::string> names;
    for (const BlockSpec& block : spec.blocks) {
        const auto layers = static_cast<int>(
            std::count_if(spec.blocks.begin(), spec.blocks.end(),
                          [&](const BlockSpec& other) { return other.stack == block.stack; }));
        if (!block.moe && chooses(choice, spec.family, block.index, layers))
            names.push_back(block.name);
    }
    return names;
}

LayerPlan defaultLayerPlan(const ModelSpec& spec, const BlockSpec& block) {
    LayerPlan layer;
    layer.moe.renormalize = spec.family == Family::Vit;
    if (block.stack == "decoder") layer.moe.router = RouterKind::TopK;
    return layer;
}

std::vector<std::string> blocksFromText(const ModelSpec& spec, std::string_view text) {
    std::set<std::string> chosen;
    while (true) {
        const std::size_t comma = text.find(',');
        addBlocks(spec, text.substr(0, comma), chosen);
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    std::vector<std::string> names;
    for (const BlockSpec& block : spec.blocks)
        if (chosen.contains(block.name)) names.push_back(block.name);
    return names;
}

}  // namespace core
