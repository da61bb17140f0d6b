// SPDX-License-Identifier: Apache-2.0
#include "core/model/parameter_table.h"

#include "core/base/error.h"
#include "core/ops/memory.h"
#include "core/tensor/arena.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace core {
namespace {

/// Zeros of the parameters' shapes in one piece of memory: first those that decay, so that an
/// optimizer has few stretches of one rule.
std::vector<Tensor> zerosFor(std::span<const Parameter> parameters, Backend& backend) {
    std::vector<std::size_t> order(parameters.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t i) { return parameters[i].decay; });
    std::vector<Shape> shapes;
    for (const std::size_t i : order) shapes.push_back(parameters[i].shape);
    const std::vector<Tensor> together =
        allocateTogether(shapes, [&](std::size_t bytes) { return backend.allocate(bytes); });
    for (const Tensor& all : joined(together)) ops::fill(backend, all, 0.0F);
    std::vector<Tensor> zeros(parameters.size());
    for (std::size_t at = 0; at < order.size(); ++at) zeros[order[at]] = together[at];
    return zeros;
}

}  // namespace

ParameterTable::ParameterTable(std::vector<Parameter> parameters, Backend& backend, bool gradients,
                               DType computeType)
    : parameters_(std::move(parameters)), backend_(backend), computeType_(computeType) {
    const std::vector<Tensor> values = zerosFor(parameters_, backend);
    for (std::size_t i = 0; i < values.size(); ++i) parameters_[i].value = values[i];
    if (!gradients) return;
    const std::vector<Tensor> slopes = zerosFor(parameters_, backend);
    for (std::size_t i = 0; i < slopes.size(); ++i) parameters_[i].gradient = slopes[i];
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
