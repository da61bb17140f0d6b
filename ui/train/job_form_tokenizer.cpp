// SPDX-License-Identifier: GPL-3.0-or-later
// Where the form's tokenizer and texts come from.
#include "ui/train/field_text.h"
#include "ui/train/job_form.h"
#include "ui/train/tokenizer_dialog.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>

namespace ui {

void JobForm::setTextModel(const TextModel& model) {
    textModel_ = model;
    tokenizer_->setPlaceholderText(model.tokenizer.isEmpty()
                                       ? tr("none beside the model: choose one")
                                       : tr("%1, found beside the model").arg(model.tokenizer));
    dropout_->setPlaceholderText(tr("%1, as the model").arg(plain(model.dropout)));
}

void JobForm::chooseTokenizer() {
    const QString file = QFileDialog::getOpenFileName(
        this, tr("Choose a tokenizer"), {}, tr("Tokenizers (*.model *.json);;All files (*)"));
    if (!file.isEmpty()) tokenizer_->setText(file);
}

void JobForm::trainTokenizer() {
    const bool pairs = objective_->currentData().toString() == QStringLiteral("text-to-text");
    const QString named = QFileInfo(tokenizer_->text().trimmed()).fileName();
    auto* dialog = new TokenizerDialog(
        {data_->currentText().trimmed(), (pairs ? inputField_ : textField_)->text(),
         named.isEmpty() ? textModel_.tokenizer : named, textModel_.vocabulary},
        this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &TokenizerDialog::trained, this,
            [this](const QString& path) { tokenizer_->setText(path); });
    dialog->open();
}

void JobForm::chooseTexts() {
    const QStringList files = QFileDialog::getOpenFileNames(
        this, tr("Choose texts"), {}, tr("Texts (*.txt *.jsonl *.gz);;All files (*)"));
    if (!files.isEmpty()) data_->setCurrentText(sourceOfFiles(files));
}

}  // namespace ui
