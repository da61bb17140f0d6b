// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/output.h"

#include "core/base/text.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

void put(std::FILE* stream, std::string_view prefix, std::string_view text) {
    const std::string line = std::string(prefix) + std::string(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), stream);
    std::fflush(stream);
}

/// One line without control characters.
std::string oneLine(std::string_view text) { return core::printable(text, 4000); }

}  // namespace

void printJson(const Json& document) {
    put(stdout, "", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

void printLine(std::string_view line) { put(stdout, "", line); }

void warn(std::string_view text) { put(stderr, "warning: ", oneLine(text)); }

void note(std::string_view text) { put(stderr, "", text); }

void printError(std::string_view kind, std::string_view message, std::string_view hint, bool json) {
    if (json) {
        Json error{{"kind", kind}, {"message", oneLine(message)}, {"hint", oneLine(hint)}};
        const Json document{{"error", error}};
        printJson(document);
        put(stderr, "", document.dump(-1, ' ', false, Json::error_handler_t::replace));
        return;
    }
    put(stderr, "upcycle: ", oneLine(message));
    put(stderr, "hint: ", oneLine(hint));
}

Json numberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace upcycle
