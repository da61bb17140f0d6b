// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/plan_settings.h"

#include "app/upcycle/options.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>

namespace upcycle {
namespace {

template <typename T>
T numberOf(const std::string& value, const std::string& option) {
    T number{};
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size())
        usage(
            fmt::format("{}: {} is not a number of the right kind", option, core::printable(value)),
            "give a number");
    return number;
}

bool truthOf(const std::string& value, const std::string& option) {
    if (value == "true" || value == "on") return true;
    if (value == "false" || value == "off") return false;
    usage(fmt::format("{}: {} is neither on nor off", option, core::printable(value)),
          "give on or off");
}

using Setter = std::function<void(core::LayerPlan&, const std::string&, const std::string&)>;

const std::map<std::string, Setter, std::less<>>& setters() {
    static const std::map<std::string, Setter, std::less<>> kSetters{
        {"experts",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.experts = numberOf<std::int64_t>(value, option);
         }},
        {"capacity",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.capacity = numberOf<double>(value, option);
         }},
        {"router",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.router =
                 wordOption(option, value, core::routerFromName, "expert-choice or top-k");
         }},
        {"k", [](auto& layer, const auto& value,
                 const auto& option) { layer.moe.k = numberOf<int>(value, option); }},
        {"order",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.order =
                 wordOption(option, value, core::topKOrderFromName, "softmax-topk or topk-softmax");
         }},
        {"renormalize", [](auto& layer, const auto& value,
                           const auto& option) { layer.moe.renormalize = truthOf(value, option); }},
        {"dropless", [](auto& layer, const auto& value,
                        const auto& option) { layer.moe.dropless = truthOf(value, option); }},
        {"batch_priority",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.batchPriority = truthOf(value, option);
         }},
        {"group_size",
         [](auto& layer, const auto& value, const auto& option) {
             layer.moe.group = wordOption(option, value, core::groupSizeFromName,
                                          "batch, sequence or a number of tokens");
         }},
        {"experts_from",
         [](auto& layer, const auto& value, const auto& option) {
             layer.experts = wordOption(option, value, core::expertInitFromText,
                                        "copy, noise:SIGMA, drop:R (0 to 1) or random");
         }},
        {"router_init", [](auto& layer, const auto& value, const auto& option) {
             layer.routerInit =
                 wordOption(option, value, core::routerInitFromText, "normal:STD, lecun or zero");
         }}};
    return kSetters;
}

}  // namespace

void applySetting(core::LayerPlan& layer, std::string_view key, const std::string& value,
                  const std::string& option) {
    const auto setter = setters().find(key);
    if (setter == setters().end()) {
        std::string known;
        for (const auto& [name, unused] : setters()) known += (known.empty() ? "" : ", ") + name;
        usage(fmt::format("{}: unknown setting {}", option, core::printable(key)),
              "the settings are " + known);
    }
    setter->second(layer, value, option);
}

void applyAssignment(core::SurgeryPlan& plan, const std::string& assignment) {
    const std::string option = "--set " + core::printable(assignment);
    const std::size_t equals = assignment.find('=');
    const std::size_t dot = assignment.rfind('.', equals);
    if (equals == std::string::npos || dot == std::string::npos)
        usage(option + ": expected BLOCK.SETTING=VALUE", "for example --set encoder.7.experts=16");
    const auto layer = plan.layers.find(assignment.substr(0, dot));
    if (layer == plan.layers.end())
        throw core::Error(core::ErrorKind::BadInput,
                          fmt::format("{}: the plan does not convert {}", option,
                                      core::printable(assignment.substr(0, dot))),
                          "name one of the plan's blocks, or add it with --layers");
    applySetting(layer->second, std::string_view(assignment).substr(dot + 1, equals - dot - 1),
                 assignment.substr(equals + 1), option);
}

}  // namespace upcycle
