// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace core {

/// Runs `work` in a forked child and returns what it returned; an Error that it throws is thrown
/// here. Nothing when the child died, computed for more than 20 s or did not end within two
/// minutes: for libraries that a damaged file can crash or hang. The child may allocate 2 GiB more
/// than the process has and prints nothing. `work` must not wait for other threads (there are none
/// in the child).
std::optional<std::string> runInChild(const std::function<std::string()>& work);

}  // namespace core
