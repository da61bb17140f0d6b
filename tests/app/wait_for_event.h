// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/app/workshop.h"

#include <chrono>
#include <thread>
#include <variant>

namespace upcycle_test {

template <typename F>
bool waitUntil(F test) {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(60)) {
        if (test()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

template <typename T, typename F>
bool waitForEvent(const core::Path& run, F test, std::size_t from) {
    return waitUntil([&] {
        const std::vector<core::Event> events = eventsOf(run);
        for (std::size_t i = from; i < events.size(); ++i)
            if (const T* what = std::get_if<T>(&events[i].what);
                what != nullptr && test(events[i], *what))
                return true;
        return false;
    });
}

}  // namespace upcycle_test
