// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/control.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace core {

/// While it lives, a thread looks out for what ends a trainer that is only starting: a request
/// (signal), or an order to stop. Other orders are left to the trainer's loop.
class StartCancel {
  public:
    /// `orders`: what has not been obeyed yet.
    explicit StartCancel(OrderReader orders);
    ~StartCancel();
    StartCancel(const StartCancel&) = delete;
    StartCancel& operator=(const StartCancel&) = delete;

    const std::atomic<bool>& flag() const noexcept { return cancel_; }

  private:
    void watch();
    void look();

    OrderReader orders_;
    std::atomic<bool> cancel_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace core
