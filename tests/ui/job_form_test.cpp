// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/job_form.h"

#include "ui/train/device_query.h"
#include "ui/train/field.h"
#include "ui/train/job_command.h"
#include "ui/train/job_verdict.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTemporaryDir>
#include <QTest>

namespace ui {
namespace {

QString key(const char* name) { return QString::fromLatin1(name); }

core::JobSpec sampleJob() {
    core::JobSpec job;
    job.model = "/models/dense";
    job.data = "fashion-mnist";
    job.batch = 96;
    job.trainer.steps = 12345;
    job.trainer.clip = 0.5;
    job.trainer.loss.aux = 0.01F;
    job.trainer.loss.z = 0.001F;
    job.trainer.optimizer.kind = core::OptimizerKind::Adafactor;
    job.trainer.optimizer.weightDecay = 0.05;
    job.trainer.schedule = {core::ScheduleKind::Rsqrt, 3e-4, 100, 50, 10000, 7000, 0};
    job.optimizerState = core::OptimizerStateMode::Reset;
    job.trainer.optimizer.stepOffset = 7000;
    job.evalEvery = 250;
    job.checkpointEvery = 500;
    job.keep = 5;
    job.seed = 42;
    job.device = "cuda:1";
    job.threads = 3;
    job.dtype = core::DType::BF16;
    job.trainer.microbatch = 24;
    job.trainer.recompute = true;
    job.augmentation = {2, true};
    job.normalization = {{0.25F}, {0.3F}};
    return job;
}

TEST(JobForm, GivesBackTheJobItShows) {
    JobForm form;
    form.setJob(sampleJob(), {});
    EXPECT_EQ(core::toJson(form.job()), core::toJson(sampleJob()));
    EXPECT_TRUE(form.problem().ok);
}

TEST(JobForm, EveryFieldReachesTheJob) {
    JobForm form;
    form.setJob({}, {QStringLiteral("fashion-mnist")});
    const auto number = [&](const char* name, int value) {
        auto* box = qobject_cast<QSpinBox*>(form.field(key(name))->editor());
        ASSERT_NE(box, nullptr) << name;
        box->setValue(value);
    };
    const auto text = [&](const char* name, const char* value) {
        auto* edit = qobject_cast<QLineEdit*>(form.field(key(name))->editor());
        ASSERT_NE(edit, nullptr) << name;
        edit->clear();
        QTest::keyClicks(edit, QString::fromLatin1(value));
    };
    const auto choice = [&](const char* name, const char* value) {
        auto* box = qobject_cast<QComboBox*>(form.field(key(name))->editor());
        ASSERT_NE(box, nullptr) << name;
        box->setCurrentIndex(box->findData(QString::fromLatin1(value)));
    };
    QSignalSpy edited(&form, &JobForm::edited);
    qobject_cast<QComboBox*>(form.field(key("data"))->editor())->setCurrentText(key("idx:/data"));
    number("steps", 12);
    number("batch", 7);
    choice("optimizer.kind", "sgd");
    text("schedule.lr", "2.5e-3");
    choice("schedule.kind", "cosine");
    number("schedule.warmup", 3);
    number("schedule.cooldown", 4);
    text("optimizer.weight_decay", "0.1");
    text("clip", "1");
    choice("optimizer_state", "reset");
    text("loss.aux", "0.02");
    text("loss.z", "0.5");
    number("eval_every", 5);
    number("checkpoint_every", 6);
    number("keep", 9);
    choice("device", "cpu");
    number("threads", 2);
    choice("dtype", "bf16");
    number("microbatch", 3);
    choice("recompute", "true");
    number("seed", 99);
    EXPECT_GE(edited.size(), 21);
    const core::JobSpec job = form.job();
    EXPECT_EQ(job.data, "idx:/data");
    EXPECT_EQ(job.trainer.steps, 12);
    EXPECT_EQ(job.batch, 7);
    EXPECT_EQ(job.trainer.optimizer.kind, core::OptimizerKind::Sgd);
    EXPECT_EQ(job.trainer.schedule.lr, 2.5e-3);
    EXPECT_EQ(job.trainer.schedule.kind, core::ScheduleKind::Cosine);
    EXPECT_EQ(job.trainer.schedule.warmup, 3);
    EXPECT_EQ(job.trainer.schedule.cooldown, 4);
    EXPECT_EQ(job.trainer.optimizer.weightDecay, 0.1);
    EXPECT_EQ(job.trainer.clip, 1);
    EXPECT_EQ(job.optimizerState, core::OptimizerStateMode::Reset);
    EXPECT_EQ(job.trainer.loss.aux, 0.02F);
    EXPECT_EQ(job.trainer.loss.z, 0.5F);
    EXPECT_EQ(job.evalEvery, 5);
    EXPECT_EQ(job.checkpointEvery, 6);
    EXPECT_EQ(job.keep, 9);
    EXPECT_EQ(job.device, "cpu");
    EXPECT_EQ(job.threads, 2);
    EXPECT_EQ(job.dtype, core::DType::BF16);
    EXPECT_EQ(job.trainer.microbatch, 3);
    EXPECT_TRUE(job.trainer.recompute);
    EXPECT_EQ(job.seed, 99U);
}

TEST(JobForm, WhatIsNoNumberIsSaidUnderItsField) {
    JobForm form;
    form.setJob(sampleJob(), {});
    auto* lr = qobject_cast<QLineEdit*>(form.field(key("schedule.lr"))->editor());
    lr->setText(QStringLiteral("fast"));
    const JobVerdict problem = form.problem();
    EXPECT_FALSE(problem.ok);
    EXPECT_EQ(problem.key, key("schedule.lr"));
    form.show(problem);
    EXPECT_TRUE(form.field(key("schedule.lr"))->message().contains(QStringLiteral("fast")));
    EXPECT_TRUE(form.field(key("clip"))->message().isEmpty());
    form.show(JobVerdict{});
    EXPECT_TRUE(form.field(key("schedule.lr"))->message().isEmpty());
}

TEST(JobForm, EveryFieldHasANameAndAnExplanation) {
    JobForm form;
    for (const Field* field : form.findChildren<Field*>()) {
        EXPECT_FALSE(field->editor()->accessibleName().isEmpty())
            << field->editor()->objectName().toStdString();
        EXPECT_FALSE(field->editor()->accessibleDescription().isEmpty())
            << field->editor()->objectName().toStdString();
    }
    EXPECT_EQ(form.findChildren<Field*>().size(), 36);
}

core::JobSpec textJob() {
    core::JobSpec job = sampleJob();
    job.data = "jsonl:/data/a.jsonl,/data/b.jsonl";
    job.objective = core::Objective::TextToText;
    job.text.tokenizer = "/data/spiece.model";
    job.text.inputsLength = 96;
    job.text.targetsLength = 40;
    job.text.corruption = {0.25, 4.5};
    job.text.batchTokens = 4096;
    job.trainer.loss.logitZ = 1e-4F;
    job.trainer.dropout = 0.05F;
    job.text.textField = "body";
    job.text.inputField = "question";
    job.text.targetField = "answer";
    job.text.prefix = "ask: ";
    return job;
}

TEST(JobForm, GivesBackTheTextJobItShows) {
    JobForm form;
    form.setJob(textJob(), {});
    EXPECT_EQ(core::toJson(form.job()), core::toJson(textJob()));
}

TEST(JobForm, ShowsTextsSettingsForTextsOnly) {
    JobForm form;
    static_cast<QWidget&>(form).show();
    const auto seen = [&](const char* name) { return form.field(key(name))->isVisible(); };
    form.setJob(sampleJob(), {});
    EXPECT_FALSE(seen("text.tokenizer"));
    EXPECT_FALSE(seen("objective"));
    EXPECT_EQ(form.field(key("data"))->editor()->accessibleName(), key("Images"));
    core::JobSpec job = textJob();
    form.setJob(job, {});
    EXPECT_TRUE(seen("text.tokenizer"));
    EXPECT_TRUE(seen("text.prefix"));
    EXPECT_TRUE(seen("text.target_field"));
    EXPECT_FALSE(seen("text.text_field"));
    EXPECT_EQ(form.field(key("data"))->editor()->accessibleName(), key("Texts"));
    job.objective = core::Objective::SpanCorruption;
    job.text.inputsLength = 512;
    job.text.corruption = {};
    form.setJob(job, {});
    EXPECT_TRUE(seen("text.text_field"));
    EXPECT_FALSE(seen("text.prefix"));
    auto* targets = qobject_cast<QSpinBox*>(form.field(key("text.targets_length"))->editor());
    targets->setValue(0);
    EXPECT_TRUE(targets->text().contains(key("114"))) << targets->text().toStdString();
    qobject_cast<QComboBox*>(form.field(key("data"))->editor())->setCurrentText(key("text:/a.txt"));
    EXPECT_FALSE(seen("text.text_field"));
}

TEST(JobForm, WhatIsHiddenIsAskedForSpanCorruptionOnly) {
    JobForm form;
    static_cast<QWidget&>(form).show();
    core::JobSpec job = textJob();
    job.objective = core::Objective::SpanCorruption;
    job.text.inputsLength = 512;
    job.text.targetsLength = 0;
    form.setJob(job, {});
    const auto edit = [&](const char* name) {
        return qobject_cast<QLineEdit*>(form.field(key(name))->editor());
    };
    auto* targets = qobject_cast<QSpinBox*>(form.field(key("text.targets_length"))->editor());
    edit("text.noise_density")->setText(key("0.5"));
    edit("text.mean_span_length")->setText(key("5"));
    const core::SpanCorruption half{0.5, 5};
    EXPECT_EQ(form.job().text.corruption, half);
    EXPECT_TRUE(
        targets->text().contains(QString::number(core::lengthsForInputs(512, half).targets)))
        << targets->text().toStdString();
    for (const char* wrong : {"0", "1", "nan", "-3"}) {
        edit("text.noise_density")->setText(key(wrong));
        EXPECT_EQ(targets->text(), key("auto")) << wrong;
    }
    edit("text.noise_density")->setText(key("half"));
    EXPECT_EQ(form.problem().key, key("text.noise_density"));
    auto* objective = qobject_cast<QComboBox*>(form.field(key("objective"))->editor());
    objective->setCurrentIndex(objective->findData(key("text-to-text")));
    EXPECT_FALSE(form.field(key("text.noise_density"))->isVisible());
    EXPECT_FALSE(form.field(key("text.mean_span_length"))->isVisible());
    EXPECT_TRUE(form.problem().ok) << "what is not asked cannot be wrong";
}

TEST(JobForm, DropoutIsTheModelsUntilAPersonSaysIt) {
    JobForm form;
    core::JobSpec job = textJob();
    job.trainer.dropout.reset();
    form.setJob(job, {});
    form.setTextModel({{}, 1100, 0.1F});
    auto* dropout = qobject_cast<QLineEdit*>(form.field(key("dropout"))->editor());
    EXPECT_TRUE(dropout->placeholderText().contains(key("0.1")));
    EXPECT_TRUE(form.problem().ok);
    EXPECT_FALSE(form.job().trainer.dropout.has_value());
    dropout->setText(key("0"));
    EXPECT_EQ(form.job().trainer.dropout, 0.0F);
    dropout->setText(key("none"));
    EXPECT_EQ(form.problem().key, key("dropout"));
    form.setJob(sampleJob(), {});
    EXPECT_TRUE(form.field(key("dropout"))->isHidden());
    EXPECT_TRUE(form.field(key("loss.logit_z"))->isHidden());
    EXPECT_TRUE(form.problem().ok);
}

TEST(JobForm, NoFieldLiesOverAnother) {
    JobForm form;
    static_cast<QWidget&>(form).show();
    core::JobSpec job = textJob();
    for (const core::Objective objective :
         {core::Objective::TextToText, core::Objective::SpanCorruption}) {
        job.objective = objective;
        form.setJob(job, {});
        form.resize(316, form.sizeHint().height());
        QTest::qWait(1);
        std::vector<std::pair<QString, QRect>> seen;
        for (const Field* field : form.findChildren<Field*>()) {
            if (!field->isVisible()) continue;
            const QRect place(field->mapTo(&form, QPoint()), field->size());
            for (const auto& [name, other] : seen)
                EXPECT_FALSE(place.intersects(other))
                    << field->editor()->objectName().toStdString() << " and " << name.toStdString();
            seen.emplace_back(field->editor()->objectName(), place);
        }
    }
}

TEST(JobForm, EveryChoiceOfTextsIsReadInTheNarrowForm) {
    JobForm form;
    form.setDevices({{key("auto"), key("Automatic (cuda:0)")},
                     {key("cuda:0"), key("cuda:0 · NVIDIA H100 80GB HBM3")}});
    form.setJob(textJob(), {});
    static_cast<QWidget&>(form).show();
    form.resize(316, form.sizeHint().height());  // as in the window
    QTest::qWait(1);
    for (const char* name : {"objective", "schedule.kind", "optimizer_state", "device"}) {
        const auto* box = qobject_cast<QComboBox*>(form.field(key(name))->editor());
        QStyleOptionComboBox option;
        option.initFrom(box);
        const QRect inside = box->style()->subControlRect(QStyle::CC_ComboBox, &option,
                                                          QStyle::SC_ComboBoxEditField, box);
        for (int i = 0; i < box->count(); ++i)
            EXPECT_LE(box->fontMetrics().horizontalAdvance(box->itemText(i)), inside.width())
                << name << ": " << box->itemText(i).toStdString();
    }
}

TEST(JobForm, FilesBecomeASource) {
    EXPECT_EQ(sourceOfFiles({key("/a.txt"), key("/b.txt")}), key("text:/a.txt,/b.txt"));
    EXPECT_EQ(sourceOfFiles({key("/a.jsonl"), key("/b.jsonl.gz")}),
              key("jsonl:/a.jsonl,/b.jsonl.gz"));
}

TEST(JobForm, FolderBecomesASource) {
    const QTemporaryDir folder;
    EXPECT_EQ(sourceOfFolder(folder.path()), QStringLiteral("images:") + folder.path());
    QFile file(folder.filePath(QStringLiteral("train-images-idx3-ubyte.gz")));
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    EXPECT_EQ(sourceOfFolder(folder.path()), QStringLiteral("idx:") + folder.path());
}

TEST(JobForm, BalanceLossFollowsThePlanUntilAPersonDecides) {
    JobForm form;
    form.setJob({}, {});
    form.suggestBalanceLoss(0.01F);
    EXPECT_EQ(form.job().trainer.loss.aux, 0.01F);
    form.suggestBalanceLoss(0);
    EXPECT_EQ(form.job().trainer.loss.aux, 0);
    qobject_cast<QLineEdit*>(form.field(key("loss.aux"))->editor())->setText(key("0.5"));
    form.suggestBalanceLoss(0.01F);
    EXPECT_EQ(form.job().trainer.loss.aux, 0.5F);
}

TEST(DeviceQuery, ReadsWhatTheProgramSays) {
    const DeviceEntries entries = devicesFromJson(
        R"({"devices":[{"name":"cpu","description":"AVX-512","usable":true,"chosen":true,"reason":""},
            {"name":"cuda","description":"","usable":false,"chosen":false,"reason":"no driver"}]})");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].first, key("auto"));
    EXPECT_EQ(entries[0].second, key("Automatic (CPU)"));
    EXPECT_EQ(entries[1].first, key("cpu"));
    EXPECT_TRUE(devicesFromJson("not json").empty());
    EXPECT_TRUE(devicesFromJson("{}").empty());
}

