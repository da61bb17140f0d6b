// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/stats_loader.h"

#include "ui/document/background.h"

namespace ui {

StatsLoader::StatsLoader(QObject* parent) : QObject(parent) { pool_.setMaxThreadCount(1); }

StatsLoader::~StatsLoader() {
    cancel();
    pool_.waitForDone();
}

void StatsLoader::cancel() {
    ++generation_;
    busy_ = false;
    if (cancelled_) cancelled_->store(true);
}

void StatsLoader::request(const std::shared_ptr<const OpenedModel>& model, std::size_t tensor) {
    cancel();
    if (model != model_) {
        model_ = model;
        known_.clear();
    }
    if (const auto found = known_.find(tensor); found != known_.end()) {
        Q_EMIT ready(tensor, found->second);
        return;
    }
    busy_ = true;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    const quint64 generation = generation_;
    runInBackground(
        this, &pool_,
        [model, tensor, cancelled = cancelled_] {
            const core::TensorInfo& info = model->checkpoint->tensors()[tensor];
            return core::computeStats(*model->checkpoint, info, *cancelled);
        },
        [this, generation, tensor](const Outcome<core::TensorStats>& outcome) {
            if (generation != generation_) return;
            busy_ = false;
            if (!outcome.value) {
                Q_EMIT failed(tensor, outcome.error);
                return;
            }
            known_[tensor] = *outcome.value;
            Q_EMIT ready(tensor, *outcome.value);
        });
}

}  // namespace ui
