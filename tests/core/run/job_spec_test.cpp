// SPDX-License-Identifier: Apache-2.0
#include "core/run/job_spec.h"

#include "core/base/error.h"

#include <gtest/gtest.h>

#include <functional>

namespace core {
namespace {

JobSpec fullJob() {
    JobSpec job;
    job.model = "/models/vit";
    job.data = "fashion-mnist";
    SurgeryPlan plan;
    plan.seed = 5;
    plan.layers["encoder.3"].moe.experts = 8;
    job.plan = plan;
    job.batch = 64;
    job.trainer.steps = 500;
    job.trainer.microbatch = 16;
    job.trainer.recompute = true;
    job.dtype = DType::BF16;
    job.trainer.clip = 1.0;
    job.trainer.loss.labelSmoothing = 0.1F;
    job.trainer.loss.aux = 0.01F;
    job.trainer.optimizer.kind = OptimizerKind::Adafactor;
    job.trainer.optimizer.weightDecay = 0.05;
    job.trainer.optimizer.stepOffset = 4690;
    job.trainer.schedule.kind = ScheduleKind::Rsqrt;
    job.trainer.schedule.lr = 3e-4;
    job.trainer.schedule.timescale = 1000;
    job.trainer.schedule.startStep = 4690;
    job.trainer.schedule.cooldown = 100;
    job.optimizerState = OptimizerStateMode::Reset;
    job.augmentation = {2, true};
    job.normalization = {{0.2860F}, {0.3530F}};
    job.evalEvery = 50;
    job.checkpointEvery = 25;
    job.keep = 2;
    job.seed = 18446744073709551615ULL;
    job.threads = 2;
    return job;
}

/// Runs `action`, which must throw; returns the error.
Error errorOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorKind::Internal, ""};
}

void expectNames(const Error& error, ErrorKind kind, const std::string& word) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty());
}

TEST(JobSpec, JsonKeepsEverything) {
    const JobSpec job = fullJob();
    const std::string text = toJson(job);
    const JobSpec again = jobFromJson(text, "job.json");
    EXPECT_EQ(toJson(again), text);
    EXPECT_EQ(again.plan, job.plan);
    EXPECT_EQ(again.seed, job.seed);
    EXPECT_EQ(again.trainer.optimizer.kind, OptimizerKind::Adafactor);
    EXPECT_EQ(again.trainer.schedule.startStep, 4690);
    EXPECT_EQ(again.trainer.loss.labelSmoothing, 0.1F);
    EXPECT_EQ(again.augmentation, job.augmentation);
    EXPECT_EQ(again.normalization.mean, job.normalization.mean);
    EXPECT_EQ(again.optimizerState, OptimizerStateMode::Reset);
    EXPECT_NE(text.find("\"label_smoothing\": 0.1,"), std::string::npos) << text;
}

TEST(JobSpec, UnknownKeysAreSkippedAndMissingOnesKeepDefaults) {
    const JobSpec job = jobFromJson(R"({"schema":1,"model":"/m","future":{"x":1},"batch":7})", "j");
    EXPECT_EQ(job.batch, 7);
    EXPECT_EQ(job.keep, JobSpec{}.keep);
    EXPECT_FALSE(job.plan.has_value());
}

TEST(JobSpec, BadFilesAreRefusedByName) {
    const auto parse = [](const char* text) {
        return errorOf([text] { jobFromJson(text, "RUN/job.json"); });
    };
    expectNames(parse(R"({"schema":99})"), ErrorKind::BadInput, "newer");
    expectNames(parse(R"({"schema":1,"batch":"big"})"), ErrorKind::BadInput, "batch");
    expectNames(parse(R"({"schema":1,"batch":0})"), ErrorKind::BadInput, "batch");
    expectNames(parse(R"({"schema":1,"steps":1.5})"), ErrorKind::BadInput, "steps");
    expectNames(parse(R"({"schema":1,"schedule":{"kind":"magic"}})"), ErrorKind::BadInput,
                "schedule.kind");
    expectNames(parse(R"({"schema":1,"optimizer":{"beta1":1.0}})"), ErrorKind::BadInput,
                "optimizer.beta1");
    expectNames(parse(R"({"schema":1,"normalization":{"std":[0]}})"), ErrorKind::BadInput,
                "normalization.std");
    expectNames(parse(R"({"schema":1,"plan":{"schema":1,"blocks":{"encoder.1":{"exprts":4}}}})"),
                ErrorKind::BadInput, "exprts");
    expectNames(parse(R"({"schema":1,)"), ErrorKind::BadInput, "RUN/job.json");
    expectNames(parse("[]"), ErrorKind::BadInput, "RUN/job.json");
}

TEST(JobSpec, SetChangesOneKey) {
    JobSpec job = fullJob();
    setJobField(job, "batch=96");
    setJobField(job, "optimizer.beta2=0.99");
    setJobField(job, "schedule.cooldown=7");
    setJobField(job, "augmentation.flip=false");
    setJobField(job, "normalization.mean=0.25");
    setJobField(job, "loss.kind=sigmoid");
    setJobField(job, "lr=0.5");
    EXPECT_EQ(job.batch, 96);
    EXPECT_EQ(job.trainer.optimizer.beta2, 0.99);
    EXPECT_EQ(job.trainer.schedule.cooldown, 7);
    EXPECT_FALSE(job.augmentation.flip);
    EXPECT_EQ(job.normalization.mean, std::vector<float>{0.25F});
    EXPECT_EQ(job.trainer.loss.kind, LossKind::Sigmoid);
    EXPECT_EQ(job.trainer.schedule.lr, 0.5);
    EXPECT_EQ(job.seed, fullJob().seed);
    EXPECT_EQ(job.plan, fullJob().plan);
}

TEST(JobSpec, SetRefusesByName) {
    JobSpec job = fullJob();
    const std::string before = toJson(job);
    const std::pair<const char*, const char*> cases[] = {
        {"bach=3", "bach"},
        {"optimizer.x=3", "optimizer.x"},
        {"batch=many", "batch"},
        {"batch=-1", "batch"},
        {"lr=nan", "schedule.lr"},
        {"optimizer.epsilon=0", "optimizer.epsilon"},
        {"optimizer.epsilon=1e-50", "optimizer.epsilon"},
        {"optimizer=sgd", "optimizer"},
        {"model=/other", "model"},
        {"plan.seed=3", "plan"},
        {"batch", "key=value"},
        {"=3", "key=value"},
        {"augmentation.flip=maybe", "flip"}};
    for (const auto& [assignment, word] : cases)
        expectNames(errorOf([&job, text = assignment] { setJobField(job, text); }),
                    ErrorKind::Usage, word);
    EXPECT_EQ(toJson(job), before);
}

TEST(JobSpec, EpochsAreWholeBatches) {
    EXPECT_EQ(stepsOfEpochs(1, 60000, 128), 468);
    EXPECT_EQ(stepsOfEpochs(10, 60000, 128), 4680);
    EXPECT_EQ(stepsOfEpochs(0.5, 60000, 128), 234);
    EXPECT_EQ(stepsOfEpochs(0.0001, 100, 10), 1);
    EXPECT_EQ(stepsOfEpochs(2, 5, 10), 2);
}

}  // namespace
}  // namespace core
