// SPDX-License-Identifier: Apache-2.0
// help, version, usage, inspect, diff, devices.
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace upcycle_test {
namespace {

class LookingTest : public AppTest {};

const std::vector<std::string> kSubcommands{
    "inspect", "plan",       "convert", "check",         "export", "diff",   "forward",
    "eval",    "new",        "train",   "profile",       "status", "watch",  "pause",
    "resume",  "checkpoint", "stop",    "stop-and-save", "set",    "devices"};

TEST_F(LookingTest, EverySubcommandHasHelpWithAnExampleAndJson) {
    for (const std::string& name : kSubcommands) {
        const Result result = expectDone({name, "--help"});
        EXPECT_NE(result.out.find("Example: upcycle " + name), std::string::npos) << result.out;
        EXPECT_NE(result.out.find("--json"), std::string::npos) << name;
        EXPECT_EQ(result.err, "") << name;
    }
    EXPECT_NE(expectDone({"--help"}).out.find("inspect"), std::string::npos);
    EXPECT_TRUE(expectDone({"--version"}).out.starts_with("upcycle "));
}

TEST_F(LookingTest, UsageErrorsAreRefusedWithTwo) {
    expectRefused(upcycle({}), 2, {});
    expectRefused(upcycle({"fly"}), 2, {});
    expectRefused(upcycle({"inspect"}), 2, {});
    for (const std::string& name : kSubcommands)
        expectRefused(upcycle({name, "x", "y", "--no-such-option"}), 2, {});
    expectRefused(upcycle({"train", "x", "--threads", "many"}), 2, {"threads"});
    expectRefused(upcycle({"train", "x", "--threads", "-1"}), 2, {"threads"});
}

TEST_F(LookingTest, UnderJsonAnErrorIsADocument) {
    const Result result = upcycle({"inspect", path("missing"), "--json"});
    EXPECT_EQ(result.exit, 3);
    for (const std::string& text : {result.out, result.err}) {
        const Json error = Json::parse(text, nullptr, false);
        ASSERT_TRUE(error.is_object()) << text;
        EXPECT_EQ(error["error"]["kind"], "bad-input");
        EXPECT_NE(error["error"]["message"].get<std::string>().find("missing"), std::string::npos);
        EXPECT_FALSE(error["error"]["hint"].get<std::string>().empty());
    }
    EXPECT_EQ(upcycle({"inspect", "--json", "--what"}).exit, 2);
}

TEST_F(LookingTest, InspectSaysWhatIsThere) {
    const Json dense = jsonOf(expectDone({"inspect", Workshop::get().dense().string(), "--json"}));
    EXPECT_EQ(dense["format"], "safetensors");
    EXPECT_EQ(dense["layout"], "hf");
    EXPECT_EQ(dense["family"], "vit");
    EXPECT_EQ(dense["architecture"]["hidden"], 24);
    ASSERT_EQ(dense["blocks"].size(), 4U);
    EXPECT_EQ(dense["blocks"][1]["name"], "encoder.1");
    EXPECT_EQ(dense["blocks"][1]["stack"], "encoder");
    EXPECT_EQ(dense["blocks"][1]["index"], 1);
    EXPECT_EQ(dense["blocks"][1]["mlp"], "dense");
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;
    for (const Json& tensor : dense["tensors"]) {
        std::int64_t elements = 1;
        for (const Json& size : tensor["shape"]) elements *= size.get<std::int64_t>();
        parameters += elements;
        bytes += tensor["bytes"].get<std::int64_t>();
        EXPECT_EQ(tensor["bytes"], elements * 4);
        EXPECT_EQ(tensor["dtype"], "F32");
        EXPECT_EQ(tensor["file"], "model.safetensors");
    }
    EXPECT_EQ(dense["parameters"], parameters);
    EXPECT_EQ(dense["bytes"], bytes);
    const Json sparse =
        jsonOf(expectDone({"inspect", Workshop::get().upcycled().string(), "--json"}));
    EXPECT_EQ(sparse["blocks"][3]["mlp"], "moe");
    EXPECT_EQ(sparse["blocks"][3]["experts"], 3);
    EXPECT_EQ(sparse["blocks"][3]["router"], "expert-choice");
    EXPECT_NE(expectDone({"inspect", Workshop::get().dense().string(), "--tensors"})
                  .out.find("vit.embeddings.cls_token"),
              std::string::npos);
}

TEST_F(LookingTest, StatsAreOfTheElements) {
    const Json document =
        jsonOf(expectDone({"inspect", Workshop::get().upcycled().string(), "--stats", "--json"}));
    for (const Json& tensor : document["tensors"])
        if (tensor["name"] == "vit.encoder.layer.3.mlp.router.classifier.weight") {
            EXPECT_NEAR(tensor["stats"]["std"].get<double>(), 0.02, 0.006);
            EXPECT_EQ(tensor["stats"]["non_finite"], 0);
            std::int64_t counted = 0;
            for (const Json& bin : tensor["stats"]["histogram"]) counted += bin.get<std::int64_t>();
            EXPECT_EQ(counted * 4, tensor["bytes"]);
            EXPECT_EQ(tensor["stats"]["histogram"].size(), 64U);
            const std::string notes = document["notes"].dump();
            EXPECT_NE(notes.find("the 3 experts vit.encoder.layer.3.mlp.experts.expert_*"),
                      std::string::npos)
                << notes;
            return;
        }
    FAIL() << "no router";
}

TEST_F(LookingTest, StatsAreReadOnceForTheSameFile) {
    std::filesystem::copy(Workshop::get().dense(), path("m"));
    const core::Path file = path("m") + "/model.safetensors";
    const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
    std::filesystem::last_write_time(file, old);
    const Setting cached{.environment = {{"XDG_CACHE_HOME", path("cache")}}};
    const std::vector<std::string> command{"inspect", path("m"), "--stats", "--json"};
    const Json first = jsonOf(expectDone(command, cached));
    ASSERT_TRUE(std::filesystem::exists(path("cache") + "/upcycler/stats"));
    {  // the same identity over other bytes shows where the second answer comes from
        std::fstream changed(file, std::ios::in | std::ios::out | std::ios::binary);
        changed.seekp(-4, std::ios::end);
        changed.write("\0\0\xC0\x7F", 4);
    }
    std::filesystem::last_write_time(file, old);
    EXPECT_EQ(jsonOf(expectDone(command, cached)), first);
    std::vector<std::string> again = command;
    again.emplace_back("--fresh");
    const Result fresh = expectDone(again, cached);
    EXPECT_NE(fresh.err.find("not finite"), std::string::npos) << fresh.err;
    std::filesystem::last_write_time(file, old + std::chrono::seconds(1));
    EXPECT_NE(jsonOf(expectDone(command, cached)), first);
}

TEST_F(LookingTest, OtherFamiliesAreShownAsFarAsPossible) {
    std::filesystem::create_directory(path("t5"));
    std::filesystem::copy(Workshop::get().dense() / "model.safetensors",
                          path("t5") + "/model.safetensors");
    core::writeTextFile(path("t5") + "/config.json",
                        R"({"model_type": "mamba", "d_model": 64, "vocab_size": 100})");
    const Result result = expectDone({"inspect", path("t5"), "--json"});
    const Json document = jsonOf(result);
    EXPECT_FALSE(document["family"].get<std::string>().empty());
    EXPECT_GT(document["tensors"].size(), 10U);
}

TEST_F(LookingTest, DiffTellsTheStory) {
    const Json same = jsonOf(expectDone(
        {"diff", Workshop::get().dense().string(), Workshop::get().dense().string(), "--json"}));
    EXPECT_EQ(same["changes"].size(), 0U);
    const Json moe = jsonOf(expectDone(
        {"diff", Workshop::get().dense().string(), Workshop::get().upcycled().string(), "--json"}));
    ASSERT_FALSE(moe["story"].empty());
    const std::string story = moe["story"][0];
    EXPECT_NE(story.find("encoder.2-3"), std::string::npos) << story;
    EXPECT_NE(story.find("3 experts"), std::string::npos) << story;
    EXPECT_NE(
        expectDone({"diff", Workshop::get().dense().string(), Workshop::get().upcycled().string()})
            .out.find("added"),
        std::string::npos);
}

TEST_F(LookingTest, DiffComparesExpertsWhenAsked) {
    const std::string dense = Workshop::get().dense().string();
    const std::string moe = Workshop::get().upcycled().string();
    EXPECT_FALSE(jsonOf(expectDone({"diff", dense, moe, "--json"})).contains("experts"));
    const Json document = jsonOf(expectDone({"diff", dense, moe, "--experts", "--json"}));
    ASSERT_EQ(document["experts"].size(), 2U);
    EXPECT_EQ(document["experts"][1]["block"], "encoder.3");
    EXPECT_EQ(document["experts"][1]["cosine_to_dense"], Json({1.0, 1.0, 1.0}));
    EXPECT_EQ(document["experts"][1]["pairwise"].size(), 3U);
    const Json same = jsonOf(expectDone({"diff", moe, moe, "--experts", "--json"}));
    EXPECT_EQ(same["experts"][0]["cosine_to_a"], Json({1.0, 1.0, 1.0}));
    EXPECT_NE(expectDone({"diff", dense, moe, "--experts"}).out.find("cosine to A's MLP"),
              std::string::npos);
}

/// 64 GB that take no room on the disk.
void writeHuge(const core::Path& path) {
    constexpr std::uint64_t kBytes = 64'000'000'000;
    std::string header = R"({"t":{"dtype":"F32","shape":[16000000000],"data_offsets":[0,)" +
                         std::to_string(kBytes) + "]}}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof(length));
    file << header;
    file.close();
    std::filesystem::resize_file(path, sizeof(length) + length + kBytes);
}

TEST_F(LookingTest, OneInterruptEndsLongReading) {
    const std::string huge = path("huge.safetensors");
    writeHuge(huge);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"diff", huge, huge},
          std::vector<std::string>{"diff", huge, huge, "--experts"},
          std::vector<std::string>{"inspect", huge, "--stats"}}) {
        Process process(command);
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        EXPECT_TRUE(process.isRunning());
        process.signal(SIGINT);
        const Result result = process.wait();
        EXPECT_EQ(result.exit, 6) << command[0];
        EXPECT_NE(result.err.find("stopped by request"), std::string::npos) << result.err;
        EXPECT_EQ(result.out, "");
    }
}

