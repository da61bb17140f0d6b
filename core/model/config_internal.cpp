// SPDX-License-Identifier: Apache-2.0
#include "core/model/config_internal.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <array>

namespace core::config {
namespace {

constexpr int kMostDepth = 64;

struct ActivationName {
    std::string_view name;
    Activation activation;
};

/// The first name of each activation is the one written.
constexpr std::array<ActivationName, 10> kActivations{{{"gelu", Activation::GeluErf},
                                                       {"gelu_new", Activation::GeluTanh},
                                                       {"relu", Activation::Relu},
                                                       {"silu", Activation::Silu},
                                                       {"gelu_python", Activation::GeluErf},
                                                       {"gelu_pytorch_tanh", Activation::GeluTanh},
                                                       {"gelu_python_tanh", Activation::GeluTanh},
                                                       {"gelu_fast", Activation::GeluTanh},
                                                       {"gelu_accurate", Activation::GeluTanh},
                                                       {"swish", Activation::Silu}}};

}  // namespace

std::optional<Activation> activationFromName(std::string_view name) noexcept {
    for (const ActivationName& known : kActivations)
        if (known.name == name) return known.activation;
    return std::nullopt;
}

std::string_view activationName(Activation activation) noexcept {
    for (const ActivationName& known : kActivations)
        if (known.activation == activation) return known.name;
    return "";
}

double shortNumber(float value) { return std::stod(fmt::format("{}", value)); }

std::string shown(const Json& value) {
    const std::string text =
        value.is_structured()
            ? fmt::format("{} entries", value.size())
            : value.dump(-1, ' ', true, nlohmann::detail::error_handler_t::replace);
    return value.is_number() || value.is_boolean()
               ? text
               : fmt::format("{} ({})", printable(text, 60), value.type_name());
}

Json parseObject(const std::string& text, const std::string& where) {
    const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
        if (depth > kMostDepth)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: nested deeper than {} levels", where, kMostDepth),
                        "check that the file is a model's configuration");
        return true;
    };
    Json json;
    try {
        json = Json::parse(text, bounded);
    } catch (const Json::exception&) {
        throw Error(ErrorKind::BadInput, where + ": not valid JSON",
                    "check the file with a JSON checker; it may be truncated");
    }
    if (!json.is_object())
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: holds {}, expected a JSON object", where, shown(json)),
                    "check that the file is a model's configuration");
    return json;
}

Reader::Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object())
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: found {}, expected an object", where_, shown(object_)),
                    "correct the file");
}

const Json* Reader::find(const char* key) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool Reader::has(const char* key) const { return find(key) != nullptr; }

void Reader::refuse(std::string_view key, const std::string& expected) const {
    const auto it = object_.find(std::string(key));
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: {} is {}, expected {}", where_, printable(key),
                            it == object_.end() ? "missing" : shown(*it), expected),
                "correct this key in the file");
}

std::int64_t Reader::integer(const char* key, std::int64_t otherwise, std::int64_t least,
                             std::int64_t most) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    const std::string expected = fmt::format("an integer from {} to {}", least, most);
    if (!value->is_number_integer()) refuse(key, expected);
    if (value->is_number_unsigned() &&
        value->get<std::uint64_t>() > static_cast<std::uint64_t>(most))
        refuse(key, expected);
    const auto number = value->get<std::int64_t>();
    if (number < least || number > most) refuse(key, expected);
    return number;
}

double Reader::number(const char* key, double otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) refuse(key, "a number");
    return value->get<double>();
}

bool Reader::boolean(const char* key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) refuse(key, "true or false");
    return value->get<bool>();
}

std::string Reader::text(const char* key, std::string_view otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return std::string(otherwise);
    if (!value->is_string()) refuse(key, "a string");
    return value->get<std::string>();
}

}  // namespace core::config
