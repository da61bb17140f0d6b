// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/diff.h"
#include "ui/document/error_text.h"

#include <QObject>
#include <QString>
#include <QThreadPool>
#include <QTimer>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ui {

/// Compares two checkpoints on a thread of its own: first all tensors and the story, then the
/// experts of one MoE block after the other. A new comparison cancels the one before.
class DiffJob : public QObject {
    Q_OBJECT

  public:
    explicit DiffJob(QObject* parent);
    /// Cancels and waits for the thread (one bounded piece of reading).
    ~DiffJob() override;

    /// MODELs of the command line. Ends in `failed`, or in `compared` and then `finished`; cancel()
    /// ends it without a word.
    void start(const QString& a, const QString& b);
    void cancel();
    bool isRunning() const { return running_; }

  Q_SIGNALS:
    /// 0..1 of the tensors, or of the experts; what is being read.
    void progressed(double share, const QString& name);
    void compared(const core::CheckpointDiff& diff);
    void expertsCompared(const core::ExpertCosines& cosines);
    void finished();
    void failed(const ui::ErrorText& error);

  private:
    struct Pair {
        std::shared_ptr<const core::Checkpoint> a, b;
        core::CheckpointDiff diff;
        std::vector<core::ExpertBlock> blocks;
    };
    /// Written by the thread, read by a timer.
    struct Progress {
        std::mutex mutex;
        std::uint64_t done = 0, total = 0;
        std::string name;
    };
    void compareExperts(const std::shared_ptr<const Pair>& pair, std::size_t block);
    void end();
    void tellProgress();

    QThreadPool pool_;
    QTimer timer_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
    std::shared_ptr<Progress> progress_;
    quint64 generation_ = 0;
    bool running_ = false;
};

}  // namespace ui
