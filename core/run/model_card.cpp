// SPDX-License-Identifier: Apache-2.0
#include "core/run/model_card.h"

#include "core/base/text.h"
#include "core/run/escape.h"
#include "core/surgery/modeling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace core {
namespace {

bool isMoe(const ModelSpec& model) {
    return std::any_of(model.blocks.begin(), model.blocks.end(),
                       [](const BlockSpec& block) { return block.moe.has_value(); });
}

/// Lines of the card, one after another.
class Text {
  public:
    template <typename... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
        out_ += '\n';
    }
    void blank() { out_ += '\n'; }
    void heading(std::string_view name) {
        blank();
        line("## {}", name);
        blank();
    }
    /// A row of a table of two columns; nothing for an empty value.
    void fact(std::string_view name, const std::string& value) {
        if (!value.empty()) line("| {} | {} |", name, value);
    }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

std::string count(std::uint64_t n) { return formatCount(static_cast<double>(n)); }

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

const char* pipelineTag(Family family) {
    switch (family) {
        case Family::Vit:
            return "image-classification";
        case Family::T5:
            return "text2text-generation";
        case Family::Llama:
            break;
    }
    return "text-generation";
}

void addFrontMatter(Text& text, const ModelCard& card) {
    text.line("---");
    if (card.transformers) text.line("library_name: transformers");
    text.line("pipeline_tag: {}", pipelineTag(card.model.family));
    if (!card.baseModel.empty()) text.line("base_model: {}", card.baseModel);
    text.line("tags:");
    text.line("- {}", familyName(card.model.family));
    if (isMoe(card.model)) {
        text.line("- mixture-of-experts");
        text.line("- sparse-upcycling");
    }
    text.line("---");
}

std::string routerText(const MoeSpec& moe) {
    if (moe.router == RouterKind::ExpertChoice) return "expert choice";
    return fmt::format("top {}, {}{}", moe.k, topKOrderName(moe.order),
                       moe.batchPriority ? ", batch priority" : "");
}

/// The capacity factor, or that there is none.
std::string capacityText(const MoeSpec& moe) {
    return moe.router == RouterKind::TopK && moe.dropless ? "dropless"
                                                          : fmt::format("{}", moe.capacity);
}

void addBlocks(Text& text, const ModelCard& card) {
    text.line("| block | experts | made from | router | capacity | routing group | renormalised |");
    text.line("| --- | --- | --- | --- | --- | --- | --- |");
    std::size_t dense = 0;
    for (const BlockSpec& block : card.model.blocks) {
        if (!block.moe) {
            ++dense;
            continue;
        }
        std::string made = "–";
        if (card.plan)
            if (const auto layer = card.plan->layers.find(block.name);
                layer != card.plan->layers.end())
                made = fmt::format("{}, router {}", toString(layer->second.experts),
                                   toString(layer->second.routerInit));
        text.line("| {} | {} | {} | {} | {} | {} | {} |", block.name, block.moe->experts, made,
                  routerText(*block.moe), capacityText(*block.moe), toString(block.moe->group),
                  block.moe->renormalize ? "yes" : "no");
    }
    text.blank();
    text.line(
        "The other {} blocks keep their dense MLP. Capacity is the average number of experts "
        "that a token can use.",
        dense);
}

void addCost(Text& text, const ModelCard& card) {
    text.blank();
    if (!card.before) {
        text.line("{} parameters, {} of them active for a token, {} FLOPs a token forward.",
                  count(card.cost.parameters), count(card.cost.activeParameters),
                  formatCount(card.cost.flopsPerToken));
        return;
    }
    text.line("| | dense | upcycled |");
    text.line("| --- | --- | --- |");
    text.line("| parameters | {} | {} |", count(card.before->parameters),
              count(card.cost.parameters));
    text.line("| active for a token | {} | {} |", count(card.before->activeParameters),
              count(card.cost.activeParameters));
    text.line("| FLOPs a token, forward | {} | {} |", formatCount(card.before->flopsPerToken),
              formatCount(card.cost.flopsPerToken));
}

void addOrigin(Text& text, const ModelCard& card) {
    if (card.originSteps > 0)
        text.line("The model it came from had been trained for {} steps.",
                  formatExact(card.originSteps));
    if (card.originFiles.empty()) return;
    text.blank();
    text.line("| file it came from | bytes | CRC-32 |");
    text.line("| --- | --- | --- |");
    for (const auto& [name, sum] : card.originFiles)
        text.line("| {} | {} | {:08x} |", escapedMarkdown(name), sum.bytes, sum.crc32);
}

void addSurgery(Text& text, const ModelCard& card) {
    text.heading("Surgery");
    addBlocks(text, card);
    addCost(text, card);
    if (!card.plan) return;
    text.blank();
    text.line("The plan, as `upcycle convert --plan` takes it (seed {}):", card.plan->seed);
    text.blank();
    text.line("```json\n{}```", toJson(*card.plan));
}

std::string optimizerText(const OptimizerSpec& spec) {
    std::string text(optimizerName(spec.kind));
    if (spec.kind == OptimizerKind::AdamW)
        text += fmt::format(", β {} and {}, ε {}", spec.beta1, spec.beta2, spec.epsilon);
    if (spec.kind == OptimizerKind::Sgd)
        text += fmt::format(", momentum {}{}", spec.momentum, spec.nesterov ? " (Nesterov)" : "");
    if (spec.kind == OptimizerKind::Adafactor) text += fmt::format(", decay {}", spec.decayRate);
    return text + fmt::format(", weight decay {}", spec.weightDecay);
}

std::string scheduleText(const TrainingState& state) {
    const ScheduleSpec& spec = state.schedule;
    std::string text = fmt::format("{}, {} from step {}", scheduleName(spec.kind), spec.lr,
                                   formatExact(spec.startStep));
    if (spec.kind == ScheduleKind::Rsqrt) text += fmt::format(", timescale {}", spec.timescale);
    if (spec.warmup > 0) text += fmt::format(", warm-up {}", formatExact(spec.warmup));
    if (spec.cooldown > 0) text += fmt::format(", cool-down {}", formatExact(spec.cooldown));
    return text + fmt::format("; {:.3g} at the last step", state.lr);
}

std::string lossText(const LossSpec& loss) {
    std::string text = loss.kind == LossKind::Sigmoid ? "sigmoid cross-entropy" : "cross-entropy";
    if (loss.labelSmoothing > 0) text += fmt::format(", label smoothing {}", loss.labelSmoothing);
    if (loss.aux > 0) text += fmt::format(" + {} · balance loss", loss.aux);
    if (loss.z > 0) text += fmt::format(" + {} · router z-loss", loss.z);
    return text;
}

std::string augmentationText(const Augmentation& augmentation) {
    std::string text;
    if (augmentation.cropPadding > 0)
        text = fmt::format("crop after padding by {}", augmentation.cropPadding);
    if (augmentation.flip) text += text.empty() ? "flip" : ", flip";
    return text;
}

void addTraining(Text& text, const RunRecord& run, bool picture) {
    const JobSpec& job = run.job;
    const TrainingState& state = run.state;
    const bool carried =
        job.optimizerState == OptimizerStateMode::Carry && !job.model.starts_with("scratch:");
    text.heading("Training");
    text.line("| | |");
    text.line("| --- | --- |");
    text.fact("data", escapedMarkdown(withoutFolders(job.data)));
    text.fact("objective", std::string(objectiveName(job.objective)));
    text.fact("steps", fmt::format("{} of {}, the model's step {}", formatExact(state.step),
                                   formatExact(job.trainer.steps), formatExact(state.globalStep)));
    text.fact("batch", fmt::format("{}, {} examples in all", formatExact(job.batch),
                                   formatExact(job.batch * state.step)));
    text.fact("optimizer", fmt::format("{}; its state {}", optimizerText(state.optimizer),
                                       carried ? "carried on" : "begun anew"));
    text.fact("learning rate", scheduleText(state));
    text.fact("loss", lossText(job.trainer.loss));
    if (job.trainer.clip > 0)
        text.fact("gradient norm clipped at", fmt::format("{}", job.trainer.clip));
    text.fact("augmentation", augmentationText(job.augmentation));
    text.fact("seed", fmt::format("{}", job.seed));
    if (!run.hello.device.empty())
        text.fact("computed on",
                  fmt::format("{} in {} by {} {}", escapedMarkdown(run.hello.device),
                              escapedMarkdown(run.hello.dtype), escapedMarkdown(run.hello.program),
                              escapedMarkdown(run.hello.version)));
    if (run.seconds > 0) text.fact("time of the steps", formatDuration(run.seconds));
    if (!picture) return;
    text.blank();
    text.line("![Loss by step](loss.svg)");
}

void addEvaluation(Text& text, const RunRecord& run) {
    if (run.evals.empty()) return;
    text.heading("Evaluation");
    text.line("| split | at step | examples | loss | accuracy | further |");
    text.line("| --- | --- | --- | --- | --- | --- |");
    for (const auto& [split, eval] : run.evals) {
        std::string examples = "–";
        std::string further;
        for (const auto& [name, value] : eval.metrics)
            if (name == "examples")
                examples = formatExact(std::llround(value));
            else if (name != "seconds")
                further += fmt::format("{}{} {:.4f}", further.empty() ? "" : ", ", name, value);
        text.line("| {} | {} | {} | {:.4f} | {} | {} |", escapedMarkdown(split),
                  formatExact(run.evalSteps.at(split)), examples, eval.loss,
                  eval.accuracy ? percent(*eval.accuracy) : "–", escapedMarkdown(further));
    }
}

void addRouters(Text& text, const RunRecord& run) {
    if (run.routers.empty()) return;
    text.heading("Routers at the end");
    text.line("At step {}; a load of 1 is even, 0 a dead expert.", formatExact(run.routerStep));
    text.blank();
    text.line(
        "| block | load, least to most | CV of the load | unrouted tokens | dropped "
        "assignments | entropy | sum of combine weights |");
    text.line("| --- | --- | --- | --- | --- | --- | --- |");
    for (const RouterStats& stats : run.routers) {
        const auto [least, most] = std::minmax_element(stats.load.begin(), stats.load.end());
        const std::string load =
            stats.load.empty() ? "–" : fmt::format("{:.2f} to {:.2f}", *least, *most);
        text.line("| {} | {} | {:.3f} | {} | {} | {:.3f} | {:.3f} |", escapedMarkdown(stats.block),
                  load, stats.cv, percent(stats.unrouted), percent(stats.dropped), stats.entropy,
                  stats.combineSum);
    }
}

bool routesOverTheBatch(const ModelSpec& model) {
    return std::any_of(model.blocks.begin(), model.blocks.end(), [](const BlockSpec& block) {
        return block.moe && block.moe->group.kind != GroupSize::Kind::Sequence;
    });
}

void addUse(Text& text, const ModelCard& card) {
    text.heading("Use");
    const bool moe = isMoe(card.model);
    const bool t5 = card.model.family == Family::T5 && !card.model.t5.switchNames &&
                    card.model.t5.decoderLayers > 0;
    if (card.transformers && (t5 || card.model.family == Family::Vit)) {
        const std::string_view loader =
            t5 ? "AutoModelForSeq2SeqLM" : "AutoModelForImageClassification";
        text.line("```python\nfrom transformers import {}\n", loader);
        text.line("model = {}.from_pretrained(FOLDER{})\n```", loader,
                  moe ? ", trust_remote_code=True" : "");
        text.blank();
        if (moe)
            text.line(
                "transformers has no {0}: `{1}` beside this "
                "file is the model (torch and transformers alone, 4.x and 5.x). Without "
                "`trust_remote_code=True` transformers takes its own dense {2}, warns, and "
                "the converted blocks are random numbers.",
                t5 ? "T5 with such experts" : "ViT with experts",
                t5 ? kT5ModelingName : kVitModelingName, t5 ? "T5" : "ViT");
    }
    if (moe && routesOverTheBatch(card.model)) {
        text.blank();
        text.line(
            "Tokens compete for the experts' places within their routing group, which is not "
            "one {} here: an output depends on the others in its batch.",
            card.model.family == Family::Vit ? "image" : "sequence");
    }
    text.blank();
    text.line(
        "In Upcycler: `upcycle inspect FOLDER`, `upcycle eval FOLDER --data SOURCE`, or open "
        "the folder in the window.");
}

std::string headline(const ModelCard& card) {
    const std::string name = escapedMarkdown(card.origin);
    std::vector<std::string> what;
    if (isMoe(card.model)) what.emplace_back("upcycled");
    if (card.run) what.emplace_back("trained");
    return what.empty() ? name : fmt::format("{}, {}", name, fmt::join(what, " and "));
}

}  // namespace

