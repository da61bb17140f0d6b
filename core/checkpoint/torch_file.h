// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/torch_state_dict.h"
#include "core/checkpoint/zip_streams.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace core {

/// One opened file of torch.save. Safe to share between threads.
class TorchFile {
  public:
    explicit TorchFile(File file);

    /// In the order of the state dict; `offset` is 0 where a tensor's bytes do not lie in the file
    /// one after the other.
    std::span<const TensorInfo> tensors() const noexcept { return infos_; }
    const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Elements [begin, begin + count) of tensor number `tensor`, row-major, little-endian.
    void read(std::size_t tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const;

  private:
    struct Source {
        StridedView view;
        const TorchStorage* storage = nullptr;
    };
    File file_;
    std::map<std::string, TorchStorage, std::less<>> storages_;
    bool bigEndian_ = false;
    std::vector<TensorInfo> infos_;
    std::vector<Source> sources_;
    std::vector<std::string> notes_;
    mutable ZipStreams packed_;
};

}  // namespace core
