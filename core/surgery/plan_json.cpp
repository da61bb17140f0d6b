// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/upcycling_json_internal.h"
#include "core/surgery/plan.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace core {
namespace {

using config::Json;
using config::Reader;

constexpr std::int64_t kSchema = 1;
constexpr int kMostDepth = 16;
constexpr std::array<std::string_view, 2> kMakingKeys{"experts_from", "router_init"};

/// Parses with the nesting bounded and a key that occurs twice in an object refused.
Json parsePlan(const std::string& text, const std::string& where) {
    std::array<std::set<std::string>, kMostDepth + 2> keys;
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > kMostDepth)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: nested deeper than {} levels", where, kMostDepth),
                        "check that the file is a plan");
        const auto level = static_cast<std::size_t>(depth);
        if (event == Json::parse_event_t::object_start) keys[level + 1].clear();
        if (event == Json::parse_event_t::key &&
            !keys[level].insert(value.get<std::string>()).second)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: the key \"{}\" occurs twice", where,
                                    printable(value.get<std::string>())),
                        "keep one of the two");
        return true;
    };
    try {
        return Json::parse(text, check);
    } catch (const Json::parse_error& error) {
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: not valid JSON at byte {}", where, error.byte),
                    "correct the file (NaN and Infinity are no JSON), or make the plan again");
    } catch (const Json::exception&) {
        throw Error(ErrorKind::BadInput, fmt::format("{}: not valid JSON", where),
                    "correct the file, or make the plan again");
    }
}

LayerPlan layerFromJson(const Json& json, const std::string& block, const std::string& where) {
    const std::string place = fmt::format("{}: blocks.{}", where, printable(block));
    const Reader entry(json, place);
    LayerPlan layer;
    layer.moe = moeFromJson(json, place, nullptr, kMakingKeys);
    validate(layer.moe, place, block.starts_with("decoder."));
    const auto experts = expertInitFromText(entry.text("experts_from", toString(layer.experts)));
    if (!experts)
        entry.refuse("experts_from",
                     "\"copy\", \"noise:SIGMA\", \"drop:RATIO\" (0 to 1) or \"random\"");
    const auto router = routerInitFromText(entry.text("router_init", toString(layer.routerInit)));
    if (!router) entry.refuse("router_init", "\"normal:STD\", \"lecun\" or \"zero\"");
    layer.experts = *experts;
    layer.routerInit = *router;
    return layer;
}

std::uint64_t seedFromJson(const Reader& plan) {
    const Json* seed = plan.find("seed");
    if (seed == nullptr) return 0;
    if (!seed->is_number_unsigned()) plan.refuse("seed", "a whole number from 0 to 2^64 - 1");
    return seed->get<std::uint64_t>();
}

}  // namespace

std::string toJson(const SurgeryPlan& plan) {
    Json blocks = Json::object();
    for (const auto& [block, layer] : plan.layers) {
        Json& entry = blocks[block] = moeToJson(layer.moe);
        entry["experts_from"] = toString(layer.experts);
        entry["router_init"] = toString(layer.routerInit);
    }
    Json json;
    json["schema"] = kSchema;
    json["seed"] = plan.seed;
    json["blocks"] = std::move(blocks);
    return json.dump(2) + "\n";
}

SurgeryPlan planFromJson(const std::string& text, const std::string& where) {
    const Json json = parsePlan(text, where);
    const Reader reader(json, where);
    if (reader.integer("schema", 0, 0, INT32_MAX) > kSchema)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: schema is {}, this program knows up to {}", where,
                                config::shown(json["schema"]), kSchema),
                    "the plan was made by a newer version; update this program");
    if (reader.integer("schema", 0, 0, INT32_MAX) < 1) reader.refuse("schema", "1");
    for (const auto& item : json.items())
        if (item.key() != "schema" && item.key() != "seed" && item.key() != "blocks")
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: unknown key \"{}\"", where, printable(item.key())),
                        "known keys: schema, seed, blocks");
    SurgeryPlan plan;
    plan.seed = seedFromJson(reader);
    const Json* blocks = reader.find("blocks");
    if (blocks == nullptr || !blocks->is_object())
        reader.refuse("blocks", "an object with one entry a block");
    for (const auto& item : blocks->items())
        plan.layers.emplace(item.key(), layerFromJson(item.value(), item.key(), where));
    return plan;
}

}  // namespace core
