// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/diff_job.h"

#include "core/run/run_directory.h"
#include "ui/document/background.h"
#include "ui/models/tensor_model.h"

#include <QFile>

#include <utility>

namespace ui {
namespace {

constexpr int kTellMs = 80;

std::shared_ptr<const core::Checkpoint> openModelOf(const QString& model) {
    return core::Checkpoint::open(core::resolveModel(QFile::encodeName(model).toStdString()));
}

}  // namespace

DiffJob::DiffJob(QObject* parent) : QObject(parent) {
    pool_.setMaxThreadCount(1);
    timer_.setInterval(kTellMs);
    connect(&timer_, &QTimer::timeout, this, &DiffJob::tellProgress);
}

DiffJob::~DiffJob() {
    cancel();
    pool_.waitForDone();
}

void DiffJob::cancel() {
    ++generation_;
    if (cancelled_) cancelled_->store(true);
    end();
}

void DiffJob::end() {
    running_ = false;
    timer_.stop();
}

void DiffJob::start(const QString& a, const QString& b) {
    cancel();
    running_ = true;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    progress_ = std::make_shared<Progress>();
    timer_.start();
    runInBackground(
        this, &pool_,
        [a, b, cancelled = cancelled_, progress = progress_] {
            auto pair = std::make_shared<Pair>();
            pair->a = openModelOf(a);
            pair->b = openModelOf(b);
            const auto report = [&](const core::DiffProgress& now) {
                const std::lock_guard lock(progress->mutex);
                progress->done = now.done;
                progress->total = now.total;
                progress->name = now.name;
            };
            pair->diff = core::diffCheckpoints(*pair->a, *pair->b, {}, report, *cancelled);
            pair->blocks = core::findExpertBlocks(*pair->a, *pair->b);
            return std::shared_ptr<const Pair>(std::move(pair));
        },
        [this, generation = generation_](const Outcome<std::shared_ptr<const Pair>>& outcome) {
            if (generation != generation_) return;
            if (!outcome.value) {
                end();
                Q_EMIT failed(outcome.error);
                return;
            }
            Q_EMIT compared((*outcome.value)->diff);
            if (generation == generation_) compareExperts(*outcome.value, 0);
        });
}

void DiffJob::compareExperts(const std::shared_ptr<const Pair>& pair, std::size_t block) {
    if (block == pair->blocks.size()) {
        end();
        Q_EMIT finished();
        return;
    }
    {
        const std::lock_guard lock(progress_->mutex);
        progress_->done = block;
        progress_->total = pair->blocks.size();
        progress_->name = pair->blocks[block].block;
    }
    runInBackground(
        this, &pool_,
        [pair, block, cancelled = cancelled_] {
            return core::cosinesOf(*pair->a, *pair->b, pair->blocks[block], *cancelled);
        },
        [this, pair, block, generation = generation_](const Outcome<core::ExpertCosines>& outcome) {
            if (generation != generation_) return;
            if (!outcome.value) {
                end();
                Q_EMIT failed(outcome.error);
                return;
            }
            Q_EMIT expertsCompared(*outcome.value);
            if (generation == generation_) compareExperts(pair, block + 1);
        });
}

void DiffJob::tellProgress() {
    double share = 0;
    QString name;
    {
        const std::lock_guard lock(progress_->mutex);
        if (progress_->total > 0)
            share = static_cast<double>(progress_->done) / static_cast<double>(progress_->total);
        name = printableText(progress_->name);
    }
    Q_EMIT progressed(share, name);
}

}  // namespace ui
