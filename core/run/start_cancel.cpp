// SPDX-License-Identifier: Apache-2.0
#include "core/run/start_cancel.h"

#include "core/base/error.h"
#include "core/run/stop_request.h"

#include <chrono>
#include <utility>

namespace core {
namespace {

constexpr std::chrono::milliseconds kPoll{50};

}  // namespace

StartCancel::StartCancel(OrderReader orders)
    : orders_(std::move(orders)), thread_([this] { watch(); }) {}

StartCancel::~StartCancel() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void StartCancel::watch() {
    std::unique_lock lock(mutex_);
    while (!over_ && !cancel_) {
        look();
        wake_.wait_for(lock, kPoll, [this] { return over_; });
    }
}

void StartCancel::look() {
    try {
        while (const std::optional<Order> order = orders_.next())
            if (order->command == "stop" || order->command == "stop-and-save") cancel_ = true;
    } catch (const Error&) {
        return;  // the trainer's loop reads the same file and says what is wrong
    }
    if (stopRequest() > 0) cancel_ = true;
}

}  // namespace core
