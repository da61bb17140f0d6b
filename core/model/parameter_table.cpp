// SPDX-License-Identifier: Apache-2.0
#include "core/model/parameter_table.h"

#include "core/base/error.h"
#include "core/ops/memory.h"

#include <algorithm>

namespace core {
namespace {

Tensor zerosOn(Backend& backend, const Shape& shape) {
    const auto bytes = static_cast<std::size_t>(shape.elements()) * sizeof(float);
    Tensor tensor(backend.allocate(bytes), 0, shape, DType::F32);
    ops::fill(backend, tensor, 0.0F);
    return tensor;
}

}  // namespace

ParameterTable::ParameterTable(std::vector<Parameter> parameters, Backend& backend, bool gradients,
                               DType computeType)
    : parameters_(std::move(parameters)), backend_(backend), computeType_(computeType) {
    for (Parameter& p : parameters_) {
        p.value = zerosOn(backend, p.shape);
        if (gradients) p.gradient = zerosOn(backend, p.shape);
    }
}

const Parameter* ParameterTable::find(const std::string& name) const {
    const auto at = std::find_if(parameters_.begin(), parameters_.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    return at == parameters_.end() ? nullptr : &*at;
}

const Parameter& ParameterTable::at(const std::string& name) const {
    const Parameter* parameter = find(name);
    CORE_CHECK(parameter != nullptr, "a parameter " + name);
    return *parameter;
}

const Parameter& ParameterTable::matrix(const std::string& name) {
    const auto at = std::find_if(parameters_.begin(), parameters_.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    CORE_CHECK(at != parameters_.end(), "a parameter " + name);
    if (computeType_ == DType::BF16 && !at->bf16.defined()) {
        const auto bytes = static_cast<std::size_t>(at->shape.elements()) * sizeof(BFloat16);
        at->bf16 = Tensor(backend_.allocate(bytes), 0, at->shape, DType::BF16);
        ops::fill(backend_, at->bf16, 0.0F);
    }
    return *at;
}

Linear ParameterTable::linear(const std::string& name) {
    return Linear(matrix(name + ".weight"), find(name + ".bias"));
}

Linear ParameterTable::f32Linear(const std::string& name) const {
    return Linear(at(name + ".weight"), find(name + ".bias"));
}

}  // namespace core