std::string withoutFolders(const std::string& source) {
    const std::size_t colon = source.find(':');
    const std::size_t slash = source.rfind('/');
    if (slash == std::string::npos || (colon != std::string::npos && slash < colon)) return source;
    const std::string name = slash + 1 == source.size()
                                 ? Path(source.substr(0, slash)).filename().string()
                                 : source.substr(slash + 1);
    return colon == std::string::npos ? name : source.substr(0, colon + 1) + name;
}

std::string modelCardText(const ModelCard& card, bool frontMatter) {
    Text text;
    if (frontMatter) addFrontMatter(text, card);
    text.line("{}", kModelCardMark);
    text.blank();
    text.line("# {}", headline(card));
    text.blank();
    if (isMoe(card.model))
        text.line(
            "Made from {} by sparse upcycling "
            "([Komatsuzaki et al. 2023](https://arxiv.org/abs/2212.05055)): some MLPs of its "
            "{} became Mixtures of Experts.",
            escapedMarkdown(card.origin),
            card.model.family == Family::Vit ? "Vision Transformer" : "Transformer");
    else
        text.line("Made from {}, without experts.", escapedMarkdown(card.origin));
    addOrigin(text, card);
    if (isMoe(card.model)) addSurgery(text, card);
    if (card.run) {
        addTraining(text, *card.run, card.picture);
        addEvaluation(text, *card.run);
        addRouters(text, *card.run);
    }
    addUse(text, card);
    text.blank();
    text.line("Written by {}.", card.program);
    return text.take();
}

}  // namespace core
