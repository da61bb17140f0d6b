// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <fmt/format.h>

namespace core {

Error::Error(ErrorKind kind, const std::string& message, std::string hint)
    : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

std::string_view errorKindName(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::Usage:
            return "usage";
        case ErrorKind::BadInput:
            return "bad-input";
        case ErrorKind::Device:
            return "device";
        case ErrorKind::OutOfMemory:
            return "out-of-memory";
        case ErrorKind::DiskFull:
            return "disk-full";
        case ErrorKind::Stopped:
            return "stopped";
        case ErrorKind::Internal:
            break;
    }
    return "internal";
}

int exitCode(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::Usage:
            return 2;
        case ErrorKind::BadInput:
            return 3;
        case ErrorKind::Device:
            return 4;
        case ErrorKind::OutOfMemory:
        case ErrorKind::DiskFull:
            return 5;
        case ErrorKind::Stopped:
            return 6;
        case ErrorKind::Internal:
            break;
    }
    return 1;
}

void checkFailed(const char* condition, const char* file, int line, const std::string& text) {
    throw CheckFailure(fmt::format("{}:{}: check failed: {}: {}", file, line, condition, text));
}

}  // namespace core
