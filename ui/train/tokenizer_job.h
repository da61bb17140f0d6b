// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "core/data/tokenizer_trainer.h"
#include "ui/document/error_text.h"

#include <QObject>
#include <QTimer>

#include <memory>
#include <string>

namespace ui {

/// What a tokenizer is learnt from, and where it goes.
struct TokenizerOrder {
    std::string source;  ///< "text:PATH,..." or "jsonl:PATH,..."
    std::string field;   ///< of a JSONL line
    core::TokenizerTraining training;
    core::Path path;
};

/// One core::trainTokenizer on a pool thread. Progress is looked at ten times a second.
class TokenizerJob : public QObject {
    Q_OBJECT

  public:
    explicit TokenizerJob(QObject* parent);
    /// Cancels without waiting: SentencePiece cannot be interrupted, and its result is dropped.
    ~TokenizerJob() override;

    /// One at a time. Ends in `finished` or `failed` (kind Stopped after cancel()).
    void start(const TokenizerOrder& order);
    void cancel();
    bool isRunning() const { return running_; }

  Q_SIGNALS:
    /// Sentences read so far; `learning`: all are read, and SentencePiece computes.
    void progressed(qint64 sentences, bool learning);
    /// `description` is the tokenizer's own: its kind and sizes.
    void finished(const core::TrainedTokenizer& trained, const QString& description);
    void failed(const ui::ErrorText& error);

  private:
    struct Shared;
    void poll();

    QTimer timer_;
    std::shared_ptr<Shared> shared_;
    bool running_ = false;
};

}  // namespace ui
