// SPDX-License-Identifier: Apache-2.0
// new and train: what a run leaves behind.
#include "core/checkpoint/checkpoint.h"
#include "core/model/spec.h"
#include "core/run/run_directory.h"
#include "core/run/training_state.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <set>

namespace upcycle_test {
namespace {

class TrainingTest : public AppTest {
  protected:
    std::string upcycledRun(const std::string& name, int steps,
                            const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"--plan", Workshop::get().plan().string()};
        all.insert(all.end(), more.begin(), more.end());
        return newRun(name, Workshop::get().dense().string(), steps, all);
    }
};

TEST_F(TrainingTest, ARunLeavesTheEventsOfTheContract) {
    const std::string run =
        upcycledRun("run", 10, {"--eval-every", "5", "--checkpoint-every", "4", "--keep", "2"});
    expectDone({"train", run});
    const auto events = eventsOf(run);
    ASSERT_FALSE(events.empty());
    const auto& hello = std::get<core::HelloEvent>(events.front().what);
    EXPECT_EQ(hello.program, "upcycle");
    EXPECT_EQ(hello.device, "cpu");
    EXPECT_FALSE(hello.deviceReason.empty());
    EXPECT_EQ(hello.threads, 1);
    EXPECT_EQ(hello.steps, 10);
    EXPECT_GT(hello.parameters, 1000);
    EXPECT_EQ(std::get<core::DoneEvent>(events.back().what).reason, "finished");
    std::map<std::string, int> counts;
    std::set<std::string> blocks;
    for (const core::Event& event : events) {
        if (const auto* step = std::get_if<core::StepEvent>(&event.what)) {
            ++counts["step"];
            EXPECT_EQ(step->examples, 8);
            EXPECT_EQ(step->tokens, 8 * 5);
            EXPECT_GT(step->seconds, 0);
            EXPECT_GT(step->gradNorm, 0);
        } else if (const auto* router = std::get_if<core::RouterEvent>(&event.what)) {
            ++counts["router"];
            blocks.insert(router->stats.block);
            EXPECT_EQ(router->experts, 3);
            EXPECT_EQ(router->stats.load.size(), 3U);
        } else if (const auto* eval = std::get_if<core::EvalEvent>(&event.what)) {
            ++counts["eval"];
            EXPECT_EQ(eval->split, "validation");
            EXPECT_TRUE(eval->accuracy.has_value());
        }
    }
    EXPECT_EQ(counts["step"], 10);
    EXPECT_EQ(counts["router"], 20);
    EXPECT_EQ(counts["eval"], 2);
    EXPECT_EQ(blocks, (std::set<std::string>{"encoder.2", "encoder.3"}));
    EXPECT_EQ(core::RunDirectory::open(run).checkpoints(), (std::vector<std::int64_t>{8, 10}));
    EXPECT_GT(std::filesystem::file_size(core::Path(run) / "trainer.log"), 50U);
}

TEST_F(TrainingTest, StepZeroIsTheConvertedModelWithCarriedMoments) {
    const std::string run = upcycledRun("run", 2, {"--keep", "0"});
    expectDone({"train", run});
    const std::string start = run + "@0";
    const Json diff =
        jsonOf(expectDone({"diff", Workshop::get().upcycled().string(), start, "--json"}));
    EXPECT_EQ(diff["changes"].size(), 0U) << diff.dump(1);
    const auto moments =
        core::Checkpoint::open(core::resolveModel(start) / "optimizer.safetensors");
    const auto dense = core::Checkpoint::open(Workshop::get().dense() / "optimizer.safetensors");
    const std::string from = "m/vit.encoder.layer.3.intermediate.dense.weight";
    ASSERT_NE(dense->find(from), nullptr);
    for (const char* expert : {"0", "1", "2"}) {
        const auto* info = moments->find(std::string("m/vit.encoder.layer.3.mlp.experts.expert_") +
                                         expert + ".intermediate.dense.weight");
        ASSERT_NE(info, nullptr) << expert;
        EXPECT_EQ(moments->readFloats(*info), dense->readFloats(*dense->find(from)));
    }
    const auto* router = moments->find("m/vit.encoder.layer.3.mlp.router.classifier.weight");
    ASSERT_NE(router, nullptr);
    for (const float value : moments->readFloats(*router)) EXPECT_EQ(value, 0.0F);
}

TEST_F(TrainingTest, TheDenseScheduleIsContinued) {
    const std::string run = upcycledRun("run", 2);
    const core::JobSpec job = core::RunDirectory::open(run).job();
    EXPECT_EQ(job.trainer.schedule.kind, core::ScheduleKind::Rsqrt);
    EXPECT_EQ(job.trainer.schedule.lr, 3e-3);
    EXPECT_EQ(job.trainer.schedule.startStep, 6);
    EXPECT_EQ(job.trainer.optimizer.weightDecay, 0.05);
    EXPECT_TRUE(job.augmentation.flip);
    EXPECT_EQ(job.optimizerState, core::OptimizerStateMode::Carry);
    expectDone({"train", run});
    const auto state = core::readTrainingState(core::resolveModel(run));
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->step, 2);
    EXPECT_EQ(state->globalStep, 8);
    EXPECT_EQ(state->position.example, 16U);
}

TEST_F(TrainingTest, ResetBeginsTheMomentsAtTheStartStep) {
    const std::string run = upcycledRun("run", 2, {"--optimizer-state", "reset"});
    const core::JobSpec job = core::RunDirectory::open(run).job();
    EXPECT_EQ(job.trainer.optimizer.stepOffset, 6);
    expectDone({"train", run});
    EXPECT_FALSE(std::filesystem::exists(core::resolveModel(run + "@0") / "optimizer.safetensors"));
}

