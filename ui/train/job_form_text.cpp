// SPDX-License-Identifier: GPL-3.0-or-later
// The part of the form that only a run on texts has.
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/field.h"
#include "ui/train/field_text.h"
#include "ui/train/job_form.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

constexpr int kMostTokens = 1 << 20;

}  // namespace

QString sourceOfFiles(const QStringList& files) {
    const bool lines =
        !files.isEmpty() && std::all_of(files.begin(), files.end(), [](const QString& file) {
            return file.contains(QStringLiteral(".jsonl"), Qt::CaseInsensitive);
        });
    return (lines ? QStringLiteral("jsonl:") : QStringLiteral("text:")) +
           files.join(QLatin1Char(','));
}

QLineEdit* JobForm::line() const {
    auto* edit = new QLineEdit;
    edit->setMinimumWidth(60);
    connect(edit, &QLineEdit::textChanged, this, &JobForm::textEdited);
    return edit;
}

void JobForm::buildText(QVBoxLayout& column) {
    textBlock_ = new QWidget;
    auto* inside = new QVBoxLayout(textBlock_);
    inside->setContentsMargins(0, 0, 0, 0);
    column.addWidget(textBlock_);
    QGridLayout* grid = section(*inside, tr("Text"));
    tokenizer_ = line();
    auto* chooseFile = new QToolButton;
    chooseFile->setIcon(icon(QStringLiteral("file")));
    chooseFile->setAccessibleName(tr("Choose a tokenizer"));
    chooseFile->setToolTip(chooseFile->accessibleName());
    connect(chooseFile, &QToolButton::clicked, this, &JobForm::chooseTokenizer);
    add(QStringLiteral("text.tokenizer"),
        new Field(tr("Tokenizer"), tokenizer_,
                  tr("spiece.model or tokenizer.json; empty: the one beside the model."),
                  chooseFile),
        *grid, 0, 0, 2);
    auto* trainOne = new QPushButton(tr("Train a tokenizer…"));
    trainOne->setObjectName(QStringLiteral("job/train-tokenizer"));
    trainOne->setAccessibleDescription(tr("Learns a vocabulary from your texts."));
    trainOne->setToolTip(trainOne->accessibleDescription());
    connect(trainOne, &QPushButton::clicked, this, &JobForm::trainTokenizer);
    grid->addWidget(trainOne, 1, 0, 1, 2, Qt::AlignLeft);
    buildTask(*grid);
    buildLines(*grid);
}

/// What is made of the texts. Rows 2 to 4.
void JobForm::buildTask(QGridLayout& grid) {
    objective_ = choice({{QStringLiteral("span-corruption"), tr("Span corruption")},
                         {QStringLiteral("text-to-text"), tr("Text to text")}});
    connect(objective_, &QComboBox::currentIndexChanged, this, &JobForm::refreshText);
    add(QStringLiteral("objective"),
        new Field(tr("Objective"), objective_,
                  tr("Span corruption: fill in what is hidden, as T5 was trained. Text to text: "
                     "an input and its target.")),
        grid, 2, 0, 2);
    inputsLength_ = count(4, kMostTokens);
    connect(inputsLength_, &QSpinBox::valueChanged, this, &JobForm::refreshText);
    add(QStringLiteral("text.inputs_length"),
        new Field(tr("Input length"), inputsLength_, tr("Tokens, end of sequence included.")), grid,
        3, 0, 1);
    targetsLength_ = count(0, kMostTokens, tr("as computed"));
    add(QStringLiteral("text.targets_length"),
        new Field(tr("Target length"), targetsLength_,
                  tr("Tokens, end of sequence included; 0: what the objective gives.")),
        grid, 3, 1, 1);
    noiseDensity_ = real();
    connect(noiseDensity_, &QLineEdit::textChanged, this, &JobForm::refreshText);
    add(QStringLiteral("text.noise_density"),
        new Field(tr("Noise density"), noiseDensity_,
                  tr("Share of the tokens that is hidden, between 0 and 1; T5: 0.15.")),
        grid, 4, 0, 1);
    meanSpan_ = real();
    connect(meanSpan_, &QLineEdit::textChanged, this, &JobForm::refreshText);
    add(QStringLiteral("text.mean_span_length"),
        new Field(tr("Mean span length"), meanSpan_,
                  tr("Tokens that a hidden span has on average; T5: 3.")),
        grid, 4, 1, 1);
}

/// What is read of a JSONL line. Rows 5 to 7.
void JobForm::buildLines(QGridLayout& grid) {
    textField_ = line();
    add(QStringLiteral("text.text_field"),
        new Field(tr("Text field"), textField_, tr("Of a JSONL line: what is read as text.")), grid,
        5, 0, 1);
    inputField_ = line();
    add(QStringLiteral("text.input_field"),
        new Field(tr("Input field"), inputField_, tr("Of a JSONL line: what the model reads.")),
        grid, 6, 0, 1);
    targetField_ = line();
    add(QStringLiteral("text.target_field"),
        new Field(tr("Target field"), targetField_, tr("Of a JSONL line: what it has to write.")),
        grid, 6, 1, 1);
    prefix_ = line();
    add(QStringLiteral("text.prefix"),
        new Field(tr("Prefix"), prefix_,
                  tr("Before every input; {name} stands for another field of the line.")),
        grid, 7, 0, 2);
}

