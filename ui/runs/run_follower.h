// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/event_tail.h"
#include "core/run/job_spec.h"
#include "core/run/run_directory.h"
#include "ui/document/error_text.h"
#include "ui/runs/run_metrics.h"

#include <QObject>
#include <QString>
#include <QTimer>

#include <memory>
#include <optional>

namespace ui {

/// Follows one run directory, live or finished: reads events.jsonl in bounded pieces on a pool
/// thread, applies them here, and knows by the lock whether a trainer lives. Never waits for a
/// disk on the GUI thread.
class RunFollower : public QObject {
    Q_OBJECT

  public:
    explicit RunFollower(QObject* parent = nullptr);

    /// Ends in `opened` or `failed`; what was followed before is let go.
    void open(const QString& path);
    void close();

    bool isOpen() const noexcept { return run_.has_value(); }
    /// REQUIRES: isOpen, like everything below.
    const core::RunDirectory& directory() const { return *run_; }
    const core::JobSpec& job() const { return job_; }
    const RunMetrics& metrics() const { return metrics_; }
    core::RunPhase phase() const { return metrics_.phase(alive_); }
    bool isAlive() const noexcept { return alive_; }
    /// All that the file held when it was last read has been applied.
    bool isCaughtUp() const noexcept { return caughtUp_; }
    std::int64_t steps() const { return job_.trainer.steps; }
    /// It learns from texts, not from images.
    bool isText() const { return core::isOfTexts(job_.objective); }
    /// Seconds until the last step at the present pace; empty when it cannot be said.
    std::optional<double> secondsLeft() const;

    /// Looks often (a person is watching) or now and then.
    void setWatched(bool watched);
    /// Looks now, for example after an order was given.
    void pollSoon();

  Q_SIGNALS:
    void opened();
    void failed(const ui::ErrorText& error);
    /// Events have come, or the trainer came or went.
    void changed();

  private:
    struct Opened;
    struct Polled;
    void poll();
    void take(Polled polled);

    std::optional<core::RunDirectory> run_;
    core::JobSpec job_;
    RunMetrics metrics_;
    std::shared_ptr<core::EventTail> tail_;
    bool alive_ = false;
    bool caughtUp_ = false;
    bool watched_ = true;
    bool polling_ = false;
    quint64 generation_ = 0;
    QTimer timer_;
};

}  // namespace ui
