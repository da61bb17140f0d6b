// SPDX-License-Identifier: Apache-2.0
#include "core/run/training_state.h"

#include "core/base/error.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

TEST(TrainingState, JsonKeepsEverything) {
    TrainingState state;
    state.step = 12;
    state.globalStep = 4702;
    state.data = "fashion-mnist";
    state.position = {3, 1280};
    state.batch = 128;
    state.steps = 500;
    state.optimizer.kind = OptimizerKind::Sgd;
    state.optimizer.nesterov = true;
    state.schedule.kind = ScheduleKind::Cosine;
    state.schedule.lr = 1e-3;
    state.lr = 0.1 + 0.2;
    state.augmentation = {2, true};
    state.normalization = {{0.1F, 0.2F}, {0.3F, 0.4F}};
    state.seed = 18446744073709551615ULL;
    state.denseFlops = 1e18;
    state.files["model.safetensors"] = {1234567890123, 0xFFFFFFFFU};
    const std::string text = toJson(state);
    const TrainingState again = trainingStateFromJson(text, "training.json");
    EXPECT_EQ(toJson(again), text);
    EXPECT_EQ(again.position, state.position);
    EXPECT_EQ(again.lr, state.lr);
    EXPECT_EQ(again.seed, state.seed);
    EXPECT_EQ(again.normalization.std, state.normalization.std);
    EXPECT_EQ(again.files.at("model.safetensors").crc32, 0xFFFFFFFFU);
    EXPECT_EQ(again.denseFlops, 1e18);
}

TEST(TrainingState, ASmallHandWrittenFileIsEnough) {
    const TrainingState state =
        trainingStateFromJson(R"({"schema":1,"global_step":100,"other":[]})", "t");
    EXPECT_EQ(state.globalStep, 100);
    EXPECT_FALSE(state.denseFlops.has_value());
    EXPECT_TRUE(state.files.empty());
}

TEST(TrainingState, BadOnesAreRefused) {
    for (const char* text : {R"({"schema":2})", R"({"schema":1,"step":-1})", R"({"step":1})", "{",
                             R"({"schema":1,"data":"x"})", R"({"schema":1,"files":{"a":3}})"})
        EXPECT_THROW(trainingStateFromJson(text, "t"), Error) << text;
}

TEST(TrainingState, AFolderWithoutOneHasNone) {
    const ScratchFolder scratch;
    EXPECT_FALSE(readTrainingState(scratch.path()).has_value());
}

}  // namespace
}  // namespace core
