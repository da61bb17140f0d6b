// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/model/expected_tensors_internal.h"
#include "core/model/model.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr double kMostElements = 1e13;
constexpr double kMostParts = 1 << 22;

/// Refuses what no machine can hold before a name or a shape of it is made.
void checkExtent(const std::vector<ExpectedTensor>& tensors) {
    double elements = 0;
    double parts = 0;
    for (const ExpectedTensor& tensor : tensors) {
        const double count = tensor.experts > 0 ? static_cast<double>(tensor.experts) : 1.0;
        double one = 1;
        for (const ExpectedAxis& axis : tensor.axes) one *= static_cast<double>(axis.size);
        elements += one * count;
        parts += count;
    }
    if (elements > kMostElements || parts > kMostParts)
        throw Error(ErrorKind::OutOfMemory,
                    fmt::format("the config asks for {} parameters in {} tensors",
                                formatCount(elements), formatCount(parts)),
                    "use fewer layers or experts, or smaller sizes");
}

Parameter parameterOf(const ExpectedTensor& tensor) {
    Parameter p;
    p.name = tensor.name;
    p.experts = tensor.experts;
    p.decay = tensor.decay;
    p.shape = tensor.shape();
    if (tensor.experts == 0) {
        p.parts.push_back({tensor.name, p.shape});
        return p;
    }
    for (std::int64_t e = 0; e < tensor.experts; ++e)
        p.parts.push_back({expertName(tensor.name, e), p.shape});
    std::vector<std::int64_t> sizes{tensor.experts};
    sizes.insert(sizes.end(), p.shape.sizes().begin(), p.shape.sizes().end());
    p.shape = Shape(std::move(sizes));
    return p;
}

/// Calls body(part, the elements of `value` that it fills).
template <typename F>
void forParts(const Parameter& parameter, const Tensor& value, F body) {
    const Tensor flat = value.view({value.elements()});
    std::int64_t begin = 0;
    for (const ParameterPart& part : parameter.parts) {
        const std::int64_t end = begin + part.shape.elements();
        body(part, flat.rows(begin, end));
        begin = end;
    }
}

const TensorInfo& infoOf(const Checkpoint& checkpoint, const ParameterPart& part) {
    const TensorInfo* tensor = checkpoint.find(part.tensor);
    const std::string where = checkpoint.folder().string();
    if (tensor == nullptr)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: tensor {} {} is missing", where, part.tensor, toString(part.shape)),
            "the checkpoint is incomplete, or its config is of another model");
    if (tensor->shape != part.shape)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: tensor {} is {}, expected {}", where, part.tensor,
                                toString(tensor->shape), toString(part.shape)),
                    "config and weights do not belong together; use the pair as saved");
    if (!isFloating(tensor->dtype))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: tensor {} holds {}, expected floating-point numbers", where,
                                part.tensor, dtypeName(tensor->dtype)),
                    "convert the checkpoint to f32, f16 or bf16 first");
    return *tensor;
}

void load(const Checkpoint& checkpoint, const ParameterPart& part, const Tensor& into,
          Backend& backend) {
    const TensorInfo& tensor = infoOf(checkpoint, part);
    if (tensor.dtype == DType::F32 && into.onHost())
        return checkpoint.read(tensor, 0, into.elements(), into.rawSpan());
    const std::vector<float> values = checkpoint.readFloats(tensor);
    backend.upload(into, Tensor::of<float>(into.shape(), values));
}

Tensor initialValues(const ParameterPart& part, float std, std::uint64_t seed) {
    Tensor values = Tensor::zeros({part.shape.elements()});
    if (part.tensor.ends_with(".bias")) return values;
    const bool norm = part.shape.rank() == 1;
    const CounterRandom random(hashName(seed, part.tensor));
    float* into = values.data<float>();
    parallelFor(values.elements(), 1 << 14, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t i = begin; i < end; ++i)
            into[i] = norm ? 1.0F : std * random.normal(static_cast<std::uint64_t>(i));
    });
    return values;
}

}  // namespace

std::vector<Parameter> describeParameters(const ModelSpec& spec, const VitNames& names) {
    const std::vector<ExpectedTensor> tensors = expectedTensors(spec, names);
    checkExtent(tensors);
    std::vector<Parameter> parameters;
    for (const ExpectedTensor& tensor : tensors) {
        parameters.push_back(parameterOf(tensor));
        parameters.back().initialStd = static_cast<float>(tensor.initialStd);
    }
    return parameters;
}

void loadParameters(std::vector<Parameter>& parameters, const Checkpoint& checkpoint,
                    Backend& backend) {
    for (const Parameter& parameter : parameters)
        forParts(parameter, parameter.value, [&](const ParameterPart& part, const Tensor& into) {
            load(checkpoint, part, into, backend);
        });
    refreshCopies(parameters, backend);
}

void initializeParameters(std::vector<Parameter>& parameters, std::uint64_t seed,
                          Backend& backend) {
    for (const Parameter& parameter : parameters)
        forParts(parameter, parameter.value, [&](const ParameterPart& part, const Tensor& into) {
            backend.upload(into, initialValues(part, parameter.initialStd, seed));
        });
    refreshCopies(parameters, backend);
}

}  // namespace core
