// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint_writer.h"
#include "core/model/spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Whose names and axes a converted checkpoint gets.
enum class LayoutChoice {
    Hf,      ///< transformers'
    Google,  ///< what Google's programs load: dense ViT, V-MoE, T5X
    Native,  ///< as the source has them
    Switch   ///< a T5 as transformers' SwitchTransformers (switch_layout.h)
};
std::string_view layoutChoiceName(LayoutChoice choice) noexcept;  ///< "hf", "google" ...
std::optional<LayoutChoice> layoutChoiceFromName(std::string_view name) noexcept;

/// The container that is meant when none is named: .npz for Google's layouts.
FileFormat usualFormat(LayoutChoice choice, const Checkpoint& source);

/// Whether the choice comes to one of transformers' layouts, as for every source that is in it
/// already.
bool staysHf(LayoutChoice choice, const Checkpoint& source);

/// The word (layout.h) of the layout that `choice` comes to for the model that is written,
/// `output`. BadInput or Usage, in plain words, for what cannot be: no such layout for the family,
/// one that is only read, a container that its programs do not load, a network that they do not
/// have.
std::string writtenLayout(LayoutChoice choice, const Checkpoint& source, const ModelSpec& output,
                          FileFormat format);

/// What the programs of that layout will compute otherwise than this model says (sentences).
std::vector<std::string> layoutNotes(const std::string& layout, const ModelSpec& output);

}  // namespace core
