// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/job_page.h"

#include "core/data/tokenizer.h"
#include "core/run/job_data.h"
#include "ui/document/background.h"
#include "ui/document/document.h"
#include "ui/train/device_query.h"
#include "ui/train/job_command.h"
#include "ui/train/job_form.h"
#include "ui/train/notice.h"

#include <QCoreApplication>
#include <QDir>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QThreadPool>

#include <algorithm>
#include <optional>
#include <utility>

namespace ui {
namespace {

/// Without it Top-K routers lose experts; `upcycle new` begins with the same.
constexpr float kBalanceLoss = 0.01F;

QStringList suggestionsFor(const core::ModelSpec& spec) {
    if (spec.family != core::Family::Vit) return {};
    const core::VitSpec& vit = spec.vit;
    QStringList sources;
    if (vit.channels == 1 && vit.imageSize == 28) sources << QStringLiteral("fashion-mnist");
    sources << QStringLiteral("synthetic:images=%1x%1x%2,classes=%3")
                   .arg(vit.imageSize)
                   .arg(vit.channels)
                   .arg(vit.classes);
    return sources;
}

/// Nothing that the form could ask for helps a family that is not trained.
JobVerdict familyVerdict(const core::ModelSpec& spec) {
    if (spec.family == core::Family::Vit || spec.family == core::Family::T5) return {};
    const auto tr = [](const char* text) {
        return QCoreApplication::translate("ui::JobPage", text);
    };
    return {false,
            {},
            tr("This version trains Vision Transformers and T5 only (the family here is %1).")
                .arg(QString::fromStdString(std::string(core::familyName(spec.family)))),
            tr("Its tensors can be looked at and exported."),
            {}};
}

/// Name of the tokenizer's file in a model's folder; empty when it has none.
QString tokenizerBeside(const core::Path& folder) {
    const std::optional<core::Path> file = core::Tokenizer::findIn(folder);
    return file ? QString::fromStdString(file->filename().string()) : QString();
}

/// What a form begins with; read in the background.
struct Defaults {
    core::JobSpec job;
    QString tokenizer;
};

QString planText(const core::SurgeryPlan& plan) {
    if (plan.layers.empty()) return {};
    QStringList experts;
    for (const auto& [block, layer] : plan.layers) {
        const QString count = QString::number(static_cast<qlonglong>(layer.moe.experts));
        if (!experts.contains(count)) experts << count;
    }
    return QCoreApplication::translate("ui::JobPage", "Upcycles %n MLP layer(s), %1 experts each.",
                                       nullptr, static_cast<int>(plan.layers.size()))
        .arg(experts.join(QStringLiteral(" / ")));
}

}  // namespace

core::JobSpec jobForWindow(core::JobSpec job) {
    const std::int64_t steps = job.trainer.steps;
    if (job.evalEvery == 0) job.evalEvery = std::max<std::int64_t>(1, steps / 10);
    if (job.checkpointEvery == 0) job.checkpointEvery = std::max<std::int64_t>(1, steps / 4);
    return job;
}

core::JobSpec JobPage::job() const {
    core::JobSpec job = form_->job();
    if (!document_.hasModel()) return job;
    job.model = std::filesystem::absolute(document_.model().path).lexically_normal().string();
    job.plan.reset();
    if (!document_.plan().layers.empty()) job.plan = document_.plan();
    return job;
}

QString JobPage::runFolder() const { return form_->runFolder(); }

QString JobPage::commandText() const { return command_->toPlainText(); }

void JobPage::setRunName(const QString& name) {
    back_->setVisible(!name.isEmpty());
    back_->setText(tr("Back to %1").arg(name));
}

void JobPage::showFailure(const QString& message, const QString& hint) {
    setBusy(false);
    notice_->say(Notice::Tone::Danger, message, hint);
}

void JobPage::setBusy(bool busy) {
    busy_ = busy;
    if (busy) notice_->clear();
    refreshButton();
}

void JobPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (!std::exchange(devicesAsked_, true)) {
        queryDevices(this, [this](const DeviceEntries& devices) { form_->setDevices(devices); });
    }
    if (stale_) edited();
}

