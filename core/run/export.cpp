// SPDX-License-Identifier: Apache-2.0
#include "core/run/export.h"

#include "core/base/error.h"
#include "core/checkpoint/safe_link.h"
#include "core/model/config_internal.h"
#include "core/run/model_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace core {
namespace {

constexpr std::string_view kReadme = "README.md";
constexpr std::string_view kBesideReadme = "UPCYCLING.md";
constexpr std::string_view kPicture = "loss.svg";
constexpr std::string_view kScratch = "scratch:";
constexpr std::uint64_t kLargestCard = std::uint64_t{4} << 20;

/// Whether a file of ours lies in the folder: it holds the mark.
bool holdsMark(const Path& folder, std::string_view name, std::string_view mark) {
    std::error_code code;
    const Path path = folder / name;
    if (!std::filesystem::is_regular_file(path, code) || !isSafeLink(path, folder) ||
        std::filesystem::file_size(path, code) > kLargestCard)
        return false;
    return readTextFile(path, kLargestCard).find(mark) != std::string::npos;
}

/// A model by its name alone: a run's checkpoint by run and step, anything else by its last part.
std::string nameOf(const Path& path) {
    const Path place = path.has_filename() ? path : path.parent_path();
    const Path checkpoints = place.parent_path();
    if (checkpoints.filename() == "checkpoints" && RunDirectory::isRun(checkpoints.parent_path()))
        return fmt::format("{}@{}", checkpoints.parent_path().filename().string(),
                           place.filename().string());
    return place.filename().string();
}

Path placeOf(const Checkpoint& source) {
    std::error_code code;
    const Path folder = std::filesystem::canonical(source.folder(), code);
    const bool model = std::filesystem::exists(source.folder() / "config.json", code);
    return model || source.files().size() != 1 ? folder : folder / source.files().front();
}

/// "owner/name", as the hub has it; a path of the machine is none.
std::string hubName(const std::string& configText, const std::string& where) {
    if (configText.empty()) return {};
    const config::Json json = config::parseObject(configText, where);
    const auto found = json.find("_name_or_path");
    if (found == json.end() || !found->is_string()) return {};
    const auto name = found->get<std::string>();
    const auto part = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    const std::size_t slash = name.find('/');
    const bool right = slash != std::string::npos && slash > 0 && slash + 1 < name.size() &&
                       name.size() < 100 && name.front() != '.' && name.front() != '-' &&
                       std::count_if(name.begin(), name.end(), part) ==
                           static_cast<std::ptrdiff_t>(name.size()) - 1;
    return right ? name : std::string();
}

/// Bytes and sums of the origin's weights, where its training.json has them and they still fit.
void addOrigin(ModelCard& card, const Path& origin) {
    std::error_code code;
    if (!std::filesystem::is_directory(origin, code)) return;
    const std::optional<TrainingState> state = readTrainingState(origin);
    if (!state) return;
    card.originSteps = state->globalStep;
    for (const auto& [name, sum] : state->files)
        if (name.ends_with(".safetensors") && name != "optimizer.safetensors" &&
            std::filesystem::file_size(origin / name, code) == sum.bytes)
            card.originFiles[name] = sum;
}

void addRun(ModelCard& card, const RunCheckpoint& at) {
    card.run = readRunRecord(RunDirectory::open(at.run), at.step);
    card.plan = card.run->job.plan;
    const std::string& model = card.run->job.model;
    if (model.starts_with(kScratch)) {
        card.origin = "random weights";
        return;
    }
    card.origin = nameOf(model);
    addOrigin(card, model);
}

/// The cost of the run's dense model, where it is still there.
void addCostBefore(ModelCard& card) {
    std::error_code code;
    if (!card.run || !card.plan || !std::filesystem::exists(card.run->job.model, code)) return;
    const auto dense = Checkpoint::open(card.run->job.model);
    card.before = modelCost(readSpec(*dense), dense->tensors());
}

bool hasExperts(const Checkpoint& source) {
    if (source.configText().find("\"upcycling\"") == std::string::npos) return false;
    const ModelSpec spec = readSpec(source);
    return std::any_of(spec.blocks.begin(), spec.blocks.end(),
                       [](const BlockSpec& block) { return block.moe.has_value(); });
}

/// Does `gather`; what cannot be read is said and left out.
template <typename F>
void tryTo(std::vector<std::string>& leftOut, const char* what, F gather) {
    try {
        gather();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::BadInput) throw;
        leftOut.push_back(fmt::format("{} in the model card ({})", what, error.what()));
    }
}

