// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace upcycle {

/// Progress on stderr: a bar that is drawn over itself on a terminal (at most ten times a second),
/// a line every few seconds otherwise. Nothing at all for what is done quickly.
class Progress {
  public:
    explicit Progress(std::string label);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `done` of `total` (any unit; 0 = nobody knows: no bar then); `detail` stands behind the bar.
    void update(double done, double total, const std::string& detail = {});
    /// Takes the bar away, so that other text can be printed.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    std::string label_;
    bool terminal_;
    bool drawn_ = false;
    Clock::time_point begin_;
    Clock::time_point last_;
};

}  // namespace upcycle
