// SPDX-License-Identifier: Apache-2.0
// config.json and plan.json of a small ViT.
#include "tests/app/bad_files/bad_file.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace upcycle_test {
namespace {

using Json = nlohmann::ordered_json;

const std::string kModel = "tests/core/model/fixtures/dense_gelu/";

/// What stands instead of a value, whatever the key. None of them is a number or a text that a
/// model could have.
const std::vector<std::pair<const char*, const char*>> kNoNumbers{
    {"Text", "\"many\""}, {"Negative", "-1"}, {"Zero", "0"},
    {"Fraction", "1.5"},  {"List", "[1]"},    {"Huge", "9007199254740993000"}};

}  // namespace

std::vector<BadFile> badConfigs() {
    const std::string weights = sourceFile(kModel + "model.safetensors");
    const std::string good = sourceFile(kModel + "config.json");
    std::vector<BadFile> list;
    const auto add = [&](const std::string& name, const std::string& text,
                         const std::string& named = "config.json") {
        list.push_back({name,
                        {{"config.json", text}, {"model.safetensors", weights}},
                        ".",
                        named,
                        BadFile::Command::Plan});
    };
    const auto with = [&](const std::string& key, const std::string& value) {
        Json json = Json::parse(good);
        json[key] = Json::parse(value);
        return json.dump();
    };
    add("NotJson", "a vision transformer");
    add("Array", "[]");
    add("Null", "null");
    add("OpenBrace", "{");
    add("Cut", good.substr(0, good.size() / 2));
    add("Trailing", good + "x");
    add("TwoObjects", good + good);
    add("NotUtf8", "{\"model_type\": \"\xff\"}");
    add("DeepNesting", "{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}");
    add("NoFamily", "{}");
    add("FamilyIsNumber", with("model_type", "7"), "model_type");
    add("FamilyUnknown", with("model_type", "\"perceptron\""), "model_type");
    for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers",
                            "num_attention_heads", "image_size", "patch_size", "num_channels"})
        for (const auto& [what, value] : kNoNumbers)
            add(std::string(key) + what, with(key, value), key);
    add("ActivationUnknown", with("hidden_act", "\"swoosh\""), "hidden_act");
    add("ActivationIsNumber", with("hidden_act", "1"), "hidden_act");
    add("EpsilonIsText", with("layer_norm_eps", "\"small\""), "layer_norm_eps");
    add("EpsilonNegative", with("layer_norm_eps", "-1.0"), "layer_norm_eps");
    add("BiasIsText", with("qkv_bias", "\"yes\""), "qkv_bias");
    add("HeadsDoNotDivide", with("num_attention_heads", "4"), "num_attention_heads");
    add("UpcyclingIsList", with("upcycling", "[]"), "upcycling");
    add("UpcyclingOfTheFuture", with("upcycling", R"({"schema": 99, "blocks": {}})"), "upcycling");
    add("UpcyclingOfNoBlock",
        with("upcycling", R"({"schema": 1, "blocks": {"encoder.99": {"experts": 2}}})"),
        "encoder.99");
    return list;
}

