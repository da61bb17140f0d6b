// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/check.h"

#include <string>
#include <vector>

namespace core {

/// Why an upcycled model does not compute the dense function, in words: tokens without an expert,
/// combine weights that do not sum to 1, experts that are no copies, other tensors that changed.
/// Empty when nothing of it is found.
std::vector<std::string> causesOf(Model& dense, Model& upcycled,
                                  const std::vector<BlockCheck>& blocks);

}  // namespace core
