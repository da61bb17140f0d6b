// SPDX-License-Identifier: Apache-2.0
// profile.
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace upcycle_test {
namespace {

class ProfileTest : public AppTest {
  protected:
    const std::string dense_ = Workshop::get().dense().string();
    const std::string sparse_ = Workshop::get().upcycled().string();

    static Json profile(const std::string& model, const std::vector<std::string>& more = {}) {
        std::vector<std::string> all{"profile", model, "--steps", "2", "--threads", "1", "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return jsonOf(expectDone(all));
    }
    static std::set<std::string> namesIn(const Json& document) {
        std::set<std::string> names;
        for (const Json& op : document["ops"]) names.insert(op["op"]);
        return names;
    }
};

TEST_F(ProfileTest, FiguresAddUp) {
    const Json document = profile(sparse_, {"--batch", "8"});
    EXPECT_EQ(document["steps"], 2);
    EXPECT_EQ(document["examples"], 8);
    EXPECT_EQ(document["random_weights"], false);
    double seconds = 0;
    double share = 0;
    double flops = 0;
    double floor = 0;
    for (const Json& op : document["ops"]) {
        EXPECT_GT(op["calls"], 0) << op;
        EXPECT_GT(op["bytes"], 0) << op;
        EXPECT_GT(op["floor_seconds"], 0) << op;
        EXPECT_FALSE(op.contains("sizes"));
        seconds += op["seconds"].get<double>();
        share += op["share"].get<double>();
        flops += op["flops"].get<double>();
        floor += op["floor_seconds"].get<double>();
    }
    EXPECT_EQ(namesIn(document).size(), document["ops"].size()) << "a line an op";
    const double whole = document["op_by_op_seconds"];
    EXPECT_NEAR(seconds + document["outside_ops_seconds"].get<double>(), whole, 1e-9 * whole);
    EXPECT_NEAR(share, seconds / whole, 1e-6);
    EXPECT_NEAR(flops, document["flops"], 1e-6 * flops);
    EXPECT_NEAR(floor, document["floor_seconds"], 1e-6 * floor);
    EXPECT_GT(document["outside_products_share"], 0.0);
    EXPECT_LT(document["outside_products_share"], 1.0);
    EXPECT_GT(document["step_seconds"], 0.0);
    EXPECT_GT(document["ceilings"]["product_flops"], 0.0);
    EXPECT_GT(document["ceilings"]["copy_bytes"], 0.0);
    for (const char* kind : {"parameters", "gradients", "optimizer", "bf16_copies", "activations",
                             "other", "planned", "allocated_peak", "process_peak"})
        EXPECT_TRUE(document["memory"][kind].is_number_unsigned()) << kind;
}

TEST_F(ProfileTest, SizesStandApart) {
    const Json together = profile(dense_, {"--batch", "4"});
    const Json apart = profile(dense_, {"--batch", "4", "--sizes"});
    EXPECT_GT(apart["ops"].size(), together["ops"].size());
    EXPECT_NEAR(apart["flops"], together["flops"], 1.0) << "the same work";
    for (const Json& op : apart["ops"]) {
        EXPECT_FALSE(op["sizes"].get<std::string>().empty()) << op;
        if (op["flops"] > 0) {
            EXPECT_TRUE(op["sizes"].get<std::string>().starts_with("f32 ")) << op;
        }
    }
}

TEST_F(ProfileTest, APlanIsProfiledBeforeItIsCarriedOut) {
    const Json document = profile(dense_, {"--layers", "encoder.3", "--experts", "4"});
    EXPECT_EQ(document["random_weights"], true);
    EXPECT_TRUE(namesIn(document).contains("expertChoice"));
    EXPECT_FALSE(namesIn(profile(dense_)).contains("expertChoice"));
    EXPECT_TRUE(namesIn(profile(dense_, {"--plan", Workshop::get().plan().string()}))
                    .contains("expertChoice"));
}

TEST_F(ProfileTest, ARunIsLeftAsItIs) {
    const std::string run = newRun("run", dense_, 2);
    const auto before = treeOf(run);
    EXPECT_EQ(profile(run)["examples"], 8) << "the run's job";
    EXPECT_EQ(treeOf(run), before);
    expectDone({"train", run});
    const auto trained = treeOf(run);
    const Json document = profile(run, {"--optimizer", "sgd"});
    EXPECT_EQ(document["random_weights"], false) << "its newest checkpoint";
    EXPECT_TRUE(namesIn(document).contains("sgdStep"));
    EXPECT_EQ(treeOf(run), trained);
}

TEST_F(ProfileTest, AMicrobatchRepeatsTheForward) {
    const Json whole = profile(dense_, {"--batch", "4"});
    const Json halves = profile(dense_, {"--batch", "4", "--microbatch", "2"});
    const auto calls = [](const Json& document) {
        for (const Json& op : document["ops"])
            if (op["op"] == "attentionForward") return op["calls"].get<double>();
        return 0.0;
    };
    EXPECT_EQ(calls(halves), 2 * calls(whole));
    EXPECT_EQ(calls(profile(dense_, {"--batch", "4", "--recompute"})), 2 * calls(whole));
    EXPECT_LT(halves["memory"]["activations"], whole["memory"]["activations"]);
}

TEST_F(ProfileTest, ABatchMayBeLargerThanTheUsualData) {
    EXPECT_EQ(profile(dense_, {"--batch", "1030"})["examples"], 1030);
}

TEST_F(ProfileTest, Bf16HasCopiesOfTheWeights) {
    const Json document = profile(sparse_, {"--batch", "4", "--dtype", "bf16", "--sizes"});
    EXPECT_GT(document["memory"]["bf16_copies"], 0);
    EXPECT_LT(document["memory"]["bf16_copies"], document["memory"]["parameters"]);
    const auto& ops = document["ops"];
    EXPECT_TRUE(std::any_of(ops.begin(), ops.end(), [](const Json& op) {
        return op["op"] == "linearForward" && op["sizes"].get<std::string>().starts_with("bf16 ");
    }));
}

TEST_F(ProfileTest, PeopleGetATable) {
    const std::string out = expectDone({"profile", dense_, "--steps", "1", "--threads", "1"}).out;
    for (const char* words : {"ceilings: products", "linearForward", "outside the ops",
                              "outside products", "activations", "planned", "floor"})
        EXPECT_NE(out.find(words), std::string::npos) << words << " in\n" << out;
}

TEST_F(ProfileTest, BadInputIsRefused) {
    expectRefused(upcycle({"profile", path("nothing")}), 3, {"nothing"});
    expectRefused(upcycle({"profile", dense_, "--steps", "0"}), 2, {"steps"});
    expectRefused(upcycle({"profile", dense_, "--batch", "0"}), 3, {"batch"});
    expectRefused(upcycle({"profile", dense_, "--device", "abacus"}), 2, {"abacus"});
    expectRefused(upcycle({"profile", dense_, "--dtype", "f16"}), 2, {"f16"});
    expectRefused(upcycle({"profile", dense_, "--optimizer", "luck"}), 2, {"luck"});
    expectRefused(upcycle({"profile", dense_, "--layers", "encoder.9"}), 3, {"encoder.9"});
    expectRefused(upcycle({"profile", dense_, "--data", "synthetic:images=9x9x1,classes=4"}), 3,
                  {"9x9"});
    expectRefused(upcycle({"profile", sparse_, "--experts", "4", "--layers", "encoder.3"}), 3,
                  {"encoder.3"});
    const std::string run = newRun("run", dense_, 2);
    expectRefused(upcycle({"profile", run, "--experts", "4"}), 2, {"plan"});
}

}  // namespace
}  // namespace upcycle_test
