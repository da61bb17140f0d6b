// SPDX-License-Identifier: Apache-2.0
#include "core/run/checkpoint_folder.h"

#include "core/base/error.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "core/training/optimizer_state_io.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <set>
#include <system_error>

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestCarriedFile = std::uint64_t{64} << 20;
constexpr std::size_t kPiece = std::size_t{4} << 20;
constexpr std::uint64_t kHeaderMargin = std::uint64_t{1} << 20;

bool isOurs(const std::string& name) {
    return name == "config.json" || name == "training.json" || name.ends_with(".safetensors") ||
           name.ends_with(".safetensors.index.json") || name.ends_with(".h5") ||
           name.ends_with(".hdf5") || name.starts_with(".");
}

TensorInfo partInfo(const ParameterPart& part) {
    TensorInfo info;
    info.name = part.tensor;
    info.dtype = DType::F32;
    info.shape = part.shape;
    return info;
}

std::vector<TensorInfo> weightTensors(const std::vector<Parameter>& parameters,
                                      const CarriedParts& carried) {
    std::vector<TensorInfo> infos;
    for (const Parameter& parameter : parameters)
        for (const ParameterPart& part : parameter.parts) infos.push_back(partInfo(part));
    for (const CarriedParts::ExtraTensor& extra : carried.tensors) infos.push_back(extra.info);
    return infos;
}

void writeWeights(const Path& folder, Backend& backend, const std::vector<Parameter>& parameters,
                  const CarriedParts& carried) {
    WriterOptions options;
    options.metadata = {{"format", "pt"}};
    const auto writer = CheckpointWriter::create(folder / "model.safetensors",
                                                 weightTensors(parameters, carried), options);
    std::size_t index = 0;
    for (const Parameter& parameter : parameters) {
        const Tensor host = Tensor::host(parameter.shape);
        backend.download(host, parameter.value);
        std::span<const std::byte> bytes = host.rawSpan();
        for (const ParameterPart& part : parameter.parts) {
            const auto size = static_cast<std::size_t>(part.shape.elements()) * sizeof(float);
            writer->write(index++, bytes.first(size));
            bytes = bytes.subspan(size);
        }
    }
    for (const CarriedParts::ExtraTensor& extra : carried.tensors)
        writer->write(index++, extra.bytes);
    writer->commit();
}

TrainingState::FileSum sumFile(const Path& path) {
    const File file = File::openForReading(path);
    TrainingState::FileSum sum;
    sum.bytes = file.size();
    std::vector<std::byte> piece(
        static_cast<std::size_t>(std::min<std::uint64_t>(sum.bytes, kPiece)));
    uLong crc = ::crc32(0, nullptr, 0);
    for (std::uint64_t offset = 0; offset < sum.bytes; offset += piece.size()) {
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), sum.bytes - offset));
        file.readAt(offset, std::span(piece).first(size));
        crc = ::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(size));
    }
    sum.crc32 = static_cast<std::uint32_t>(crc);
    return sum;
}

}  // namespace

CarriedParts readCarriedParts(const Checkpoint& checkpoint, const ModelSpec& spec,
                              const std::vector<Parameter>& parameters) {
    CarriedParts carried;
    carried.config = checkpoint.configText();
    for (const auto& entry : fs::directory_iterator(checkpoint.folder())) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && !isOurs(name) && entry.file_size() <= kLargestCarriedFile)
            carried.files[name] = readTextFile(entry.path(), kLargestCarriedFile);
    }
    std::set<std::string, std::less<>> used;
    for (const Parameter& parameter : parameters)
        for (const ParameterPart& part : parameter.parts) used.insert(part.tensor);
    for (const TensorInfo& info : checkpoint.tensors()) {
        if (used.contains(info.name) || repeatsParameter(spec, info.name)) continue;
        CarriedParts::ExtraTensor extra{info, std::vector<std::byte>(info.bytes)};
        checkpoint.read(info, 0, info.shape.elements(), extra.bytes);
        carried.tensors.push_back(std::move(extra));
    }
    return carried;
}

std::uint64_t runCheckpointBytes(const std::vector<Parameter>& parameters, Optimizer& optimizer,
                                 const CarriedParts& carried) {
    std::uint64_t bytes = kHeaderMargin;
    for (const Parameter& parameter : parameters)
        bytes += static_cast<std::uint64_t>(parameter.shape.elements()) * sizeof(float);
    for (const OptimizerState& state : optimizer.state()) bytes += state.value.bytes();
    for (const CarriedParts::ExtraTensor& extra : carried.tensors) bytes += extra.bytes.size();
    for (const auto& [name, content] : carried.files) bytes += content.size();
    return bytes;
}

void writeModel(const Path& folder, const Model& model, const std::vector<Parameter>& parameters,
                const CarriedParts& carried) {
    writeWeights(folder, model.backend(), parameters, carried);
    writeTextFile(folder / "config.json", carried.config);
    for (const auto& [name, content] : carried.files) writeTextFile(folder / name, content);
}

void writeOptimizerState(const Path& folder, const std::vector<Parameter>& parameters,
                         Optimizer& optimizer, Backend& backend) {
    const auto writer = CheckpointWriter::create(
        folder / "optimizer.safetensors", optimizerTensors(optimizer, parameters), WriterOptions{});
    saveOptimizerState(
        optimizer, parameters, backend,
        [&](std::size_t index, std::span<const std::byte> bytes) { writer->write(index, bytes); });
    writer->commit();
}

void writeRunCheckpoint(const Path& folder, const Model& model,
                        const std::vector<Parameter>& parameters, Optimizer& optimizer,
                        const CarriedParts& carried, TrainingState state) {
    writeModel(folder, model, parameters, carried);
    writeOptimizerState(folder, parameters, optimizer, model.backend());
    state.files = sumFiles(folder);
    writeTextFile(folder / "training.json", toJson(state));
}

std::map<std::string, TrainingState::FileSum> sumFiles(const Path& folder) {
    std::map<std::string, TrainingState::FileSum> sums;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name != "training.json") sums[name] = sumFile(entry.path());
    }
    return sums;
}

std::optional<std::string> findDamage(const Path& folder) {
    try {
        const std::optional<TrainingState> state = readTrainingState(folder);
        if (!state) return "training.json is missing";
        for (const auto& [name, expected] : state->files) {
            std::error_code code;
            if (!fs::exists(folder / name, code)) return fmt::format("{} is missing", name);
            const TrainingState::FileSum found = sumFile(folder / name);
            if (found.bytes != expected.bytes)
                return fmt::format("{} has {} bytes, expected {}", name, found.bytes,
                                   expected.bytes);
            if (found.crc32 != expected.crc32)
                return fmt::format("the checksum of {} is wrong", name);
        }
    } catch (const Error& error) {
        return error.what();
    }
    return std::nullopt;
}

}  // namespace core
