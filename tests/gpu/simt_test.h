// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/handles.h"
#include "tests/gpu/simt/runtime.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

/// What the harness's own tests share.
namespace simt_test {

/// A device array that the test reads after waiting.
template <typename T>
class Array {
  public:
    explicit Array(std::size_t count)
        : memory_(std::max<std::size_t>(1, count) * sizeof(T)), count_(count) {}
    T* get() const { return static_cast<T*>(memory_.get()); }
    std::vector<T> read() const {
        std::vector<T> values(count_);
        gpu::check(cudaMemcpy(values.data(), get(), count_ * sizeof(T), cudaMemcpyDeviceToHost),
                   "reading");
        return values;
    }

  private:
    gpu::DeviceMemory memory_;
    std::size_t count_;
};

/// The words of the Fault that this ends in.
inline std::string faultOf(const std::function<void()>& run) {
    try {
        run();
        gpu::check(cudaDeviceSynchronize(), "waiting");
    } catch (const simt::Fault& fault) {
        return fault.what();
    }
    return "no fault";
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace simt_test
