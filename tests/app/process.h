// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace upcycle_test {

struct Result {
    int exit = -1;  ///< exit code; 128 + N when killed by signal N
    std::string out, err;
};

/// How the child is started.
struct Setting {
    std::optional<std::uint64_t> largestFile = {};  ///< RLIMIT_FSIZE: a disk that fills
    bool asNobody = false;                          ///< without root's rights
    std::vector<std::pair<std::string, std::string>> environment = {};
};

/// A running `upcycle`; killed when it goes out of scope.
class Process {
  public:
    explicit Process(const std::vector<std::string>& arguments, const Setting& setting = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    bool isRunning();
    void signal(int number) const;
    /// Waits for the end (killed after two minutes) and collects what it wrote.
    Result wait();

  private:
    bool poll();

    pid_t pid_ = -1;
    int status_ = 0;
    bool ended_ = false;
    core::Path folder_;
};

/// Runs `upcycle ARGUMENTS` to its end.
Result upcycle(const std::vector<std::string>& arguments, const Setting& setting = {});

/// Path of the executable.
std::string programPath();

}  // namespace upcycle_test
