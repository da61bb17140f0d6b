// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/run/event.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// Follows a growing events.jsonl: each poll gives the whole lines that came since. A torn last
/// line waits; a file that does not exist yet is empty; one that became shorter is read again from
/// its beginning. A second `hello` means a resumed run: events after its step are void
/// (`cutAfterStep`).
class EventTail {
  public:
    /// `offset`: where to begin; inside a line, that line is skipped silently.
    explicit EventTail(Path file, std::uint64_t offset = 0);
    struct Batch {
        std::vector<Event> events;
        std::uint64_t skipped = 0;  ///< malformed lines
    };
    /// At most `maxBytes` of the file per call; call again while it returns events. A newer schema
    /// in `hello` throws BadInput.
    Batch poll(std::uint64_t maxBytes = 4ULL << 20);

    /// Whether the last poll left nothing but a torn line behind.
    bool atEnd() const noexcept { return atEnd_; }

  private:
    void take(std::string_view line, Batch& batch);

    Path path_;
    std::uint64_t offset_ = 0;
    std::string rest_;
    bool partial_ = false;  ///< began inside a line that is not to be reported
    bool atEnd_ = false;
};

/// Removes the events that a resume at `step` makes void: those with a larger step, except hello,
/// order and error events (they happened).
void cutAfterStep(std::vector<Event>& events, std::int64_t step);

}  // namespace core
