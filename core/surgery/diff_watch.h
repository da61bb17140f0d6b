// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/diff.h"

namespace core {

/// Counts what a comparison has read, tells it on, and ends it when that is asked for.
class DiffWatch {
  public:
    DiffWatch(const std::function<void(const DiffProgress&)>& progress,
              const std::atomic<bool>& cancel)
        : report_(progress), cancel_(cancel) {}

    void expect(std::uint64_t bytes) { progress_.total += bytes; }
    /// What is read from now on.
    void begin(std::string_view name) { progress_.name = name; }
    /// Throws Stopped when the comparison is cancelled.
    void add(std::uint64_t bytes);
    const std::atomic<bool>& cancel() const { return cancel_; }

  private:
    const std::function<void(const DiffProgress&)>& report_;
    const std::atomic<bool>& cancel_;
    DiffProgress progress_;
};

}  // namespace core
