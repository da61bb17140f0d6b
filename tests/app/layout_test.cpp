// SPDX-License-Identifier: Apache-2.0
// Checkpoints in other layouts than transformers', on the command line.
#include "core/checkpoint/checkpoint.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

namespace upcycle_test {
namespace {

std::string fixture(const std::string& name) {
    return (core::Path(UPCYCLER_SOURCE_DIR) / "tests/reference/layout" / name).string();
}

std::vector<float> floatsOf(const std::string& file, const std::string& name) {
    const auto checkpoint = core::Checkpoint::open(file);
    const core::TensorInfo* const tensor = checkpoint->find(name);
    return tensor == nullptr ? std::vector<float>() : checkpoint->readFloats(*tensor);
}

class LayoutTest : public AppTest {};

TEST_F(LayoutTest, LogitsOfAGoogleVitAreTheReferences) {
    const std::string reference = fixture("vit_reference.safetensors");
    const std::vector<float> expected = floatsOf(reference, "logits");
    ASSERT_EQ(expected.size(), 15U);
    for (const char* file : {"google_vit.npz", "google_vit_linen.npz", "v_moe_dense.safetensors"}) {
        const std::string output = path(std::string(file) + ".safetensors");
        expectDone({"forward", fixture(file), "--input", reference, "--output", output});
        const std::vector<float> found = floatsOf(output, "logits");
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4F);
    }
}

TEST_F(LayoutTest, InspectSaysLayoutAndStoredNames) {
    const Result result = expectDone({"inspect", fixture("google_vit_old.npz"), "--json"});
    const Json vit = Json::parse(result.out);
    EXPECT_EQ(vit["layout"], "google-vit");
    EXPECT_EQ(vit["format"], "npz");
    EXPECT_EQ(vit["architecture"]["heads"], 3);
    EXPECT_NE(result.err.find("warning: pre_logits"), std::string::npos) << result.err;
    bool found = false;
    for (const Json& tensor : vit["tensors"])
        if (tensor["name"] == "classifier.weight") {
            found = true;
            EXPECT_EQ(tensor["stored_as"], "opt/target/head/kernel");
            EXPECT_EQ(tensor["shape"], Json({5, 12}));
        }
    EXPECT_TRUE(found);
}

TEST_F(LayoutTest, HeadsAreGivenOnceAndThenStandInTheConfig) {
    const std::string bare = fixture("hf_vit.safetensors");
    expectRefused(upcycle({"plan", bare}), 3, {"number of attention heads"});
    EXPECT_EQ(
        jsonOf(expectDone({"inspect", bare, "--heads", "3", "--json"}))["architecture"]["heads"],
        3);
    expectDone({"plan", bare, "--heads", "3", "--experts", "2", "--layers", "encoder.1", "-o",
                path("plan.json")});
    expectDone({"convert", bare, "--heads", "3", "--image-size", "8", "--plan", path("plan.json"),
                "-o", path("moe")});
    const Json moe = jsonOf(expectDone({"inspect", path("moe"), "--json"}));
    EXPECT_EQ(moe["architecture"]["heads"], 3);
    EXPECT_EQ(moe["architecture"]["image_size"], 8);
    EXPECT_EQ(moe["blocks"][1]["mlp"], "moe");
    expectRefused(upcycle({"inspect", fixture("google_vit.npz"), "--heads", "4"}), 2,
                  {"have 3 attention heads"});
    expectRefused(upcycle({"inspect", bare, "--heads", "0"}), 2, {"--heads"});
    expectRefused(upcycle({"inspect", bare, "--heads", "3", "--image-size", "7"}), 2,
                  {"patch size"});
}

TEST_F(LayoutTest, ConvertsThereAndBack) {
    expectDone({"convert", fixture("google_vit.npz"), "-o", path("hf")});
    expectDone({"convert", path("hf"), "--layout", "google", "-o", path("vit.npz")});
    EXPECT_EQ(jsonOf(expectDone({"inspect", path("vit.npz"), "--json"}))["layout"], "google-vit");
    expectDone({"export", fixture("google_vit.npz"), "--layout", "native", "-o", path("native")});
    EXPECT_TRUE(core::Checkpoint::open(path("native"))->format() == "npz");
    const Json same =
        jsonOf(expectDone({"diff", path("vit.npz"), fixture("google_vit.npz"), "--json"}));
    EXPECT_EQ(same["changes"].size(), 0U);
    EXPECT_EQ(same["unchanged"], 40);
}

TEST_F(LayoutTest, RefusesWhatNoProgramLoads) {
    const std::string vit = fixture("google_vit.npz");
    expectRefused(upcycle({"convert", vit, "--layout", "keras", "-o", path("x")}), 2, {"keras"});
    expectRefused(upcycle({"convert", vit, "--layout", "google", "-o", path("x.h5")}), 2,
                  {"google-vit", ".npz alone"});
    expectRefused(upcycle({"convert", fixture("tf_t5.h5"), "--layout", "native", "-o", path("x")}),
                  3, {"tf_model.h5", "not written"});
    EXPECT_FALSE(std::filesystem::exists(path("x")));
}

}  // namespace
}  // namespace upcycle_test
