// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace core {

using Json = nlohmann::ordered_json;

// Tolerant reading: a key that is missing or of another type gives the fallback; null is NaN.

inline double asNumber(const Json& value, double fallback) {
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    return value.is_number() ? value.get<double>() : fallback;
}
inline double numberOr(const Json& object, const char* key, double fallback) {
    const auto found = object.find(key);
    return found == object.end() ? fallback : asNumber(*found, fallback);
}
inline std::int64_t integerOr(const Json& object, const char* key, std::int64_t fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>()
                                                               : fallback;
}
inline bool boolOr(const Json& object, const char* key, bool fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}
inline std::string textOr(const Json& object, const char* key, const std::string& fallback = {}) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : fallback;
}

}  // namespace core
