// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/train/tokenizer_job.h"

#include <QDialog>
#include <QString>

class QCheckBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QToolButton;
class QVBoxLayout;

namespace ui {

class ElidedLabel;
class Field;
class MessageBar;

/// What the dialog begins with.
struct TokenizerProposal {
    QString source;             ///< of the form; texts or not
    QString field;              ///< of a JSONL line
    QString own;                ///< file name of the tokenizer that the model has; may be empty
    std::int64_t modelIds = 0;  ///< the model's vocabulary
};

/// Trains a SentencePiece model on a person's texts, as `upcycle tokenizer train` does. Says before
/// it starts whether the model has room for it, never replaces a file, can be cancelled.
class TokenizerDialog : public QDialog {
    Q_OBJECT

  public:
    TokenizerDialog(const TokenizerProposal& proposal, QWidget* parent);

    TokenizerOrder order() const;
    bool isRunning() const { return job_.isRunning(); }

  public Q_SLOTS:
    void start();
    /// Cancels what runs; closes when nothing does, or when a cancel is under way.
    void reject() override;

  Q_SIGNALS:
    /// The tokenizer is whole at this path.
    void trained(const QString& path);

  private:
    void build(const TokenizerProposal& proposal);
    void buildFields(QVBoxLayout& column);
    QHBoxLayout* buildButtons();
    void refresh();
    bool judgeTexts();
    bool judgeVocabulary();
    bool judgeTarget();
    void setRunning(bool running);
    void showProgress(qint64 sentences, bool learning);
    void finish(const core::TrainedTokenizer& made, const QString& description);
    void fail(const ErrorText& error);

    std::int64_t modelIds_;
    TokenizerJob job_;
    MessageBar* messages_;
    QLineEdit *source_, *line_, *target_;
    QSpinBox* vocabulary_;
    QCheckBox* bytes_;
    QToolButton *files_, *folder_, *browse_;
    Field *sourceField_ = nullptr, *lineField_ = nullptr, *vocabularyField_ = nullptr,
          *targetField_ = nullptr;
    QLabel* room_;
    QProgressBar* progress_;
    ElidedLabel* progressText_;
    QPushButton *cancel_, *train_;
    bool cancelled_ = false, done_ = false;
};

/// Most pieces that a model of so many ids has room for, the usual sentinels behind them.
std::int64_t mostPieces(std::int64_t modelIds);

/// Where a tokenizer for these texts goes: beside them, under a name that is free.
QString proposedTokenizerFile(const QString& source);

}  // namespace ui
