// SPDX-License-Identifier: Apache-2.0
// The real program on a CUDA device of the host SIMT harness (tests/gpu/simt), and with plug-ins
// that cannot be used.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <cmath>

namespace upcycle_test {
namespace {

Setting withPlugin(const std::string& file,
                   std::vector<std::pair<std::string, std::string>> environment = {}) {
    environment.emplace_back("UPCYCLER_CUDA_PLUGIN", file);
    Setting setting;
    setting.environment = std::move(environment);
    return setting;
}

class CudaTest : public AppTest {
  protected:
    std::string upcycledRun(const std::string& name, int steps,
                            const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"--plan", Workshop::get().plan().string()};
        all.insert(all.end(), more.begin(), more.end());
        return newRun(name, Workshop::get().dense().string(), steps, all);
    }
};

TEST_F(CudaTest, TheSameJobTrainsOnCpuAndCudaWithTheSameCurve) {
    constexpr int kSteps = 6;
    for (const char* dtype : {"f32", "bf16"}) {
        const std::string name = dtype;
        const std::string cpu = upcycledRun("cpu-" + name, kSteps, {"--dtype", dtype});
        const std::string cuda = upcycledRun("cuda-" + name, kSteps, {"--dtype", dtype});
        expectDone({"train", cpu, "--device", "cpu"});
        expectDone({"train", cuda, "--device", "cuda"}, withPlugin(SIMT_PLUGIN));
        const auto expected = lossesOf(cpu);
        const auto found = lossesOf(cuda);
        ASSERT_EQ(expected.size(), std::size_t{kSteps});
        ASSERT_EQ(found.size(), std::size_t{kSteps});
        const double allowed = name == "f32" ? 1e-4 : 2e-2;
        for (const auto& [step, loss] : expected)
            EXPECT_NEAR(found.at(step), loss, allowed * loss) << dtype << " step " << step;
        const auto hello = std::get<core::HelloEvent>(eventsOf(cuda).front().what);
        EXPECT_EQ(hello.device, "cuda:0");
        EXPECT_EQ(hello.dtype, dtype);
    }
}

TEST_F(CudaTest, ItsCheckpointsGoOnOnEitherDevice) {
    const std::string run = upcycledRun("run", 4, {"--checkpoint-every", "2", "--keep", "0"});
    expectDone({"train", run, "--device", "cuda"}, withPlugin(SIMT_PLUGIN));
    const Json cuda = jsonOf(expectDone(
        {"eval", run, "--data", kData, "--device", "cuda", "--json"}, withPlugin(SIMT_PLUGIN)));
    const Json cpu =
        jsonOf(expectDone({"eval", run, "--data", kData, "--device", "cpu", "--json"}));
    EXPECT_NEAR(cuda["loss"].get<double>(), cpu["loss"].get<double>(), 1e-4);
}

TEST_F(CudaTest, TheProvedDeviceIsChosenAndSaid) {
    const Json devices =
        jsonOf(expectDone({"devices", "--json"}, withPlugin(SIMT_PLUGIN)))["devices"];
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_FALSE(devices[0]["chosen"].get<bool>());
    EXPECT_EQ(devices[1]["name"], "cuda:0");
    EXPECT_TRUE(devices[1]["usable"].get<bool>());
    EXPECT_TRUE(devices[1]["chosen"].get<bool>());
    const Result other =
        upcycle({"eval", Workshop::get().dense().string(), "--data", kData, "--device", "cuda:5"},
                withPlugin(SIMT_PLUGIN));
    expectRefused(other, 4, {"cuda:5", "only 1 CUDA device"});
}

TEST_F(CudaTest, ALostDeviceEndsTheTrainerAndKeepsTheLastCheckpoint) {
    const std::string run = upcycledRun("run", 40, {"--checkpoint-every", "1", "--keep", "0"});
    const Result result = upcycle({"train", run, "--device", "cuda"},
                                  withPlugin(SIMT_PLUGIN, {{"UPCYCLER_SIMT_LOST_AFTER", "1500"}}));
    EXPECT_EQ(result.exit, 4) << result.err;
    EXPECT_NE(result.err.find("illegal memory access"), std::string::npos) << result.err;
    const auto events = eventsOf(run);
    const auto* error = std::get_if<core::ErrorEvent>(&events.back().what);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->kind, "device");
    EXPECT_FALSE(error->hint.empty());
    // What was saved before is whole, and the run goes on from it.
    EXPECT_FALSE(core::RunDirectory::open(run).checkpoints().empty());
    const Result onward = upcycle({"train", run, "--device", "cpu"});
    EXPECT_EQ(onward.exit, 0) << onward.err;
}

TEST_F(CudaTest, AJobThatDoesNotFitTheDeviceIsRefusedWithTheSettingsThatWould) {
    constexpr std::int64_t kReserve = 96 << 20;  // of the backend itself
    const std::string run = upcycledRun("run", 4, {"--set", "batch=64"});
    for (const auto& [bytes, words] :
         {std::pair{1500000, "--set recompute=true"}, std::pair{700000, "--set microbatch="}}) {
        const Result result = upcycle(
            {"train", run, "--device", "cuda"},
            withPlugin(SIMT_PLUGIN, {{"UPCYCLER_SIMT_MEMORY", std::to_string(kReserve + bytes)}}));
        EXPECT_EQ(result.exit, 5) << result.err;
        EXPECT_NE(result.err.find("are free on cuda:0"), std::string::npos) << result.err;
        EXPECT_NE(result.err.find(std::string("it would fit with ") + words), std::string::npos)
            << result.err;
    }
}

struct Odd {
    const char* kind;
    const char* word;
};

TEST_F(CudaTest, PluginsThatCannotBeUsedAreReasonsAndTheCpuIsTaken) {
    for (const Odd& odd :
         {Odd{"abi", "another version"}, Odd{"version", "another version"},
          Odd{"driver", "driver version is insufficient"}, Odd{"none", "shows no CUDA device"},
          Odd{"old", "no kernel image is available"}}) {
        const Setting setting = withPlugin(ODD_PLUGIN, {{"UPCYCLER_ODD_PLUGIN", odd.kind}});
        const Json devices = jsonOf(expectDone({"devices", "--json"}, setting))["devices"];
        EXPECT_TRUE(devices[0]["chosen"].get<bool>()) << odd.kind;
        EXPECT_NE(devices[0]["reason"].get<std::string>().find(odd.word), std::string::npos)
            << devices.dump();
        const Result asked =
            upcycle({"eval", Workshop::get().dense().string(), "--data", kData, "--device", "cuda"},
                    setting);
        expectRefused(asked, 4, {"cuda cannot be used", odd.word});
        expectDone({"eval", Workshop::get().dense().string(), "--data", kData}, setting);
    }
}

TEST_F(CudaTest, ADeviceWhoseMemoryIsTakenIsSaid) {
    const Setting setting = withPlugin(ODD_PLUGIN, {{"UPCYCLER_ODD_PLUGIN", "refuses"}});
    expectRefused(
        upcycle({"eval", Workshop::get().dense().string(), "--data", kData, "--device", "cuda"},
                setting),
        4, {"cuda:0 cannot be used", "is taken"});
}

}  // namespace
}  // namespace upcycle_test
