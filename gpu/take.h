// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
#include "gpu/handles.h"

#include <cuda_runtime.h>

#include <cstddef>
#include <vector>

namespace gpu {

/// Waits for the stream and gives what lies on the device.
template <typename T>
std::vector<T> take(cudaStream_t stream, const T* device, std::size_t count) {
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &capture), "asking a stream's state");
    CORE_CHECK(capture == cudaStreamCaptureStatusNone, "nothing for the host in a capture");
    std::vector<T> values(count);
    if (count > 0)
        check(cudaMemcpyAsync(values.data(), device, count * sizeof(T), cudaMemcpyDeviceToHost,
                              stream),
              "copying from the device");
    check(cudaStreamSynchronize(stream), "waiting for the device");
    return values;
}

}  // namespace gpu
