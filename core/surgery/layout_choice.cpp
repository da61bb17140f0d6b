// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/layout_choice.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace core {
namespace {

constexpr std::array<std::pair<std::string_view, LayoutChoice>, 4> kChoices{
    {{"hf", LayoutChoice::Hf},
     {"google", LayoutChoice::Google},
     {"native", LayoutChoice::Native},
     {"switch", LayoutChoice::Switch}}};
constexpr float kFlaxEpsilon = 1e-6F;
constexpr const char* kChooseHf = "choose the layout hf";

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::BadInput, what, hint);
}

std::string googleLayout(const ModelSpec& output) {
    const bool sparse = std::any_of(output.blocks.begin(), output.blocks.end(),
                                    [](const BlockSpec& block) { return block.moe.has_value(); });
    switch (output.family) {
        case Family::Vit:
            return sparse ? "v-moe" : "google-vit";
        case Family::T5:
            return "t5x";
        case Family::Llama:
            break;
    }
    refuse(fmt::format("there is no Google layout for the family {}", familyName(output.family)),
           kChooseHf);
}

std::string nativeLayout(const Checkpoint& source, const ModelSpec& output) {
    const std::string layout = source.layout();
    if (layout == "tensorflow")
        refuse(
            "the layout of tf_model.h5 is read and not written: transformers 5 has no TensorFlow "
            "models",
            kChooseHf);
    return layout == "google-vit" ? googleLayout(output) : layout;
}

/// Google's Vision Transformers have one kind of MLP and always biases.
void checkVit(const std::string& layout, const VitSpec& vit) {
    if (!vit.qkvBias)
        refuse(fmt::format("the layout {} has biases of query, key and value, this model has none",
                           layout),
               kChooseHf);
    if (vit.activation != Activation::GeluErf && vit.activation != Activation::GeluTanh)
        refuse(fmt::format("the programs of the layout {} compute GELU, this model has another "
                           "activation",
                           layout),
               kChooseHf);
}

}  // namespace

std::string_view layoutChoiceName(LayoutChoice choice) noexcept {
    for (const auto& [name, known] : kChoices)
        if (known == choice) return name;
    return "";
}

std::optional<LayoutChoice> layoutChoiceFromName(std::string_view name) noexcept {
    for (const auto& [word, choice] : kChoices)
        if (word == name) return choice;
    return std::nullopt;
}

bool staysHf(LayoutChoice choice, const Checkpoint& source) {
    return choice == LayoutChoice::Hf || choice == LayoutChoice::Switch ||
           (choice == LayoutChoice::Native &&
            (source.layout() == "hf" || source.layout() == "unknown"));
}

FileFormat usualFormat(LayoutChoice choice, const Checkpoint& source) {
    return staysHf(choice, source) ? FileFormat::Safetensors : FileFormat::Npz;
}

std::string writtenLayout(LayoutChoice choice, const Checkpoint& source, const ModelSpec& output,
                          FileFormat format) {
    if (staysHf(choice, source)) return "hf";
    const std::string layout =
        choice == LayoutChoice::Google ? googleLayout(output) : nativeLayout(source, output);
    const bool tree = layout == "t5x" && format == FileFormat::Hdf5;
    if (format != FileFormat::Npz && !tree)
        throw Error(ErrorKind::Usage,
                    fmt::format("the layout {} is written as {}: its programs load nothing else",
                                layout, layout == "t5x" ? ".npz or HDF5" : ".npz alone"),
                    "choose the format npz, or the layout hf");
    if (output.family == Family::Vit) checkVit(layout, output.vit);
    return layout;
}

std::vector<std::string> layoutNotes(const std::string& layout, const ModelSpec& output) {
    if (layout == "hf" || output.family != Family::Vit) return {};
    std::vector<std::string> notes;
    if (output.vit.activation != Activation::GeluTanh ||
        output.vit.layerNormEpsilon != kFlaxEpsilon)
        notes.push_back(fmt::format(
            "the programs of the layout {} compute GELU by tanh and layer norms with epsilon "
            "1e-06; "
            "this model was made with {} and {}, so their outputs will differ a little",
            layout, output.vit.activation == Activation::GeluTanh ? "GELU by tanh" : "exact GELU",
            output.vit.layerNormEpsilon));
    return notes;
}

}  // namespace core
