// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// How the experts of a layer come from its dense MLP: exact copies (the paper), copies plus
/// Gaussian noise of sigma times each tensor's std, Drop-Upcycling (Nakamura et al. 2025: a share
/// `ratio` of the intermediate neurons, one index set per expert, is drawn anew with the mean and
/// std of what it replaces), or random (as transformers starts the family: ViT N(0,
/// initializer_range), T5 N(0, initializer_factor / sqrt(inputs)); biases 0).
struct ExpertInit {
    enum class Kind { Copy, Noise, Drop, Random };
    Kind kind = Kind::Copy;
    double amount = 0;  ///< sigma or ratio
    bool operator==(const ExpertInit&) const = default;
};
std::string toString(const ExpertInit& init);  ///< "copy", "noise:0.01", "drop:0.5", "random"
std::optional<ExpertInit> expertInitFromText(std::string_view text) noexcept;

/// Router weights: N(0, std), lecun normal (std 1/sqrt(hidden)), or zero (warned: all ties).
struct RouterInit {
    enum class Kind { Normal, Lecun, Zero };
    Kind kind = Kind::Normal;
    double std = 0.02;
    bool operator==(const RouterInit&) const = default;
};
std::string toString(const RouterInit& init);  ///< "normal:0.02", "lecun", "zero"
std::optional<RouterInit> routerInitFromText(std::string_view text) noexcept;

/// What one dense MLP shall become.
struct LayerPlan {
    MoeSpec moe;
    ExpertInit experts;
    RouterInit routerInit;
    bool operator==(const LayerPlan&) const = default;
};

/// The whole plan: a small value, the only thing that the window edits, plan.json on disk.
struct SurgeryPlan {
    std::uint64_t seed = 0;
    std::map<std::string, LayerPlan, std::less<>> layers;  ///< by block name
    bool operator==(const SurgeryPlan&) const = default;
};

/// plan.json: {"schema": 1, "seed": 0, "blocks": {"encoder.3": {"experts": 8, ..., "experts_from":
/// "copy", "router_init": "normal:0.02"}}}.
std::string toJson(const SurgeryPlan& plan);
/// Unknown keys, blocks twice and impossible values are BadInput by name; `where` is the file's
/// name for messages.
SurgeryPlan planFromJson(const std::string& text, const std::string& where);

enum class Preset { Paper, EveryOther, LastHalf, Last, First, All, None };
struct PresetChoice {
    Preset preset = Preset::Paper;
    int count = 0;  ///< for Last and First
};
/// "paper", "every-other", "last-half", "last:3", "first:2", "all", "none".
std::optional<PresetChoice> presetFromText(std::string_view text) noexcept;

/// The blocks a preset names (per stack; ViT "paper" = last half, T5 = every other: odd ones).
std::vector<std::string> presetBlocks(const ModelSpec& spec, const PresetChoice& choice);

/// The paper's settings for a block of this family: 32 experts, C = 2, Expert Choice, renormalise
/// on for vision; decoder Top-2.
LayerPlan defaultLayerPlan(const ModelSpec& spec, const BlockSpec& block);

/// "encoder.6-11,decoder.1": BadInput names what is not a block of the model.
std::vector<std::string> blocksFromText(const ModelSpec& spec, std::string_view text);

}  // namespace core
