// SPDX-License-Identifier: Apache-2.0
#pragma once

// gpu::blockShared<T>(): the only door to shared memory. Which header this is decides the include
// path: gpu/cuda for devices, tests/gpu/simt/include for the host harness.
#include <gpu_shared_memory.h>
