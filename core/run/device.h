// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// A device as `upcycle devices` shows it.
struct DeviceInfo {
    std::string name;         ///< "cpu", "cuda:0", "cuda" when there is none at all
    std::string description;  ///< instruction set, model, memory
    bool usable = false;
    bool chosen = false;          ///< what `--device auto` takes
    std::string reason;           ///< why it was chosen, or why not
    std::uint64_t freeBytes = 0;  ///< of a CUDA device's memory
};

/// Every device, the CPU first. CUDA devices are proved through the plug-in (a context and a small
/// product); without the plug-in one entry says why there is none.
std::vector<DeviceInfo> listDevices();

struct DeviceChoice {
    std::shared_ptr<Backend> backend;
    std::string reason;  ///< one line for `hello`, the window and the log
};

/// `device`: "auto", "cpu", "cuda" or "cuda:N"; `threads` 0 = all processors. Usage for another
/// word, Device (saying why) for a CUDA device that cannot be used.
DeviceChoice makeBackend(const std::string& device, int threads);

/// Throws Usage unless `device` is a word that makeBackend understands.
void validateDeviceName(const std::string& device);

/// What a person should know of computing in this type there; empty where it is as asked.
std::string howComputed(DType dtype, const Backend& backend);

/// Throws Usage when this program does not compute in `dtype`.
void requireComputable(DType dtype);

}  // namespace core
