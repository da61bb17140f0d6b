// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/convert.h"

#include "core/base/error.h"
#include "core/checkpoint/layout/mapped_writer.h"
#include "core/checkpoint/npz_names.h"
#include "core/checkpoint/safe_link.h"
#include "core/model/config_internal.h"
#include "core/surgery/carried_files.h"
#include "core/surgery/modeling.h"
#include "core/surgery/recipe_executor.h"
#include "core/surgery/switch_layout.h"

#include <fmt/format.h>

#include <system_error>

namespace core {
namespace {

constexpr std::string_view kTraining = "training.json";
constexpr std::string_view kNewName = "choose another place for the output";

/// Copies of everything as it is: conversion without surgery, of any family.
std::vector<TensorRecipe> copyRecipes(const Checkpoint& source) {
    std::vector<TensorRecipe> recipes;
    for (const TensorInfo& tensor : source.tensors()) {
        TensorRecipe& recipe = recipes.emplace_back();
        recipe.output = tensor;
        recipe.input = tensor.name;
    }
    return recipes;
}

struct Conversion {
    std::vector<TensorRecipe> recipes;  ///< in the order of `stored` where that is given
    std::string configText;
    std::optional<StoredLayout> stored;  ///< empty: transformers' layout
    std::vector<std::string> notes;
};

std::string configPlace(const Checkpoint& source) {
    return (source.folder() / "config.json").string();
}

std::vector<TensorInfo> outputsOf(const std::vector<TensorRecipe>& recipes) {
    std::vector<TensorInfo> outputs;
    outputs.reserve(recipes.size());
    for (const TensorRecipe& recipe : recipes) outputs.push_back(recipe.output);
    return outputs;
}

/// A head that is the embedding once more is no tensor of its own in T5X.
bool isTiedHead(const TensorInfo& tensor, const ModelSpec& output) {
    return output.family == Family::T5 && tensor.name == "lm_head.weight" &&
           output.t5.tiedEmbeddings;
}

/// Recipes in the order of another layout's tensors, without those that have no place there.
void layOut(Conversion& conversion, const Checkpoint& source, const ModelSpec& output,
            const ConvertOptions& options) {
    const std::string layout = writtenLayout(options.layout, source, output, options.format);
    std::vector<std::string> tied;
    std::erase_if(conversion.recipes, [&](const TensorRecipe& recipe) {
        if (!isTiedHead(recipe.output, output)) return false;
        tied.push_back(recipe.output.name + " (tied to shared.weight)");
        return true;
    });
    conversion.stored = layOutStored(layout, outputsOf(conversion.recipes), output.vit.heads);
    std::vector<TensorRecipe> ordered;
    for (const StoredLayout::Part& part : conversion.stored->parts)
        ordered.push_back(std::move(conversion.recipes[part.hf]));
    conversion.recipes = std::move(ordered);
    conversion.notes = layoutNotes(layout, output);
    std::vector<std::string>& leftOut = conversion.stored->leftOut;
    leftOut.insert(leftOut.end(), tied.begin(), tied.end());
}

void setDType(Conversion& conversion, DType dtype) {
    for (TensorRecipe& recipe : conversion.recipes) {
        TensorInfo& output = recipe.output;
        if (!isFloating(output.dtype)) continue;
        output.dtype = dtype;
        output.bytes = static_cast<std::uint64_t>(output.shape.elements()) * dtypeBytes(dtype);
    }
}

/// The key by which transformers knows the weights' type, where the config has one.
std::string configWithDType(const std::string& text, DType dtype, const std::string& where) {
    const char* const name = dtype == DType::F64   ? "float64"
                             : dtype == DType::F32 ? "float32"
                             : dtype == DType::F16 ? "float16"
                                                   : "bfloat16";
    config::Json json = config::parseObject(text, where);
    bool changed = false;
    for (const char* key : {"torch_dtype", "dtype"})
        if (json.contains(key) && json[key] != name) {
            json[key] = name;
            changed = true;
        }
    return changed ? json.dump(2) + "\n" : text;
}

void setDTypes(Conversion& conversion, const Checkpoint& source, const ConvertOptions& options) {
    if (!options.dtype) return;
    if (!isFloating(*options.dtype) || dtypeBytes(*options.dtype) == 1)
        throw Error(ErrorKind::Usage,
                    fmt::format("weights cannot be converted to {}", dtypeOption(*options.dtype)),
                    "choose f32, f16, bf16 or keep");
    setDType(conversion, *options.dtype);
    if (!conversion.configText.empty())
        conversion.configText =
            configWithDType(conversion.configText, *options.dtype, configPlace(source));
}

Conversion prepare(const Checkpoint& source, const SurgeryPlan& plan,
                   const ConvertOptions& options) {
    Conversion conversion;
    const bool hf = staysHf(options.layout, source);
    ModelSpec output;
    if (!hf || options.layout == LayoutChoice::Switch || !plan.layers.empty())
        output = readSpec(source);
    conversion.configText = configTextOf(source);
    if (plan.layers.empty()) {
        conversion.recipes = copyRecipes(source);
    } else {
        PlanReport report = compilePlan(output, source.tensors(), plan);
        conversion.recipes = std::move(report.recipes);
        output = std::move(report.output);
        conversion.configText = configWithUpcycling(conversion.configText, output);
    }
    if (options.layout == LayoutChoice::Switch) {
        SwitchLayout layout =
            toSwitchLayout(output, std::move(conversion.recipes), conversion.configText);
        conversion.recipes = std::move(layout.recipes);
        conversion.configText = std::move(layout.configText);
        conversion.notes = std::move(layout.notes);
    }
    setDTypes(conversion, source, options);
    if (!hf)
        layOut(conversion, source, output, options);
    else
        conversion.configText = configWithModeling(conversion.configText, configPlace(source));
    return conversion;
}

bool isInside(const Path& path, const Path& folder) {
    const auto relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
}

void refuseTarget(const Path& target, const std::string& reason) {
    throw Error(ErrorKind::BadInput,
                fmt::format("{} {}: an input is never changed", target.string(), reason),
                std::string(kNewName));
}

/// The target must neither replace nor disturb the source.
void checkTarget(const Checkpoint& source, const Path& target) {
    std::error_code code;
    const Path place = std::filesystem::weakly_canonical(
        target.has_filename() ? target : target.parent_path(), code);
    const Path folder = std::filesystem::canonical(source.folder(), code);
    if (isInside(folder, place)) refuseTarget(target, "is or holds the source");
    for (const std::string& file : source.files())
        if (place == folder / file ||
            place == std::filesystem::weakly_canonical(folder / file, code))
            refuseTarget(target, "is the source");
    if (std::filesystem::exists(folder / "config.json", code) && isInside(place, folder))
        refuseTarget(target, "lies in the source's folder");
}

/// training.json without the sums of the source's files: what a later run goes on from.
void addTraining(const Checkpoint& source, CheckpointWriter& writer, CarriedFiles& carried) {
    const Path path = source.folder() / kTraining;
    std::error_code code;
    if (!std::filesystem::exists(source.folder() / "config.json", code) ||
        !std::filesystem::is_regular_file(path, code))
        return;
    if (!isSafeLink(path, source.folder())) {
        carried.leftOut.push_back(std::string(kTraining) +
                                  " (a link that leads out of its folder)");
        return;
    }
    try {
        config::Json json = config::parseObject(readTextFile(path), path.string());
        json.erase("files");
        writer.addFile(std::string(kTraining), json.dump(2) + "\n");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::BadInput) throw;
        carried.leftOut.push_back(std::string(kTraining) + " (it cannot be read)");
    }
}

void addFiles(const Checkpoint& source, const std::string& configText,
              const ConvertOptions& options, CheckpointWriter& writer, ConvertResult& result) {
    CarriedFiles carried = carriedFiles(source.folder());
    for (const auto& [name, content] : modelingFiles(configText, configPlace(source)))
        writer.addFile(name, content);
    for (const std::string& name : carried.names)
        if (!options.extraFiles.contains(name) && !options.notCarried.contains(name))
            writer.addFile(name, readTextFile(source.folder() / name));
    if (!options.extraFiles.contains(std::string(kTraining))) addTraining(source, writer, carried);
    for (const auto& [name, content] : options.extraFiles) writer.addFile(name, content);
    result.leftOut = std::move(carried.leftOut);
}

WriterOptions writerOptions(const ConvertOptions& options) {
    WriterOptions writing;
    writing.format = options.format;
    writing.maxShardBytes = options.maxShardBytes;
    writing.force = options.force;
    return writing;
}

/// An .npz that stands alone has little room for a config.json: the names of thousands of classes
/// go, their number stays.
void shortenConfig(Conversion& conversion, const Path& target, const ConvertOptions& options) {
    if (options.format != FileFormat::Npz || target.extension() != ".npz") return;
    std::string& text = conversion.configText;
    if (text.size() <= kMostNpzComment - kNpzConfigMark.size()) return;
    config::Json json = config::parseObject(text, "config.json");
    const auto labels = json.find("id2label");
    if (labels == json.end() || !labels->is_object()) return;
    const std::size_t classes = labels->size();
    json.erase("id2label");
    json.erase("label2id");
    json["num_labels"] = classes;
    text = json.dump(2) + "\n";
    conversion.notes.push_back(fmt::format(
        "the names of the {} classes are left out: an .npz that stands alone has no room for them "
        "(a folder as target keeps them)",
        classes));
}

/// The writer for the recipes' outputs, in their order.
std::unique_ptr<CheckpointWriter> makeWriter(const Path& target, const Conversion& conversion,
                                             const WriterOptions& options) {
    std::vector<TensorInfo> outputs = outputsOf(conversion.recipes);
    if (!conversion.stored) return CheckpointWriter::create(target, std::move(outputs), options);
    std::vector<DType> dtypes;
    for (const TensorInfo& output : outputs) dtypes.push_back(output.dtype);
    return mapWriter(CheckpointWriter::create(target, conversion.stored->tensors, options),
                     conversion.stored->parts, std::move(dtypes));
}

}  // namespace