void JobForm::buildTextLosses(QGridLayout& grid, int row) {
    logitZ_ = real();
    add(QStringLiteral("loss.logit_z"),
        new Field(tr("Logit z-loss"), logitZ_,
                  tr("Weight of the z-loss on the output's logits; T5X: 1e-4, 0 turns it off.")),
        grid, row, 0, 1);
    dropout_ = real();
    add(QStringLiteral("dropout"),
        new Field(tr("Dropout"), dropout_,
                  tr("Share of the activations that is dropped, 0 to below 1; empty: what the "
                     "model's config says.")),
        grid, row, 1, 1);
}

void JobForm::setText(const core::JobSpec& job) {
    isText_ = core::isOfTexts(job.objective);
    const core::TextSpec& spec = job.text;
    tokenizer_->setText(text(spec.tokenizer));
    objective_->setCurrentIndex(
        std::max(0, objective_->findData(text(core::objectiveName(job.objective)))));
    batchTokens_->setValue(static_cast<int>(std::min<std::int64_t>(spec.batchTokens, 1 << 30)));
    inputsLength_->setValue(
        static_cast<int>(std::min<std::int64_t>(spec.inputsLength, kMostTokens)));
    targetsLength_->setValue(
        static_cast<int>(std::min<std::int64_t>(spec.targetsLength, kMostTokens)));
    noiseDensity_->setText(plain(spec.corruption.noiseDensity));
    meanSpan_->setText(plain(spec.corruption.meanSpanLength));
    logitZ_->setText(plain(job.trainer.loss.logitZ));
    dropout_->setText(job.trainer.dropout ? plain(*job.trainer.dropout) : QString());
    textField_->setText(text(spec.textField));
    inputField_->setText(text(spec.inputField));
    targetField_->setText(text(spec.targetField));
    prefix_->setText(text(spec.prefix));
    field(QStringLiteral("data"))
        ->setLabel(isText_ ? tr("Texts") : tr("Images"),
                   isText_
                       ? tr("text:FILE-OR-FOLDER,… or jsonl:FILE-OR-FOLDER,…, or "
                            "synthetic:tokens,vocab=N")
                       : tr("fashion-mnist, idx:FOLDER, images:FOLDER with one folder a class, or "
                            "synthetic:images=28x28x1,classes=10"));
    data_->lineEdit()->setPlaceholderText(isText_ ? QStringLiteral("text:/folder")
                                                  : QStringLiteral("images:/folder"));
    field(QStringLiteral("batch"))
        ->setLabel(tr("Batch"), isText_ ? tr("Examples per update.") : tr("Images per update."));
    chooseFiles_->setVisible(isText_);
    const QString folder =
        isText_ ? tr("Choose a folder of texts") : tr("Choose a folder of images");
    chooseFolder_->setAccessibleName(folder);
    chooseFolder_->setToolTip(folder);
    refreshText();
}

void JobForm::readText(core::JobSpec& job) const {
    if (!isText_) return;
    job.objective = *core::objectiveFromName(objective_->currentData().toString().toStdString());
    core::TextSpec& spec = job.text;
    spec.tokenizer = tokenizer_->text().trimmed().toStdString();
    spec.batchTokens = batchTokens_->value();
    spec.inputsLength = inputsLength_->value();
    spec.targetsLength = targetsLength_->value();
    spec.corruption = corruption();
    job.trainer.loss.logitZ = static_cast<float>(realValue(*logitZ_, 0));
    job.trainer.dropout.reset();
    if (!dropout_->text().trimmed().isEmpty())
        job.trainer.dropout = static_cast<float>(realValue(*dropout_, 0));
    spec.textField = textField_->text().toStdString();
    spec.inputField = inputField_->text().toStdString();
    spec.targetField = targetField_->text().toStdString();
    spec.prefix = prefix_->text().toStdString();
}

void JobForm::refreshText() {
    textBlock_->setVisible(isText_);
    const bool lines = data_->currentText().trimmed().startsWith(QStringLiteral("jsonl:"));
    const bool pairs = objective_->currentData().toString() == QStringLiteral("text-to-text");
    for (const char* key : {"text.noise_density", "text.mean_span_length"})
        field(QString::fromLatin1(key))->setVisible(!pairs);
    for (const char* key : {"text.batch_tokens", "loss.logit_z", "dropout"})
        field(QString::fromLatin1(key))->setVisible(isText_);
    field(QStringLiteral("text.text_field"))->setVisible(lines && !pairs);
    for (const char* key : {"text.input_field", "text.target_field", "text.prefix"})
        field(QString::fromLatin1(key))->setVisible(lines && pairs);
    batch_->setEnabled(!isText_ || batchTokens_->value() == 0);
    const std::int64_t inputs = inputsLength_->value();
    const core::SpanCorruption spans = corruption();
    if (!pairs && !core::isPossible(spans)) {
        targetsLength_->setSpecialValueText(tr("auto"));
        return;
    }
    const std::int64_t targets = pairs ? inputs : core::lengthsForInputs(inputs, spans).targets;
    targetsLength_->setSpecialValueText(tr("auto: %1").arg(targets));
}

core::SpanCorruption JobForm::corruption() const {
    const core::SpanCorruption& base = base_.text.corruption;
    return {realValue(*noiseDensity_, base.noiseDensity),
            realValue(*meanSpan_, base.meanSpanLength)};
}

void JobForm::textEdited() {
    if (filling_) return;
    refreshText();
    Q_EMIT edited();
}

}  // namespace ui
