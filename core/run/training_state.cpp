// SPDX-License-Identifier: Apache-2.0
#include "core/run/training_state.h"

#include "core/run/job_json_internal.h"

#include <system_error>

namespace core {
namespace {

void readFiles(const Fields& fields, const Json* names,
               std::map<std::string, TrainingState::FileSum>& files) {
    if (names == nullptr) return;
    for (const auto& [name, entry] : names->items()) {
        const Fields file = fields.object(name.c_str());
        TrainingState::FileSum sum;
        file.read("bytes", sum.bytes);
        std::uint64_t crc = 0;
        file.read("crc32", crc);
        sum.crc32 = static_cast<std::uint32_t>(crc);
        files[name] = sum;
    }
}

}  // namespace

std::string toJson(const TrainingState& state) {
    Json json{{"schema", kTrainingSchema},
              {"step", state.step},
              {"global_step", state.globalStep},
              {"data",
               {{"source", state.data},
                {"epoch", state.position.epoch},
                {"example", state.position.example}}},
              {"objective", objectiveName(state.objective)},
              {"batch", state.batch},
              {"steps", state.steps},
              {"optimizer", toJson(state.optimizer)},
              {"schedule", toJson(state.schedule)},
              {"lr", state.lr},
              {"augmentation", toJson(state.augmentation)},
              {"normalization", toJson(state.normalization)},
              {"text", toJson(state.text)},
              {"seed", state.seed}};
    if (state.denseFlops) json["dense_flops"] = *state.denseFlops;
    if (!state.position.cursor.empty()) json["data"]["cursor"] = state.position.cursor;
    Json files = Json::object();
    for (const auto& [name, sum] : state.files)
        files[name] = {{"bytes", sum.bytes}, {"crc32", sum.crc32}};
    if (!files.empty()) json["files"] = std::move(files);
    return json.dump(2) + "\n";
}

TrainingState trainingStateFromJson(const std::string& text, const std::string& where) {
    const Json json = parseDocument(text, where, kTrainingSchema);
    const Fields fields(json, where);
    TrainingState state;
    fields.read("step", state.step);
    fields.read("global_step", state.globalStep);
    const Fields data = fields.object("data");
    data.read("source", state.data);
    data.read("epoch", state.position.epoch);
    data.read("example", state.position.example);
    data.read("cursor", state.position.cursor);
    fields.readName("objective", state.objective, objectiveFromName);
    fields.read("batch", state.batch);
    fields.read("steps", state.steps);
    read(fields.object("optimizer"), state.optimizer);
    read(fields.object("schedule"), state.schedule);
    fields.read("lr", state.lr);
    read(fields.object("augmentation"), state.augmentation);
    read(fields.object("normalization"), state.normalization);
    read(fields.object("text"), state.text);
    fields.read("seed", state.seed);
    if (fields.find("dense_flops") != nullptr) {
        double flops = 0;
        fields.read("dense_flops", flops);
        state.denseFlops = flops;
    }
    readFiles(fields.object("files"), fields.find("files"), state.files);
    if (state.step < 0) fields.fail("step", "an integer from 0");
    if (state.globalStep < 0) fields.fail("global_step", "an integer from 0");
    return state;
}

std::optional<TrainingState> readTrainingState(const Path& folder) {
    const Path file = folder / "training.json";
    std::error_code code;
    if (!std::filesystem::exists(file, code)) return std::nullopt;
    return trainingStateFromJson(readTextFile(file), file.string());
}

}  // namespace core
