// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"
#include "core/run/training_state.h"
#include "core/training/optimizer.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// What training does not touch but a checkpoint keeps: config.json, further small files
/// (preprocessor, tokenizer, model card ...) and tensors that the model does not use.
struct CarriedParts {
    std::string config;
    std::map<std::string, std::string> files;
    struct ExtraTensor {
        TensorInfo info;
        std::vector<std::byte> bytes;
    };
    std::vector<ExtraTensor> tensors;
};

/// Reads them from a checkpoint folder. `spec`, `parameters`: the model's. Tensors that only repeat
/// a parameter are left out: training would leave them behind.
CarriedParts readCarriedParts(const Checkpoint& checkpoint, const ModelSpec& spec,
                              const std::vector<Parameter>& parameters);

/// Bytes that `writeRunCheckpoint` will need on disk, with a small margin.
std::uint64_t runCheckpointBytes(const std::vector<Parameter>& parameters, Optimizer& optimizer,
                                 const CarriedParts& carried);

/// Fills an existing empty folder: model.safetensors (f32), config.json, carried files,
/// optimizer.safetensors and, last, training.json with the sums of all of them. The caller renames
/// the folder.
void writeRunCheckpoint(const Path& folder, const Model& model,
                        const std::vector<Parameter>& parameters, Optimizer& optimizer,
                        const CarriedParts& carried, TrainingState state);

/// Writes model.safetensors (f32), config.json and carried files alone.
void writeModel(const Path& folder, const Model& model, const std::vector<Parameter>& parameters,
                const CarriedParts& carried);

/// Writes optimizer.safetensors alone.
void writeOptimizerState(const Path& folder, const std::vector<Parameter>& parameters,
                         Optimizer& optimizer, Backend& backend);

/// Sums of all regular files of `folder` but training.json.
std::map<std::string, TrainingState::FileSum> sumFiles(const Path& folder);

/// What is wrong with a checkpoint folder (training.json unreadable, a file missing, of another
/// length, or with another sum), or empty. Folders whose training.json names no files pass.
std::optional<std::string> findDamage(const Path& folder);

}  // namespace core
