// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace core {

/// The modelling files that transformers (4.x and 5.x, trust_remote_code) loads for a ViT, and for
/// a T5 or mT5, with MoE blocks; the texts are resources/modeling/NAME.
constexpr std::string_view kVitModelingName = "modeling_upcycled_vit.py";
constexpr std::string_view kT5ModelingName = "modeling_upcycled_t5.py";
std::string_view vitModelingText() noexcept;
std::string_view t5ModelingText() noexcept;

/// A config.json whose "upcycling" block makes it no model of transformers': `architectures` and
/// `auto_map` made to name our classes (other entries of auto_map stay). Any other text comes back
/// as it is. BadInput, naming `where`, when a text with an "upcycling" block is not JSON.
std::string configWithModeling(const std::string& configText, const std::string& where);

/// Name -> content of what must lie beside a config of configWithModeling in a folder; empty for a
/// model that transformers knows itself.
std::map<std::string, std::string> modelingFiles(const std::string& configText,
                                                 const std::string& where);

}  // namespace core
