// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/text.h"
#include "ui/export/export_dialog.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/dialog_progress.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/message_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kWidth = 560;
constexpr int kProgressSteps = 1000;

void addRow(QFormLayout& form, const QString& text, QWidget* field, QWidget* labelled) {
    auto* label = new QLabel(text, form.parentWidget());
    setTextRole(label, TextRole::Body, true);
    label->setBuddy(labelled);
    labelled->setAccessibleName(text);
    form.addRow(label, field);
}

QString bytesText(quint64 bytes) {
    return QString::fromStdString(core::formatBytes(static_cast<double>(bytes)));
}

}  // namespace

ExportDialog::ExportDialog(QWidget* parent)
    : QDialog(parent),
      job_(this),
      messages_(new MessageBar(this)),
      source_(new ElidedLabel(Qt::ElideMiddle, this)),
      format_(new QComboBox(this)),
      layout_(new QComboBox(this)),
      dtype_(new QComboBox(this)),
      shard_(new QDoubleSpinBox(this)),
      target_(new QLineEdit(this)),
      browse_(new QPushButton(tr("Browse…"), this)),
      replace_(new QCheckBox(tr("Replace what is there"), this)),
      size_(new QLabel(this)),
      progress_(new QProgressBar(this)),
      progressText_(new ElidedLabel(Qt::ElideMiddle, this)),
      cancel_(new QPushButton(tr("Cancel"), this)),
      export_(new QPushButton(tr("Export"), this)) {
    setWindowTitle(tr("Export Checkpoint"));
    setObjectName(QStringLiteral("exportDialog"));
    build();
    for (QComboBox* box : {format_, dtype_})
        connect(box, &QComboBox::currentIndexChanged, this, &ExportDialog::refresh);
    connect(layout_, &QComboBox::currentIndexChanged, this, &ExportDialog::followLayout);
    connect(shard_, &QDoubleSpinBox::valueChanged, this, &ExportDialog::refresh);
    connect(target_, &QLineEdit::textChanged, this, &ExportDialog::refresh);
    connect(replace_, &QCheckBox::toggled, this, &ExportDialog::refresh);
    connect(browse_, &QPushButton::clicked, this, &ExportDialog::browse);
    connect(cancel_, &QPushButton::clicked, this, &ExportDialog::reject);
    connect(export_, &QPushButton::clicked, this, &ExportDialog::start);
    connect(&job_, &ExportJob::finished, this, &ExportDialog::finish);
    connect(&job_, &ExportJob::failed, this, [this](const ErrorText& error) {
        progressText_->setText({});
        progress_->setValue(0);
        if (error.kind == core::ErrorKind::Stopped)
            messages_->showMessage(MessageBar::Kind::Info, tr("Cancelled. Nothing was written."));
        else
            messages_->showError(error);
        setRunning(false);
    });
    connect(&job_, &ExportJob::progressed, this,
            [this](quint64 done, quint64 total, const QString& tensor) {
                if (total == 0) return;
                const double share = static_cast<double>(done) / static_cast<double>(total);
                progress_->setValue(static_cast<int>(share * kProgressSteps));
                progressText_->setText(
                    tr("%1 of %2 · %3").arg(bytesText(done), bytesText(total), tensor));
            });
    refresh();
}

void ExportDialog::build() {
    auto* title = new QLabel(tr("Export checkpoint"), this);
    setTextRole(title, TextRole::Heading);
    setTextRole(source_, TextRole::Body, true);
    auto* form = new QFormLayout;
    makeForm(*form);
    progress_->setRange(0, kProgressSteps);
    makeDialogProgress(*progress_);
    progress_->setAccessibleName(tr("Progress"));
    progress_->setObjectName(QStringLiteral("export.progress"));
    setTextRole(progressText_, TextRole::Caption, true);
    setButtonKind(export_, ButtonKind::Primary);
    export_->setDefault(true);
    export_->setObjectName(QStringLiteral("export.start"));
    cancel_->setObjectName(QStringLiteral("export.cancel"));
    cancel_->setAutoDefault(false);
    browse_->setAutoDefault(false);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(space::kS);
    buttons->addWidget(progressText_, 1);
    buttons->addWidget(cancel_);
    buttons->addWidget(export_);
    auto* body = new QVBoxLayout;
    body->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kL);
    body->setSpacing(space::kM);
    body->addWidget(title);
    body->addWidget(source_);
    body->addSpacing(space::kXs);
    body->addLayout(form);
    body->addStretch(1);
    body->addWidget(progress_);
    body->addLayout(buttons);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(messages_);
    column->addLayout(body, 1);
    setMinimumWidth(kWidth);
}

void ExportDialog::makeForm(QFormLayout& form) {
    form.setHorizontalSpacing(space::kL);
    form.setVerticalSpacing(space::kS);
    form.setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form.setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    format_->addItem(QStringLiteral("safetensors"),
                     static_cast<int>(core::FileFormat::Safetensors));
    format_->addItem(QStringLiteral("HDF5"), static_cast<int>(core::FileFormat::Hdf5));
    format_->addItem(QStringLiteral("NumPy .npz"), static_cast<int>(core::FileFormat::Npz));
    format_->setObjectName(QStringLiteral("export.format"));
    addRow(form, tr("Format"), format_, format_);
    layout_->addItem(QStringLiteral("Hugging Face transformers"),
                     static_cast<int>(core::LayoutChoice::Hf));
    layout_->addItem(tr("Google (ViT, V-MoE, T5X)"), static_cast<int>(core::LayoutChoice::Google));
    layout_->addItem(tr("SwitchTransformers (T5)"), static_cast<int>(core::LayoutChoice::Switch));
    layout_->addItem(tr("As the source has it"), static_cast<int>(core::LayoutChoice::Native));
    layout_->setObjectName(QStringLiteral("export.layout"));
    layout_->setToolTip(
        tr("Whose names and axes the tensors get: those of transformers, or of the programs that "
           "Google's checkpoints are for"));
    addRow(form, tr("Layout"), layout_, layout_);
    dtype_->addItem(tr("As it is"));
    for (const core::DType dtype : {core::DType::F32, core::DType::BF16, core::DType::F16})
        dtype_->addItem(QString::fromUtf8(core::dtypeName(dtype).data()), static_cast<int>(dtype));
    dtype_->setObjectName(QStringLiteral("export.dtype"));
    addRow(form, tr("Number type"), dtype_, dtype_);
    shard_->setRange(0, 100);
    shard_->setDecimals(3);
    shard_->setSpecialValueText(tr("One file"));
    shard_->setSuffix(QStringLiteral(" GB"));
    shard_->setToolTip(tr("Larger checkpoints are split into files of at most this size"));
    shard_->setObjectName(QStringLiteral("export.shard"));
    addRow(form, tr("Split at"), shard_, shard_);
    addRow(form, tr("Write to"), makeTargetRow(), target_);
    target_->setObjectName(QStringLiteral("export.target"));
    target_->setToolTip(tr("A folder, or one file ending in .safetensors, .h5, .hdf5 or .npz"));
    replace_->setObjectName(QStringLiteral("export.replace"));
    replace_->setAccessibleName(replace_->text());
    form.addRow({}, replace_);
    size_->setObjectName(QStringLiteral("export.size"));
    addRow(form, tr("Size"), size_, size_);
}

QWidget* ExportDialog::makeTargetRow() {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(space::kS);
    layout->addWidget(target_, 1);
    layout->addWidget(browse_);
    return row;
}

}  // namespace ui
