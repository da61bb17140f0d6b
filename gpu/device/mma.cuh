// SPDX-License-Identifier: Apache-2.0
#pragma once

// gpu::mmaBf16 and the loads of its fragments: the only door to tensor cores. Which header this is
// decides the include path: gpu/cuda for devices, tests/gpu/simt/include for the host harness.
#include <gpu_mma.h>
