// SPDX-License-Identifier: Apache-2.0
#include "core/run/control.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/run/clock_internal.h"
#include "core/run/json_internal.h"
#include "core/run/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

namespace core {
namespace {

constexpr std::array<std::string_view, 6> kPlain{"pause", "resume",        "checkpoint",
                                                 "stop",  "stop-and-save", "finish-epoch"};
constexpr std::uint64_t kLongestLine = 64 << 10;

std::optional<double> learningRateOf(std::string_view argument) {
    constexpr std::string_view kKey = "lr=";
    if (!argument.starts_with(kKey)) return std::nullopt;
    argument.remove_prefix(kKey.size());
    double value = 0;
    const auto [end, error] =
        std::from_chars(argument.data(), argument.data() + argument.size(), value);
    if (error != std::errc() || end != argument.data() + argument.size() || !std::isfinite(value) ||
        value < 0)
        return std::nullopt;
    return value;
}

std::optional<Order> orderFromLine(const std::string& line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    Order order{textOr(json, "command"), textOr(json, "argument")};
    try {
        validateOrder(order);
    } catch (const Error&) {
        return std::nullopt;
    }
    return order;
}

}  // namespace

double orderedRate(const std::string& argument) {
    if (const std::optional<double> value = learningRateOf(argument)) return *value;
    throw Error(
        ErrorKind::Usage,
        fmt::format("cannot set {}: expected lr=NUMBER, finite and from 0", printable(argument)),
        "for example: upcycle set RUN lr=0.0005");
}

void validateOrder(const Order& order) {
    if (order.command == "set") {
        orderedRate(order.argument);
        return;
    }
    if (std::find(kPlain.begin(), kPlain.end(), order.command) == kPlain.end())
        throw Error(ErrorKind::Usage,
                    fmt::format("{} is not an order to a run", printable(order.command)),
                    "the orders are pause, resume, checkpoint, stop, stop-and-save, finish-epoch "
                    "and set");
}

void appendOrder(const Path& controlFile, const Order& order) {
    validateOrder(order);
    Json json{{"command", order.command}};
    if (!order.argument.empty()) json["argument"] = order.argument;
    json["time"] = unixSeconds();
    appendLine(File::openForAppending(controlFile), json.dump());
}

OrderReader::OrderReader(Path controlFile, std::uint64_t offset)
    : path_(std::move(controlFile)), offset_(offset) {}

std::optional<std::string> OrderReader::nextLine() {
    std::error_code missing;
    const std::uintmax_t there = std::filesystem::file_size(path_, missing);
    if (missing || there == offset_) return std::nullopt;
    const File file = File::openForReading(path_);
    const std::uint64_t size = file.size();
    if (size < offset_) offset_ = 0;
    std::string text(std::min(size - offset_, kLongestLine), '\0');
    file.readAt(offset_, std::as_writable_bytes(std::span(text)));
    const std::size_t end = text.find('\n');
    if (end == std::string::npos) {
        if (text.size() == kLongestLine) offset_ += kLongestLine;
        return std::nullopt;
    }
    offset_ += end + 1;
    return text.substr(0, end);
}

std::optional<Order> OrderReader::next() {
    while (const std::optional<std::string> line = nextLine())
        if (std::optional<Order> order = orderFromLine(*line)) return order;
    return std::nullopt;
}

void OrderReader::skipToEnd() {
    while (nextLine()) {
    }
}

}  // namespace core
