// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/stats_loader.h"

#include "ui/document/background.h"

#include <algorithm>
#include <utility>

namespace ui {
namespace {

constexpr std::size_t kMostAtOnce = 64;
constexpr std::uint64_t kBytesAtOnce = 16ULL << 20U;

}  // namespace

StatsLoader::StatsLoader(QObject* parent) : QObject(parent) { pool_.setMaxThreadCount(1); }

StatsLoader::~StatsLoader() {
    interrupt();
    pool_.waitForDone();
}

void StatsLoader::setModel(const std::shared_ptr<const OpenedModel>& model) {
    if (model == model_) return;
    interrupt();
    ++generation_;
    busy_ = false;
    reading_.clear();
    model_ = model;
    known_.clear();
    failed_.clear();
    first_.reset();
    wanted_.clear();
    next_ = 0;
    Q_EMIT changed();
}

void StatsLoader::setFirst(std::optional<std::size_t> tensor) {
    first_ = tensor && isKnown(*tensor) ? std::nullopt : tensor;
    if (!first_ && !running_) interrupt();
    if (!first_) return;
    const bool beingRead = std::find(reading_.begin(), reading_.end(), *first_) != reading_.end();
    if (busy_ && !beingRead) interrupt();
    readNext();
}

void StatsLoader::setWanted(std::vector<std::size_t> tensors) {
    wanted_ = std::move(tensors);
    next_ = 0;
    readNext();
    Q_EMIT changed();
}

void StatsLoader::setRunning(bool running) {
    if (running == running_) return;
    running_ = running;
    if (!running && !first_) interrupt();
    readNext();
    Q_EMIT changed();
}

const core::TensorStats* StatsLoader::find(std::size_t tensor) const {
    const auto found = known_.find(tensor);
    return found == known_.end() ? nullptr : &found->second;
}

const ErrorText* StatsLoader::failureOf(std::size_t tensor) const {
    const auto found = failed_.find(tensor);
    return found == failed_.end() ? nullptr : &found->second;
}

bool StatsLoader::isKnown(std::size_t tensor) const {
    return known_.contains(tensor) || failed_.contains(tensor);
}

int StatsLoader::remaining() const {
    return static_cast<int>(std::count_if(wanted_.begin() + static_cast<std::ptrdiff_t>(next_),
                                          wanted_.end(),
                                          [this](std::size_t tensor) { return !isKnown(tensor); }));
}

void StatsLoader::interrupt() {
    if (cancelled_) cancelled_->store(true);
}

std::vector<std::size_t> StatsLoader::nextBatch() {
    if (first_) return {*first_};
    std::vector<std::size_t> batch;
    if (!running_) return batch;
    while (next_ < wanted_.size() && isKnown(wanted_[next_])) ++next_;
    std::uint64_t bytes = 0;
    for (std::size_t i = next_; i < wanted_.size() && batch.size() < kMostAtOnce; ++i) {
        if (isKnown(wanted_[i])) continue;
        bytes += model_->checkpoint->tensors()[wanted_[i]].bytes;
        if (!batch.empty() && bytes > kBytesAtOnce) break;
        batch.push_back(wanted_[i]);
    }
    return batch;
}

std::vector<StatsLoader::Result> StatsLoader::read(const OpenedModel& model,
                                                   const std::vector<std::size_t>& tensors,
                                                   const std::atomic<bool>& cancel) {
    std::vector<Result> results;
    for (const std::size_t tensor : tensors) {
        if (cancel) break;
        const core::TensorInfo& info = model.checkpoint->tensors()[tensor];
        Result result{tensor, model.statsCache->find(info), {}};
        if (!result.stats) {
            try {
                result.stats = core::computeStats(*model.checkpoint, info, cancel);
                if (cancel) break;  // it may be of a part alone
                model.statsCache->keep(info, *result.stats);
            } catch (...) {
                result.error = errorTextOf(std::current_exception());
            }
        }
        results.push_back(std::move(result));
    }
    return results;
}

void StatsLoader::readNext() {
    if (busy_ || !model_) return;
    reading_ = nextBatch();
    if (reading_.empty()) return;
    busy_ = true;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    runInBackground(
        this, &pool_,
        [model = model_, tensors = reading_, cancelled = cancelled_] {
            return read(*model, tensors, *cancelled);
        },
        [this, generation = generation_](const Outcome<std::vector<Result>>& outcome) {
            if (generation != generation_) return;
            busy_ = false;
            reading_.clear();
            take(outcome.value.value_or(std::vector<Result>()));
            readNext();
            Q_EMIT changed();
        });
}

void StatsLoader::take(const std::vector<Result>& results) {
    std::vector<std::size_t> tensors;
    for (const Result& result : results) {
        tensors.push_back(result.tensor);
        if (first_ == result.tensor) first_.reset();
        if (result.stats)
            known_[result.tensor] = *result.stats;
        else
            failed_[result.tensor] = result.error;
    }
    if (!tensors.empty()) Q_EMIT ready(tensors);
}

}  // namespace ui