ConvertResult convertCheckpoint(const Checkpoint& source, const SurgeryPlan& plan,
                                const Path& target, const ConvertOptions& options,
                                const std::function<void(const ConvertProgress&)>& progress,
                                const std::atomic<bool>& cancel) {
    checkTarget(source, target);
    Conversion conversion = prepare(source, plan, options);
    shortenConfig(conversion, target, options);
    WriterOptions writing = writerOptions(options);
    writing.configText = conversion.configText;
    writing.metadata = source.metadata();
    const auto writer = makeWriter(target, conversion, writing);
    const RecipeOrder order =
        conversion.stored ? RecipeOrder::OneByOne : RecipeOrder::TogetherBySource;
    ConvertResult result =
        executeRecipes(source, conversion.recipes, *writer, order, progress, cancel);
    CORE_CHECK(writer->takesFiles() || options.extraFiles.empty(), "a folder for further files");
    if (writer->takesFiles())
        addFiles(source, conversion.stored ? std::string() : conversion.configText, options,
                 *writer, result);
    writer->commit();
    if (conversion.stored)
        result.leftOut.insert(result.leftOut.end(), conversion.stored->leftOut.begin(),
                              conversion.stored->leftOut.end());
    result.notes = conversion.notes;
    return result;
}

void checkConversionTarget(const Checkpoint& source, const Path& target,
                           const ConvertOptions& options) {
    checkTarget(source, target);
    CheckpointWriter::checkTarget(target, writerOptions(options));
}

std::uint64_t convertedBytes(const Checkpoint& source, const SurgeryPlan& plan,
                             const ConvertOptions& options) {
    std::uint64_t bytes = 0;
    for (const TensorRecipe& recipe : prepare(source, plan, options).recipes)
        bytes += recipe.output.bytes;
    return bytes;
}

}  // namespace core
