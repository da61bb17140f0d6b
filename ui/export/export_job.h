// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/convert.h"
#include "ui/document/error_text.h"
#include "ui/document/opened_model.h"

#include <QObject>
#include <QThreadPool>
#include <QTimer>

#include <memory>

namespace ui {

/// One convertCheckpoint on a thread of its own. Progress is looked at ten times a second, however
/// fast it comes.
class ExportJob : public QObject {
    Q_OBJECT

  public:
    explicit ExportJob(QObject* parent);
    /// Cancels and waits until nothing half-written remains.
    ~ExportJob() override;

    /// One at a time. Ends in `finished` or `failed` (kind Stopped after cancel()).
    void start(std::shared_ptr<const OpenedModel> model, core::SurgeryPlan plan, core::Path target,
               core::ConvertOptions options);
    void cancel();
    bool isRunning() const { return running_; }

  Q_SIGNALS:
    void progressed(quint64 bytesDone, quint64 bytesTotal, const QString& tensor);
    void finished(const core::ConvertResult& result);
    void failed(const ui::ErrorText& error);

  private:
    struct Shared;
    void poll();

    QThreadPool pool_;
    QTimer timer_;
    std::shared_ptr<Shared> shared_;
    bool running_ = false;
};

}  // namespace ui
