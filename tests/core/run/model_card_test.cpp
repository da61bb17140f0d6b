// SPDX-License-Identifier: Apache-2.0
#include "core/run/model_card.h"

#include "core/run/escape.h"

#include <gtest/gtest.h>

#include <sstream>

namespace core {
namespace {

/// Everything that a file or a person names, as bad as it can be.
constexpr const char* kHostile =
    "a`b|c\n---\n# <script>alert(1)</script> [x](http://e) ![y](z) *s* _u_ ~~t~~ $m$ &amp; \\";

ModelSpec model() {
    ModelSpec spec = specFromConfig(R"({"model_type": "vit", "hidden_size": 8,
        "intermediate_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
        "image_size": 8, "patch_size": 4, "num_channels": 1, "num_labels": 3})",
                                    "config.json");
    MoeSpec choice;
    choice.experts = 8;
    MoeSpec top;
    top.experts = 4;
    top.router = RouterKind::TopK;
    top.dropless = true;
    top.renormalize = false;
    top.order = TopKOrder::TopKSoftmax;
    top.batchPriority = true;
    top.group = {GroupSize::Kind::Sequence, 0};
    spec.blocks[1].moe = choice;
    spec.blocks[3].moe = top;
    return spec;
}

RunRecord record(const std::string& name) {
    RunRecord run;
    run.job.data = "images:/home/somebody/" + name;
    run.job.batch = 32;
    run.job.trainer.steps = 2000;
    run.job.trainer.clip = 1;
    run.job.trainer.loss.aux = 0.01F;
    run.job.augmentation = {2, true};
    run.job.seed = 7;
    run.state.step = 1500;
    run.state.globalStep = 11500;
    run.state.schedule.kind = ScheduleKind::Rsqrt;
    run.state.schedule.startStep = 10000;
    run.state.schedule.cooldown = 250;
    run.state.lr = 0.00025;
    run.hello.device = "cpu";
    run.hello.dtype = "f32";
    run.hello.program = "upcycle";
    run.hello.version = "0.1.0";
    run.seconds = 3725;
    EvalEvent eval;
    eval.split = name;
    eval.loss = 0.25;
    eval.accuracy = 0.9125;
    eval.metrics = {{"examples", 10000}, {"seconds", 3}, {"fewshot:10|5", 0.5}};
    run.evals[name] = eval;
    run.evalSteps[name] = 1500;
    run.routers = {{"encoder.1", {0.5, 1.5, 1, 1}, 0.0125, 0, 0.9, 1, 0.35},
                   {name, {}, 0, 0.25, 0.5, 0.75, 0}};
    run.routerStep = 1490;
    return run;
}

ModelCard card(const std::string& name) {
    ModelCard made;
    made.model = model();
    made.cost = {26200000, 7500000, 1.5e7, 0, 0};
    made.before = {5700000, 5700000, 1.1e7, 0, 0};
    made.origin = name;
    made.originFiles[name] = {123456, 0xab12};
    made.originSteps = 10000;
    made.plan.emplace();
    made.plan->seed = 5;
    made.plan->layers["encoder.1"].moe = *made.model.blocks[1].moe;
    made.plan->layers["encoder.3"].moe = *made.model.blocks[3].moe;
    made.plan->layers["encoder.3"].experts = {ExpertInit::Kind::Noise, 0.01};
    made.run = record(name);
    made.picture = true;
    made.program = "Upcycler 0.1.0";
    return made;
}

std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// Bars that end a table's cell.
std::ptrdiff_t cells(const std::string& line) {
    std::ptrdiff_t count = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
        if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++count;
    return count;
}

TEST(ModelCard, IsTheGoldenText) {
    const Path golden = Path(UPCYCLER_SOURCE_DIR) / "tests/core/run/fixtures/model_card.md";
    EXPECT_EQ(modelCardText(card("vit-flowers"), true), readTextFile(golden));
}

TEST(ModelCard, HostileNamesChangeNoLine) {
    const std::vector<std::string> plain = linesOf(modelCardText(card("vit-flowers"), true));
    const std::string hostile = modelCardText(card(kHostile), true);
    const std::vector<std::string> lines = linesOf(hostile);
    ASSERT_EQ(lines.size(), plain.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(cells(lines[i]), cells(plain[i])) << lines[i];
        EXPECT_EQ(lines[i] == "---", plain[i] == "---") << lines[i];
        EXPECT_EQ(lines[i].starts_with("#"), plain[i].starts_with("#")) << lines[i];
        EXPECT_EQ(lines[i].starts_with("```"), plain[i].starts_with("```")) << lines[i];
    }
    EXPECT_EQ(hostile.find("<script"), std::string::npos);
    EXPECT_EQ(hostile.find("](http://e)"), std::string::npos);
    EXPECT_EQ(hostile.find("![y]"), std::string::npos);
}

TEST(ModelCard, TellsNoFolder) {
    EXPECT_EQ(modelCardText(card("x"), true).find("somebody"), std::string::npos);
    EXPECT_EQ(withoutFolders("fashion-mnist"), "fashion-mnist");
    EXPECT_EQ(withoutFolders("images:/data/flowers"), "images:flowers");
    EXPECT_EQ(withoutFolders("images:/data/flowers/"), "images:flowers");
    EXPECT_EQ(withoutFolders("idx:relative"), "idx:relative");
    EXPECT_EQ(withoutFolders("/a/b:c"), "/a/b:c");
    EXPECT_EQ(withoutFolders("synthetic:images=8x8x1,classes=4"),
              "synthetic:images=8x8x1,classes=4");
}

TEST(ModelCard, OfADenseRunTellsOfNoExperts) {
    ModelCard dense = card("vit");
    for (BlockSpec& block : dense.model.blocks) block.moe.reset();
    dense.plan.reset();
    dense.before.reset();
    dense.run->routers.clear();
    dense.picture = false;
    const std::string text = modelCardText(dense, false);
    EXPECT_TRUE(text.starts_with(kModelCardMark));
    for (const char* word :
         {"trust_remote_code", "Surgery", "xperts.svg", "loss.svg", "Routers", "mixture"})
        EXPECT_EQ(text.find(word), std::string::npos) << word;
    EXPECT_NE(text.find("## Training"), std::string::npos);
    EXPECT_NE(text.find("without experts"), std::string::npos);
}

TEST(Escape, Xml) {
    EXPECT_EQ(escapedXml("a<b>&\"'\n"), "a&lt;b&gt;&amp;&quot;&#39;\\x0a");
    EXPECT_EQ(escapedXml("\xff"), "\\xff");
}

TEST(Escape, Markdown) {
    EXPECT_EQ(escapedMarkdown("plain-name.v1"), "plain-name.v1");
    EXPECT_EQ(escapedMarkdown("a|b`c\n"), "a\\|b\\`c\\\\x0a");
    EXPECT_LT(escapedMarkdown(std::string(5000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace core
