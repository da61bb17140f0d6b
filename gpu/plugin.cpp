// SPDX-License-Identifier: Apache-2.0
#include "gpu/plugin.h"

#include "gpu/cuda_backend.h"

#include <cstdio>
#include <exception>

int32_t upcycleCudaAbi(void) { return kUpcycleCudaAbi; }

const char* upcycleCudaVersion(void) { return UPCYCLER_VERSION; }

core::Backend* upcycleCudaCreate(int32_t device, char* error, int32_t errorBytes) {
    try {
        return gpu::makeCudaBackend(device).release();
    } catch (const std::exception& problem) {
        std::snprintf(error, static_cast<std::size_t>(errorBytes), "%s", problem.what());
        return nullptr;
    }
}
