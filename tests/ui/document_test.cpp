// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/document.h"

#include "core/surgery/convert.h"
#include "tests/ui/opened_document.h"
#include "tests/ui/tiny_checkpoint.h"

#include <QFile>
#include <QSignalSpy>
#include <QTest>

namespace ui {
namespace {

using testing::mlp;
using testing::OpenedDocument;
using Names = std::set<std::string>;

class DocumentTest : public OpenedDocument {};

TEST_F(DocumentTest, OpensInTheBackgroundWithAnEmptyPlan) {
    EXPECT_EQ(document.model().spec.blocks.size(), 4U);
    EXPECT_TRUE(document.plan().layers.empty());
    EXPECT_EQ(document.report().before.parameters, document.report().after.parameters);
    EXPECT_GT(document.report().before.parameters, 0U);
    EXPECT_FALSE(document.isModified());
    EXPECT_EQ(document.model().name(), QStringLiteral("dense"));
}

TEST_F(DocumentTest, AsksForTheHeadsThatNoFileSays) {
    core::writeTextFile(place() / "kept.json", core::readTextFile(dense() / "config.json"));
    std::filesystem::remove(dense() / "config.json");
    QSignalSpy asked(&document, &Document::headsAsked);
    document.close();
    document.open(file("dense"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return asked.count() == 1; }, 30'000));
    EXPECT_FALSE(document.hasModel());
    EXPECT_EQ(asked[0][0].toString(), file("dense"));
    const std::int64_t hidden = asked[0][1].toLongLong();
    const core::ModelSpec known =
        core::specFromConfig(core::readTextFile(place() / "kept.json"), "kept.json");
    EXPECT_EQ(hidden, known.vit.hidden);
    core::OpenOptions options;
    options.heads = known.vit.heads;
    document.open(file("dense"), options);
    ASSERT_TRUE(QTest::qWaitFor([&] { return document.hasModel(); }, 30'000));
    EXPECT_EQ(document.model().spec.vit.heads, known.vit.heads);
    EXPECT_EQ(asked.count(), 1);
}

TEST(Heads, AreOfferedByTheHiddenSize) {
    EXPECT_EQ(usualHeads(768), 12);
    EXPECT_EQ(usualHeads(1280), 20);
    EXPECT_EQ(usualHeads(96), 2) << "two of 48 are nearest to 64";
    EXPECT_EQ(usualHeads(7), 0);
    EXPECT_EQ(possibleHeads(24), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(possibleHeads(768).front(), 3);
    EXPECT_EQ(possibleHeads(768).back(), 96);
}

TEST_F(DocumentTest, EachEditIsOneStepBackAndForth) {
    editor.switchBlocks({"encoder.1"}, true);
    editor.switchBlocks({"encoder.3"}, true);
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.3"}));
    EXPECT_EQ(document.undoStack().count(), 2);
    EXPECT_EQ(document.undoStack().undoText(), QStringLiteral("Make encoder.3 MoE"));
    const core::ModelCost two = document.report().after;

    document.undoStack().undo();
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
    EXPECT_LT(document.report().after.parameters, two.parameters);
    document.undoStack().undo();
    EXPECT_TRUE(planned().empty());
    EXPECT_EQ(document.report().after.parameters, document.report().before.parameters);
    document.undoStack().redo();
    document.undoStack().redo();
    EXPECT_EQ(document.report().after.parameters, two.parameters);
    EXPECT_EQ(document.report().after.fileBytes, two.fileBytes);
}

TEST_F(DocumentTest, ARowOfChangesOfOneSettingIsOneStep) {
    editor.switchBlocks({"encoder.2"}, true);
    for (const int experts : {8, 9, 10}) editor.setExperts(experts);
    EXPECT_EQ(document.undoStack().count(), 2);
    EXPECT_EQ(layer("encoder.2").moe.experts, 10);
    document.undoStack().undo();
    EXPECT_EQ(layer("encoder.2").moe.experts, 32);
}

TEST_F(DocumentTest, AnImpossiblePlanIsRefusedInTheEnginesWords) {
    editor.switchBlocks({"encoder.2"}, true);
    QSignalSpy refused(&document, &Document::refused);
    const core::SurgeryPlan before = document.plan();
    EXPECT_FALSE(editor.change(QStringLiteral("K"), {}, {"encoder.2"}, [](core::LayerPlan& plan) {
        plan.moe.router = core::RouterKind::TopK;
        plan.moe.k = 33;
    }));
    ASSERT_EQ(refused.count(), 1);
    const ErrorText error = refused[0][0].value<ErrorText>();
    EXPECT_EQ(error.kind, core::ErrorKind::BadInput);
    EXPECT_TRUE(error.message.contains(QStringLiteral("encoder.2"))) << error.message.toStdString();
    EXPECT_TRUE(document.plan() == before);
    EXPECT_EQ(document.undoStack().count(), 1);
}

TEST_F(DocumentTest, AnEditThatChangesNothingIsNoStep) {
    editor.switchBlocks({"encoder.0"}, false);
    EXPECT_EQ(document.undoStack().count(), 0);
}

TEST_F(DocumentTest, PlansAreSavedAndLoaded) {
    editor.applyPreset({core::Preset::LastHalf, 0});
    editor.setExperts(5);
    const core::SurgeryPlan saved = document.plan();
    QSignalSpy modified(&document, &Document::modifiedChanged);
    EXPECT_TRUE(document.isModified());
    ASSERT_TRUE(document.savePlan(file("plan.json")));
    EXPECT_FALSE(document.isModified());
    EXPECT_EQ(modified.count(), 1);

    editor.applyPreset({core::Preset::All, 0});
    EXPECT_TRUE(document.isModified());
    ASSERT_TRUE(document.loadPlan(file("plan.json")));
    EXPECT_TRUE(document.plan() == saved);
    EXPECT_FALSE(document.isModified());
    EXPECT_EQ(document.planFile(), file("plan.json"));
    document.undoStack().undo();
    EXPECT_EQ(document.plan().layers.size(), 4U);
}

TEST_F(DocumentTest, ABadPlanFileIsRefusedByName) {
    QFile bad(file("bad.json"));
    ASSERT_TRUE(bad.open(QIODevice::WriteOnly));
    bad.write(R"({"schema": 1, "seed": 0, "blocks": {"encoder.9": {"experts": 4}}})");
    bad.close();
    QSignalSpy refused(&document, &Document::refused);
    EXPECT_FALSE(document.loadPlan(file("bad.json")));
    EXPECT_FALSE(document.loadPlan(file("missing.json")));
    ASSERT_EQ(refused.count(), 2);
    EXPECT_TRUE(refused[0][0].value<ErrorText>().message.contains(QStringLiteral("encoder.9")));
    EXPECT_TRUE(refused[1][0].value<ErrorText>().message.contains(QStringLiteral("missing.json")));
    EXPECT_TRUE(document.plan().layers.empty());
}

TEST_F(DocumentTest, AFailedOpenSaysWhyAndKeepsWhatIsOpen) {
    editor.switchBlocks({"encoder.1"}, true);
    QSignalSpy failed(&document, &Document::failed);
    EXPECT_FALSE(testing::openAndWait(document, file("nothing-here")));
    ASSERT_EQ(failed.count(), 1);
    const ErrorText error = failed[0][0].value<ErrorText>();
    EXPECT_TRUE(error.message.contains(QStringLiteral("nothing-here")));
    EXPECT_FALSE(document.isOpening());
    EXPECT_TRUE(document.hasModel());
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
}

TEST_F(DocumentTest, ATruncatedFileIsAMessage) {
    const QString broken = file("broken.safetensors");
    QFile whole(QString::fromStdString((dense() / "model.safetensors").string()));
    ASSERT_TRUE(whole.open(QIODevice::ReadOnly));
    QFile cut(broken);
    ASSERT_TRUE(cut.open(QIODevice::WriteOnly));
    cut.write(whole.read(whole.size() / 2));
    cut.close();
    QSignalSpy failed(&document, &Document::failed);
    EXPECT_FALSE(testing::openAndWait(document, broken));
    ASSERT_EQ(failed.count(), 1);
    EXPECT_TRUE(
        failed[0][0].value<ErrorText>().message.contains(QStringLiteral("broken.safetensors")));
}

TEST_F(DocumentTest, ANewerOpenMakesAnOlderOneVoid) {
    testing::writeTinyCheckpoint(place() / "other");
    QSignalSpy opened(&document, &Document::opened);
    document.open(file("nothing-here"));
    document.open(file("other"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return opened.count() == 1; }, 30'000));
    QTest::qWait(100);
    EXPECT_EQ(opened.count(), 1);
    EXPECT_EQ(document.model().name(), QStringLiteral("other"));
}

TEST_F(DocumentTest, OpeningAnotherModelForgetsPlanSelectionAndHistory) {
    editor.applyPreset({core::Preset::All, 0});
    EXPECT_EQ(document.selection().size(), 4U);
    testing::writeTinyCheckpoint(place() / "other");
    ASSERT_TRUE(testing::openAndWait(document, file("other")));
    EXPECT_TRUE(document.plan().layers.empty());
    EXPECT_TRUE(document.selection().empty());
    EXPECT_FALSE(document.undoStack().canUndo());
}

TEST_F(DocumentTest, SelectedMlpsComeInTheModelsOrder) {
    document.select({mlp("encoder.3"), mlp("encoder.0"), {"encoder.1", Part::Attention}});
    EXPECT_EQ(document.selectedMlps(), (std::vector<std::string>{"encoder.0", "encoder.3"}));
    editor.switchBlocks({"encoder.3"}, true);
    EXPECT_EQ(document.selectedMoes(), (std::vector<std::string>{"encoder.3"}));
}

TEST_F(DocumentTest, NewLayersTakeTheQuickSettings) {
    editor.setExperts(6);
    editor.setCapacity(1.5);
    EXPECT_EQ(document.undoStack().count(), 0);
    editor.switchBlocks({"encoder.0"}, true);
    EXPECT_EQ(layer("encoder.0").moe.experts, 6);
    EXPECT_EQ(layer("encoder.0").moe.capacity, 1.5);
    document.select({mlp("encoder.0")});
    editor.switchBlocks({"encoder.1"}, true);
    editor.setExperts(3);  // the selected one only
    EXPECT_EQ(layer("encoder.0").moe.experts, 3);
    EXPECT_EQ(layer("encoder.1").moe.experts, 6);
}

TEST_F(DocumentTest, ACheckpointThatIsSparseAlreadyCannotBeSwitchedAgain) {
    core::ConvertOptions options;
    const std::atomic<bool> cancel{false};
    editor.switchBlocks({"encoder.2"}, true);
    editor.setExperts(4);
    core::convertCheckpoint(
        *document.model().checkpoint, document.plan(), place() / "moe", options,
        [](const core::ConvertProgress&) {}, cancel);
    ASSERT_TRUE(testing::openAndWait(document, file("moe")));
    EXPECT_FALSE(isSwitchable(document.model().spec, "encoder.2"));
    editor.switchBlocks({"encoder.1", "encoder.2"}, true);
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
    editor.applyPreset({core::Preset::All, 0});
    EXPECT_EQ(planned(), (Names{"encoder.0", "encoder.1", "encoder.3"}));
}

}  // namespace
}  // namespace ui
