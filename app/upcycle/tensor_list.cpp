// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/tensor_list.h"

#include "app/upcycle/output.h"
#include "core/base/text.h"
#include "core/checkpoint/json_cursor.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kIndent = "      ";

Json statsJson(const core::TensorStats& stats) {
    return {{"min", numberOrNull(stats.min)},
            {"max", numberOrNull(stats.max)},
            {"mean", numberOrNull(stats.mean)},
            {"std", numberOrNull(stats.std)},
            {"zeros", stats.zeros},
            {"non_finite", stats.nonFinite()},
            {"nan", stats.nan},
            {"infinite", stats.infinite},
            {"rounded", stats.rounded},
            {"histogram", stats.histogram}};
}

std::string jsonText(std::string_view text) {
    if (core::isUtf8(text)) return core::jsonQuoted(text);
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Lines of a nested value, moved in to where its key stands.
std::string indented(const Json& value) {
    std::string text;
    for (const char c : value.dump(2)) {
        text += c;
        if (c == '\n') text += kIndent;
    }
    return text;
}

void appendShape(fmt::memory_buffer& out, const core::Shape& shape) {
    if (shape.sizes().empty()) {
        fmt::format_to(std::back_inserter(out), "[]");
        return;
    }
    char before = '[';
    for (const std::int64_t size : shape.sizes()) {
        fmt::format_to(std::back_inserter(out), "{}\n{}  {}", before, kIndent, size);
        before = ',';
    }
    fmt::format_to(std::back_inserter(out), "\n{}]", kIndent);
}

}  // namespace

std::string tensorJson(const core::TensorInfo& tensor, const core::TensorStats* stats) {
    fmt::memory_buffer out;
    const auto into = std::back_inserter(out);
    fmt::format_to(into, "{{\n{0}\"name\": {1},\n{0}\"dtype\": \"{2}\",\n{0}\"shape\": ", kIndent,
                   jsonText(tensor.name), core::dtypeName(tensor.dtype));
    appendShape(out, tensor.shape);
    fmt::format_to(into, ",\n{0}\"bytes\": {1},\n{0}\"file\": {2},\n{0}\"offset\": {3}", kIndent,
                   tensor.bytes, jsonText(tensor.file), tensor.offset);
    if (!tensor.storedAs.empty())
        fmt::format_to(into, ",\n{}\"stored_as\": {}", kIndent, jsonText(tensor.storedAs));
    if (stats != nullptr)
        fmt::format_to(into, ",\n{}\"stats\": {}", kIndent, indented(statsJson(*stats)));
    fmt::format_to(into, "\n    }}");
    return fmt::to_string(out);
}

}  // namespace upcycle
