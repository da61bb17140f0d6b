// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/linear.h"
#include "core/model/model.h"

#include <string>
#include <vector>

namespace core {

/// The parameters of a model with their memory, found by name.
class ParameterTable {
  public:
    /// Values are zero; gradients are allocated when `gradients`. `computeType` is that of the
    /// products with activations.
    ParameterTable(std::vector<Parameter> parameters, Backend& backend, bool gradients,
                   DType computeType);

    std::vector<Parameter>& all() { return parameters_; }
    /// nullptr when there is none
    const Parameter* find(const std::string& name) const;
    const Parameter& at(const std::string& name) const;
    /// A weight of products with activations: it gets a copy in the type of these where that is not
    /// F32.
    const Parameter& matrix(const std::string& name);
    /// NAME.weight, and NAME.bias where there is one; of activations, or (f32Linear) of F32 tensors
    /// whatever the activations are.
    Linear linear(const std::string& name);
    Linear f32Linear(const std::string& name) const;

  private:
    std::vector<Parameter> parameters_;
    Backend& backend_;
    DType computeType_;
};

}  // namespace core
