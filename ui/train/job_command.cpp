// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/job_command.h"

#include "ui/charts/csv_writer.h"

#include <QRegularExpression>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace ui {
namespace {

QString text(std::string_view value) {
    return QString::fromUtf8(value.data(), static_cast<qsizetype>(value.size()));
}

QString number(double value) { return QString::fromUtf8(csvNumber(value)); }

QString number(std::int64_t value) { return QString::number(static_cast<qlonglong>(value)); }

/// What `--set BLOCK.KEY=VALUE` takes, in the order of plan.json.
std::vector<std::pair<QString, QString>> layerKeys(const core::LayerPlan& layer) {
    const core::MoeSpec& moe = layer.moe;
    std::vector<std::pair<QString, QString>> keys{
        {QStringLiteral("experts"), number(moe.experts)},
        {QStringLiteral("router"), text(core::routerName(moe.router))},
        {QStringLiteral("renormalize"),
         moe.renormalize ? QStringLiteral("on") : QStringLiteral("off")},
        {QStringLiteral("group-size"), text(core::toString(moe.group))},
        {QStringLiteral("experts-from"), text(core::toString(layer.experts))},
        {QStringLiteral("router-init"), text(core::toString(layer.routerInit))}};
    if (moe.router == core::RouterKind::TopK) {
        keys.emplace_back(QStringLiteral("k"), number(static_cast<std::int64_t>(moe.k)));
        keys.emplace_back(QStringLiteral("order"), text(core::topKOrderName(moe.order)));
        keys.emplace_back(QStringLiteral("batch-priority"),
                          moe.batchPriority ? QStringLiteral("on") : QStringLiteral("off"));
        if (moe.dropless) keys.emplace_back(QStringLiteral("dropless"), QString());
    }
    if (!moe.dropless) keys.emplace_back(QStringLiteral("capacity"), number(moe.capacity));
    return keys;
}

QStringList planCommand(const core::JobSpec& job, const QString& planFile) {
    const core::SurgeryPlan& plan = *job.plan;
    QStringList blocks;
    for (const auto& [block, layer] : plan.layers) blocks << text(block);
    QStringList words{QStringLiteral("upcycle"),
                      QStringLiteral("plan"),
                      text(job.model),
                      QStringLiteral("-o"),
                      planFile,
                      QStringLiteral("--layers"),
                      blocks.join(QLatin1Char(','))};
    const auto common = layerKeys(plan.layers.begin()->second);
    for (const auto& [key, value] : common) {
        words << QStringLiteral("--") + key;
        if (!value.isEmpty()) words << value;
    }
    for (const auto& [block, layer] : plan.layers) {
        for (const auto& [key, value] : layerKeys(layer)) {
            if (std::find(common.begin(), common.end(), std::pair(key, value)) != common.end()) {
                continue;
            }
            QString name = key;
            name.replace(QLatin1Char('-'), QLatin1Char('_'));
            QString plain = value.isEmpty() || value == QLatin1String("on") ? QStringLiteral("true")
                            : value == QLatin1String("off") ? QStringLiteral("false")
                                                            : value;
            words << QStringLiteral("--set")
                  << QStringLiteral("%1.%2=%3").arg(text(block), name, plain);
        }
    }
    if (plan.seed != 0) {
        words << QStringLiteral("--seed") << QString::number(static_cast<qulonglong>(plan.seed));
    }
    return words;
}

/// Only Expert Choice routers, which need no balance loss; elsewhere `new` may choose one itself.
bool balancesByItself(const std::optional<core::SurgeryPlan>& plan) {
    return plan && std::all_of(plan->layers.begin(), plan->layers.end(), [](const auto& layer) {
               return layer.second.moe.router == core::RouterKind::ExpertChoice;
           });
}

/// Adds "--option value" when the value is not the default.
class Options {
  public:
    explicit Options(QStringList& words) : words_(words) {}

    template <typename T>
    void say(const char* option, const T& value) {
        words_ << QString::fromLatin1(option) << format(value);
    }
    template <typename T>
    void add(const char* option, const T& value, const T& standard) {
        if (!(value == standard)) say(option, value);
    }
    template <typename T>
    void set(const char* key, const T& value, const T& standard) {
        if (value == standard) return;
        words_ << QStringLiteral("--set")
               << QString::fromLatin1(key) + QLatin1Char('=') + format(value);
    }

  private:
    static QString format(double value) { return number(value); }
    static QString format(float value) { return QString::fromUtf8(csvNumber(value)); }
    static QString format(std::optional<float> value) {
        return value ? format(*value) : QStringLiteral("null");
    }
    static QString format(std::int64_t value) { return number(value); }
    static QString format(int value) { return QString::number(value); }
    static QString format(std::uint64_t value) {
        return QString::number(static_cast<qulonglong>(value));
    }
    static QString format(bool value) {
        return value ? QStringLiteral("true") : QStringLiteral("false");
    }
    static QString format(const std::string& value) { return text(value); }
    static QString format(std::string_view value) { return text(value); }

