// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/run/event.h"

#include <functional>

namespace core {

/// The trainer's side of events.jsonl: one write a line, in order, each shown to the observer as
/// well. A torn last line of a killed trainer is ended first.
class EventLog {
  public:
    EventLog(const Path& file, std::function<void(const Event&)> observer);

    /// Throws DiskFull when the line does not fit.
    template <typename T>
    void write(std::int64_t step, T what) {
        const Event event{now(), step, std::move(what)};
        record(event);
        if (observer_) observer_(event);
    }
    /// The observer is not shown this one: the hello of a trainer that ends before it begins.
    void writeUnseen(std::int64_t step, HelloEvent what);
    /// `write` without throwing: for the last words of a failing trainer.
    void tryWrite(std::int64_t step, ErrorEvent what) noexcept;

  private:
    static double now();
    void record(const Event& event);

    File file_;
    std::function<void(const Event&)> observer_;
};

}  // namespace core
