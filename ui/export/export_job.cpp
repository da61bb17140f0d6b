// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/export_job.h"

#include "core/run/export.h"
#include "ui/document/background.h"
#include "ui/models/tensor_model.h"

#include <atomic>
#include <mutex>
#include <utility>

namespace ui {
namespace {

constexpr int kPollMs = 100;

}  // namespace

struct ExportJob::Shared {
    std::atomic<bool> cancel{false};
    std::mutex mutex;
    core::ConvertProgress progress;
};

ExportJob::ExportJob(QObject* parent) : QObject(parent), shared_(std::make_shared<Shared>()) {
    pool_.setMaxThreadCount(1);
    timer_.setInterval(kPollMs);
    connect(&timer_, &QTimer::timeout, this, &ExportJob::poll);
}

ExportJob::~ExportJob() {
    cancel();
    pool_.waitForDone();
}

void ExportJob::cancel() { shared_->cancel.store(true); }

void ExportJob::start(std::shared_ptr<const OpenedModel> model, core::SurgeryPlan plan,
                      core::Path target, core::ConvertOptions options) {
    CORE_CHECK(!running_, "one export at a time");
    running_ = true;
    shared_ = std::make_shared<Shared>();
    timer_.start();
    runInBackground(
        this, &pool_,
        [shared = shared_, model = std::move(model), plan = std::move(plan),
         target = std::move(target), options = std::move(options)] {
            return core::exportCheckpoint(
                *model->checkpoint, plan, target, options,
                [&shared](const core::ConvertProgress& progress) {
                    const std::lock_guard lock(shared->mutex);
                    shared->progress = progress;
                },
                shared->cancel);
        },
        [this](const Outcome<core::ConvertResult>& outcome) {
            timer_.stop();
            running_ = false;
            if (outcome.value) {
                poll();
                Q_EMIT finished(*outcome.value);
            } else {
                Q_EMIT failed(outcome.error);
            }
        });
}

void ExportJob::poll() {
    core::ConvertProgress progress;
    {
        const std::lock_guard lock(shared_->mutex);
        progress = shared_->progress;
    }
    Q_EMIT progressed(progress.bytesDone, progress.bytesTotal, printableText(progress.tensor));
}

}  // namespace ui
