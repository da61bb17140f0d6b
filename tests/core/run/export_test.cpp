// SPDX-License-Identifier: Apache-2.0
#include "core/run/export.h"

#include "core/run/lines.h"
#include "core/run/model_card.h"
#include "tests/core/surgery/surgery_helpers.h"

namespace core::test {
namespace {

class Export : public testing::Test {
  protected:
    Path dense(const std::string& name = "dense") const {
        SmallVit{}.write(folder / name);
        return folder / name;
    }
    static SurgeryPlan plan() {
        SurgeryPlan made;
        made.layers["encoder.2"] = moeLayer(2);
        return made;
    }
    ConvertResult exported(const Path& from, const std::string& to, const SurgeryPlan& how = {},
                           const ConvertOptions& options = {}) const {
        const std::atomic<bool> cancel{false};
        return exportCheckpoint(*Checkpoint::open(from), how, folder / to, options, {}, cancel);
    }
    bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
    std::string text(const std::string& name) const { return readBytes(folder / name); }

    /// A run of two steps on `model`, with one checkpoint.
    Path run(const std::string& name, const Path& model) const {
        JobSpec job;
        job.model = model.string();
        job.plan = plan();
        job.data = "images:/secret/place/flowers";
        job.trainer.steps = 2;
        const RunDirectory made = RunDirectory::create(folder / name, job);
        HelloEvent hello;
        hello.device = "cpu";
        StepEvent step;
        step.loss = 1.25;
        EvalEvent eval;
        eval.split = "test";
        eval.loss = 1.125;
        RouterEvent router;
        router.stats = {"encoder.2", {0.75, 1.25}, 0.0625, 0.125, 0.5, 0.9, 0.25};
        const File events = File::openForAppending(made.eventsFile());
        for (const Event& event : {Event{1, 0, hello}, Event{2, 1, step}, Event{3, 2, step},
                                   Event{3, 2, router}, Event{4, 2, eval}})
            appendLine(events, toJsonLine(event));
        const Path checkpoint = made.checkpointFolder(2);
        ConvertOptions options;
        options.notCarried = modelCardFiles(model);
        convert(*Checkpoint::open(model), plan(), checkpoint, options);
        TrainingState state;
        state.step = 2;
        state.globalStep = 12;
        std::filesystem::remove(checkpoint / "training.json");
        writeTextFile(checkpoint / "training.json", toJson(state));
        return checkpoint;
    }
    TemporaryFolder folder;
};

TEST_F(Export, APlanGivesACard) {
    exported(dense(), "moe", plan());
    const std::string card = text("moe/README.md");
    EXPECT_TRUE(card.starts_with("---\nlibrary_name: transformers\n")) << card;
    EXPECT_TRUE(contains(card, kModelCardMark.data()));
    EXPECT_TRUE(contains(card, "# dense, upcycled\n")) << card;
    EXPECT_TRUE(contains(card, "| encoder.2 | 2 | copy, router normal:0.02 |")) << card;
    EXPECT_FALSE(exists("moe/loss.svg"));
    exported(folder / "dense", "again", plan());
    EXPECT_EQ(text("again/README.md"), card);
    EXPECT_EQ(planFromJson(card.substr(card.find("```json") + 7,
                                       card.rfind("}\n```") - card.find("```json") - 6),
                           "card"),
              plan());
}

TEST_F(Export, ARunsCheckpointTellsOfItsTraining) {
    const Path checkpoint = run("run", dense());
    const ConvertResult result = exported(checkpoint, "out");
    EXPECT_EQ(result.leftOut, std::vector<std::string>());
    const std::string card = text("out/README.md");
    for (const char* part :
         {"# dense, upcycled and trained\n", "| data | images:flowers |", "| steps | 2 of 2",
          "| test | 2 | – | 1.1250 |",
          "| encoder.2 | 0.75 to 1.25 | 0.250 | 6.25 % | 12.50 % | 0.500 | 0.900 |",
          "![Loss by step](loss.svg)", "| encoder.2 | 2 | copy, router normal:0.02 |",
          "| parameters |"})
        EXPECT_TRUE(contains(card, part)) << part << "\n" << card;
    EXPECT_FALSE(contains(card, "secret"));
    EXPECT_TRUE(text("out/loss.svg").starts_with(kLossPictureMark));
    exported(checkpoint, "again");
    EXPECT_EQ(text("again/README.md"), card);
    EXPECT_EQ(text("again/loss.svg"), text("out/loss.svg"));
}

TEST_F(Export, SomebodysReadmeStays) {
    const Path model = dense();
    writeBytes(model / "README.md", "by hand");
    exported(model, "moe", plan());
    EXPECT_EQ(text("moe/README.md"), "by hand");
    EXPECT_TRUE(text("moe/UPCYCLING.md").starts_with(kModelCardMark));
}

TEST_F(Export, ADenseConversionHasNothingToTell) {
    exported(dense(), "copy");
    EXPECT_FALSE(exists("copy/README.md"));
    EXPECT_FALSE(exists("copy/UPCYCLING.md"));
}

TEST_F(Export, AnOlderCardIsCarriedOrReplaced) {
    exported(run("run", dense()), "out");
    exported(folder / "out", "half");
    EXPECT_EQ(text("half/README.md"), text("out/README.md"));
    EXPECT_EQ(text("half/loss.svg"), text("out/loss.svg"));
    SurgeryPlan more;
    more.layers["encoder.0"] = moeLayer(3);
    exported(folder / "half", "more", more);
    EXPECT_TRUE(contains(text("more/README.md"), "# half, upcycled\n"));
    EXPECT_TRUE(contains(text("more/README.md"), "| encoder.0 | 3 |"));
    EXPECT_FALSE(exists("more/loss.svg"));
}

TEST_F(Export, ExpertsWithoutACardGetOne) {
    ConvertOptions hdf5;
    hdf5.format = FileFormat::Hdf5;
    exported(dense(), "moe.h5", plan(), hdf5);
    EXPECT_FALSE(exists("README.md"));
    exported(folder / "moe.h5", "back");
    EXPECT_TRUE(contains(text("back/README.md"), "# moe.h5, upcycled\n")) << text("back/README.md");
    EXPECT_TRUE(contains(text("back/README.md"), "| encoder.2 | 2 | – |"));
}

TEST_F(Export, OnlyWhatTransformersLoadsSaysSo) {
    const Path model = dense();
    ConvertOptions hdf5;
    hdf5.format = FileFormat::Hdf5;
    exported(model, "hdf5", plan(), hdf5);
    ConvertOptions google;
    google.format = FileFormat::Npz;
    google.layout = LayoutChoice::Google;
    exported(model, "google", plan(), google);
    for (const char* name : {"hdf5/README.md", "google/README.md"}) {
        EXPECT_FALSE(contains(text(name), "transformers")) << text(name);
        EXPECT_TRUE(contains(text(name), "| encoder.2 | 2 |")) << text(name);
    }
}

TEST_F(Export, ADamagedRunIsSaidAndItsCheckpointExported) {
    const Path checkpoint = run("run", dense());
    writeBytes(folder / "run/events.jsonl", "{\"event\": \"hello\", \"schema\": 99}\n");
    const ConvertResult result = exported(checkpoint, "out");
    ASSERT_EQ(result.leftOut.size(), 1U);
    EXPECT_TRUE(contains(result.leftOut[0], "schema 99")) << result.leftOut[0];
    EXPECT_TRUE(exists("out/model.safetensors"));
    EXPECT_TRUE(contains(text("out/README.md"), "| encoder.2 | 2 |"));
}

TEST_F(Export, OnlyAHubsNameIsABaseModel) {
    for (const auto& [name, known] :
         std::vector<std::pair<std::string, bool>>{{"google/vit-base-patch16-224", true},
                                                   {"/home/me/vit", false},
                                                   {"./vit", false},
                                                   {"a/b/c", false},
                                                   {"vit", false},
                                                   {"a/b\\nlicense: mit", false},
                                                   {"a/ b", false}}) {
        const std::string place = "dense" + std::to_string(std::hash<std::string>{}(name));
        SmallVit{.further = "\"_name_or_path\": \"" + name + "\", "}.write(folder / place);
        exported(folder / place, place + "-moe", plan());
        EXPECT_EQ(contains(text(place + "-moe/README.md"), "\nbase_model: " + name + "\n"), known)
            << name;
        EXPECT_EQ(contains(text(place + "-moe/README.md"), "base_model"), known) << name;
    }
}

}  // namespace
}  // namespace core::test
