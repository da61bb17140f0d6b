// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace upcycle {

// Writing to stdout throws DiskFull or Internal when it fails.

/// stdout: the one JSON document of `--json`.
void printJson(const nlohmann::ordered_json& document);
/// The same with one more key at the end: a list of `count` values, item(i) being the JSON of one,
/// indented for its place (by 4). It goes out piece by piece: the list may be long.
void printJson(const nlohmann::ordered_json& document, std::string_view lastKey, std::size_t count,
               const std::function<std::string(std::size_t)>& item);

/// stdout: one line for people.
void printLine(std::string_view line);

/// stderr: "warning: <text>".
void warn(std::string_view text);

/// stderr: a plain line (what happens, not a result).
void note(std::string_view text);

/// stderr: "upcycle: <what>" and "hint: <what to do>"; under `json` the same facts as a document,
/// there and, so that stdout always holds one, on stdout.
void printError(std::string_view kind, std::string_view message, std::string_view hint, bool json);

/// A number as JSON; null when it is not finite.
nlohmann::ordered_json numberOrNull(double value);

}  // namespace upcycle
