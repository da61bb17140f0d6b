// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/tensor_map.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/axis_permutation.h"

#include <fmt/format.h>

#include <charconv>

namespace core {
namespace {

constexpr std::int64_t kMostExperts = 65536;
constexpr std::string_view kBlock = "{i}";
constexpr std::string_view kExpert = "{e}";

/// A number at the front of `text`, as it would be printed; it is taken off.
std::optional<std::int64_t> takeNumber(std::string_view& text) noexcept {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 6 || (digits > 1 && text.front() == '0')) return std::nullopt;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + digits, number);
    text.remove_prefix(digits);
    return number;
}

bool isStack(const NameRule& rule) { return rule.name.find(kExpert) != std::string_view::npos; }

const NameRule* ruleFor(std::span<const NameRule> rules, std::string_view stored,
                        Numbers& numbers) {
    for (const NameRule& rule : rules)
        if (const auto found = matchPattern(rule.stored, stored)) {
            numbers = *found;
            return &rule;
        }
    return nullptr;
}

std::vector<std::int64_t> part(std::span<const std::int64_t> sizes, std::size_t first) {
    return {sizes.begin() + static_cast<std::ptrdiff_t>(first), sizes.end()};
}

/// Shape, view and order of one tensor [..] by the rule; false when it has other axes.
bool setAxes(TensorMap& map, Axes axes, const Shape& stored) {
    const std::size_t rank = stored.rank();
    map.view = stored;
    map.order.clear();
    switch (axes) {
        case Axes::Same:
            map.shape = stored;
            return true;
        case Axes::HeadsBias:
            map.shape = Shape{stored.elements()};
            return rank == 1 || rank == 2;
        case Axes::Convolution:
            if (rank != 4) return false;
            map.order = {3, 2, 0, 1};
            break;
        case Axes::Transposed:
            if (rank != 2) return false;
            map.order = {1, 0};
            break;
        case Axes::HeadsOut:
            if (rank != 2 && rank != 3) return false;
            if (rank == 3) map.view = {stored[0], stored[1] * stored[2]};
            map.order = {1, 0};
            break;
        case Axes::HeadsIn:
            if (rank != 2 && rank != 3) return false;
            if (rank == 3) map.view = {stored[0] * stored[1], stored[2]};
            map.order = {1, 0};
            break;
    }
    map.shape = permuted(map.view, map.order);
    return true;
}

std::string_view axesWords(Axes axes) {
    switch (axes) {
        case Axes::Transposed:
            return "[in, out]";
        case Axes::Convolution:
            return "[height, width, in, out]";
        case Axes::HeadsOut:
            return "[in, heads, head size]";
        case Axes::HeadsIn:
            return "[heads, head size, out]";
        case Axes::HeadsBias:
            return "[heads, head size]";
        case Axes::Same:
            break;
    }
    return "at least one axis";
}

[[noreturn]] void refuseShape(const std::string& where, const TensorInfo& stored,
                              const std::string& expected) {
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: tensor {} has the shape {}, expected {}", where,
                            printable(stored.name), toString(stored.shape), expected),
                "the file is damaged, or its tensors only look like those of this layout");
}

}  // namespace

std::optional<Numbers> matchPattern(std::string_view pattern, std::string_view text) noexcept {
    Numbers numbers;
    while (true) {
        const std::size_t brace = pattern.find('{');
        if (brace == std::string_view::npos)
            return pattern == text ? std::optional(numbers) : std::nullopt;
        if (!text.starts_with(pattern.substr(0, brace))) return std::nullopt;
        pattern.remove_prefix(brace);
        text.remove_prefix(brace);
        const auto number = takeNumber(text);
        if (!number) return std::nullopt;
        (pattern.starts_with(kBlock) ? numbers.block : numbers.expert) = *number;
        pattern.remove_prefix(kBlock.size());
    }
}