std::vector<BadFile> badPlans() {
    const std::string weights = sourceFile(kModel + "model.safetensors");
    const std::string config = sourceFile(kModel + "config.json");
    std::vector<BadFile> list;
    const auto add = [&](const std::string& name, const std::string& text,
                         const std::string& named = "plan.json") {
        list.push_back({name,
                        {{"plan.json", text},
                         {"model/config.json", config},
                         {"model/model.safetensors", weights}},
                        "model",
                        named,
                        BadFile::Command::Convert});
    };
    const Json choice =
        Json::parse(R"({"experts":4,"capacity":2.0,"router":"expert-choice","renormalize":true,)"
                    R"("group_size":"batch"})");
    const Json topK = Json::parse(
        R"({"experts":4,"capacity":2.0,"router":"top-k","k":2,"order":"softmax-topk",)"
        R"("dropless":false,"batch_priority":false,"renormalize":true,"group_size":"batch"})");
    const auto plan = [](const Json& entry, const std::string& block = "encoder.1") {
        return Json{{"schema", 1}, {"seed", 0}, {"blocks", {{block, entry}}}}.dump();
    };
    const auto changed = [](Json entry, const std::string& key, const std::string& value) {
        entry[key] = Json::parse(value);
        return entry;
    };
    const auto without = [](Json entry, const std::string& key) {
        entry.erase(key);
        return entry;
    };
    add("NotJson", "upcycle everything");
    add("Empty", "");
    add("Array", "[]");
    add("Cut", plan(choice).substr(0, 40));
    add("Trailing", plan(choice) + "x");
    add("NotUtf8", "{\"schema\":1,\"seed\":0,\"blocks\":{\"\xff\":{}}}");
    add("DeepNesting", std::string(100000, '[') + std::string(100000, ']'));
    add("NaN", R"({"schema":1,"seed":0,"blocks":{"encoder.1":{"experts":NaN}}})");
    add("SchemaOfTheFuture", R"({"schema":99,"seed":0,"blocks":{}})", "schema");
    add("SchemaIsText", R"({"schema":"1","seed":0,"blocks":{}})", "schema");
    add("SeedNegative", R"({"schema":1,"seed":-1,"blocks":{}})", "seed");
    add("SeedIsText", R"({"schema":1,"seed":"now","blocks":{}})", "seed");
    add("BlocksIsList", R"({"schema":1,"seed":0,"blocks":[]})", "blocks");
    add("KeyUnknown", R"({"schema":1,"seed":0,"blocks":{},"colour":"blue"})", "colour");
    add("BlockTwice",
        "{\"schema\":1,\"seed\":0,\"blocks\":{\"encoder.1\":" + choice.dump() +
            ",\"encoder.1\":" + choice.dump() + "}}",
        "encoder.1");
    add("BlockIsList", R"({"schema":1,"seed":0,"blocks":{"encoder.1":[]}})", "encoder.1");
    add("BlockUnknown", plan(choice, "encoder.9"), "encoder.9");
    add("BlockOfNoStack", plan(choice, "middle.1"), "middle.1");
    add("BlockKeyUnknown", plan(changed(choice, "expertz", "4")), "expertz");
    for (const char* key : {"experts", "router", "renormalize", "group_size", "capacity"})
        add(std::string("Without_") + key, plan(without(choice, key)), "encoder.1");
    for (const char* key : {"k", "order", "dropless", "batch_priority"})
        add(std::string("TopKWithout_") + key, plan(without(topK, key)), "encoder.1");
    const std::vector<std::pair<const char*, std::vector<const char*>>> values{
        {"experts", {"0", "-4", "1.5", "\"4\"", "1000000000", "null", "[4]"}},
        {"capacity", {"0", "-1.0", "\"2\"", "1e300", "null"}},
        {"router", {"\"magic\"", "1", "null"}},
        {"renormalize", {"\"on\"", "1", "null"}},
        {"group_size", {"0", "-8", "\"some\"", "1.5", "null"}},
        {"experts_from", {"\"thin air\"", "\"noise:-1\"", "\"drop:2\"", "\"noise:nan\"", "1"}},
        {"router_init", {"\"magic\"", "\"normal:-1\"", "\"normal:inf\"", "1"}}};
    for (const auto& [key, list_] : values)
        for (std::size_t i = 0; i < list_.size(); ++i)
            add(std::string(key) + "_" + std::to_string(i), plan(changed(choice, key, list_[i])),
                key);
    for (const char* value : {"0", "-1", "5", "1.5", "\"2\"", "null"})
        add(std::string("k_") + std::to_string(list.size()), plan(changed(topK, "k", value)), "k");
    add("OrderUnknown", plan(changed(topK, "order", "\"backwards\"")), "order");
    add("DroplessIsText", plan(changed(topK, "dropless", "\"off\"")), "dropless");
    add("ChoiceWithK", plan(changed(choice, "k", "2")), "k");
    return list;
}

}  // namespace upcycle_test