TEST(JobVerdict, ProblemsFindTheirField) {
    const core::JobSpec job = [] {
        core::JobSpec made;
        made.data = "images:/data/birds";
        return made;
    }();
    const core::Path run = "/runs/one";
    const auto keyOf = [&](core::ErrorKind kind, const char* message) {
        return keyOfProblem(job, run, kind, QString::fromLatin1(message)).toStdString();
    };
    using core::ErrorKind;
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "job.json: key schedule.lr is -1, expected a finite"),
              "schedule.lr");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "/data/birds: no image"), "data");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "X has 12 classes, the model distinguishes 10"), "data");
    EXPECT_EQ(keyOf(ErrorKind::OutOfMemory, "training needs 5 TB"), "batch");
    EXPECT_EQ(keyOf(ErrorKind::DiskFull, "keeping the checkpoints needs 5 TB"), "run");
    EXPECT_EQ(keyOf(ErrorKind::Device, "cuda: no driver"), "device");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "/m has no optimizer.safetensors to carry"),
              "optimizer_state");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "text.mean_span_length is 0, expected 1 to 1000 tokens"),
              "text.mean_span_length");
    EXPECT_EQ(keyOf(ErrorKind::BadInput,
                    "inputs of 9 tokens have 200 hidden spans, but the tokenizer has 100"),
              "text.inputs_length");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "job.json: key dropout is 1, expected"), "dropout");
    EXPECT_EQ(keyOf(ErrorKind::BadInput, "something else"), "");
}

