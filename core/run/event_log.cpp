// SPDX-License-Identifier: Apache-2.0
#include "core/run/event_log.h"

#include "core/run/clock_internal.h"
#include "core/run/lines.h"

#include <exception>
#include <utility>

namespace core {

EventLog::EventLog(const Path& file, std::function<void(const Event&)> observer)
    : file_(File::openForAppending(file)), observer_(std::move(observer)) {}

double EventLog::now() { return unixSeconds(); }

void EventLog::record(const Event& event) { appendLine(file_, toJsonLine(event)); }

void EventLog::writeUnseen(std::int64_t step, HelloEvent what) {
    record(Event{now(), step, std::move(what)});
}

void EventLog::tryWrite(std::int64_t step, ErrorEvent what) noexcept {
    try {
        write(step, std::move(what));
    } catch (const std::exception&) {
        return;  // no room for last words: whoever started the trainer hears the error itself
    }
}

}  // namespace core
