// SPDX-License-Identifier: Apache-2.0
#include "core/run/event_tail.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;

}  // namespace

EventTail::EventTail(Path file, std::uint64_t offset)
    : path_(std::move(file)), offset_(offset), partial_(offset > 0) {}

void EventTail::take(std::string_view line, Batch& batch) {
    if (std::exchange(partial_, false) || line.empty()) return;
    std::optional<Event> event = eventFromJsonLine(line);
    if (!event) {
        ++batch.skipped;
        return;
    }
    if (const auto* hello = std::get_if<HelloEvent>(&event->what);
        hello != nullptr && hello->schema > kEventSchema)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has event schema {}, newer than the {} that this program reads",
                                path_.string(), hello->schema, kEventSchema),
                    "use a newer version of upcycle");
    batch.events.push_back(std::move(*event));
}

EventTail::Batch EventTail::poll(std::uint64_t maxBytes) {
    Batch batch;
    atEnd_ = true;
    std::error_code missing;
    if (!std::filesystem::exists(path_, missing)) return batch;
    const File file = File::openForReading(path_);
    const std::uint64_t size = file.size();
    if (size < offset_) {
        offset_ = 0;
        rest_.clear();
        partial_ = false;
    }
    const std::uint64_t wanted = std::min(size - offset_, maxBytes);
    atEnd_ = wanted == size - offset_;
    const std::size_t before = rest_.size();
    rest_.resize(before + wanted);
    file.readAt(offset_, std::as_writable_bytes(std::span(rest_)).subspan(before));
    offset_ += wanted;

    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n', before); end != std::string::npos;
         end = rest_.find('\n', begin)) {
        const std::string_view line(rest_.data() + begin, end - begin);
        begin = end + 1;
        take(line, batch);
    }
    rest_.erase(0, begin);
    if (rest_.size() > kLongestLine) {
        rest_.clear();
        if (!std::exchange(partial_, true)) ++batch.skipped;
    }
    return batch;
}

void cutAfterStep(std::vector<Event>& events, std::int64_t step) {
    std::erase_if(events, [step](const Event& event) {
        return event.step > step && !std::holds_alternative<HelloEvent>(event.what) &&
               !std::holds_alternative<OrderEvent>(event.what) &&
               !std::holds_alternative<ErrorEvent>(event.what);
    });
}

}  // namespace core
