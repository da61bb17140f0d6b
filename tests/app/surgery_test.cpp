// SPDX-License-Identifier: Apache-2.0
// plan, convert, check, export.
#include "core/checkpoint/checkpoint.h"
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

namespace upcycle_test {
namespace {

class SurgeryTest : public AppTest {
  protected:
    const std::string dense_ = Workshop::get().dense().string();

    Json plan(const std::vector<std::string>& more) const {
        std::vector<std::string> all{"plan", dense_, "-o", path("plan.json"), "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return jsonOf(expectDone(all));
    }
    Json blocks() const { return Json::parse(core::readTextFile(path("plan.json")))["blocks"]; }
};

TEST_F(SurgeryTest, ThePaperIsTheDefault) {
    const Json report = plan({});
    const Json made = blocks();
    ASSERT_EQ(made.size(), 2U);
    const Json& block = made["encoder.3"];
    EXPECT_EQ(block["experts"], 32);
    EXPECT_EQ(block["capacity"], 2.0);
    EXPECT_EQ(block["router"], "expert-choice");
    EXPECT_EQ(block["renormalize"], true);
    EXPECT_EQ(block["experts_from"], "copy");
    EXPECT_EQ(report["plan"]["blocks"], made);
    EXPECT_GT(report["after"]["parameters"], report["before"]["parameters"]);
    EXPECT_GT(report["after"]["training_bytes"], report["after"]["file_bytes"]);
}

TEST_F(SurgeryTest, OptionsReachTheirKeys) {
    plan({"--layers",
          "encoder.1,encoder.3",
          "--experts",
          "6",
          "--router",
          "top-k",
          "--k",
          "3",
          "--order",
          "topk-softmax",
          "--capacity",
          "1.5",
          "--renormalize",
          "off",
          "--batch-priority",
          "on",
          "--group-size",
          "sequence",
          "--experts-from",
          "noise:0.01",
          "--router-init",
          "lecun",
          "--seed",
          "9",
          "--set",
          "encoder.3.experts=4",
          "--set",
          "encoder.3.capacity=2.5"});
    const Json made = Json::parse(core::readTextFile(path("plan.json")));
    EXPECT_EQ(made["seed"], 9);
    ASSERT_EQ(made["blocks"].size(), 2U);
    const Json& one = made["blocks"]["encoder.1"];
    EXPECT_EQ(one["experts"], 6);
    EXPECT_EQ(one["router"], "top-k");
    EXPECT_EQ(one["k"], 3);
    EXPECT_EQ(one["order"], "topk-softmax");
    EXPECT_EQ(one["capacity"], 1.5);
    EXPECT_EQ(one["renormalize"], false);
    EXPECT_EQ(one["batch_priority"], true);
    EXPECT_EQ(one["group_size"], "sequence");
    EXPECT_EQ(one["experts_from"], "noise:0.01");
    EXPECT_EQ(one["router_init"], "lecun");
    EXPECT_EQ(made["blocks"]["encoder.3"]["experts"], 4);
    EXPECT_EQ(made["blocks"]["encoder.3"]["capacity"], 2.5);
    EXPECT_EQ(made["blocks"]["encoder.3"]["k"], 3);
}

TEST_F(SurgeryTest, DroplessHasNoCapacity) {
    plan({"--preset", "last:1", "--router", "top-k", "--dropless", "--group-size", "16"});
    EXPECT_EQ(blocks()["encoder.3"]["dropless"], true);
    EXPECT_FALSE(blocks()["encoder.3"].contains("capacity"));
    EXPECT_EQ(blocks()["encoder.3"]["group_size"], 16);
}

TEST_F(SurgeryTest, PresetsAndLayersAddUp) {
    plan({"--preset", "every-other", "--layers", "encoder.0"});
    EXPECT_EQ(blocks().size(), 3U);
    plan({"--preset", "none"});
    EXPECT_EQ(blocks().size(), 0U);
    plan({"--layers", "encoder.1-2"});
    EXPECT_EQ(blocks().size(), 2U);
    EXPECT_TRUE(blocks().contains("encoder.1"));
}

TEST_F(SurgeryTest, ConvertIsRepeatableAndTheCostIsExact) {
    const Json report = plan({"--experts", "5", "--experts-from", "drop:0.5", "--seed", "3"});
    expectDone({"convert", dense_, "--plan", path("plan.json"), "-o", path("a")});
    expectDone({"convert", dense_, "--plan", path("plan.json"), "-o", path("b")});
    EXPECT_EQ(core::readTextFile(path("a") + "/model.safetensors"),
              core::readTextFile(path("b") + "/model.safetensors"));
    const Json made = jsonOf(expectDone({"inspect", path("a"), "--json"}));
    EXPECT_EQ(report["after"]["parameters"], made["parameters"]);
    EXPECT_EQ(report["after"]["file_bytes"], made["bytes"]);
    EXPECT_EQ(core::readTextFile(path("a") + "/tokenizer_notes.txt"), "a file that we do not know");
}

TEST_F(SurgeryTest, DryRunWritesNothing) {
    const auto before = treeOf(folder());
    const Json document =
        jsonOf(expectDone({"convert", dense_, "--plan", Workshop::get().plan().string(), "-o",
                           path("out"), "--dry-run", "--json"}));
    const Json made =
        jsonOf(expectDone({"inspect", Workshop::get().upcycled().string(), "--json"}));
    EXPECT_EQ(document["bytes"], made["bytes"]);
    EXPECT_EQ(treeOf(folder()), before);
}

TEST_F(SurgeryTest, DryRunRefusesWhatTheRealOneWould) {
    std::filesystem::create_directory(path("taken"));
    const auto before = treeOf(folder());
    const auto refused = [&](std::vector<std::string> arguments, int exit,
                             const std::string& word) {
        arguments.insert(arguments.begin(), {"convert", dense_});
        expectRefused(upcycle(arguments), exit, {word});
        arguments.emplace_back("--dry-run");
        expectRefused(upcycle(arguments), exit, {word});
    };
    refused({"-o", path("taken")}, 3, "exists already");
    refused({"-o", dense_, "--force"}, 3, "source");
    refused({"-o", path("missing") + "/out"}, 3, "missing");
    refused({"-o", path("out"), "--format", "hdf5", "--max-shard-size", "1GB"}, 2, "shards");
    EXPECT_EQ(treeOf(folder()), before);
}

TEST_F(SurgeryTest, ForceKeepsAFolderThatOnlyHasAConfig) {
    std::filesystem::create_directory(path("project"));
    core::writeTextFile(path("project") + "/config.json", "{}");
    core::writeTextFile(path("project") + "/precious.txt", "x");
    const auto before = treeOf(folder());
    expectRefused(upcycle({"convert", dense_, "-o", path("project"), "--force"}), 3,
                  {"holds files but no checkpoint"});
    EXPECT_EQ(treeOf(folder()), before);
}

TEST_F(SurgeryTest, FormatsRoundTrip) {
    expectDone({"convert", Workshop::get().upcycled().string(), "-o", path("moe.h5")});
    expectDone({"convert", path("moe.h5"), "-o", path("back")});
    const Json diff =
        jsonOf(expectDone({"diff", Workshop::get().upcycled().string(), path("back"), "--json"}));
    EXPECT_EQ(diff["changes"].size(), 0U) << diff.dump(1);
    EXPECT_EQ(jsonOf(expectDone({"inspect", path("moe.h5"), "--json"}))["format"], "hdf5");
    expectDone(
        {"convert", dense_, "-o", path("half"), "--dtype", "bf16", "--max-shard-size", "20kB"});
    EXPECT_TRUE(std::filesystem::exists(path("half") + "/model.safetensors.index.json"));
    EXPECT_EQ(jsonOf(expectDone({"inspect", path("half"), "--json"}))["tensors"][0]["dtype"],
              "BF16");
}

TEST_F(SurgeryTest, AnExistingOutputNeedsForce) {
    expectDone({"convert", dense_, "-o", path("out")});
    const auto before = treeOf(folder());
    expectRefused(upcycle({"convert", dense_, "-o", path("out")}), 3, {"out", "exists"});
    EXPECT_EQ(treeOf(folder()), before);
    expectDone({"convert", dense_, "-o", path("out"), "--force", "--dtype", "f16"});
    EXPECT_EQ(jsonOf(expectDone({"inspect", path("out"), "--json"}))["tensors"][0]["dtype"], "F16");
}

TEST_F(SurgeryTest, WhatComesLaterIsRefusedInWords) {
    const auto before = treeOf(folder());
    for (const char* layout : {"keras", "odd"})
        expectRefused(upcycle({"convert", dense_, "-o", path("out"), "--layout", layout}), 2,
                      {"--layout", layout});
    expectRefused(upcycle({"convert", dense_, "-o", path("out"), "--format", "zip"}), 2,
                  {"--format", "zip"});
    expectRefused(upcycle({"convert", dense_, "-o", path("out"), "--dtype", "i8"}), 2, {"--dtype"});
    expectRefused(upcycle({"convert", dense_, "-o", path("out"), "--max-shard-size", "big"}), 2,
                  {"--max-shard-size"});
    EXPECT_EQ(treeOf(folder()), before);
}

TEST_F(SurgeryTest, CheckHoldsWithFullCapacityAndNamesCausesOtherwise) {
    plan({"--experts", "3", "--capacity", "3"});
    expectDone({"convert", dense_, "--plan", path("plan.json"), "-o", path("exact")});
    const Json exact =
        jsonOf(expectDone({"check", dense_, path("exact"), "--data", kData, "--json"}));
    EXPECT_EQ(exact["holds"], true);
    EXPECT_LT(exact["logits"]["relative_error"], 1e-4);
    ASSERT_EQ(exact["blocks"].size(), 2U);
    for (const char* key : {"block", "relative_error", "unrouted", "dropped", "combine_sum"})
        EXPECT_TRUE(exact["blocks"][0].contains(key)) << key;
    plan({"--experts", "8", "--capacity", "1", "--renormalize", "off"});
    expectDone({"convert", dense_, "--plan", path("plan.json"), "-o", path("differs")});
    const Json differs = jsonOf(expectDone({"check", dense_, path("differs"), "--json"}));
    EXPECT_EQ(differs["holds"], false);
    EXPECT_FALSE(differs["causes"].empty());
    EXPECT_NE(expectDone({"check", dense_, path("differs")}).out.find("cause"), std::string::npos);
}

TEST_F(SurgeryTest, ExportOfARunComputesTheSame) {
    const std::string run = newRun("run", dense_, 4, {"--plan", Workshop::get().plan().string()});
    expectDone({"train", run});
    expectDone({"export", run, "-o", path("out")});
    const Json diff = jsonOf(expectDone({"diff", run, path("out"), "--json"}));
    EXPECT_EQ(diff["changes"].size(), 0U);
    const auto loss = [&](const std::string& model) {
        return jsonOf(expectDone(
            {"eval", model, "--data", kData, "--batch", "16", "--threads", "1", "--json"}))["loss"];
    };
    EXPECT_EQ(loss(run), loss(path("out")));
}

TEST_F(SurgeryTest, AnExportTellsWhatItIs) {
    const std::string run = newRun("run", dense_, 4, {"--plan", Workshop::get().plan().string()});
    expectDone({"train", run});
    expectDone({"export", run, "-o", path("out")});
    expectDone({"export", run + "@0", "-o", path("start")});
    const std::string card = core::readTextFile(path("out") + "/README.md");
    for (const char* part :
         {"# dense, upcycled and trained\n", "| steps | 4 of 4, the model's step 10",
          "| encoder.3 | 3 | copy, router normal:0.02 | expert choice |", "## Routers at the end",
          "![Loss by step](loss.svg)", "synthetic:images=8x8x1,classes=4,examples=96"})
        EXPECT_NE(card.find(part), std::string::npos) << part << "\n" << card;
    EXPECT_TRUE(std::filesystem::exists(path("out") + "/loss.svg"));
    EXPECT_FALSE(std::filesystem::exists(path("start") + "/loss.svg"));
    EXPECT_EQ(core::readTextFile(path("start") + "/README.md").find("## Routers at the end"),
              std::string::npos);
    for (const auto& name : {"README.md", "loss.svg"})
        EXPECT_FALSE(std::filesystem::exists(core::resolveModel(run) / name)) << name;
    const std::string next = newRun("next", path("out"), 2);
    expectDone({"train", next});
    EXPECT_FALSE(std::filesystem::exists(core::resolveModel(next) / "README.md"));
    expectDone({"export", next, "-o", path("further")});
    EXPECT_NE(
        core::readTextFile(path("further") + "/README.md").find("# out, upcycled and trained"),
        std::string::npos);
}

TEST_F(SurgeryTest, AnExportContinuesTheSchedule) {
    const std::string run = newRun("run", dense_, 4, {"--plan", Workshop::get().plan().string()});
    expectDone({"train", run});
    expectDone({"export", run, "-o", path("out")});
    EXPECT_FALSE(std::filesystem::exists(path("out") + "/optimizer.safetensors"));
    const Json carried = Json::parse(core::readTextFile(path("out") + "/training.json"));
    EXPECT_EQ(carried["global_step"], 10);
    EXPECT_FALSE(carried.contains("files"));
    const std::string next = newRun("next", path("out"), 2);
    const core::JobSpec job = core::RunDirectory::open(next).job();
    EXPECT_EQ(job.trainer.schedule.startStep, 10);
    EXPECT_EQ(job.trainer.schedule.kind, core::ScheduleKind::Rsqrt);
    EXPECT_EQ(job.optimizerState, core::OptimizerStateMode::Reset);
    expectDone({"train", next});
}

}  // namespace
}  // namespace upcycle_test