    QStringList& words_;
};

QStringList newCommand(const core::JobSpec& job, const core::JobSpec& standard, const QString& run,
                       const QString& planFile) {
    QStringList words{QStringLiteral("upcycle"), QStringLiteral("new"), run,
                      QStringLiteral("--model"), text(job.model)};
    if (job.plan) words << QStringLiteral("--plan") << planFile;
    words << QStringLiteral("--data") << text(job.data);
    if (job.objective != core::Objective::Classify)
        words << QStringLiteral("--objective") << text(core::objectiveName(job.objective));
    if (job.text.tokenizer != standard.text.tokenizer)
        words << QStringLiteral("--tokenizer") << text(job.text.tokenizer);
    const core::TrainerSpec& now = job.trainer;
    const core::TrainerSpec& was = standard.trainer;
    Options options(words);
    words << QStringLiteral("--steps") << number(now.steps);
    options.add("--batch", job.batch, standard.batch);
    options.add("--optimizer", core::optimizerName(now.optimizer.kind),
                core::optimizerName(was.optimizer.kind));
    words << QStringLiteral("--lr") << number(now.schedule.lr);
    options.add("--schedule", core::scheduleName(now.schedule.kind),
                core::scheduleName(was.schedule.kind));
    options.add("--warmup", now.schedule.warmup, was.schedule.warmup);
    options.set("schedule.cooldown", now.schedule.cooldown, was.schedule.cooldown);
    options.add("--weight-decay", now.optimizer.weightDecay, was.optimizer.weightDecay);
    options.add("--clip", now.clip, was.clip);
    if (!balancesByItself(job.plan) || now.loss.aux != was.loss.aux)
        options.say("--aux", now.loss.aux);
    options.add("--z", now.loss.z, was.loss.z);
    options.say("--optimizer-state", core::optimizerStateModeName(job.optimizerState));
    options.add("--eval-every", job.evalEvery, standard.evalEvery);
    options.add("--checkpoint-every", job.checkpointEvery, standard.checkpointEvery);
    options.add("--keep", job.keep, standard.keep);
    options.add("--seed", job.seed, standard.seed);
    options.set("text.inputs_length", job.text.inputsLength, standard.text.inputsLength);
    options.set("text.targets_length", job.text.targetsLength, standard.text.targetsLength);
    options.set("text.noise_density", job.text.corruption.noiseDensity,
                standard.text.corruption.noiseDensity);
    options.set("text.mean_span_length", job.text.corruption.meanSpanLength,
                standard.text.corruption.meanSpanLength);
    options.set("loss.logit_z", now.loss.logitZ, was.loss.logitZ);
    options.set("dropout", now.dropout, was.dropout);
    options.set("text.batch_tokens", job.text.batchTokens, standard.text.batchTokens);
    options.set("text.text_field", job.text.textField, standard.text.textField);
    options.set("text.input_field", job.text.inputField, standard.text.inputField);
    options.set("text.target_field", job.text.targetField, standard.text.targetField);
    options.set("text.prefix", job.text.prefix, standard.text.prefix);
    options.set("microbatch", now.microbatch, was.microbatch);
    options.set("recompute", now.recompute, was.recompute);
    options.set("dtype", core::dtypeOption(job.dtype), core::dtypeOption(standard.dtype));
    options.set("device", job.device, standard.device);
    options.set("threads", job.threads, standard.threads);
    return words;
}

QString quoted(const QString& word) {
    static const QRegularExpression kPlain(QStringLiteral("^[A-Za-z0-9_@%+=:,./-]+$"));
    if (kPlain.match(word).hasMatch()) return word;
    QString inside = word;
    inside.replace(QLatin1Char('\''), QStringLiteral("'\\''"));
    return QLatin1Char('\'') + inside + QLatin1Char('\'');
}

}  // namespace

std::vector<QStringList> jobCommands(const core::JobSpec& job, const core::JobSpec& defaults,
                                     const core::Path& run) {
    const QString folder = text(run.string());
    const QString planFile = folder + QStringLiteral(".plan.json");
    std::vector<QStringList> commands;
    if (job.plan) commands.push_back(planCommand(job, planFile));
    commands.push_back(newCommand(job, defaults, folder, planFile));
    commands.push_back({QStringLiteral("upcycle"), QStringLiteral("train"), folder});
    return commands;
}

QString shellText(const std::vector<QStringList>& commands) {
    QStringList lines;
    for (const QStringList& words : commands) {
        QStringList line;
        for (const QString& word : words) line << quoted(word);
        lines << line.join(QLatin1Char(' '));
    }
    return lines.join(QStringLiteral(" &&\n"));
}

}  // namespace ui