TEST_F(LookingTest, DevicesSayChosenAndWhy) {
    const Setting noPlugin{.environment = {{"UPCYCLER_CUDA_PLUGIN", "/no/such.so"}}};
    const Json document = jsonOf(expectDone({"devices", "--json"}, noPlugin));
    EXPECT_EQ(document["devices"][0]["name"], "cpu");
    EXPECT_EQ(document["devices"][0]["chosen"], true);
    EXPECT_FALSE(document["devices"][1]["reason"].get<std::string>().empty());
    const std::string dense = Workshop::get().dense().string();
    expectRefused(upcycle({"eval", dense, "--data", kData, "--device", "cuda"}, noPlugin), 4,
                  {"cuda"});
    expectRefused(upcycle({"eval", dense, "--data", kData, "--device", "tpu"}), 2, {"tpu"});
    expectRefused(upcycle({"eval", dense, "--data", kData, "--dtype", "f16"}), 2,
                  {"f16 is not computed"});
    expectRefused(upcycle({"eval", dense, "--data", kData, "--dtype", "int8"}), 2, {"int8"});
}

TEST_F(LookingTest, AResultThatDoesNotArriveIsAFailure) {
    const std::string dense = Workshop::get().dense().string();
    for (const char* option : {"--tensors", "--json"}) {
        const Result result = upcycle({"inspect", dense, option}, {.output = "/dev/full"});
        EXPECT_EQ(result.exit, 5);
        EXPECT_NE(result.err.find("standard output"), std::string::npos) << result.err;
    }
}

TEST_F(LookingTest, ANameThatIsNotUtf8IsStillSaid) {
    expectRefused(upcycle({"inspect", path("na\xEFve.h5")}), 3, {"na\\xefve.h5"});
}

TEST_F(LookingTest, AnUnknownCommandIsNamed) {
    expectRefused(upcycle({"frobnicate"}), 2, {"frobnicate"});
}

TEST_F(LookingTest, NumbersOfTheConfigAreAsWritten) {
    const Json document =
        jsonOf(expectDone({"inspect", Workshop::get().dense().string(), "--json"}));
    EXPECT_EQ(document["architecture"]["layer_norm_eps"], 1e-6);
}

}  // namespace
}  // namespace upcycle_test
