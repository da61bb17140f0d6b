// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace core {

/// What kind of thing went wrong; decides the exit code of `upcycle` and the icon in the window.
enum class ErrorKind { Usage, BadInput, Device, OutOfMemory, DiskFull, Stopped, Internal };

/// Everything a user can cause (file, config, data, device, memory, disk): `what()` says where,
/// what was found and what was expected; `hint()` says what to do. One sentence each, no trailing
/// newline.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message, std::string hint = {});

    ErrorKind kind() const noexcept { return kind_; }
    const std::string& hint() const noexcept { return hint_; }

  private:
    ErrorKind kind_;
    std::string hint_;
};

/// Stable machine word: "usage", "bad-input", "device", "out-of-memory", "disk-full", "stopped",
/// "internal".
std::string_view errorKindName(ErrorKind kind) noexcept;

/// 2 usage, 3 bad input, 4 device, 5 out of memory or disk, 6 stopped by request, 1 anything else.
int exitCode(ErrorKind kind) noexcept;

/// A broken precondition in our own code; never caused by input.
class CheckFailure : public std::logic_error {
    using std::logic_error::logic_error;
};

[[noreturn]] void checkFailed(const char* condition, const char* file, int line,
                              const std::string& text);

}  // namespace core

/// Programmer errors only. `text` is evaluated when the condition fails.
#define CORE_CHECK(condition, text)                                                  \
    do {                                                                             \
        if (!(condition)) ::core::checkFailed(#condition, __FILE__, __LINE__, text); \
    } while (false)
