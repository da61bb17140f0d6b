// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/upcycling_json_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace core {
namespace {

using config::Json;
using config::Reader;

constexpr std::int64_t kSchema = 1;
constexpr std::array<std::string_view, 5> kKeys{"experts", "capacity", "router", "renormalize",
                                                "group_size"};
constexpr std::array<std::string_view, 4> kTopKKeys{"k", "order", "dropless", "batch_priority"};

bool contains(std::span<const std::string_view> keys, std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

GroupSize groupFromJson(const Reader& entry, GroupSize otherwise) {
    const Json* value = entry.find("group_size");
    if (value == nullptr) return otherwise;
    if (value->is_number_integer())
        return {GroupSize::Kind::Tokens,
                entry.integer("group_size", 0, 1, std::numeric_limits<std::int32_t>::max())};
    const auto group = value->is_string() ? groupSizeFromName(value->get<std::string>())
                                          : std::optional<GroupSize>();
    if (!group) entry.refuse("group_size", "\"batch\", \"sequence\" or a number of tokens");
    return *group;
}

void refuseMisplacedKeys(const Json& json, const Reader& entry, const MoeSpec& moe,
                         std::span<const std::string_view> furtherKeys) {
    for (const auto& item : json.items()) {
        const std::string& key = item.key();
        if (contains(kTopKKeys, key) && moe.router != RouterKind::TopK)
            entry.refuse(key, "no such key: it belongs to the router top-k");
        if (key == "capacity" && moe.dropless)
            entry.refuse(key, "no such key beside dropless: true");
        if (!contains(kKeys, key) && !contains(kTopKKeys, key) && !contains(furtherKeys, key))
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: unknown key \"{}\"", entry.where(), printable(key)),
                        "known keys: experts, capacity, router, renormalize, group_size; for top-k "
                        "also k, order, dropless, batch_priority");
    }
}

void requireKeys(const Reader& entry, const MoeSpec& moe) {
    for (const std::string_view key : kKeys)
        if (!entry.has(key.data()) && !(key == "capacity" && moe.dropless))
            entry.refuse(key, "a value");
    if (moe.router == RouterKind::TopK)
        for (const std::string_view key : kTopKKeys)
            if (!entry.has(key.data())) entry.refuse(key, "a value");
}

}  // namespace

Json moeToJson(const MoeSpec& moe) {
    Json entry;
    entry["experts"] = moe.experts;
    if (!(moe.router == RouterKind::TopK && moe.dropless)) entry["capacity"] = moe.capacity;
    entry["router"] = routerName(moe.router);
    entry["renormalize"] = moe.renormalize;
    if (moe.group.kind == GroupSize::Kind::Tokens)
        entry["group_size"] = moe.group.tokens;
    else
        entry["group_size"] = toString(moe.group);
    if (moe.router == RouterKind::TopK) {
        entry["k"] = moe.k;
        entry["order"] = topKOrderName(moe.order);
        entry["dropless"] = moe.dropless;
        entry["batch_priority"] = moe.batchPriority;
    }
    return entry;
}

MoeSpec moeFromJson(const Json& json, const std::string& where, const MoeSpec* defaults,
                    std::span<const std::string_view> furtherKeys) {
    const Reader entry(json, where);
    MoeSpec moe = defaults == nullptr ? MoeSpec() : *defaults;
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (entry.has("router")) {
        const auto router = routerFromName(entry.text("router", ""));
        if (!router) entry.refuse("router", "\"expert-choice\" or \"top-k\"");
        moe.router = *router;
    }
    if (moe.router == RouterKind::ExpertChoice) moe.dropless = false;
    moe.experts = entry.integer("experts", moe.experts, 0, kMost);
    moe.capacity = entry.number("capacity", moe.capacity);
    moe.renormalize = entry.boolean("renormalize", moe.renormalize);
    moe.group = groupFromJson(entry, moe.group);
    moe.k = static_cast<int>(entry.integer("k", moe.k, 0, kMost));
    if (entry.has("order")) {
        const auto order = topKOrderFromName(entry.text("order", ""));
        if (!order) entry.refuse("order", "\"softmax-topk\" or \"topk-softmax\"");
        moe.order = *order;
    }
    moe.dropless = entry.boolean("dropless", moe.dropless);
    moe.batchPriority = entry.boolean("batch_priority", moe.batchPriority);
    refuseMisplacedKeys(json, entry, moe, furtherKeys);
    if (defaults == nullptr) requireKeys(entry, moe);
    return moe;
}

void readUpcycling(const Json& upcycling, const std::string& where, ModelSpec& spec) {
    const Reader reader(upcycling, where + ": upcycling");
    const std::int64_t schema =
        reader.integer("schema", 0, 0, std::numeric_limits<std::int32_t>::max());
    if (schema > kSchema)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: upcycling.schema is {}, this program knows up to {}", where,
                                schema, kSchema),
                    "the checkpoint was made by a newer version; update this program");
    if (schema < 1) reader.refuse("schema", "1");
    const Json* blocks = reader.find("blocks");
    if (blocks == nullptr || !blocks->is_object())
        reader.refuse("blocks", "an object with one entry a block");
    for (const auto& item : upcycling.items())
        if (item.key() != "schema" && item.key() != "blocks")
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: upcycling has the unknown key \"{}\"", where,
                                    printable(item.key())),
                        "known keys: schema, blocks");
    for (const auto& item : blocks->items()) {
        const auto block = std::find_if(spec.blocks.begin(), spec.blocks.end(),
                                        [&](const BlockSpec& b) { return b.name == item.key(); });
        if (block == spec.blocks.end())
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: upcycling.blocks names \"{}\", which is no block of this "
                                    "model",
                                    where, printable(item.key())),
                        spec.blocks.empty()
                            ? "the model has no blocks"
                            : fmt::format("blocks are {} to {}", spec.blocks.front().name,
                                          spec.blocks.back().name));
        block->moe = moeFromJson(
            item.value(), fmt::format("{}: upcycling.blocks.{}", where, item.key()), nullptr);
        validate(*block->moe, fmt::format("{}: {}", where, item.key()), block->stack == "decoder");
    }
}

Json upcyclingToJson(const ModelSpec& spec) {
    Json blocks = Json::object();
    for (const BlockSpec& block : spec.blocks)
        if (block.moe) blocks[block.name] = moeToJson(*block.moe);
    if (blocks.empty()) return nullptr;
    Json upcycling;
    upcycling["schema"] = kSchema;
    upcycling["blocks"] = std::move(blocks);
    return upcycling;
}

}  // namespace core