void JobPage::loadDefaults() {
    const quint64 load = ++load_;
    pages_->setCurrentIndex(document_.hasModel() ? 1 : 0);
    refreshButton();
    if (!document_.hasModel()) return;
    const core::Path path = document_.model().path;
    runInBackground(
        this, QThreadPool::globalInstance(),
        [path] {
            Defaults defaults{core::defaultJob(path), {}};
            defaults.tokenizer = tokenizerBeside(core::tokenizerFolder(defaults.job));
            return defaults;
        },
        [this, load](Outcome<Defaults> outcome) {
            if (load != load_) return;
            if (!outcome.value) {
                showFailure(outcome.error.message, outcome.error.hint);
                return;
            }
            defaults_ = outcome.value->job;
            proposeRunFolder();
            const core::T5Spec& t5 = document_.model().spec.t5;
            form_->setTextModel({outcome.value->tokenizer, t5.vocab, t5.dropout});
            form_->setJob(jobForWindow(defaults_), suggestionsFor(document_.model().spec));
            planChanged();
        });
}

void JobPage::proposeRunFolder() {
    const QString usual = QDir::homePath() + QStringLiteral("/upcycler-runs");
    const QDir parent(QSettings().value(QStringLiteral("train/runsFolder"), usual).toString());
    const QString model = document_.hasModel() ? document_.model().name() : tr("run");
    for (int number = 1;; ++number) {
        const QString path = parent.filePath(
            QStringLiteral("%1-%2").arg(model).arg(number, 3, 10, QLatin1Char('0')));
        if (QFileInfo::exists(path)) continue;
        form_->setRunFolder(path);
        return;
    }
}

void JobPage::planChanged() {
    const auto& layers = document_.plan().layers;
    const bool topK = std::any_of(layers.begin(), layers.end(), [](const auto& layer) {
        return layer.second.moe.router == core::RouterKind::TopK;
    });
    form_->suggestBalanceLoss(topK ? kBalanceLoss : defaults_.trainer.loss.aux);
    edited();
}

void JobPage::edited() {
    stale_ = true;
    if (!isVisible() || !document_.hasModel()) return;
    stale_ = false;
    ++check_;
    checking_ = false;
    describe();
    const JobVerdict family = familyVerdict(document_.model().spec);
    const JobVerdict problem = family.ok ? form_->problem() : family;
    if (!problem.ok) {
        delay_.stop();
        judge(problem);
        return;
    }
    delay_.start();
}

void JobPage::check() {
    const quint64 check = ++check_;
    checking_ = true;
    runInBackground(
        this, QThreadPool::globalInstance(),
        [job = job(), run = core::Path(runFolder().toStdString())] { return judgeJob(job, run); },
        [this, check](Outcome<JobVerdict> outcome) {
            if (check != check_) return;
            checking_ = false;
            judge(outcome.value
                      ? *outcome.value
                      : JobVerdict{false, {}, outcome.error.message, outcome.error.hint, {}});
        });
}

void JobPage::judge(const JobVerdict& verdict) {
    verdict_ = verdict;
    form_->show(verdict);
    if (!verdict.ok && form_->field(verdict.key) == nullptr) {
        notice_->say(Notice::Tone::Danger, verdict.message, verdict.hint);
    } else if (verdict.ok && !verdict.warnings.isEmpty()) {
        notice_->say(Notice::Tone::Warning, verdict.warnings.join(QLatin1Char('\n')));
    } else {
        notice_->clear();
    }
    refreshButton();
    Q_EMIT checked();
}

void JobPage::describe() {
    const QString plan = planText(document_.plan());
    summary_->setText(
        plan.isEmpty() ? tr("No layer is marked as MoE: the model is trained as it is.") : plan);
    const core::Path run = runFolder().toStdString();
    command_->setPlainText(shellText(jobCommands(job(), defaults_, run)));
}

void JobPage::refreshButton() {
    train_->setEnabled(document_.hasModel() && verdict_.ok && !busy_);
    train_->setText(busy_ ? tr("Preparing…") : tr("Train"));
}

}  // namespace ui
