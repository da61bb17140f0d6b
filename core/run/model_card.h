// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/run_record.h"
#include "core/surgery/report.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace core {

/// By it an export knows a card of ours, which a newer one may replace.
constexpr std::string_view kModelCardMark =
    "<!-- model card of Upcycler: an export replaces it -->";

/// What the card of an exported model tells. Names and texts may come from files: the card escapes
/// them.
struct ModelCard {
    ModelSpec model;  ///< that is exported
    ModelCost cost;
    std::optional<ModelCost> before;  ///< of the dense model, where there was surgery
    std::string origin;               ///< name of the model that it was made from
    std::map<std::string, TrainingState::FileSum> originFiles;
    std::int64_t originSteps = 0;      ///< that the origin had been trained, as far as is known
    std::string baseModel;             ///< "owner/name" on the hub, or empty
    std::optional<SurgeryPlan> plan;   ///< that was carried out
    std::optional<RunRecord> run;      ///< that trained it afterwards
    bool picture = false;              ///< loss.svg lies beside the card
    bool transformers = true;          ///< it is in a form that transformers loads
    std::string program = "Upcycler";  ///< with its version
};

/// README.md: with the hub's YAML front matter when `frontMatter`. Holds no date and no path: the
/// same facts give the same bytes.
std::string modelCardText(const ModelCard& card, bool frontMatter);

/// "images:/data/flowers" -> "images:flowers": a card tells no private folder.
std::string withoutFolders(const std::string& source);

}  // namespace core
