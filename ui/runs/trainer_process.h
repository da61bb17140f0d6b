// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <string>

namespace ui {

/// The trainer of a run, started detached: it outlives the window. It answers through the run
/// directory alone; only until it has taken the run's lock its process is looked at, to notice one
/// that could not even begin.
class TrainerProcess {
  public:
    /// `upcycle` beside the application.
    static QString program();

    /// Starts `upcycle train RUN`, its stderr appended to RUN/trainer.log. Throws core::Error when
    /// the program is not there or cannot be started.
    explicit TrainerProcess(const core::Path& run);

    /// The process exists and is not a zombie.
    bool isRunning() const;

    /// The last "upcycle: ..." line that this trainer wrote to its log, and its hint; empty when
    /// there is none.
    struct LastWords {
        std::string message, hint;
    };
    std::optional<LastWords> lastWords() const;

  private:
    core::Path log_;
    std::uint64_t logBegin_ = 0;
    std::int64_t pid_ = 0;
};

}  // namespace ui
