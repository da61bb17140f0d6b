// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/output.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPart = std::size_t{1} << 16;

bool put(std::FILE* stream, std::string_view prefix, std::string_view text) {
    const std::string line = std::string(prefix) + std::string(text) + "\n";
    return std::fwrite(line.data(), 1, line.size(), stream) == line.size() &&
           std::fflush(stream) == 0;
}

[[noreturn]] void failOutput(int code) {
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    throw core::Error(
        full ? core::ErrorKind::DiskFull : core::ErrorKind::Internal,
        std::string("cannot write to standard output: ") + std::strerror(code),
        full ? "free some space or send the output elsewhere" : "check where the output goes");
}

/// A result that does not arrive is a failure.
void putResult(std::string_view text) {
    errno = 0;
    if (!put(stdout, "", text)) failOutput(errno);
}

/// A part of a result; what ends it is put by putResult.
void putPart(std::string_view text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) failOutput(errno);
}

/// One line without control characters.
std::string oneLine(std::string_view text) { return core::printable(text, 4000); }

}  // namespace

void printJson(const Json& document) {
    putResult(document.dump(2, ' ', false, Json::error_handler_t::replace));
}

void printJson(const Json& document, std::string_view lastKey, std::size_t count,
               const std::function<std::string(std::size_t)>& item) {
    std::string text = document.dump(2, ' ', false, Json::error_handler_t::replace);
    text.resize(text.size() - 2);  // the newline and the closing brace
    text.append(",\n  \"").append(lastKey).append("\": [");
    for (std::size_t i = 0; i < count; ++i) {
        text.append(i == 0 ? "\n    " : ",\n    ").append(item(i));
        if (text.size() < kPart) continue;
        putPart(text);
        text.clear();
    }
    putResult(text.append(count == 0 ? "]\n}" : "\n  ]\n}"));
}

void printLine(std::string_view line) { putResult(line); }

void warn(std::string_view text) { put(stderr, "warning: ", oneLine(text)); }

void note(std::string_view text) { put(stderr, "", text); }

void printError(std::string_view kind, std::string_view message, std::string_view hint, bool json) {
    if (json) {
        Json error{{"kind", kind}, {"message", oneLine(message)}, {"hint", oneLine(hint)}};
        const Json document{{"error", error}};
        put(stdout, "", document.dump(2, ' ', false, Json::error_handler_t::replace));
        put(stderr, "", document.dump(-1, ' ', false, Json::error_handler_t::replace));
        return;
    }
    put(stderr, "upcycle: ", oneLine(message));
    put(stderr, "hint: ", oneLine(hint));
}

Json numberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace upcycle
