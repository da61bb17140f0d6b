// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/export_dialog.h"

#include "core/base/text.h"
#include "core/tensor/dtype.h"
#include "ui/document/background.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/message_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QThreadPool>

#include <utility>

namespace ui {
namespace {

constexpr double kGigabyte = 1e9;
constexpr int kProgressSteps = 1000;

QString bytesText(quint64 bytes) {
    return QString::fromStdString(core::formatBytes(static_cast<double>(bytes)));
}

/// What was left out, and what the layout's programs will compute otherwise.
QString remarks(const core::ConvertResult& result) {
    QStringList sentences;
    for (const std::string& note : result.notes)
        sentences.append(asSentence(printableText(note)) + QLatin1Char('.'));
    QStringList names;
    for (const std::string& what : result.leftOut) names.append(printableText(what));
    if (!names.isEmpty())
        sentences.append(ExportDialog::tr("Left out: %1").arg(names.join(QStringLiteral(", "))));
    return sentences.join(QLatin1Char(' '));
}

/// Beside the source (at home where that is read-only), under a name of its own.
QString suggestedTarget(const OpenedModel& model, bool upcycled) {
    QFileInfo source(QFile::decodeName(model.argument.c_str()));
    const QString base = source.isFile() ? source.completeBaseName() : source.fileName();
    const QString suffix = upcycled ? QStringLiteral("-moe") : QStringLiteral("-export");
    const bool writable = QFileInfo(source.absolutePath()).isWritable();
    return QDir(writable ? source.absolutePath() : QDir::homePath()).filePath(base + suffix);
}

}  // namespace

ExportDialog::ExportDialog(std::shared_ptr<const OpenedModel> model, core::SurgeryPlan plan,
                           QWidget* parent)
    : ExportDialog(parent) {
    plan_ = std::move(plan);
    take(std::move(model));
}

ExportDialog::ExportDialog(const QString& model, QWidget* parent) : ExportDialog(parent) {
    source_->setText(model);
    const std::string argument = QFile::encodeName(model).toStdString();
    runInBackground(
        this, QThreadPool::globalInstance(), [argument] { return openModel(argument); },
        [this](const Outcome<std::shared_ptr<const OpenedModel>>& outcome) {
            if (outcome.value)
                take(*outcome.value);
            else
                messages_->showError(outcome.error);
        });
}

void ExportDialog::take(std::shared_ptr<const OpenedModel> model) {
    model_ = std::move(model);
    const QString path = QFile::decodeName(model_->argument.c_str());
    source_->setText(plan_.layers.empty()
                         ? path
                         : tr("%1, with the plan carried out").arg(QFileInfo(path).fileName()));
    if (target_->text().isEmpty())
        target_->setText(suggestedTarget(*model_, !plan_.layers.empty()));
    refresh();
}

QString ExportDialog::target() const { return target_->text().trimmed(); }

void ExportDialog::setTarget(const QString& path) { target_->setText(path); }

core::ConvertOptions ExportDialog::options() const {
    core::ConvertOptions options;
    options.format = static_cast<core::FileFormat>(format_->currentData().toInt());
    options.layout = static_cast<core::LayoutChoice>(layout_->currentData().toInt());
    if (dtype_->currentData().isValid())
        options.dtype = static_cast<core::DType>(dtype_->currentData().toInt());
    if (options.format == core::FileFormat::Safetensors)
        options.maxShardBytes = static_cast<std::uint64_t>(shard_->value() * kGigabyte);
    options.force = !replace_->isHidden() && replace_->isChecked();
    return options;
}

void ExportDialog::refresh() {
    const bool exists = QFileInfo::exists(target());
    replace_->setVisible(exists);
    shard_->setEnabled(static_cast<core::FileFormat>(format_->currentData().toInt()) ==
                       core::FileFormat::Safetensors);
    const bool ready = model_ && !target().isEmpty() && (!exists || replace_->isChecked());
    export_->setEnabled(ready && !job_.isRunning());
    if (!model_) return;
    try {
        const std::uint64_t bytes = core::convertedBytes(*model_->checkpoint, plan_, options());
        size_->setText(tr("%1 of tensor data").arg(bytesText(bytes)));
        if (std::exchange(refused_, false)) messages_->dismiss();
    } catch (...) {
        const ErrorText error = errorTextOf(std::current_exception());
        size_->setText(QStringLiteral("–"));
        export_->setEnabled(false);
        messages_->showError(error);
        refused_ = true;
    }
}

void ExportDialog::followLayout() {
    const auto layout = static_cast<core::LayoutChoice>(layout_->currentData().toInt());
    if (model_ && layout != core::LayoutChoice::Hf)
        format_->setCurrentIndex(
            format_->findData(static_cast<int>(core::usualFormat(layout, *model_->checkpoint))));
    refresh();
}

void ExportDialog::browse() {
    const QString chosen = QFileDialog::getSaveFileName(this, tr("Export to"), target(), {},
                                                        nullptr, QFileDialog::DontConfirmOverwrite);
    if (!chosen.isEmpty()) target_->setText(chosen);
}

void ExportDialog::setRunning(bool running) {
    for (QWidget* field : std::initializer_list<QWidget*>{format_, layout_, dtype_, shard_, target_,
                                                          browse_, replace_})
        field->setEnabled(!running);
    progress_->setVisible(running || done_);
    if (running) {
        progress_->setValue(0);
        cancel_->setText(tr("Cancel"));
        cancel_->setFocus();
        export_->setEnabled(false);
    } else {
        refresh();
    }
}

void ExportDialog::start() {
    if (!model_ || job_.isRunning() || target().isEmpty()) return;
    done_ = false;
    messages_->dismiss();
    job_.start(model_, plan_, QFile::encodeName(QDir().absoluteFilePath(target())).toStdString(),
               options());
    setRunning(true);
}

void ExportDialog::reject() {
    if (job_.isRunning())
        job_.cancel();
    else
        QDialog::reject();
}

void ExportDialog::finish(const core::ConvertResult& result) {
    done_ = true;
    progress_->setValue(kProgressSteps);
    progressText_->setText(tr("%1 written").arg(bytesText(result.bytes)));
    const QString what = tr("Exported %n tensor(s).", nullptr, static_cast<int>(result.tensors));
    if (result.overflowed > 0)
        messages_->showMessage(MessageBar::Kind::Warning, what,
                               tr("%1 values are too large for %2 and became infinite.")
                                   .arg(static_cast<qulonglong>(result.overflowed))
                                   .arg(dtype_->currentText()));
    else if (!result.notes.empty() || !result.leftOut.empty())
        messages_->showMessage(MessageBar::Kind::Warning, what, remarks(result));
    else
        messages_->showMessage(MessageBar::Kind::Success, what, target());
    setRunning(false);
    cancel_->setText(tr("Close"));
    export_->setEnabled(false);
    Q_EMIT exported(target());
}

}  // namespace ui
