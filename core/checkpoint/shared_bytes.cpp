// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/shared_bytes.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <utility>

namespace core {

SharedBytes::SharedBytes(std::size_t bytes) {
    if (bytes == 0) return;
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw Error(ErrorKind::OutOfMemory,
                    fmt::format("no memory for {}", formatBytes(static_cast<double>(bytes))),
                    "close other programs or use a machine with more memory");
    bytes_ = {static_cast<std::byte*>(memory), bytes};
}

SharedBytes::SharedBytes(SharedBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

SharedBytes& SharedBytes::operator=(SharedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

SharedBytes::~SharedBytes() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace core
