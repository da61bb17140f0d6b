// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>  // NOLINT(modernize-deprecated-headers): a C interface

namespace core {
class Backend;
}

/// The C interface of libupcycle_cuda.so, opened with dlopen by core/run: no CUDA type crosses it,
/// and a program without the plug-in, the driver or the CUDA libraries starts all the same.
extern "C" {

enum { kUpcycleCudaAbi = 3 };

/// One device as the driver shows it, and whether it proved itself.
struct UpcycleCudaDevice {
    char name[256];    ///< "NVIDIA H200"
    char reason[512];  ///< why it cannot be used; empty when the proof passed
    int32_t usable;    ///< a context, an allocation and a checked matrix product succeeded
    int32_t computeMajor;
    int32_t computeMinor;
    uint64_t totalBytes;
    uint64_t freeBytes;
};

/// Compared by the opener before anything else is called.
int32_t upcycleCudaAbi(void);

/// The version of the program that the plug-in was built with. A core::Backend crosses this
/// interface, so that only the same version may be used.
const char* upcycleCudaVersion(void);

/// Proves every device: creates a context, allocates, runs a kernel and a cuBLASLt product and
/// checks the numbers. Writes at most `capacity` devices and returns how many the driver has; -1
/// when the driver itself fails, then `error` says why (UTF-8, cut to `errorBytes`).
int32_t upcycleCudaProbe(UpcycleCudaDevice* devices, int32_t capacity, char* error,
                         int32_t errorBytes);

/// The backend of one device, the caller's to delete; null when it cannot be made, then `error`
/// says why as above.
core::Backend* upcycleCudaCreate(int32_t device, char* error, int32_t errorBytes);
}
