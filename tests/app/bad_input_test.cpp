// SPDX-License-Identifier: Apache-2.0
// Files, plans and data that are wrong: exit codes, words, and nothing left behind.
#include "tests/app/workshop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <limits>

namespace upcycle_test {
namespace {

namespace fs = std::filesystem;

class BadInputTest : public AppTest {
  protected:
    /// A copy of the dense model to be spoiled.
    std::string copyDense() const {
        fs::copy(Workshop::get().dense(), path("model"), fs::copy_options::recursive);
        return path("model");
    }
    static void overwrite(const std::string& file, std::size_t offset, const std::string& bytes) {
        std::string text = core::readTextFile(file);
        text.replace(offset, bytes.size(), bytes);
        core::writeTextFile(file, text);
    }
    /// Every command that opens a model refuses it with 3, names `words`, and changes nothing.
    void expectNobodyTakes(const std::string& model, const std::vector<std::string>& words) const {
        const auto before = treeOf(folder());
        const std::vector<std::vector<std::string>> commands{
            {"inspect", model},
            {"plan", model, "-o", path("plan.json")},
            {"convert", model, "-o", path("out")},
            {"eval", model, "--data", kData},
            {"diff", model, Workshop::get().dense().string()},
            {"check", model, model},
            {"new", path("run"), "--model", model, "--data", kData}};
        for (const auto& command : commands) {
            SCOPED_TRACE(command.front());
            expectRefused(upcycle(command), 3, words);
        }
        EXPECT_EQ(treeOf(folder()), before);
    }
    std::string writePlan(const std::string& blocks) const {
        core::writeTextFile(path("plan.json"),
                            R"({"schema":1,"seed":0,"blocks":{)" + blocks + "}}");
        return path("plan.json");
    }
    void expectPlanRefused(const std::string& blocks, const std::vector<std::string>& words) const {
        SCOPED_TRACE(blocks);
        const std::string plan = writePlan(blocks);
        const auto before = treeOf(folder());
        const std::string dense = Workshop::get().dense().string();
        expectRefused(upcycle({"convert", dense, "--plan", plan, "-o", path("out")}), 3, words);
        expectRefused(
            upcycle({"new", path("run"), "--model", dense, "--plan", plan, "--data", kData}), 3,
            words);
        EXPECT_EQ(treeOf(folder()), before);
    }
};

TEST_F(BadInputTest, ATruncatedSafetensorsFile) {
    const std::string model = copyDense();
    const std::string file = model + "/model.safetensors";
    fs::resize_file(file, fs::file_size(file) - 100);
    expectNobodyTakes(model, {"model.safetensors"});
    fs::resize_file(file, 5);
    expectNobodyTakes(model, {"model.safetensors"});
    fs::resize_file(file, 0);
    expectNobodyTakes(model, {"model.safetensors"});
}

TEST_F(BadInputTest, ALyingSafetensorsFile) {
    const std::string model = copyDense();
    const std::string file = model + "/model.safetensors";
    overwrite(file, 0, std::string(8, '\x7f'));
    expectNobodyTakes(model, {"model.safetensors"});
    core::writeTextFile(file, std::string("\x02\0\0\0\0\0\0\0[]", 10));
    expectNobodyTakes(model, {"model.safetensors"});
    const std::string header =
        R"({"a":{"dtype":"F32","shape":[1000000000,1000000000],"data_offsets":[0,4]}})";
    std::string lying(8, '\0');
    lying[0] = static_cast<char>(header.size());
    core::writeTextFile(file, lying + header + "abcd");
    expectNobodyTakes(model, {"model.safetensors"});
}

TEST_F(BadInputTest, ABrokenHdf5File) {
    expectDone({"convert", Workshop::get().dense().string(), "-o", path("whole.h5")});
    const std::string whole = core::readTextFile(path("whole.h5"));
    core::writeTextFile(path("cut.h5"), whole.substr(0, whole.size() / 2));
    expectNobodyTakes(path("cut.h5"), {"cut.h5"});
    core::writeTextFile(path("not.h5"), "this is no HDF5 file");
    expectNobodyTakes(path("not.h5"), {"not.h5"});
}

TEST_F(BadInputTest, WhatDoesNotExist) {
    expectNobodyTakes(path("nowhere"), {"nowhere"});
    fs::create_directory(path("empty"));
    expectNobodyTakes(path("empty"), {"empty"});
}

TEST_F(BadInputTest, AConfigThatContradictsTheTensors) {
    const std::string model = copyDense();
    Json config = Json::parse(core::readTextFile(model + "/config.json"));
    config["intermediate_size"] = 99;
    core::writeTextFile(model + "/config.json", config.dump());
    expectDone({"inspect", model});
    const auto before = treeOf(folder());
    expectRefused(upcycle({"plan", model, "-o", path("p.json")}), 3, {"intermediate_size"});
    expectRefused(upcycle({"eval", model, "--data", kData}), 3, {"intermediate_size"});
    expectRefused(upcycle({"new", path("run"), "--model", model, "--data", kData}), 3,
                  {"intermediate_size"});
    EXPECT_EQ(treeOf(folder()), before);
    core::writeTextFile(model + "/config.json", "{\"model_type\": \"vit\",");
    expectRefused(upcycle({"plan", model, "-o", path("p.json")}), 3, {"config.json"});
}

TEST_F(BadInputTest, PlansThatCannotWork) {
    const auto entry = [](const std::string& block, const std::string& changes) {
        Json settings = Json::parse(
            R"({"experts":4,"capacity":2.0,"router":"expert-choice","renormalize":true,)"
            R"("group_size":"batch"})");
        settings.update(Json::parse(changes));
        return "\"" + block + "\":" + settings.dump();
    };
    const std::string topK =
        R"("router":"top-k","order":"softmax-topk","dropless":false,"batch_priority":false)";
    expectPlanRefused(entry("encoder.9", "{}"), {"encoder.9"});
    expectPlanRefused(entry("decoder.0", "{}"), {"decoder.0"});
    expectPlanRefused(entry("encoder.1", R"({"experts":0})"), {"encoder.1", "experts"});
    expectPlanRefused(entry("encoder.1", R"({"experts":1000000000})"), {"encoder.1", "experts"});
    expectPlanRefused(entry("encoder.1", R"({"experts":-3})"), {"encoder.1", "experts"});
    expectPlanRefused(entry("encoder.1", R"({"capacity":0})"), {"encoder.1", "capacity"});
    expectPlanRefused(entry("encoder.1", R"({"capacity":null})"), {"encoder.1", "capacity"});
    expectPlanRefused(R"("encoder.1":{"experts":4,"capacity":NaN})", {"plan.json"});
    expectPlanRefused(R"("encoder.1":{"experts":4,"capacity":1e999})", {"plan.json"});
    expectPlanRefused(entry("encoder.1", "{" + topK + R"(,"k":5})"), {"encoder.1", "5"});
    expectPlanRefused(entry("encoder.1", R"({"routr":"top-k"})"), {"routr"});
    expectPlanRefused(entry("encoder.1", R"({"group_size":0})"), {"encoder.1", "group_size"});
    expectPlanRefused(R"("encoder.1":{"experts":4})", {"encoder.1", "missing"});
}

TEST_F(BadInputTest, PlanOptionsThatCannotWork) {
    const std::string dense = Workshop::get().dense().string();
    const auto plan = [&](const std::vector<std::string>& more) {
        std::vector<std::string> all{"plan", dense, "-o", path("plan.json")};
        all.insert(all.end(), more.begin(), more.end());
        return upcycle(all);
    };
    expectRefused(plan({"--layers", "encoder.7"}), 3, {"encoder.7"});
    expectRefused(plan({"--experts", "0"}), 3, {"experts"});
    expectRefused(plan({"--experts", "1000000000"}), 3, {"experts"});
    expectRefused(plan({"--experts", "many"}), 2, {"--experts"});
    expectRefused(plan({"--capacity", "nan"}), 3, {"capacity"});
    expectRefused(plan({"--router", "top-k", "--k", "9", "--experts", "4"}), 3, {"9"});
    expectRefused(plan({"--router", "magic"}), 2, {"--router", "magic"});
    expectRefused(plan({"--preset", "best"}), 2, {"--preset", "best"});
    expectRefused(plan({"--renormalize", "maybe"}), 2, {"--renormalize"});
    expectRefused(plan({"--set", "encoder.0.experts=4"}), 3, {"encoder.0"});
    expectRefused(plan({"--set", "encoder.3.exprts=4"}), 2, {"exprts"});
    expectRefused(plan({"--set", "nonsense"}), 2, {"nonsense"});
    expectRefused(plan({"--seed", "-1"}), 2, {"--seed", "-1"});
    expectRefused(
        upcycle({"eval", dense, "--data", "synthetic:images=8x8x1,classes=4", "--metrics", ""}), 2,
        {"--metrics"});
    EXPECT_FALSE(fs::exists(path("plan.json")));
}

TEST_F(BadInputTest, DataThatIsMissingEmptyOrBroken) {
    const std::string dense = Workshop::get().dense().string();
    const auto expectBoth = [&](const std::string& data, int exit, const std::string& word) {
        SCOPED_TRACE(data);
        const auto before = treeOf(folder());
        expectRefused(upcycle({"eval", dense, "--data", data}), exit, {word});
        expectRefused(upcycle({"new", path("run"), "--model", dense, "--data", data}), exit,
                      {word});
        EXPECT_EQ(treeOf(folder()), before);
    };
    expectBoth("images:" + path("nowhere"), 3, "nowhere");
    fs::create_directories(path("images") + "/train/cat");
    fs::create_directories(path("images") + "/test/cat");
    expectBoth("images:" + path("images"), 3, "images");
    expectBoth("idx:" + path("images"), 3, "images");
    expectBoth("fashion-mnist:" + path("nowhere"), 3, "nowhere");
    expectBoth("telepathy", 2, "telepathy");
    expectBoth("synthetic:images=0x0x0,classes=4", 2, "0");
    expectBoth("synthetic:images=8x8x1,classes=5", 3, "classes");
}

TEST_F(BadInputTest, AWeightThatIsNotANumberIsAWarning) {
    const std::string model = copyDense();
    const Json inspected = jsonOf(expectDone({"inspect", model, "--json"}));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::string bytes(sizeof nan, '\0');
    std::memcpy(bytes.data(), &nan, sizeof nan);
    overwrite(model + "/model.safetensors", inspected["tensors"][3]["offset"].get<std::size_t>(),
              bytes);
    const Result result = expectDone({"inspect", model, "--stats", "--json"});
    EXPECT_NE(result.err.find("warning: "), std::string::npos);
    EXPECT_EQ(jsonOf(result)["tensors"][3]["stats"]["non_finite"], 1);
}

TEST_F(BadInputTest, NoPermission) {
    fs::permissions(folder(), fs::perms(0755));
    const std::string model = copyDense();
    fs::permissions(model + "/model.safetensors", fs::perms(0600));
    core::writeTextFile(path("open"), "");
    const Setting nobody{.asNobody = true};
    if (::geteuid() != 0) {
        fs::permissions(model + "/model.safetensors", fs::perms::none);
        fs::permissions(folder(), fs::perms(0555));
    }
    expectRefused(upcycle({"inspect", model}, nobody), 3, {"model.safetensors"});
    const std::string dense = Workshop::get().dense().string();
    expectRefused(upcycle({"convert", dense, "-o", path("out")}, nobody), 3, {"out"});
    expectRefused(upcycle({"plan", dense, "-o", path("plan.json")}, nobody), 3, {"plan.json"});
    expectRefused(upcycle({"new", path("run"), "--model", dense, "--data", kData}, nobody), 3,
                  {"run"});
    fs::permissions(folder(), fs::perms(0755));
    EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
}  // namespace upcycle_test
