// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace core {

/// Arena for one step's activations: bump allocation from large chunks that are kept between steps,
/// so the loop allocates nothing once the first step has shown the need. Not thread-safe. Tensors
/// made here are valid until `reset()` or until the `Scope` in which they were made ends.
class Workspace {
  public:
    using Allocator = std::function<std::shared_ptr<Buffer>(std::size_t bytes)>;
    explicit Workspace(Allocator allocator = allocateHost);

    /// Uninitialised, aligned to 64 bytes.
    Tensor allocate(Shape shape, DType dtype = DType::F32);

    /// Makes the first chunk this large, where nothing has been allocated yet: no step that fits it
    /// allocates anything.
    void reserve(std::size_t bytes);

    /// Everything is free again; after a growing step the chunks become one of the size that was
    /// needed.
    void reset();

    /// Gives back, at its end, all that was allocated during its life. Scopes nest.
    class Scope {
      public:
        explicit Scope(Workspace& workspace);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        Workspace& workspace_;
        std::size_t chunk_;
        std::size_t used_;
    };

    std::size_t capacityBytes() const noexcept;
    /// Largest sum of live bytes so far.
    std::size_t peakBytes() const noexcept { return peak_; }

  private:
    struct Chunk {
        std::shared_ptr<Buffer> buffer;
        std::size_t used = 0;
    };
    std::size_t liveBytes() const noexcept;

    Allocator allocator_;
    std::vector<Chunk> chunks_;
    std::size_t current_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace core