TEST(JobVerdict, RefusesFoldersThatAreNoRunsPlace) {
    core::JobSpec job = sampleJob();
    EXPECT_EQ(judgeJob(job, {}).key, key("run"));
    EXPECT_EQ(judgeJob(job, "relative/run").key, key("run"));
    EXPECT_EQ(judgeJob(job, "/usr").key, key("run"));
    job.data.clear();
    EXPECT_EQ(judgeJob(job, "/runs/one").key, key("data"));
    job.data = "images:birds";
    EXPECT_EQ(judgeJob(job, "/runs/one").key, key("data"));
}

TEST(JobCommand, SaysOnlyWhatDiffers) {
    core::JobSpec defaults;
    defaults.model = "/models/dense";
    core::JobSpec job = defaults;
    job.data = "fashion-mnist";
    job.trainer.steps = 500;
    const auto commands = jobCommands(job, defaults, "/runs/one");
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(shellText(commands),
              QStringLiteral("upcycle new /runs/one --model /models/dense --data fashion-mnist "
                             "--steps 500 --lr 0.001 --aux 0 --optimizer-state carry &&\n"
                             "upcycle train /runs/one"));
}

TEST(JobCommand, SaysWhatATextRunIs) {
    core::JobSpec defaults;
    defaults.model = "/models/t5";
    defaults.objective = core::Objective::SpanCorruption;
    core::JobSpec job = defaults;
    job.data = "text:/data/a.txt";
    job.text.tokenizer = "/data/spiece.model";
    job.text.inputsLength = 48;
    job.text.batchTokens = 4096;
    job.text.corruption.noiseDensity = 0.5;
    job.trainer.dropout = 0.25F;
    const QStringList words = jobCommands(job, defaults, "/runs/one")[0];
    const QString said = words.join(QLatin1Char(' '));
    for (const char* part :
         {"--data text:/data/a.txt", "--objective span-corruption",
          "--tokenizer /data/spiece.model", "--set text.inputs_length=48",
          "--set text.batch_tokens=4096", "--set text.noise_density=0.5", "--set dropout=0.25"})
        EXPECT_TRUE(said.contains(key(part))) << part << " in " << said.toStdString();
    EXPECT_FALSE(said.contains(key("text.prefix")));
    EXPECT_FALSE(said.contains(key("mean_span")));
    EXPECT_FALSE(said.contains(key("logit_z")));
}

TEST(JobCommand, WordsAreSafeInAShell) {
    EXPECT_EQ(shellText({{QStringLiteral("upcycle"), QStringLiteral("/a b/it's"),
                          QStringLiteral("$HOME"), QStringLiteral("x;rm")}}),
              QStringLiteral("upcycle '/a b/it'\\''s' '$HOME' 'x;rm'"));
}

}  // namespace
}  // namespace ui
