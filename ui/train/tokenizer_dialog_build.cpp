// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/field.h"
#include "ui/train/job_form.h"
#include "ui/train/tokenizer_dialog.h"
#include "ui/widgets/dialog_progress.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/message_bar.h"

#include <QCheckBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

constexpr int kWidth = 520;
constexpr int kFewestPieces = 4;  // pad, end of sequence, unknown and one more
constexpr int kMostPieces = 1 << 20;
constexpr int kProgressHeight = 4;

QToolButton* fileButton(const QString& iconName, const QString& name) {
    auto* button = new QToolButton;
    button->setIcon(icon(iconName));
    button->setAccessibleName(name);
    button->setToolTip(name);
    return button;
}

QLabel* caption(const QString& text) {
    auto* label = new QLabel(text);
    setTextRole(label, TextRole::Caption, true);
    label->setWordWrap(true);
    return label;
}

QString introduction(const QString& own) {
    if (own.isEmpty())
        return TokenizerDialog::tr(
            "A SentencePiece model as T5 has it: the pieces that spell these texts best.");
    return TokenizerDialog::tr(
               "A SentencePiece model as T5 has it. This model has learnt the pieces of %1; with "
               "others it learns to read anew.")
        .arg(own);
}

}  // namespace

TokenizerDialog::TokenizerDialog(const TokenizerProposal& proposal, QWidget* parent)
    : QDialog(parent),
      modelIds_(proposal.modelIds),
      job_(this),
      messages_(new MessageBar(this)),
      source_(new QLineEdit),
      line_(new QLineEdit),
      target_(new QLineEdit),
      vocabulary_(new QSpinBox),
      bytes_(new QCheckBox(tr("Spell unknown characters in bytes"))),
      files_(fileButton(QStringLiteral("file"), tr("Choose text files"))),
      folder_(fileButton(QStringLiteral("folder"), tr("Choose a folder of texts"))),
      browse_(fileButton(QStringLiteral("folder"), tr("Choose where the tokenizer is written"))),
      room_(caption({})),
      progress_(new QProgressBar),
      progressText_(new ElidedLabel(Qt::ElideRight, this)),
      cancel_(new QPushButton(tr("Cancel"))),
      train_(new QPushButton(tr("Train tokenizer"))) {
    setWindowTitle(tr("Train a Tokenizer"));
    setObjectName(QStringLiteral("tokenizerDialog"));
    build(proposal);
    connect(source_, &QLineEdit::textChanged, this, &TokenizerDialog::refresh);
    connect(target_, &QLineEdit::textChanged, this, &TokenizerDialog::refresh);
    connect(vocabulary_, &QSpinBox::valueChanged, this, &TokenizerDialog::refresh);
    connect(files_, &QToolButton::clicked, this, [this] {
        const QStringList files = QFileDialog::getOpenFileNames(
            this, files_->accessibleName(), {}, tr("Texts (*.txt *.jsonl *.gz);;All files (*)"));
        if (!files.isEmpty()) source_->setText(sourceOfFiles(files));
    });
    connect(folder_, &QToolButton::clicked, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, folder_->accessibleName());
        if (!folder.isEmpty()) source_->setText(sourceOfFiles({folder}));
    });
    connect(browse_, &QToolButton::clicked, this, [this] {
        const QString file = QFileDialog::getSaveFileName(
            this, browse_->accessibleName(), target_->text(), tr("SentencePiece models (*.model)"),
            nullptr, QFileDialog::DontConfirmOverwrite);
        if (!file.isEmpty()) target_->setText(file);
    });
    connect(cancel_, &QPushButton::clicked, this, &TokenizerDialog::reject);
    connect(train_, &QPushButton::clicked, this, &TokenizerDialog::start);
    connect(&job_, &TokenizerJob::progressed, this, &TokenizerDialog::showProgress);
    connect(&job_, &TokenizerJob::finished, this, &TokenizerDialog::finish);
    connect(&job_, &TokenizerJob::failed, this, &TokenizerDialog::fail);
    refresh();
    (source_->text().isEmpty() ? static_cast<QWidget*>(source_) : vocabulary_)->setFocus();
}

void TokenizerDialog::build(const TokenizerProposal& proposal) {
    source_->setText(proposal.source);
    source_->setPlaceholderText(QStringLiteral("text:/folder"));
    source_->setCursorPosition(0);
    line_->setText(proposal.field);
    target_->setText(proposedTokenizerFile(proposal.source));
    target_->setCursorPosition(0);
    vocabulary_->setRange(kFewestPieces, kMostPieces);
    vocabulary_->setGroupSeparatorShown(true);
    vocabulary_->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
    vocabulary_->setValue(static_cast<int>(
        std::clamp<std::int64_t>(mostPieces(modelIds_), kFewestPieces, kMostPieces)));
    auto* title = new QLabel(tr("Train a tokenizer"));
    setTextRole(title, TextRole::Heading);
    auto* body = new QVBoxLayout;
    body->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kL);
    body->setSpacing(space::kM);
    body->addWidget(title);
    body->addWidget(caption(introduction(proposal.own)));
    buildFields(*body);
    body->addStretch(1);
    body->addWidget(progress_);
    body->addLayout(buildButtons());
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(messages_);
    column->addLayout(body, 1);
    setMinimumWidth(kWidth);
}

void TokenizerDialog::buildFields(QVBoxLayout& column) {
    const auto add = [&](const char* name, Field* field) {
        field->editor()->setObjectName(QStringLiteral("tokenizer.") + QLatin1String(name));
        column.addWidget(field);
        return field;
    };
    auto* choosers = new QWidget;
    auto* row = new QHBoxLayout(choosers);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kXs);
    row->addWidget(files_);
    row->addWidget(folder_);
    sourceField_ =
        add("source", new Field(tr("Texts"), source_,
                                tr("text:FILE-OR-FOLDER,… or jsonl:FILE-OR-FOLDER,…"), choosers));
    lineField_ = add(
        "field", new Field(tr("Text field"), line_, tr("Of a JSONL line: what is read as text.")));
    vocabularyField_ =
        add("vocabulary", new Field(tr("Vocabulary"), vocabulary_,
                                    tr("Pieces, with those for padding, end of sequence and "
                                       "unknown; the sentinels come on top.")));
    vocabularyField_->layout()->addWidget(room_);
    bytes_->setObjectName(QStringLiteral("tokenizer.bytes"));
    bytes_->setAccessibleName(bytes_->text());
    bytes_->setToolTip(tr("256 of the pieces stand for bytes, so that no character is unknown."));
    column.addWidget(bytes_);
    targetField_ =
        add("target", new Field(tr("Write to"), target_,
                                tr("A new file; an existing one is never replaced."), browse_));
}

QHBoxLayout* TokenizerDialog::buildButtons() {
    progress_->setRange(0, 0);
    makeDialogProgress(*progress_);
    progress_->setFixedHeight(kProgressHeight);
    progress_->setAccessibleName(tr("Progress"));
    progress_->setObjectName(QStringLiteral("tokenizer.progress"));
    setTextRole(progressText_, TextRole::Caption, true);
    setButtonKind(train_, ButtonKind::Primary);
    train_->setDefault(true);
    train_->setObjectName(QStringLiteral("tokenizer.train"));
    cancel_->setAutoDefault(false);
    cancel_->setObjectName(QStringLiteral("tokenizer.cancel"));
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(space::kS);
    buttons->addWidget(progressText_, 1);
    buttons->addWidget(cancel_);
    buttons->addWidget(train_);
    return buttons;
}

}  // namespace ui
