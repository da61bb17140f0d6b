// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer_state_io.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr const char* kHint = "begin with fresh moments instead (--optimizer-state reset)";

std::string startName(const std::string& tensor) { return "start/" + tensor; }

TensorInfo describe(std::string name, const Shape& shape) {
    TensorInfo info;
    info.name = std::move(name);
    info.dtype = DType::F32;
    info.shape = shape;
    info.bytes = static_cast<std::uint64_t>(shape.elements()) * sizeof(float);
    return info;
}

/// The tensor of `file` that holds `slot` of `source`, with `shape`.
const TensorInfo& require(const Checkpoint& file, const std::string& name, const Shape& shape) {
    const std::string where = file.folder().string();
    const TensorInfo* info = file.find(name);
    if (info == nullptr)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("the optimizer state in {} has no tensor {}", where, printable(name)),
            kHint);
    if (info->shape != shape)
        throw Error(ErrorKind::BadInput,
                    fmt::format("optimizer state {} in {} has shape {}, expected {}",
                                printable(name), where, toString(info->shape), toString(shape)),
                    kHint);
    return *info;
}

const std::string& sourceOf(const MomentSources& sources, const std::string& tensor) {
    const auto found = sources.find(tensor);
    return found == sources.end() ? tensor : found->second;
}

void loadState(const OptimizerState& state, Backend& backend, const Checkpoint& file,
               const MomentSources& sources) {
    const Tensor host = Tensor::host(state.value.shape());
    float* into = host.data<float>();
    for (const ParameterPart& part : state.parts) {
        const std::int64_t count = part.shape.elements();
        const std::string& source = sourceOf(sources, part.tensor);
        if (source.empty()) {
            std::fill(into, into + count, 0.0F);
        } else {
            const TensorInfo& info = require(file, state.slot + "/" + source, part.shape);
            const std::vector<float> values = file.readFloats(info);
            std::copy(values.begin(), values.end(), into);
        }
        into += count;
    }
    backend.upload(state.value, host);
}

void loadStart(std::int64_t& start, const Parameter& parameter, const Checkpoint& file,
               const MomentSources& sources, std::int64_t globalStep) {
    const std::string& source = sourceOf(sources, parameter.parts.front().tensor);
    start = source.empty() ? globalStep : 0;
    if (source.empty() || file.find(startName(source)) == nullptr) return;
    const TensorInfo& info = require(file, startName(source), {1});
    const double value = static_cast<double>(file.readFloats(info).front());
    if (!(value >= 0 && value <= static_cast<double>(globalStep)))
        throw Error(ErrorKind::BadInput,
                    fmt::format("optimizer state {} in {} is {}, expected a step from 0 to {}",
                                printable(info.name), file.folder().string(), value, globalStep),
                    kHint);
    start = static_cast<std::int64_t>(value);
}

}  // namespace

std::vector<TensorInfo> optimizerTensors(Optimizer& optimizer,
                                         const std::vector<Parameter>& parameters) {
    std::vector<TensorInfo> infos;
    for (const OptimizerState& state : optimizer.state())
        for (const ParameterPart& part : state.parts)
            infos.push_back(describe(state.slot + "/" + part.tensor, part.shape));
    for (const Parameter& parameter : parameters)
        for (const ParameterPart& part : parameter.parts)
            infos.push_back(describe(startName(part.tensor), {1}));
    return infos;
}

void saveOptimizerState(
    Optimizer& optimizer, const std::vector<Parameter>& parameters, Backend& backend,
    const std::function<void(std::size_t index, std::span<const std::byte>)>& sink) {
    std::size_t index = 0;
    for (const OptimizerState& state : optimizer.state()) {
        const Tensor host = Tensor::host(state.value.shape());
        backend.download(host, state.value);
        std::span<const std::byte> bytes = host.rawSpan();
        for (const ParameterPart& part : state.parts) {
            const auto size = static_cast<std::size_t>(part.shape.elements()) * sizeof(float);
            sink(index++, bytes.first(size));
            bytes = bytes.subspan(size);
        }
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto start = static_cast<float>(optimizer.starts()[i]);
        for (std::size_t part = 0; part < parameters[i].parts.size(); ++part)
            sink(index++, std::as_bytes(std::span(&start, 1)));
    }
}

void loadOptimizerState(Optimizer& optimizer, const std::vector<Parameter>& parameters,
                        Backend& backend, const Checkpoint& file, const MomentSources& sources,
                        std::int64_t globalStep) {
    for (const OptimizerState& state : optimizer.state()) loadState(state, backend, file, sources);
    for (std::size_t i = 0; i < parameters.size(); ++i)
        loadStart(optimizer.starts()[i], parameters[i], file, sources, globalStep);
}

}  // namespace core
