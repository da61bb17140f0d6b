// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/check.h"

#include "core/base/error.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

class Check : public testing::Test {
  protected:
    CheckReport report(const MoeSpec& moe) {
        sparse_ = upcycle(*dense_, {{"encoder.2", moe}, {"encoder.3", moe}}, 0.5F);
        return checkUpcycled(*dense_, *sparse_, batch_);
    }
    static bool mentions(const CheckReport& report, const std::string& word) {
        for (const std::string& cause : report.causes)
            if (cause.find(word) != std::string::npos) return true;
        return false;
    }
    Parameter& parameter(const std::string& name) {
        for (Parameter& p : sparse_->parameters())
            if (p.name == name) return p;
        throw std::runtime_error("no parameter " + name);
    }

    std::unique_ptr<Model> dense_ = randomModel(smallVit(), 1);
    std::unique_ptr<Model> sparse_;
    Batch batch_ = randomBatch(smallVit().vit, 3, 2);
};

TEST_F(Check, HoldsForCopiesThatAllTokensReach) {
    const CheckReport r = report(topK(5, 2, 0));
    EXPECT_TRUE(r.holds);
    EXPECT_LT(r.logitsRelativeError, 1e-5);
    EXPECT_TRUE(r.causes.empty()) << r.causes.front();
    ASSERT_EQ(r.blocks.size(), 2U);
    for (const BlockCheck& block : r.blocks) {
        EXPECT_LT(block.relativeError, 1e-5);
        EXPECT_EQ(block.unrouted, 0);
        EXPECT_EQ(block.dropped, 0);
        EXPECT_NEAR(block.combineSum, 1, 1e-6);
    }
    EXPECT_EQ(r.blocks[0].block, "encoder.2");
}

TEST_F(Check, UnroutedTokensAreNamed) {
    const CheckReport r = report(expertChoice(8, 1));
    EXPECT_FALSE(r.holds);
    for (const BlockCheck& block : r.blocks) {
        EXPECT_GT(block.unrouted, 0);
        EXPECT_NEAR(block.combineSum, 1 - block.unrouted, 1e-6);
        EXPECT_GT(block.relativeError, 1e-3);
        EXPECT_LE(block.relativeError, 1.0) << "an unrouted token's output is 0, no more";
    }
    EXPECT_EQ(r.causes.size(), 1U);
    EXPECT_TRUE(mentions(r, "have no expert (expert choice with capacity 1)"));
    EXPECT_TRUE(mentions(r, "encoder.2, encoder.3"));
}

TEST_F(Check, WeightsThatDoNotSumToOneAreNamed) {
    const CheckReport r = report(topK(5, 2, 0, false));
    EXPECT_FALSE(r.holds);
    EXPECT_TRUE(mentions(r, "renormalize is off"));
    // A dropless top-2 of equal experts is the dense output times the sum of the two weights.
    for (const BlockCheck& block : r.blocks) {
        EXPECT_LT(block.combineSum, 1);
        EXPECT_GT(block.combineSum, 2.0 / 5.0);
    }
}

TEST_F(Check, DropsAreNamed) {
    const CheckReport r = report(topK(5, 2, 1, false, TopKOrder::TopKSoftmax));
    EXPECT_FALSE(r.holds);
    EXPECT_GT(r.blocks[0].dropped, 0);
    EXPECT_TRUE(mentions(r, "dropped over capacity (top-2 with capacity 1)"));
}

TEST_F(Check, ExpertsThatAreNoCopiesAreNamed) {
    report(topK(5, 2, 0));
    parameter("vit.encoder.layer.3.mlp.experts.expert_{e}.output.dense.weight")
        .value.data<float>()[7] += 1.0F;
    const CheckReport r = checkUpcycled(*dense_, *sparse_, batch_);
    EXPECT_LT(r.blocks[0].relativeError, 1e-5);
    EXPECT_GT(r.blocks[1].relativeError, 1e-3);
    ASSERT_EQ(r.causes.size(), 1U);
    EXPECT_TRUE(mentions(r, "encoder.3: the experts are no exact copies"));
}

TEST_F(Check, EachBlockIsFedTheDenseModelsInput) {
    report(topK(5, 2, 0));
    parameter("vit.encoder.layer.2.mlp.experts.expert_{e}.output.dense.bias")
        .value.data<float>()[0] += 10.0F;
    const CheckReport r = checkUpcycled(*dense_, *sparse_, batch_);
    EXPECT_GT(r.blocks[0].relativeError, 1e-2);
    EXPECT_LT(r.blocks[1].relativeError, 1e-5) << "the error of encoder.2 is not its fault";
    EXPECT_FALSE(r.holds);
}

TEST_F(Check, OtherTensorsThatDifferAreNamed) {
    report(topK(5, 2, 0));
    parameter("classifier.bias").value.data<float>()[0] += 1.0F;
    const CheckReport r = checkUpcycled(*dense_, *sparse_, batch_);
    EXPECT_FALSE(r.holds);
    EXPECT_TRUE(mentions(r, "classifier.bias"));
}

TEST_F(Check, ModelsOfOtherShapesAreRefused) {
    ModelSpec spec = smallVit();
    spec.vit.intermediate = 23;
    const auto other = randomModel(spec, 1);
    try {
        checkUpcycled(*dense_, *other, batch_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput);
        EXPECT_NE(std::string(error.what()).find("intermediate_size is 22"), std::string::npos);
    }
}

}  // namespace
}  // namespace core::test
