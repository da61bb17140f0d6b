// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/opened_document.h"
#include "ui/canvas/canvas_layout.h"
#include "ui/canvas/cell_text.h"
#include "ui/inspect/inspector.h"
#include "ui/inspect/model_facts.h"
#include "ui/widgets/mixed_choice.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QLabel>
#include <QStandardItemModel>

namespace ui {
namespace {

using testing::mlp;

/// The window's parts on a small T5 v1.1: three blocks in the encoder, two in the decoder
/// (tests/reference/make_t5_headers.py).
class T5WindowTest : public ::testing::Test {
  protected:
    T5WindowTest() : editor(document, nullptr) {
        EXPECT_TRUE(testing::openAndWait(
            document, QStringLiteral(UPCYCLER_SOURCE_DIR "/tests/reference/t5/v1_1")));
    }

    QString detail(const char* place, Part part) const {
        return cellText(document.model(), document.plan(), {place, part}).detail;
    }
    QString fact(const char* name) const {
        for (const Fact& found : modelFacts(document.model()))
            if (found.name == QString::fromLatin1(name)) return found.value;
        return {};
    }

    Document document;
    PlanEditor editor;
};

TEST_F(T5WindowTest, ThePaperRoutesEachStackInItsWay) {
    editor.applyPreset({core::Preset::Paper, 0});
    ASSERT_EQ(layerNames(document.plan()), (std::set<std::string>{"encoder.1", "decoder.1"}));
    EXPECT_EQ(document.plan().layers.at("encoder.1").moe.router, core::RouterKind::ExpertChoice);
    EXPECT_EQ(document.plan().layers.at("decoder.1").moe.router, core::RouterKind::TopK);
    EXPECT_EQ(detail("encoder.1", Part::Mlp), QStringLiteral("Expert Choice · C 2"));
    EXPECT_EQ(detail("decoder.1", Part::Mlp), QStringLiteral("Top-2 · C 2"));
    EXPECT_GT(document.report().after.parameters, document.report().before.parameters);
    EXPECT_GT(document.report().after.flopsPerToken, document.report().before.flopsPerToken);
}

TEST_F(T5WindowTest, CellsAndFactsHaveItsNumbers) {
    EXPECT_EQ(detail("encoder", Part::Embedding), QStringLiteral("11 tokens × 6"));
    EXPECT_TRUE(detail("encoder.0", Part::Attention).startsWith(QStringLiteral("3 head")));
    EXPECT_TRUE(detail("decoder.0", Part::CrossAttention).startsWith(QStringLiteral("3 head")));
    EXPECT_EQ(detail("decoder.1", Part::Mlp), QStringLiteral("6 → 10"));
    EXPECT_EQ(detail("decoder", Part::Head), QStringLiteral("11 tokens"));
    EXPECT_EQ(fact("Family"), QStringLiteral("T5"));
    EXPECT_EQ(fact("Vocabulary"), QStringLiteral("11"));
    EXPECT_EQ(fact("MLP size"), QStringLiteral("10 · gated GELU (tanh)"));
    EXPECT_EQ(fact("Attention heads"), QStringLiteral("3 × 2"));
    EXPECT_EQ(fact("Output matrix"), QStringLiteral("of its own"));
}

TEST_F(T5WindowTest, EachStacksLineBeginsAtItsFirstCell) {
    const CanvasLayout layout = layoutCanvas(document.model().spec);
    ASSERT_EQ(layout.stacks.size(), 2U);
    EXPECT_EQ(layout.stacks[0].stream.top(),
              layout.find({"encoder", Part::Embedding})->rect.center().y());
    EXPECT_EQ(layout.stacks[1].stream.top(), layout.find(mlp("decoder.0"))->rect.center().y());
    EXPECT_EQ(layout.stacks[1].stream.bottom(),
              layout.find({"decoder", Part::Head})->rect.center().y());
}

TEST_F(T5WindowTest, ADecoderIsNotOfferedWhatLooksAhead) {
    Inspector inspector(document, editor, nullptr);
    inspector.resize(360, 760);
    inspector.show();
    editor.applyPreset({core::Preset::All, 0});
    MixedComboBox* router = nullptr;
    MixedCheckBox* priority = nullptr;
    for (auto* box : inspector.findChildren<MixedComboBox*>())
        if (box->accessibleName() == QStringLiteral("Router")) router = box;
    for (auto* box : inspector.findChildren<MixedCheckBox*>())
        if (box->text() == QStringLiteral("Batch priority")) priority = box;
    ASSERT_TRUE(router != nullptr && priority != nullptr);
    const auto offersChoice = [&] {
        return qobject_cast<QStandardItemModel*>(router->model())->item(0)->isEnabled();
    };
    document.select({mlp("decoder.0")});
    EXPECT_FALSE(offersChoice());
    EXPECT_FALSE(priority->isVisible());
    document.select({mlp("encoder.0")});
    EXPECT_TRUE(offersChoice());
    document.select({mlp("encoder.0"), mlp("decoder.0")});
    EXPECT_FALSE(offersChoice()) << "one of the two could not have it";
    auto* note = inspector.findChild<QLabel*>(QStringLiteral("layerForm.routerNote"));
    EXPECT_TRUE(note->isVisible());
    EXPECT_TRUE(note->text().contains(QStringLiteral("future")));
    EXPECT_EQ(router->accessibleDescription(), note->text());
    document.select({mlp("encoder.0")});
    EXPECT_FALSE(note->isVisible());
    router->setCurrentIndex(1);
    Q_EMIT router->activated(1);
    EXPECT_TRUE(priority->isVisible());
}

TEST_F(T5WindowTest, BothStacksAreEditedInWhatTheyShare) {
    Inspector inspector(document, editor, nullptr);
    inspector.resize(360, 760);
    inspector.show();
    editor.applyPreset({core::Preset::Paper, 0});
    document.select({mlp("encoder.1"), mlp("decoder.1")});
    MixedSpinBox* experts = nullptr;
    MixedSpinBox* k = nullptr;
    for (auto* box : inspector.findChildren<MixedSpinBox*>()) {
        if (box->accessibleName() == QStringLiteral("Experts")) experts = box;
        if (box->accessibleName() == QStringLiteral("K")) k = box;
    }
    ASSERT_TRUE(experts != nullptr && k != nullptr);
    EXPECT_TRUE(experts->isVisible());
    EXPECT_FALSE(k->isVisible()) << "Expert Choice has no K";
    Q_EMIT experts->edited(6);
    EXPECT_EQ(document.plan().layers.at("encoder.1").moe.experts, 6);
    EXPECT_EQ(document.plan().layers.at("decoder.1").moe.experts, 6);
    EXPECT_EQ(document.plan().layers.at("encoder.1").moe.router, core::RouterKind::ExpertChoice);
    EXPECT_EQ(document.plan().layers.at("decoder.1").moe.router, core::RouterKind::TopK);
    document.select({mlp("decoder.1")});
    EXPECT_TRUE(k->isVisible());
}

}  // namespace
}  // namespace ui
