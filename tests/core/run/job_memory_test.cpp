// SPDX-License-Identifier: Apache-2.0
#include "core/run/job_memory.h"

#include "core/base/error.h"
#include "core/model/spec.h"

#include <gtest/gtest.h>

namespace core {
namespace {

ModelSpec vit() {
    return specFromConfig(
        R"({"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 96,
            "num_hidden_layers": 6, "num_attention_heads": 3, "intermediate_size": 384,
            "image_size": 28, "patch_size": 4, "num_channels": 1})",
        "config.json");
}

JobSpec job() {
    JobSpec job;
    job.batch = 128;
    return job;
}

TEST(JobMemory, EverySettingThatSavesMemorySavesIt) {
    const ModelSpec spec = vit();
    const std::uint64_t whole = jobMemoryBytes(job(), spec);
    JobSpec changed = job();
    changed.trainer.microbatch = 32;
    EXPECT_LT(jobMemoryBytes(changed, spec), whole / 2);
    changed = job();
    changed.trainer.recompute = true;
    EXPECT_LT(jobMemoryBytes(changed, spec), whole / 2);
    changed = job();
    changed.dtype = DType::BF16;
    EXPECT_LT(jobMemoryBytes(changed, spec), whole * 7 / 10);
}

TEST(JobMemory, TheFewestSettingsThatFitAreNamed) {
    const ModelSpec spec = vit();
    const std::uint64_t whole = jobMemoryBytes(job(), spec);
    EXPECT_EQ(settingsThatFit(job(), spec, whole), "");
    EXPECT_EQ(settingsThatFit(job(), spec, whole - 1), "--set recompute=true");
    JobSpec least = job();
    least.trainer.recompute = true;
    EXPECT_EQ(settingsThatFit(job(), spec, jobMemoryBytes(least, spec) - 1),
              "--set recompute=true --dtype bf16");
    least.dtype = DType::BF16;
    EXPECT_EQ(settingsThatFit(job(), spec, jobMemoryBytes(least, spec) - 1),
              "--set microbatch=64 --set recompute=true");
    EXPECT_EQ(settingsThatFit(job(), spec, 1000), "");
}

TEST(JobMemory, WhatDoesNotFitIsRefusedWithBothFiguresAndAWayOut) {
    const ModelSpec spec = vit();
    const std::uint64_t whole = jobMemoryBytes(job(), spec);
    EXPECT_NO_THROW(requireJobMemory(job(), spec, {"cuda:1", whole}));
    try {
        requireJobMemory(job(), spec, {"cuda:1", whole - 1});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::OutOfMemory);
        EXPECT_NE(std::string(error.what()).find("are free on cuda:1"), std::string::npos);
        EXPECT_EQ(error.hint(), "it would fit with --set recompute=true");
    }
    try {
        requireJobMemory(job(), spec, {"cpu", 1000});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("fewer experts"), std::string::npos);
    }
}

TEST(JobMemory, OfTheCpuIsTheMachines) {
    const DeviceMemory memory = deviceMemory("cpu");
    EXPECT_EQ(memory.name, "cpu");
    EXPECT_GT(memory.freeBytes, std::uint64_t{1} << 20);
}

}  // namespace
}  // namespace core