ModelCard describe(const Checkpoint& source, const SurgeryPlan& plan,
                   const std::optional<RunCheckpoint>& run, std::vector<std::string>& leftOut) {
    ModelCard card;
    card.program = std::string("Upcycler ") + UPCYCLER_VERSION;
    card.model = readSpec(source);
    card.cost = modelCost(card.model, source.tensors());
    card.origin = nameOf(placeOf(source));
    tryTo(leftOut, "the name on the hub",
          [&] { card.baseModel = hubName(source.configText(), "config.json"); });
    if (!plan.layers.empty()) {
        const PlanReport report = compilePlan(card.model, source.tensors(), plan);
        card.model = report.output;
        card.before = card.cost;
        card.cost = report.after;
        card.plan = plan;
        tryTo(leftOut, "the dense model's training", [&] { addOrigin(card, placeOf(source)); });
    } else if (run) {
        tryTo(leftOut, "the training", [&] { addRun(card, *run); });
        tryTo(leftOut, "the cost of the dense model", [&] { addCostBefore(card); });
    }
    return card;
}

void addCard(const Checkpoint& source, const SurgeryPlan& plan, ConvertOptions& options,
             std::vector<std::string>& leftOut) {
    const std::set<std::string> ours = modelCardFiles(source.folder());
    std::optional<RunCheckpoint> run;
    tryTo(leftOut, "the training", [&] { run = runCheckpointOf(source.folder()); });
    const bool news = !plan.layers.empty() || run || (ours.empty() && hasExperts(source));
    if (!news) return;
    ModelCard card = describe(source, plan, run, leftOut);
    const std::string picture = card.run ? lossPicture(card.run->curve) : std::string();
    card.picture = !picture.empty();
    card.transformers =
        staysHf(options.layout, source) && options.format == FileFormat::Safetensors;
    std::error_code code;
    const bool foreign = std::filesystem::exists(source.folder() / "config.json", code) &&
                         std::filesystem::exists(source.folder() / kReadme, code) &&
                         !ours.contains(std::string(kReadme));
    options.notCarried.insert(ours.begin(), ours.end());
    options.extraFiles.emplace(foreign ? kBesideReadme : kReadme, modelCardText(card, !foreign));
    if (card.picture) options.extraFiles.emplace(kPicture, picture);
}

}  // namespace

std::set<std::string> modelCardFiles(const Path& folder) {
    std::set<std::string> files;
    for (const std::string_view name : {kReadme, kBesideReadme})
        if (holdsMark(folder, name, kModelCardMark)) files.emplace(name);
    if (holdsMark(folder, kPicture, kLossPictureMark)) files.emplace(kPicture);
    return files;
}

ConvertResult exportCheckpoint(const Checkpoint& source, const SurgeryPlan& plan,
                               const Path& target, ConvertOptions options,
                               const std::function<void(const ConvertProgress&)>& progress,
                               const std::atomic<bool>& cancel) {
    checkConversionTarget(source, target, options);
    std::vector<std::string> leftOut;
    if (CheckpointWriter::isFolder(target)) addCard(source, plan, options, leftOut);
    ConvertResult result = convertCheckpoint(source, plan, target, options, progress, cancel);
    result.leftOut.insert(result.leftOut.end(), leftOut.begin(), leftOut.end());
    return result;
}

}  // namespace core
