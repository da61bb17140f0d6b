// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/app/workshop.h"

#include <chrono>
#include <thread>
#include <variant>

namespace upcycle_test {

template <typename T, typename F>
bool waitForEvent(const core::Path& run, F test) {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(60)) {
        for (const core::Event& event : eventsOf(run))
            if (const T* what = std::get_if<T>(&event.what); what != nullptr && test(event, *what))
                return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace upcycle_test
