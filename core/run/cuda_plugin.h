// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// What the CUDA plug-in says of one device.
struct CudaDevice {
    std::string name;
    std::string reason;  ///< why it cannot be used; empty when its proof passed
    int computeMajor = 0, computeMinor = 0;
    std::uint64_t totalBytes = 0, freeBytes = 0;
};

struct CudaProbe {
    std::vector<CudaDevice> devices;
    std::string
        problem;  ///< why there is no device: plug-in missing, library missing, driver error
};

/// Opens libupcycle_cuda.so (the path in the environment variable UPCYCLER_CUDA_PLUGIN, else beside
/// the executable, in ../lib or ../lib/upcycler) and proves every device. Never throws: what goes
/// wrong is `problem`.
CudaProbe probeCuda();

/// The backend of one device, which keeps the plug-in open for good. Throws Device.
std::shared_ptr<Backend> makeCudaBackend(int device);

}  // namespace core
