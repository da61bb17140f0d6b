// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of the CUDA runtime that gpu/ uses, for the host SIMT harness: found in place of
// NVIDIA's header through the include path. Kernels are ordinary functions; tests/gpu/simt runs a
// block's threads as fibers. What gpu/ must not use (__shared__, atomics on floating-point numbers,
// <<<>>>) is not here, so it does not compile.

#include "tests/gpu/simt/device.h"
#include "tests/gpu/simt/device_math.h"
#include "tests/gpu/simt/runtime_api.h"
