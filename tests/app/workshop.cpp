// SPDX-License-Identifier: Apache-2.0
#include "tests/app/workshop.h"

#include "core/run/event_tail.h"
#include "core/run/run_directory.h"

#include <fmt/format.h>

#include <sstream>

namespace upcycle_test {
namespace {

constexpr const char* kConfig = R"({
  "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 24,
  "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 40, "image_size": 8,
  "patch_size": 4, "num_channels": 1, "hidden_act": "gelu", "layer_norm_eps": 1e-6,
  "qkv_bias": true, "our_own_key": {"kept": [1, 2, 3]},
  "id2label": {"0": "a", "1": "b", "2": "c", "3": "d"}
})";

std::vector<std::string> newArguments(const std::string& run, const std::string& model, int steps) {
    return {"new",     run,   "--model",   model,
            "--data",  kData, "--steps",   fmt::format("{}", steps),
            "--batch", "8",   "--threads", "1"};
}

}  // namespace

const Workshop& Workshop::get() {
    static const Workshop kWorkshop;
    return kWorkshop;
}

Workshop::Workshop() {
    std::filesystem::permissions(scratch_.path(), std::filesystem::perms(0755));
    core::writeTextFile(config(), kConfig);
    const std::string run = (scratch_.path() / "run").string();
    std::vector<std::string> make = newArguments(run, "scratch:" + config().string(), 6);
    for (const char* word : {"--lr", "3e-3", "--schedule", "rsqrt", "--weight-decay", "0.05",
                             "--clip", "1", "--set", "augmentation.flip=true"})
        make.emplace_back(word);
    expectDone(make);
    expectDone({"train", run});
    std::filesystem::copy(core::resolveModel(run), dense());
    core::writeTextFile(dense() / "tokenizer_notes.txt", "a file that we do not know");
    expectDone({"plan", dense().string(), "-o", plan().string(), "--experts", "3"});
    expectDone({"convert", dense().string(), "--plan", plan().string(), "-o", upcycled().string()});
}

std::string AppTest::newRun(const std::string& name, const std::string& model, int steps,
                            const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = newArguments(path(name), model, steps);
    arguments.insert(arguments.end(), more.begin(), more.end());
    expectDone(arguments);
    return path(name);
}

Result expectDone(const std::vector<std::string>& arguments, const Setting& setting) {
    Result result = upcycle(arguments, setting);
    EXPECT_EQ(result.exit, 0) << arguments.front() << ": " << result.err;
    return result;
}

Json jsonOf(const Result& result) {
    Json json = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << result.out << result.err;
    return json;
}

void expectRefused(const Result& result, int exit, const std::vector<std::string>& words) {
    EXPECT_EQ(result.exit, exit) << result.err;
    EXPECT_EQ(result.out, "");
    int whats = 0;
    int hints = 0;
    std::istringstream lines(result.err);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("upcycle: ")) {
            ++whats;
            for (const std::string& word : words)
                EXPECT_NE(line.find(word), std::string::npos) << "no '" << word << "' in: " << line;
        } else if (line.starts_with("hint: ")) {
            ++hints;
            EXPECT_GT(line.size(), 10U) << line;
        } else {
            EXPECT_TRUE(line.starts_with("warning: ")) << line;
        }
    }
    EXPECT_EQ(whats, 1) << result.err;
    EXPECT_EQ(hints, 1) << result.err;
}

std::vector<core::Event> eventsOf(const core::Path& run) {
    std::vector<core::Event> events;
    core::EventTail tail(run / "events.jsonl");
    do {
        for (core::Event& event : tail.poll().events) events.push_back(std::move(event));
    } while (!tail.atEnd());
    return events;
}

std::map<std::int64_t, double> lossesOf(const core::Path& run) {
    std::vector<core::Event> valid;
    for (const core::Event& event : eventsOf(run)) {
        if (std::holds_alternative<core::HelloEvent>(event.what)) cutAfterStep(valid, event.step);
        valid.push_back(event);
    }
    std::map<std::int64_t, double> losses;
    for (const core::Event& event : valid)
        if (const auto* step = std::get_if<core::StepEvent>(&event.what)) {
            EXPECT_FALSE(losses.contains(event.step)) << "step " << event.step << " twice";
            losses[event.step] = step->loss;
        }
    return losses;
}

}  // namespace upcycle_test
