// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/tokenizer_job.h"

#include "core/data/text_documents.h"
#include "core/data/tokenizer.h"
#include "ui/document/background.h"

#include <QThreadPool>

#include <atomic>
#include <optional>
#include <string>
#include <utility>

namespace ui {
namespace {

constexpr int kPollMs = 100;

struct Learnt {
    core::TrainedTokenizer trained;
    std::string description;
};

}  // namespace

struct TokenizerJob::Shared {
    std::atomic<bool> cancel{false};
    std::atomic<std::int64_t> sentences{0};
    std::atomic<bool> learning{false};
};

TokenizerJob::TokenizerJob(QObject* parent) : QObject(parent), shared_(std::make_shared<Shared>()) {
    timer_.setInterval(kPollMs);
    connect(&timer_, &QTimer::timeout, this, &TokenizerJob::poll);
}

TokenizerJob::~TokenizerJob() { cancel(); }

void TokenizerJob::cancel() { shared_->cancel.store(true); }

void TokenizerJob::start(const TokenizerOrder& order) {
    CORE_CHECK(!running_, "one tokenizer at a time");
    running_ = true;
    shared_ = std::make_shared<Shared>();
    timer_.start();
    runInBackground(
        this, QThreadPool::globalInstance(),
        [shared = shared_, order] {
            core::TextDocuments documents({order.source}, order.field);
            const auto next = [&]() -> std::optional<std::string> {
                std::optional<std::string> text = documents.next();
                if (!text) shared->learning.store(true);
                return text;
            };
            Learnt learnt;
            learnt.trained = core::trainTokenizer(
                next, order.training, order.path,
                [&](std::int64_t sentences) { shared->sentences.store(sentences); },
                shared->cancel);
            learnt.description = core::Tokenizer::open(order.path)->description();
            return learnt;
        },
        [this](const Outcome<Learnt>& outcome) {
            timer_.stop();
            running_ = false;
            if (outcome.value)
                Q_EMIT finished(outcome.value->trained,
                                QString::fromStdString(outcome.value->description));
            else
                Q_EMIT failed(outcome.error);
        });
}

void TokenizerJob::poll() {
    Q_EMIT progressed(shared_->sentences.load(), shared_->learning.load());
}

}  // namespace ui
