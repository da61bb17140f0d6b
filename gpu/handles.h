// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace gpu {

/// Throws core::Error{Device} "<doing> failed: <the library's text>"; OutOfMemory when that is what
/// the device says.
void check(cudaError_t status, const char* doing);

/// Device memory, freed on destruction; uninitialised. Throws OutOfMemory with what was asked for
/// and what is free.
class DeviceMemory {
  public:
    DeviceMemory() = default;
    explicit DeviceMemory(std::size_t bytes);
    ~DeviceMemory();
    DeviceMemory(DeviceMemory&& other) noexcept;
    DeviceMemory& operator=(DeviceMemory&& other) noexcept;
    void* get() const noexcept { return data_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// The memory, which is the caller's to free from now on.
    void* letGo() noexcept;

  private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// Page-locked host memory, which a device reads and writes by itself.
class PinnedMemory {
  public:
    PinnedMemory() = default;
    explicit PinnedMemory(std::size_t bytes);
    ~PinnedMemory();
    PinnedMemory(PinnedMemory&& other) noexcept;
    PinnedMemory& operator=(PinnedMemory&& other) noexcept;
    void* get() const noexcept { return data_; }
    std::size_t bytes() const noexcept { return bytes_; }

  private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// A queue of work on the current device.
class Stream {
  public:
    Stream();
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    cudaStream_t get() const noexcept { return stream_; }
    void synchronize() const;

  private:
    cudaStream_t stream_ = nullptr;
};

/// A mark in a stream that the host can wait for.
class Event {
  public:
    Event();
    ~Event();
    Event(Event&& other) noexcept;
    Event& operator=(Event&& other) noexcept;
    void record(const Stream& stream);
    /// What comes in `stream` from now on waits for it.
    void holdBack(const Stream& stream) const;
    bool isReached() const;
    /// Returns at once when nothing was recorded.
    void wait() const;

  private:
    cudaEvent_t event_ = nullptr;
};

}  // namespace gpu
