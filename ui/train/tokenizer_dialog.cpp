// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/tokenizer_dialog.h"

#include "core/data/text_files.h"
#include "core/data/tokenizer.h"
#include "ui/train/field.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/message_bar.h"

#include <QCheckBox>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>

namespace ui {
namespace {

QString count(std::int64_t number) { return QLocale().toString(static_cast<qlonglong>(number)); }

bool isOfLines(const QString& source) { return source.startsWith(QStringLiteral("jsonl:")); }

}  // namespace

std::int64_t mostPieces(std::int64_t modelIds) { return modelIds - core::kUsualSentinels; }

QString proposedTokenizerFile(const QString& source) {
    QString first = source.section(QLatin1Char(','), 0, 0);
    for (const char* kind : {"text:", "jsonl:"})
        if (first.startsWith(QLatin1String(kind))) first.remove(0, qstrlen(kind));
    QDir place(first.isEmpty() ? QDir::homePath() : QFileInfo(first).absolutePath());
    if (!QFileInfo(place.path()).isWritable()) place.setPath(QDir::homePath());
    QString file = place.filePath(QStringLiteral("spiece.model"));
    for (int number = 2; QFileInfo::exists(file); ++number)
        file = place.filePath(QStringLiteral("spiece-%1.model").arg(number));
    return file;
}

TokenizerOrder TokenizerDialog::order() const {
    TokenizerOrder order;
    order.source = source_->text().trimmed().toStdString();
    order.field = line_->text().toStdString();
    order.training.vocabulary = vocabulary_->value();
    order.training.byteFallback = bytes_->isChecked();
    const QString target = target_->text().trimmed();
    order.path = QFile::encodeName(QDir().absoluteFilePath(target)).toStdString();
    return order;
}

void TokenizerDialog::refresh() {
    lineField_->setVisible(isOfLines(source_->text().trimmed()));
    const bool texts = judgeTexts();
    const bool vocabulary = judgeVocabulary();
    const bool target = judgeTarget();
    train_->setEnabled(texts && vocabulary && target && !job_.isRunning() && !done_);
}

bool TokenizerDialog::judgeTexts() {
    const QString source = source_->text().trimmed();
    sourceField_->clearMessage();
    if (!source.startsWith(QStringLiteral("synthetic:"))) return !source.isEmpty();
    sourceField_->setMessage(tr("These tokens are made up and spell nothing: choose texts."),
                             Field::Tone::Problem);
    return false;
}

bool TokenizerDialog::judgeVocabulary() {
    const std::int64_t ids = vocabulary_->value() + core::kUsualSentinels;
    const bool fits = ids <= modelIds_;
    room_->setVisible(fits);
    room_->setText(tr("With %1 sentinels it takes %2 of the model’s %3 ids.")
                       .arg(core::kUsualSentinels)
                       .arg(count(ids), count(modelIds_)));
    vocabularyField_->clearMessage();
    if (!fits)
        vocabularyField_->setMessage(
            tr("With %1 sentinels these are %2 ids, but the model has %3: at most %4 pieces fit.")
                .arg(core::kUsualSentinels)
                .arg(count(ids), count(modelIds_), count(mostPieces(modelIds_))),
            Field::Tone::Problem);
    return fits;
}

bool TokenizerDialog::judgeTarget() {
    const QString target = target_->text().trimmed();
    targetField_->clearMessage();
    if (done_ || job_.isRunning() || !QFileInfo::exists(target)) return !target.isEmpty();
    targetField_->setMessage(tr("This name is taken, and nothing is replaced: choose a new one."),
                             Field::Tone::Problem);
    return false;
}

void TokenizerDialog::setRunning(bool running) {
    for (QWidget* part : std::initializer_list<QWidget*>{source_, line_, target_, vocabulary_,
                                                         bytes_, files_, folder_, browse_})
        part->setEnabled(!running && !done_);
    progress_->setVisible(running);
    cancel_->setEnabled(true);
    cancel_->setText(done_ ? tr("Close") : tr("Cancel"));
    refresh();
    if (running) cancel_->setFocus();
}

void TokenizerDialog::start() {
    if (!train_->isEnabled() || job_.isRunning()) return;
    cancelled_ = false;
    messages_->dismiss();
    job_.start(order());
    setRunning(true);
    showProgress(0, false);
}

void TokenizerDialog::reject() {
    if (!job_.isRunning() || cancelled_) {
        QDialog::reject();
        return;
    }
    cancelled_ = true;
    job_.cancel();
    progressText_->setText(tr("Cancelling: nothing will be written"));
    cancel_->setText(tr("Close"));
}

void TokenizerDialog::showProgress(qint64 sentences, bool learning) {
    if (cancelled_) return;
    progressText_->setText(learning ? tr("Learning %1 pieces from %2 sentences")
                                          .arg(count(vocabulary_->value()),
                                               count(std::min<std::int64_t>(
                                                   sentences, core::TokenizerTraining{}.sentences)))
                                    : tr("Reading: %1 sentences").arg(count(sentences)));
}

void TokenizerDialog::finish(const core::TrainedTokenizer& made, const QString& description) {
    done_ = true;
    progressText_->setText({});
    messages_->showMessage(
        MessageBar::Kind::Success, tr("The tokenizer is trained: %1.").arg(description),
        tr("Learnt from %1 of %2 sentences.").arg(count(made.used), count(made.seen)));
    setRunning(false);
    cancel_->setFocus();
    Q_EMIT trained(QFile::decodeName(order().path.c_str()));
}

void TokenizerDialog::fail(const ErrorText& error) {
    progressText_->setText({});
    if (error.kind == core::ErrorKind::Stopped)
        messages_->showMessage(MessageBar::Kind::Info, tr("Cancelled. Nothing was written."));
    else
        messages_->showError(error);
    setRunning(false);
}

}  // namespace ui
