// SPDX-License-Identifier: Apache-2.0
// The main job on a T5: train on a text from nothing, upcycle, go on, export; killed in between.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <numeric>
#include <sstream>
#include <thread>

namespace upcycle_test {
namespace {

constexpr const char* kConfig = R"({"architectures": ["T5ForConditionalGeneration"],
 "model_type": "t5", "is_encoder_decoder": true, "d_model": 16, "d_kv": 6, "num_heads": 2, "d_ff": 24,
 "num_layers": 2, "num_decoder_layers": 2, "vocab_size": 1100, "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "dropout_rate": 0.1, "layer_norm_epsilon": 1e-6, "pad_token_id": 0,
 "eos_token_id": 1, "decoder_start_token_id": 0})";

class T5TrainingTest : public AppTest {
  protected:
    void SetUp() override {
        core::writeTextFile(path("config.json"), kConfig);
        const std::string source = UPCYCLER_SOURCE_DIR "/LICENSES/GPL-3.0-or-later.txt";
        text_ = "text:" + source;
    }
    static std::string tokenizer() {
        return UPCYCLER_SOURCE_DIR "/tests/core/data/fixtures/tokenizer/bytes/spiece.model";
    }
    std::string make(const std::string& name, const std::string& model, int steps,
                     const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"new",     path(name),
                                     "--model", model,
                                     "--data",  text_,
                                     "--steps", std::to_string(steps),
                                     "--batch", "4",
                                     "--set",   "text.inputs_length=48",
                                     "--set",   "eval_examples=4",
                                     "--seed",  "5"};
        all.insert(all.end(), more.begin(), more.end());
        expectDone(all);
        return path(name);
    }
    std::string scratch() const { return "scratch:" + path("config.json"); }
    double lossOf(const std::string& model) const {
        return jsonOf(
            expectDone({"eval", model, "--data", text_, "--examples", "8", "--json"}))["loss"];
    }
    static std::vector<double> lossList(const std::string& run) {
        std::vector<double> losses;
        for (const auto& [step, loss] : lossesOf(run)) losses.push_back(loss);
        return losses;
    }
    std::string text_;
};

TEST_F(T5TrainingTest, FromNothingToAnUpcycledExport) {
    const std::string dense =
        make("dense", scratch(), 30, {"--tokenizer", tokenizer(), "--lr", "0.05"});
    expectDone({"train", dense});
    const std::vector<double> losses = lossList(dense);
    ASSERT_EQ(losses.size(), 30U);
    const auto mean = [&](auto begin) { return std::accumulate(begin, begin + 5, 0.0) / 5; };
    EXPECT_LT(mean(losses.end() - 5), 0.8 * mean(losses.begin()));

    expectDone({"plan", dense, "-o", path("plan.json"), "--preset", "paper", "--experts", "3"});
    const std::string moe = make("moe", dense, 6, {"--plan", path("plan.json")});
    const std::string job = core::readTextFile(core::Path(moe) / "job.json");
    EXPECT_EQ(jsonOf({0, job, {}})["optimizer"]["kind"], "adafactor");
    EXPECT_EQ(jsonOf({0, job, {}})["schedule"]["start_step"], 30) << "goes on where it stood";
    EXPECT_EQ(jsonOf({0, job, {}})["optimizer_state"], "reset") << "as for language";
    EXPECT_EQ(jsonOf({0, job, {}})["optimizer"]["step_offset"], 30);
    EXPECT_DOUBLE_EQ(jsonOf({0, job, {}})["loss"]["aux"], 0.01) << "the decoder's Top-2 needs it";
    expectDone({"train", moe});
    std::map<std::string, int> routers;
    std::int64_t tokens = 0;
    for (const core::Event& event : eventsOf(moe)) {
        if (const auto* router = std::get_if<core::RouterEvent>(&event.what))
            ++routers[router->stats.block];
        if (const auto* step = std::get_if<core::StepEvent>(&event.what)) tokens = step->tokens;
    }
    EXPECT_GE(routers["encoder.1"], 1);
    EXPECT_GE(routers["decoder.1"], 1);
    EXPECT_EQ(tokens, 4 * (48 + 12)) << "inputs and targets of four examples";

    expectDone({"export", moe, "-o", path("export")});
    EXPECT_EQ(lossOf(path("export")), lossOf(moe));
    for (const char* file : {"spiece.model", "modeling_upcycled_t5.py", "README.md"})
        EXPECT_TRUE(std::filesystem::exists(core::Path(path("export")) / file)) << file;
}

