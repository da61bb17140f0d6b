// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/run/event.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// Follows a growing events.jsonl: each poll gives the whole lines that came since. A torn last
/// line waits; a file that does not exist yet is empty. A second `hello` means a resumed run:
/// events after its step are void (`cutAfterStep`).
class EventTail {
  public:
    explicit EventTail(Path file);
    struct Batch {
        std::vector<Event> events;
        std::uint64_t skipped = 0;  ///< malformed lines
    };
    /// At most `maxBytes` of the file per call; call again while it returns events. A newer schema
    /// in `hello` throws BadInput.
    Batch poll(std::uint64_t maxBytes = 4ULL << 20);

  private:
    Path path_;
    std::uint64_t offset_ = 0;
    std::string rest_;
};

}  // namespace core
