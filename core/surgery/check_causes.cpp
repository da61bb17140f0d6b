// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/check_causes.h"

#include "core/ops/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace core {
namespace {

constexpr double kNoticeable = 1e-5;

/// Blocks that share a cause, with the least and the largest of its figure.
struct Finding {
    std::vector<std::string> blocks;
    double least = 0;
    double most = 0;

    void add(const std::string& block, double figure) {
        least = blocks.empty() ? figure : std::min(least, figure);
        most = blocks.empty() ? figure : std::max(most, figure);
        blocks.push_back(block);
    }
    std::string names() const { return fmt::format("{}", fmt::join(blocks, ", ")); }
    std::string percent() const {
        return most - least < 0.0005 ? fmt::format("{:.2g} %", 100 * most)
                                     : fmt::format("{:.2g} to {:.2g} %", 100 * least, 100 * most);
    }
    std::string figure() const {
        return most - least < 0.0005 ? fmt::format("{:.3g}", most)
                                     : fmt::format("{:.3g} to {:.3g}", least, most);
    }
};

std::string settingWord(const MoeSpec& moe) {
    return moe.router == RouterKind::TopK
               ? fmt::format("top-{} with capacity {}", moe.k, moe.capacity)
               : fmt::format("expert choice with capacity {}", moe.capacity);
}

void addRoutingCauses(std::vector<std::string>& causes, const ModelSpec& spec,
                      const std::vector<BlockCheck>& blocks) {
    std::map<std::string, Finding> unrouted;
    std::map<std::string, Finding> dropped;
    Finding shrunk;
    for (const BlockCheck& check : blocks) {
        const MoeSpec& moe = *spec.find(check.block)->moe;
        const double routed = 1 - check.unrouted;
        if (check.unrouted > 0) unrouted[settingWord(moe)].add(check.block, check.unrouted);
        if (check.dropped > 0 && !moe.renormalize)
            dropped[settingWord(moe)].add(check.block, check.dropped);
        if (!moe.renormalize && routed > 0 && std::abs(check.combineSum / routed - 1) > kNoticeable)
            shrunk.add(check.block, check.combineSum);
    }
    for (const auto& [setting, finding] : unrouted)
        causes.push_back(
            fmt::format("{}: {} of the tokens have no expert ({}); their MLP output "
                        "is 0. A larger capacity routes more of them",
                        finding.names(), finding.percent(), setting));
    for (const auto& [setting, finding] : dropped)
        causes.push_back(
            fmt::format("{}: {} of the assignments are dropped over capacity ({}) and their "
                        "weight is missing, as renormalize is off",
                        finding.names(), finding.percent(), setting));
    if (!shrunk.blocks.empty())
        causes.push_back(
            fmt::format("{}: renormalize is off, so a token's combine weights sum to "
                        "{} on average and the MLP's output shrinks by that factor",
                        shrunk.names(), shrunk.figure()));
}

std::vector<float> valuesOf(const Parameter& parameter, Backend& backend) {
    const Tensor host = ops::readable(backend, parameter.value);
    const auto values = host.span<float>();
    return {values.begin(), values.end()};
}

/// The dense tensor that a parameter comes from: expert and prefix taken out of the name.
std::string denseName(std::string name) {
    const std::string expert = "mlp.experts.expert_{e}.";
    if (const std::size_t at = name.find(expert); at != std::string::npos)
        name.erase(at, expert.size());
    return name.starts_with("vit.") ? name.substr(4) : name;
}

std::string blockOf(const ModelSpec& spec, const std::string& name) {
    for (const BlockSpec& block : spec.blocks)
        if (name.find(fmt::format("encoder.layer.{}.", block.index)) != std::string::npos)
            return block.name;
    return name;
}

/// max |a - b| / max |b|, where `a` holds one or more copies of `b`.
double copiesDifference(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0;
    double largest = 0;
    for (const float value : b) largest = std::max(largest, std::abs(static_cast<double>(value)));
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = std::max(
            difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i % b.size()])));
    return difference == 0 ? 0 : difference / largest;
}

void addWeightCauses(std::vector<std::string>& causes, Model& dense, Model& upcycled) {
    std::map<std::string, const Parameter*> sources;
    for (const Parameter& parameter : dense.parameters())
        sources[denseName(parameter.name)] = &parameter;
    std::map<std::string, double> experts;
    std::vector<std::string> others;
    for (const Parameter& parameter : upcycled.parameters()) {
        const auto source = sources.find(denseName(parameter.name));
        if (source == sources.end()) continue;  // a router
        const double difference = copiesDifference(valuesOf(parameter, upcycled.backend()),
                                                   valuesOf(*source->second, dense.backend()));
        if (difference == 0) continue;
        if (parameter.experts > 0)
            experts[blockOf(upcycled.spec(), parameter.name)] =
                std::max(experts[blockOf(upcycled.spec(), parameter.name)], difference);
        else
            others.push_back(parameter.name);
    }
    Finding changed;
    for (const auto& [block, difference] : experts) changed.add(block, difference);
    if (!changed.blocks.empty())
        causes.push_back(
            fmt::format("{}: the experts are no exact copies of the dense MLP "
                        "(noise, drop, random, or trained since); largest difference "
                        "{} of the largest weight",
                        changed.names(), changed.percent()));
    if (!others.empty())
        causes.push_back(
            fmt::format("{} tensors outside the MoE blocks' MLPs differ from the "
                        "dense model's, the first is {}: trained since, another "
                        "model, or another dtype",
                        others.size(), others.front()));
}

}  // namespace

std::vector<std::string> causesOf(Model& dense, Model& upcycled,
                                  const std::vector<BlockCheck>& blocks) {
    std::vector<std::string> causes;
    const VitSpec& a = dense.spec().vit;
    const VitSpec& b = upcycled.spec().vit;
    if (a.activation != b.activation)
        causes.emplace_back("hidden_act is not the same in the two configs");
    if (a.layerNormEpsilon != b.layerNormEpsilon)
        causes.emplace_back("layer_norm_eps is not the same in the two configs");
    addRoutingCauses(causes, upcycled.spec(), blocks);
    addWeightCauses(causes, dense, upcycled);
    return causes;
}

}  // namespace core
