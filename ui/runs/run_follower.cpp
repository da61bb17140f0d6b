// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_follower.h"

#include "ui/document/background.h"

#include <QThreadPool>

#include <utility>

namespace ui {
namespace {

constexpr std::uint64_t kPieceBytes = 1U << 20;
constexpr int kLiveMs = 250;
constexpr int kQuietMs = 2000;

}  // namespace

struct RunFollower::Opened {
    core::RunDirectory directory;
    core::JobSpec job;
};

struct RunFollower::Polled {
    core::EventTail::Batch batch;
    bool alive = false;
    bool atEnd = false;
};

RunFollower::RunFollower(QObject* parent) : QObject(parent) {
    timer_.setSingleShot(true);
    connect(&timer_, &QTimer::timeout, this, &RunFollower::poll);
}

void RunFollower::open(const QString& path) {
    close();
    const quint64 generation = generation_;
    const core::Path folder = path.toStdString();
    runInBackground(
        this, QThreadPool::globalInstance(),
        [folder] {
            core::RunDirectory directory = core::RunDirectory::open(folder);
            core::JobSpec job = directory.job();
            return Opened{std::move(directory), std::move(job)};
        },
        [this, generation](Outcome<Opened> outcome) {
            if (generation != generation_) return;
            if (!outcome.value) {
                Q_EMIT failed(outcome.error);
                return;
            }
            run_ = std::move(outcome.value->directory);
            job_ = std::move(outcome.value->job);
            tail_ = std::make_shared<core::EventTail>(run_->eventsFile());
            Q_EMIT opened();
            poll();
        });
}

void RunFollower::close() {
    ++generation_;
    timer_.stop();
    run_.reset();
    metrics_ = {};
    tail_.reset();
    alive_ = false;
    caughtUp_ = false;
    polling_ = false;
}

void RunFollower::setWatched(bool watched) {
    if (watched == watched_) return;
    watched_ = watched;
    if (watched_) pollSoon();
}

void RunFollower::pollSoon() {
    if (isOpen() && !polling_) timer_.start(0);
}

void RunFollower::poll() {
    if (!isOpen() || polling_) return;
    polling_ = true;
    const quint64 generation = generation_;
    runInBackground(
        this, QThreadPool::globalInstance(),
        [tail = tail_, lock = run_->lockFile()] {
            Polled polled;
            polled.alive = core::FileLock::isHeld(lock);
            polled.batch = tail->poll(kPieceBytes);
            polled.atEnd = tail->atEnd();
            return polled;
        },
        [this, generation](Outcome<Polled> outcome) {
            if (generation != generation_) return;
            polling_ = false;
            if (outcome.value) {
                take(std::move(*outcome.value));
            } else {
                Q_EMIT failed(outcome.error);
            }
        });
}

void RunFollower::take(Polled polled) {
    const bool changes =
        !polled.batch.events.empty() || polled.alive != alive_ || (polled.atEnd && !caughtUp_);
    alive_ = polled.alive;
    caughtUp_ = polled.atEnd;
    for (const core::Event& event : polled.batch.events) metrics_.apply(event);
    if (changes) Q_EMIT changed();
    if (!isOpen()) return;
    if (caughtUp_) {
        timer_.start(alive_ && watched_ ? kLiveMs : kQuietMs);
    } else {
        poll();
    }
}

std::optional<double> RunFollower::secondsLeft() const {
    const double pace = metrics_.secondsPerStep();
    if (pace <= 0 || metrics_.step() >= steps()) return std::nullopt;
    return pace * static_cast<double>(steps() - metrics_.step());
}

}  // namespace ui
