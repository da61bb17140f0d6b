// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace upcycle_test {

struct Result {
    int exit = -1;  ///< exit code; 128 + N when killed by signal N
    std::string out, err;
    std::uint64_t peakBytes = 0;  ///< largest resident memory, of its children too
    double cpuSeconds = 0;        ///< it and its children computed
};

/// A pipe, read to its end by a thread: no limit of the child's files applies to it.
class Stream {
  public:
    Stream();
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// The child's end.
    int descriptor() const { return ends_[1]; }
    /// After the fork: begins to read.
    void collect();
    std::string soFar();
    /// Waits until every writer has closed it.
    std::string whole();

  private:
    std::array<int, 2> ends_{-1, -1};
    std::mutex mutex_;
    std::string text_;
    std::thread reader_;
};

/// How the child is started.
struct Setting {
    std::optional<std::uint64_t> largestFile = {};  ///< RLIMIT_FSIZE: a disk that fills
    bool asNobody = false;                          ///< without root's rights
    std::vector<std::pair<std::string, std::string>> environment = {};
    std::string output = {};  ///< an existing file (a device) to be stdout
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
    /// Whether SIGINT waits, as it does while the program is being loaded.
    bool holdsSignals() const;
    /// What it has written to stdout until now.
    std::string outputSoFar() { return out_.soFar(); }
    /// Waits for the end (killed after two minutes) and collects what it wrote.
    Result wait();

  private:
    bool poll();

    pid_t pid_ = -1;
    int status_ = 0;
    rusage usage_{};
    bool ended_ = false;
    Stream out_, err_;
};

/// Runs `upcycle ARGUMENTS` to its end.
Result upcycle(const std::vector<std::string>& arguments, const Setting& setting = {});

/// Path of the executable.
std::string programPath();

}  // namespace upcycle_test