std::string fillPattern(std::string_view pattern, const Numbers& numbers) {
    std::string text;
    for (std::size_t brace = pattern.find('{'); brace != std::string_view::npos;
         brace = pattern.find('{')) {
        text += pattern.substr(0, brace);
        pattern.remove_prefix(brace);
        text += std::to_string(pattern.starts_with(kBlock) ? numbers.block : numbers.expert);
        pattern.remove_prefix(kBlock.size());
    }
    return text.append(pattern);
}

std::vector<TensorMap> mapStored(std::span<const NameRule> rules, std::string_view prefix,
                                 const TensorInfo& stored, const std::string& where) {
    std::string_view name = stored.name;
    if (!name.starts_with(prefix)) return {};
    name.remove_prefix(prefix.size());
    Numbers numbers;
    const NameRule* const rule = ruleFor(rules, name, numbers);
    if (rule == nullptr) return {};
    const bool stack = isStack(*rule);
    const std::span<const std::int64_t> sizes = stored.shape.sizes();
    if (stack && (sizes.size() < 2 || sizes[0] < 1 || sizes[0] > kMostExperts))
        refuseShape(where, stored,
                    fmt::format("[experts, ...] with 1 to {} experts", kMostExperts));
    TensorMap map;
    map.stored = stored.name;
    if (!setAxes(map, rule->axes, Shape(part(sizes, stack ? 1 : 0))))
        refuseShape(where, stored,
                    fmt::format("{}{}", stack ? "experts before " : "", axesWords(rule->axes)));
    std::vector<TensorMap> maps;
    for (std::int64_t e = 0; e < (stack ? sizes[0] : 1); ++e) {
        numbers.expert = e;
        map.name = fillPattern(rule->name, numbers);
        if (stack) map.slice = e;
        maps.push_back(map);
    }
    return maps;
}

std::optional<std::int64_t> headsOf(std::span<const NameRule> rules, std::string_view prefix,
                                    const TensorInfo& stored) {
    std::string_view name = stored.name;
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    Numbers numbers;
    const NameRule* const rule = ruleFor(rules, name, numbers);
    if (rule == nullptr) return std::nullopt;
    const Shape& shape = stored.shape;
    if (rule->axes == Axes::HeadsOut && shape.rank() == 3) return shape[1];
    if (rule->axes == Axes::HeadsIn && shape.rank() == 3) return shape[0];
    if (rule->axes == Axes::HeadsBias && shape.rank() == 2) return shape[0];
    return std::nullopt;
}

std::optional<StoredTensor> mapToStored(std::span<const NameRule> rules, const TensorInfo& tensor,
                                        std::int64_t heads, bool splitHeads) {
    for (const NameRule& rule : rules) {
        const auto numbers = matchPattern(rule.name, tensor.name);
        if (!numbers) continue;
        StoredTensor result;
        const Shape& shape = tensor.shape;
        Shape whole = shape;
        if (rule.axes == Axes::Convolution && shape.rank() == 4)
            whole = permuted(shape, std::vector<int>{2, 3, 1, 0});
        else if (rule.axes != Axes::Same && shape.rank() == 2)
            whole = {shape[1], shape[0]};
        const bool divides = splitHeads && heads > 0;
        if (rule.axes == Axes::HeadsOut && divides && shape.rank() == 2 && shape[0] % heads == 0)
            whole = {shape[1], heads, shape[0] / heads};
        if (rule.axes == Axes::HeadsIn && divides && shape.rank() == 2 && shape[1] % heads == 0)
            whole = {heads, shape[1] / heads, shape[0]};
        if (rule.axes == Axes::HeadsBias && divides && shape.rank() == 1 && shape[0] % heads == 0)
            whole = {heads, shape[0] / heads};
        result.map.name = tensor.name;
        result.map.stored = fillPattern(rule.stored, *numbers);
        if (!setAxes(result.map, rule.axes, whole) || result.map.shape != shape)
            return std::nullopt;
        if (isStack(rule)) {
            result.map.slice = numbers->expert;
            std::vector<std::int64_t> sizes = part(whole.sizes(), 0);
            sizes.insert(sizes.begin(), 0);
            whole = Shape(std::move(sizes));
        }
        result.shape = std::move(whole);
        return result;
    }
    return std::nullopt;
}

}  // namespace core
