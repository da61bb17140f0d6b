// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/tensor_stats.h"
#include "ui/document/error_text.h"
#include "ui/document/opened_model.h"

#include <QObject>
#include <QThreadPool>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace ui {

/// Statistics of a checkpoint's tensors, read in the background on a thread of its own: the one
/// that is asked for first, then those that are wanted, in their order. What is known stays known
/// while the model is open, and in the cache on disk after it.
class StatsLoader : public QObject {
    Q_OBJECT

  public:
    explicit StatsLoader(QObject* parent);
    /// Cancels and waits for the thread (one bounded piece of reading).
    ~StatsLoader() override;

    /// Forgets everything of another model.
    void setModel(const std::shared_ptr<const OpenedModel>& model);
    /// To be read before all others, also while paused; empty: none. What is being read stops for
    /// it and is read later.
    void setFirst(std::optional<std::size_t> tensor);
    /// To be read in this order, in place of those that were wanted before.
    void setWanted(std::vector<std::size_t> tensors);
    /// Whether wanted tensors are read; at first they are not.
    void setRunning(bool running);
    bool isRunning() const { return running_; }

    /// nullptr while it is not known.
    const core::TensorStats* find(std::size_t tensor) const;
    /// nullptr unless reading it failed.
    const ErrorText* failureOf(std::size_t tensor) const;
    bool isBusy() const { return busy_; }
    /// How many of the wanted tensors are not read.
    int remaining() const;

  Q_SIGNALS:
    /// These are known, or their failure is.
    void ready(const std::vector<std::size_t>& tensors);
    /// Reading began or ended, or there are other tensors to read.
    void changed();

  private:
    struct Result {
        std::size_t tensor = 0;
        std::optional<core::TensorStats> stats;
        ErrorText error;
    };
    bool isKnown(std::size_t tensor) const;
    std::vector<std::size_t> nextBatch();
    void readNext();
    void interrupt();
    void take(const std::vector<Result>& results);
    static std::vector<Result> read(const OpenedModel& model,
                                    const std::vector<std::size_t>& tensors,
                                    const std::atomic<bool>& cancel);

    QThreadPool pool_;
    std::shared_ptr<const OpenedModel> model_;
    std::map<std::size_t, core::TensorStats> known_;
    std::map<std::size_t, ErrorText> failed_;
    std::optional<std::size_t> first_;
    std::vector<std::size_t> wanted_;
    std::size_t next_ = 0;  ///< all wanted tensors before it are known
    std::vector<std::size_t> reading_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
    quint64 generation_ = 0;
    bool running_ = false;
    bool busy_ = false;
};

}  // namespace ui