TEST_F(TrainingTest, TheSameJobGivesTheSameBits) {
    const std::string a = upcycledRun("a", 8, {"--seed", "3"});
    const std::string b = upcycledRun("b", 8, {"--seed", "3"});
    const std::string other = upcycledRun("other", 8, {"--seed", "4"});
    for (const std::string& run : {a, b, other}) expectDone({"train", run});
    EXPECT_EQ(lossesOf(a), lossesOf(b));
    EXPECT_NE(lossesOf(a), lossesOf(other));
}

TEST_F(TrainingTest, ACheckpointIsAModelOfItsOwn) {
    const std::string run = upcycledRun("run", 4);
    expectDone({"train", run});
    const core::Path folder = core::resolveModel(run);
    const Json config = Json::parse(core::readTextFile(folder / "config.json"));
    EXPECT_EQ(config["our_own_key"]["kept"], Json({1, 2, 3}));
    EXPECT_EQ(config["upcycling"]["blocks"]["encoder.3"]["experts"], 3);
    EXPECT_EQ(core::readTextFile(folder / "tokenizer_notes.txt"), "a file that we do not know");
    EXPECT_TRUE(std::filesystem::exists(folder / "preprocessor_config.json"));
    const Json inspected = jsonOf(expectDone({"inspect", run, "--json"}));
    EXPECT_EQ(inspected["blocks"][3]["mlp"], "moe");
    const std::string next = newRun("next", run, 2);
    expectDone({"train", next});
    EXPECT_EQ(core::RunDirectory::open(next).job().trainer.schedule.startStep, 10);
}

TEST_F(TrainingTest, TopKTrainsWithTheBalanceLoss) {
    const std::string plan = path("topk.json");
    expectDone({"plan", Workshop::get().dense().string(), "-o", plan, "--layers", "encoder.1",
                "--experts", "4", "--router", "top-k", "--k", "2", "--capacity", "1"});
    const std::string run = newRun("run", Workshop::get().dense().string(), 6, {"--plan", plan});
    EXPECT_EQ(core::RunDirectory::open(run).job().trainer.loss.aux, 0.01F);
    expectDone({"train", run});
    double aux = 0;
    double dropped = 0;
    for (const core::Event& event : eventsOf(run)) {
        if (const auto* step = std::get_if<core::StepEvent>(&event.what)) aux = step->auxLoss;
        if (const auto* router = std::get_if<core::RouterEvent>(&event.what))
            dropped = router->stats.dropped;
    }
    EXPECT_GT(aux, 0.9);
    EXPECT_GT(dropped, 0.0);
}

TEST_F(TrainingTest, AnMoeModelTrainsFromScratch) {
    Json config = Json::parse(core::readTextFile(Workshop::get().config()));
    config["upcycling"] = {{"schema", 1},
                           {"blocks",
                            {{"encoder.1",
                              {{"experts", 3},
                               {"capacity", 2.0},
                               {"router", "expert-choice"},
                               {"renormalize", true},
                               {"group_size", "sequence"}}}}}};
    core::writeTextFile(path("moe.json"), config.dump());
    const std::string run = newRun("run", "scratch:" + path("moe.json"), 3);
    expectDone({"train", run});
    EXPECT_EQ(jsonOf(expectDone({"inspect", run, "--json"}))["blocks"][1]["experts"], 3);
}

TEST_F(TrainingTest, NonFiniteLossesStopTheRun) {
    const std::string run = newRun("run", Workshop::get().dense().string(), 50,
                                   {"--checkpoint-every", "1", "--lr", "1e30", "--schedule",
                                    "constant", "--optimizer", "sgd", "--clip", "0"});
    const Result result = upcycle({"train", run});
    EXPECT_NE(result.exit, 0);
    EXPECT_NE(result.err.find("not finite in 3 steps in a row"), std::string::npos) << result.err;
    int alarms = 0;
    for (const core::Event& event : eventsOf(run))
        if (const auto* alarm = std::get_if<core::AlarmEvent>(&event.what))
            alarms += alarm->kind == "non-finite" ? 1 : 0;
    EXPECT_GE(alarms, 3);
    EXPECT_TRUE(std::holds_alternative<core::ErrorEvent>(eventsOf(run).back().what));
    EXPECT_EQ(core::RunDirectory::open(run).status().phase, core::RunPhase::Failed);
    // Nothing is written, and nothing older is removed, once a step was not finite.
    std::int64_t lastFinite = 0;
    std::int64_t lastSaved = 0;
    for (const core::Event& event : eventsOf(run)) {
        const auto* step = std::get_if<core::StepEvent>(&event.what);
        if (step != nullptr && step->applied) lastFinite = event.step;
        if (std::holds_alternative<core::CheckpointEvent>(event.what)) lastSaved = event.step;
    }
    EXPECT_EQ(lastSaved, lastFinite);
}

TEST_F(TrainingTest, JsonIsOneDocument) {
    const std::string run = upcycledRun("run", 2);
    const Json document = jsonOf(expectDone({"train", run, "--json"}));
    EXPECT_EQ(document["outcome"], "finished");
    EXPECT_EQ(document["step"], 2);
    const Json status = jsonOf(expectDone({"status", run, "--json"}));
    EXPECT_EQ(status["phase"], "finished");
    EXPECT_EQ(jsonOf(expectDone({"watch", run, "--json"}))["step"], 2);
}

TEST_F(TrainingTest, EpochsBecomeSteps) {
    const Json document =
        jsonOf(expectDone({"new", path("run"), "--model", Workshop::get().dense().string(),
                           "--data", kData, "--epochs", "2", "--batch", "8", "--json"}));
    EXPECT_EQ(document["job"]["steps"], 24);
    EXPECT_EQ(document["job"]["data"], kData);
}

}  // namespace
}  // namespace upcycle_test
