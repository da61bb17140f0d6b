// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/job_form.h"

#include "ui/train/field.h"
#include "ui/train/field_text.h"

#include <QComboBox>
#include <QDir>
#include <QEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ui {
namespace {

int clampedInt(std::int64_t value) {
    return static_cast<int>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<int>::max()));
}

/// Selects `value`, which becomes an entry when it is none yet.
void choose(QComboBox& box, const QString& value) {
    if (box.findData(value) < 0 && !value.isEmpty()) box.addItem(value, value);
    box.setCurrentIndex(box.findData(value));
}

}  // namespace

QString sourceOfFolder(const QString& folder) {
    const QDir dir(folder);
    for (const char* name : {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"}) {
        if (dir.exists(QString::fromLatin1(name))) return QStringLiteral("idx:") + folder;
    }
    return QStringLiteral("images:") + folder;
}

void JobForm::setJob(const core::JobSpec& job, const QStringList& suggestions) {
    filling_ = true;
    base_ = job;
    data_->clear();
    for (const QString& source : suggestions) data_->addItem(source);
    data_->setCurrentText(text(job.data));
    data_->lineEdit()->setCursorPosition(0);
    setText(job);
    const core::TrainerSpec& trainer = job.trainer;
    steps_->setValue(clampedInt(trainer.steps));
    batch_->setValue(clampedInt(job.batch));
    choose(*optimizer_, text(core::optimizerName(trainer.optimizer.kind)));
    lr_->setText(plain(trainer.schedule.lr));
    choose(*schedule_, text(core::scheduleName(trainer.schedule.kind)));
    warmup_->setValue(clampedInt(trainer.schedule.warmup));
    cooldown_->setValue(clampedInt(trainer.schedule.cooldown));
    weightDecay_->setText(plain(trainer.optimizer.weightDecay));
    clip_->setText(plain(trainer.clip));
    suggestedAux_ = plain(trainer.loss.aux);
    aux_->setText(suggestedAux_);
    z_->setText(plain(trainer.loss.z));
    choose(*state_, text(core::optimizerStateModeName(job.optimizerState)));
    evalEvery_->setValue(clampedInt(job.evalEvery));
    checkpointEvery_->setValue(clampedInt(job.checkpointEvery));
    keep_->setValue(job.keep);
    choose(*device_, text(job.device));
    choose(*dtype_, text(core::dtypeOption(job.dtype)));
    microbatch_->setValue(clampedInt(trainer.microbatch));
    choose(*recompute_, trainer.recompute ? QStringLiteral("true") : QStringLiteral("false"));
    threads_->setValue(job.threads);
    seed_->setValue(clampedInt(static_cast<std::int64_t>(job.seed)));
    filling_ = false;
    Q_EMIT edited();
}

void JobForm::setRunFolder(const QString& folder) { run_->setText(folder); }

void JobForm::setDevices(const std::vector<std::pair<QString, QString>>& devices) {
    const QString before = device_->currentData().toString();
    filling_ = true;
    device_->clear();
    for (const auto& [name, label] : devices) device_->addItem(label, name);
    choose(*device_, before);
    filling_ = false;
}

void JobForm::suggestBalanceLoss(float weight) {
    const bool own = aux_->text() != suggestedAux_;
    suggestedAux_ = plain(weight);
    if (!own) aux_->setText(suggestedAux_);
}

QString JobForm::runFolder() const { return run_->text().trimmed(); }

double JobForm::realValue(const QLineEdit& edit, double otherwise) {
    bool ok = false;
    const double value = edit.text().trimmed().toDouble(&ok);
    return ok ? value : otherwise;
}

core::JobSpec JobForm::job() const {
    core::JobSpec job = base_;
    core::TrainerSpec& trainer = job.trainer;
    job.data = data_->currentText().trimmed().toStdString();
    readText(job);
    trainer.steps = steps_->value();
    job.batch = batch_->value();
    trainer.optimizer.kind =
        *core::optimizerFromName(optimizer_->currentData().toString().toStdString());
    trainer.schedule.lr = realValue(*lr_, trainer.schedule.lr);
    trainer.schedule.kind =
        *core::scheduleFromName(schedule_->currentData().toString().toStdString());
    trainer.schedule.warmup = warmup_->value();
    trainer.schedule.cooldown = cooldown_->value();
    trainer.optimizer.weightDecay = realValue(*weightDecay_, trainer.optimizer.weightDecay);
    trainer.clip = realValue(*clip_, trainer.clip);
    trainer.loss.aux = static_cast<float>(realValue(*aux_, 0));
    trainer.loss.z = static_cast<float>(realValue(*z_, 0));
    job.optimizerState =
        *core::optimizerStateModeFromName(state_->currentData().toString().toStdString());
    if (job.optimizerState == core::OptimizerStateMode::Reset) {
        trainer.optimizer.stepOffset = trainer.schedule.startStep;  // fresh moments count from here
    }
    job.evalEvery = evalEvery_->value();
    job.checkpointEvery = checkpointEvery_->value();
    job.keep = keep_->value();
    job.device = device_->currentData().toString().toStdString();
    job.dtype = *core::dtypeFromOption(dtype_->currentData().toString().toStdString());
    trainer.microbatch = microbatch_->value();
    trainer.recompute = recompute_->currentData().toString() == QStringLiteral("true");
    job.threads = threads_->value();
    job.seed = static_cast<std::uint64_t>(seed_->value());
    return job;
}

JobVerdict JobForm::problem() const {
    for (const auto& [key, field] : fields_) {
        const auto* edit = qobject_cast<const QLineEdit*>(field->editor());
        if (edit == nullptr || std::find(reals_.begin(), reals_.end(), edit) == reals_.end()) {
            continue;
        }
        if (field->isHidden()) continue;
        if (edit == dropout_ && edit->text().trimmed().isEmpty()) continue;  // the model's own
        if (!std::isfinite(realValue(*edit, std::numeric_limits<double>::quiet_NaN()))) {
            return {false, key, tr("“%1” is not a number.").arg(edit->text()), {}, {}};
        }
    }
    return {};
}

void JobForm::show(const JobVerdict& verdict) {
    for (const auto& [key, field] : fields_) {
        if (verdict.ok || key != verdict.key) {
            field->clearMessage();
            continue;
        }
        const QString hint = verdict.hint.isEmpty() ? QString() : QLatin1Char(' ') + verdict.hint;
        field->setMessage(verdict.message + hint, Field::Tone::Problem);
    }
}

Field* JobForm::field(const QString& key) const {
    const auto found = fields_.find(key);
    return found == fields_.end() ? nullptr : found->second;
}

void JobForm::chooseData() {
    const QString folder = QFileDialog::getExistingDirectory(this, chooseFolder_->accessibleName());
    if (folder.isEmpty()) return;
    data_->setCurrentText(isText_ ? sourceOfFiles({folder}) : sourceOfFolder(folder));
}

void JobForm::chooseRun() {
    const QString folder = QFileDialog::getSaveFileName(
        this, tr("Where the run is kept"), runFolder(), {}, nullptr, QFileDialog::ShowDirsOnly);
    if (!folder.isEmpty()) run_->setText(folder);
}

/// A wheel that scrolls the form must not change a number on its way.
bool JobForm::eventFilter(QObject* watched, QEvent* event) {
    const auto* widget = qobject_cast<QWidget*>(watched);
    if (event->type() == QEvent::Wheel && widget != nullptr && !widget->hasFocus()) {
        event->ignore();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace ui
