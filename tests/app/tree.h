// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <map>
#include <string>

namespace upcycle_test {

/// Every file below `folder` (hidden ones too) with its content: what must not change after a
/// refusal.
std::map<std::string, std::string> treeOf(const core::Path& folder);

}  // namespace upcycle_test