TEST_F(T5TrainingTest, KilledItGoesOnToTheSameBits) {
    const std::vector<std::string> more{"--tokenizer", tokenizer(),   "--checkpoint-every", "2",
                                        "--optimizer", "adafactor",   "--eval-every",       "5",
                                        "--set",       "microbatch=3"};
    const std::string whole = make("whole", scratch(), 40, more);
    const std::string killed = make("killed", scratch(), 40, more);
    expectDone({"train", whole});
    Process trainer({"train", killed});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (trainer.isRunning() && lossesOf(killed).size() < 9 &&
           std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    trainer.signal(SIGKILL);
    trainer.wait();
    expectDone({"train", killed});
    EXPECT_EQ(lossesOf(killed), lossesOf(whole));
    for (const char* file : {"model.safetensors", "optimizer.safetensors"})
        EXPECT_EQ(core::readTextFile(core::resolveModel(killed) / file),
                  core::readTextFile(core::resolveModel(whole) / file))
            << file;
}

TEST_F(T5TrainingTest, DropoutIsASettingAndSeeded) {
    const std::vector<std::string> with{"--tokenizer", tokenizer(), "--set", "dropout=0.3"};
    const std::vector<std::string> without{"--tokenizer", tokenizer(), "--set", "dropout=0"};
    const std::string a = make("a", scratch(), 3, with);
    const std::string b = make("b", scratch(), 3, with);
    const std::string c = make("c", scratch(), 3, without);
    for (const std::string& run : {a, b, c}) expectDone({"train", run});
    EXPECT_EQ(lossesOf(a), lossesOf(b));
    EXPECT_NE(lossesOf(a), lossesOf(c));
}

TEST_F(T5TrainingTest, TextToTextFromJsonLines) {
    std::string lines;
    for (int i = 0; i < 300; ++i)
        lines += "{\"question\": \"say " + std::to_string(i % 7) + "\", \"answer\": \"" +
                 std::to_string(i % 7) + "\"}\n";
    core::writeTextFile(path("pairs.jsonl"), lines);
    text_ = "jsonl:" + path("pairs.jsonl");
    const std::string run =
        make("pairs", scratch(), 20,
             {"--tokenizer", tokenizer(), "--set", "text.input_field=question", "--set",
              "text.target_field=answer", "--set", "text.prefix=repeat: "});
    EXPECT_EQ(core::RunDirectory::open(run).job().objective, core::Objective::TextToText);
    expectDone({"train", run});
    const std::vector<double> losses = lossList(run);
    EXPECT_LT(losses.back(), losses.front());
    const Json result = jsonOf(expectDone({"eval", run, "--data", text_, "--json"}));
    EXPECT_GE(result["accuracy"], 0.0);
    EXPECT_TRUE(std::isfinite(result["loss"].get<double>()));
}

TEST_F(T5TrainingTest, GeneratedTextsAreScoredAndWritten) {
    std::string lines;
    for (int i = 0; i < 300; ++i)
        lines += "{\"input\": \"say " + std::to_string(i % 7) + "\", \"target\": \"yes, it is\"}\n";
    core::writeTextFile(path("pairs.jsonl"), lines);
    text_ = "jsonl:" + path("pairs.jsonl");
    const std::string run = make("pairs", scratch(), 60,
                                 {"--tokenizer", tokenizer(), "--lr", "0.1", "--eval-every", "30"});
    const std::vector<std::string> words{
        "eval",    run,         "--data", text_, "--json", "--metrics", "exact_match,token_f1",
        "--split", "validation"};
    expectDone({"train", run});
    for (const char* beams : {"1", "3"}) {
        std::vector<std::string> all = words;
        const std::string file = path(std::string("texts") + beams + ".jsonl");
        all.insert(all.end(), {"--beams", beams, "--output", file});
        const Json result = jsonOf(expectDone(all));
        EXPECT_GE(result["generated"], 1);
        EXPECT_EQ(result["exact_match"], 1.0);
        EXPECT_EQ(result["token_f1"], 1.0);
        std::istringstream texts(core::readTextFile(file));
        std::int64_t count = 0;
        for (std::string line; std::getline(texts, line); ++count) {
            const Json text = Json::parse(line);
            EXPECT_TRUE(text["input"].get<std::string>().starts_with("say "));
            EXPECT_EQ(text["generated"], "yes, it is");
            EXPECT_EQ(text["target"], "yes, it is");
        }
        EXPECT_EQ(result["generated"], count);
        std::erase(all, "--json");
        expectRefused(upcycle(all), 3, {file, "exists"});
        all.emplace_back("--force");
        expectDone(all);
    }
    std::vector<std::string> samples;
    for (const core::Event& event : eventsOf(run))
        if (const auto* sample = std::get_if<core::SampleEvent>(&event.what)) {
            EXPECT_TRUE(sample->input.starts_with("say "));
            EXPECT_EQ(sample->truth, "yes, it is");
            samples.push_back(sample->filled);
        }
    ASSERT_EQ(samples.size(), 2U) << "one an evaluation";
    EXPECT_EQ(samples.back(), "yes, it is");

    expectRefused(upcycle({"eval", run, "--data", text_, "--output", path("none.jsonl")}), 2,
                  {"--output"});
    const std::string tokens = "synthetic:tokens,vocab=1100,inputs=8,targets=4,examples=8";
    expectRefused(upcycle({"eval", run, "--data", tokens, "--metrics", "token_f1"}), 2,
                  {"token_f1"});
}

TEST_F(T5TrainingTest, SamplesOfMaskedSpans) {
    const std::string run =
        make("spans", scratch(), 4, {"--tokenizer", tokenizer(), "--eval-every", "2"});
    expectDone({"train", run});
    std::vector<core::SampleEvent> samples;
    for (const core::Event& event : eventsOf(run))
        if (const auto* sample = std::get_if<core::SampleEvent>(&event.what))
            samples.push_back(*sample);
    ASSERT_EQ(samples.size(), 2U);
    EXPECT_NE(samples[0].input.find("<extra_id_0>"), std::string::npos);
    EXPECT_TRUE(samples[0].truth.starts_with("<extra_id_0>"));
    EXPECT_EQ(samples[0].truth, samples[1].truth) << "always the same input";
    EXPECT_NE(expectDone({"watch", run}).out.find(" tokens/s"), std::string::npos);
    core::writeTextFile(path("pairs.jsonl"),
                        "{\"input\": \"a\", \"target\": \"b\"}\n"
                        "{\"input\": \"c\", \"target\": \"d\"}\n");
    const Json result = jsonOf(expectDone(
        {"eval", run, "--data", "jsonl:" + path("pairs.jsonl"), "--split", "train", "--json"}));
    EXPECT_EQ(result["examples"], 1) << "pairs are read as pairs";
}

TEST_F(T5TrainingTest, SpecialTokensOutsideTheVocabularyAreRefused) {
    const auto refusedWith = [&](const std::string& from, const std::string& to,
                                 const std::vector<std::string>& words) {
        std::string config = kConfig;
        config.replace(config.find(from), from.size(), to);
        core::writeTextFile(path("odd.json"), config);
        expectRefused(upcycle({"new", path("bad"), "--model", "scratch:" + path("odd.json"),
                               "--data", text_, "--tokenizer", tokenizer(), "--steps", "2"}),
                      3, words);
        EXPECT_FALSE(std::filesystem::exists(path("bad")));
    };
    refusedWith("\"decoder_start_token_id\": 0", "\"decoder_start_token_id\": 5000",
                {"decoder_start_token_id = 5000", "0 to 1099"});
    refusedWith("\"pad_token_id\": 0", "\"pad_token_id\": 1100", {"pad_token_id = 1100"});
    refusedWith("\"eos_token_id\": 1", "\"eos_token_id\": 7",
                {"spiece.model", "with the id 1", "eos_token_id is 7"});
}

TEST_F(T5TrainingTest, TheOnlyLineOfPairsIsWrong) {
    core::writeTextFile(path("one.jsonl"), "{\"input\": \"a\"}\n");
    expectRefused(
        upcycle({"new", path("bad"), "--model", scratch(), "--data", "jsonl:" + path("one.jsonl"),
                 "--tokenizer", tokenizer(), "--steps", "2"}),
        3, {"one.jsonl", "line 1", "target"});
}

TEST_F(T5TrainingTest, WhatDoesNotFitIsRefusedBeforeARunIsMade) {
    const auto refused = [&](std::vector<std::string> more, const std::vector<std::string>& words) {
        std::vector<std::string> all{"new", path("bad"), "--model", scratch(), "--steps", "2"};
        all.insert(all.end(), more.begin(), more.end());
        expectRefused(upcycle(all), 3, words);
        EXPECT_FALSE(std::filesystem::exists(path("bad")));
    };
    refused({"--data", text_}, {"holds no tokenizer"});
    refused({"--data", "images:" + folder().string(), "--tokenizer", tokenizer()},
            {"no text", "images:"});
    refused({"--data", "text:" + path("nothing.txt"), "--tokenizer", tokenizer()},
            {"nothing.txt", "does not exist"});
    refused({"--data", text_, "--tokenizer", tokenizer(), "--set", "text.inputs_length=8000"},
            {"sentinels"});
    core::writeTextFile(path("pairs.jsonl"), "{\"input\": \"a\"}\n{\"input\": \"b\"}\n");
    refused({"--data", "jsonl:" + path("pairs.jsonl"), "--tokenizer", tokenizer()},
            {"pairs.jsonl", "line ", "'target'"});
    std::string small = kConfig;
    small.replace(small.find("1100"), 4, "0500");
    core::writeTextFile(path("config.json"), small.replace(small.find("0500"), 4, " 500"));
    refused({"--data", text_, "--tokenizer", tokenizer()}, {"vocabulary 500"});
}

}  // namespace
}  // namespace upcycle_test
