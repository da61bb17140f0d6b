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
    /// Values are zero; gradients are allocated when `gradients`.
    ParameterTable(std::vector<Parameter> parameters, Backend& backend, bool gradients);

    std::vector<Parameter>& all() { return parameters_; }
    /// nullptr when there is none
    const Parameter* find(const std::string& name) const;
    const Parameter& at(const std::string& name) const;
    /// NAME.weight, and NAME.bias where there is one.
    Linear linear(const std::string& name) const;

  private:
    std::vector<Parameter> parameters_;
};

}  // namespace core
