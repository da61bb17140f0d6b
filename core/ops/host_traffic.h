// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

namespace core {

/// Values on their way from a device to the host.
class Readback {
  public:
    Readback() = default;
    Readback(const Readback&) = delete;
    Readback& operator=(const Readback&) = delete;
    virtual ~Readback() = default;
    /// Whether `take` would not wait. Throws Error{Device} where the device has failed.
    virtual bool ready() = 0;
    /// The values, a host tensor. Waits for the work that makes them.
    virtual Tensor take() = 0;
};

/// A host tensor and its place on the device, of the same type and size.
struct HostCopy {
    Tensor device;
    Tensor host;
};

}  // namespace core
