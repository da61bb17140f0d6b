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

namespace ui {

/// Statistics of one tensor at a time, computed on a thread of its own. A new request cancels the
/// one before, whose result is dropped; results are kept while the same model is asked about.
class StatsLoader : public QObject {
    Q_OBJECT

  public:
    explicit StatsLoader(QObject* parent);
    /// Cancels and waits for the thread (one bounded piece of reading).
    ~StatsLoader() override;

    /// Ends in `ready` (at once when known) or `failed`, unless another request or cancel() comes.
    void request(const std::shared_ptr<const OpenedModel>& model, std::size_t tensor);
    void cancel();
    bool isBusy() const { return busy_; }

  Q_SIGNALS:
    void ready(std::size_t tensor, const core::TensorStats& stats);
    void failed(std::size_t tensor, const ui::ErrorText& error);

  private:
    QThreadPool pool_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
    std::shared_ptr<const OpenedModel> model_;
    std::map<std::size_t, core::TensorStats> known_;
    quint64 generation_ = 0;
    bool busy_ = false;
};

}  // namespace ui
