// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/shared_memory.h"

#include "tests/gpu/simt/device.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(SIMT_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace simt {
namespace {

constexpr std::size_t kMargin = 1024;
constexpr std::size_t kMost = 228 << 10;
constexpr unsigned char kMark = 0xA5;
constexpr unsigned char kPoison = 0xFF;

std::size_t bytesOfBlock = 0;

/// margin, the block's bytes, margin
unsigned char* memory() {
    static const std::unique_ptr<unsigned char[]> kept = [] {
        auto made = std::make_unique<unsigned char[]>(kMost + 2 * kMargin + 128);
        return made;
    }();
    auto address = reinterpret_cast<std::uintptr_t>(kept.get());
    return kept.get() + (128 - address % 128) % 128;
}

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(bytes) {
    unsigned char* const all = memory();
    bytesOfBlock = bytes;
    std::memset(all, kMark, kMargin);
    std::memset(all + kMargin, kPoison, bytes);
    std::memset(all + kMargin + bytes, kMark, kMargin);
#if defined(SIMT_ADDRESS_SANITIZER)
    ASAN_POISON_MEMORY_REGION(all, kMargin);
    ASAN_POISON_MEMORY_REGION(all + kMargin + bytes, kMargin);
#endif
}

SharedMemory::~SharedMemory() {
#if defined(SIMT_ADDRESS_SANITIZER)
    ASAN_UNPOISON_MEMORY_REGION(memory(), kMost + 2 * kMargin);
#endif
}

std::string SharedMemory::damage() const {
#if !defined(SIMT_ADDRESS_SANITIZER)
    const unsigned char* const all = memory();
    for (std::size_t i = 0; i < kMargin; ++i) {
        if (all[kMargin - 1 - i] != kMark)
            return "shared memory was written " + std::to_string(i + 1) + " bytes before its begin";
        if (all[kMargin + bytes_ + i] != kMark)
            return "shared memory was written " + std::to_string(i + 1) +
                   " bytes behind its end (" + std::to_string(bytes_) + " bytes)";
    }
#endif
    return {};
}

bool inSharedMemory(const void* address, std::size_t bytes) {
    const auto first = reinterpret_cast<std::uintptr_t>(sharedMemory());
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= first && at + bytes <= first + bytesOfBlock;
}

void* sharedMemory() { return memory() + kMargin; }

}  // namespace simt
