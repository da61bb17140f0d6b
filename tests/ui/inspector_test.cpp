// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/inspector.h"

#include "core/checkpoint/tensor_stats.h"
#include "tests/ui/opened_document.h"
#include "ui/inspect/layer_form.h"
#include "ui/inspect/stats_loader.h"
#include "ui/widgets/mixed_choice.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

namespace ui {
namespace {

using testing::mlp;

class InspectorTest : public testing::OpenedDocument {
  protected:
    InspectorTest() : inspector(document, editor, nullptr) {
        inspector.resize(360, 760);
        inspector.show();
    }

    template <typename Field>
    Field* field(const char* accessibleName) {
        for (Field* found : inspector.findChildren<Field*>())
            if (found->accessibleName() == QString::fromLatin1(accessibleName) &&
                !found->isHidden())
                return found;
        ADD_FAILURE() << "no field " << accessibleName;
        return nullptr;
    }
    template <typename Field>
    bool isShown(const char* accessibleName) {
        for (Field* found : inspector.findChildren<Field*>())
            if (found->accessibleName() == QString::fromLatin1(accessibleName))
                return found->isVisible();
        return false;
    }
    QString text(const char* name) {
        const auto* label = inspector.findChild<QLabel*>(QString::fromLatin1(name));
        return label != nullptr ? label->text() : QString();
    }
    void type(QAbstractSpinBox* box, const char* value) {
        box->setFocus();
        box->selectAll();
        QTest::keyClicks(box, QString::fromLatin1(value));
        QTest::keyClick(box, Qt::Key_Return);
    }
    template <typename Combo>
    void choose(Combo* box, int index) {
        box->setCurrentIndex(index);
        Q_EMIT box->activated(index);
    }

    Inspector inspector;
};

TEST_F(InspectorTest, OneValueIsSetForAllSelected) {
    editor.applyPreset({core::Preset::All, 0});
    type(field<MixedSpinBox>("Experts"), "12");
    for (const auto& [name, planned] : document.plan().layers)
        EXPECT_EQ(planned.moe.experts, 12) << name;
    type(field<MixedDoubleSpinBox>("Capacity factor"), "1.25");
    for (const auto& [name, planned] : document.plan().layers)
        EXPECT_EQ(planned.moe.capacity, 1.25) << name;
    document.undoStack().undo();
    EXPECT_EQ(layer("encoder.0").moe.capacity, 2.0);
    EXPECT_EQ(layer("encoder.0").moe.experts, 12);
    EXPECT_EQ(field<MixedDoubleSpinBox>("Capacity factor")->value(), 2.0);
}

TEST_F(InspectorTest, DifferentValuesShowAsMixedUntilOneIsEntered) {
    editor.applyPreset({core::Preset::All, 0});
    document.select({mlp("encoder.0")});
    editor.setExperts(4);
    document.select({mlp("encoder.0"), mlp("encoder.1")});
    auto* experts = field<MixedSpinBox>("Experts");
    EXPECT_TRUE(experts->isMixed());
    EXPECT_EQ(experts->text(), QStringLiteral("mixed"));
    experts->setFocus();
    QTest::keyClick(experts, Qt::Key_Tab);
    EXPECT_EQ(layer("encoder.0").moe.experts, 4);
    EXPECT_EQ(layer("encoder.1").moe.experts, 32);
    type(experts, "6");
    EXPECT_EQ(layer("encoder.0").moe.experts, 6);
    EXPECT_EQ(layer("encoder.1").moe.experts, 6);
    EXPECT_EQ(layer("encoder.2").moe.experts, 32);
    EXPECT_FALSE(experts->isMixed());
}

TEST_F(InspectorTest, MixedSwitchesAndChoicesBecomeOne) {
    editor.applyPreset({core::Preset::All, 0});
    document.select({mlp("encoder.0")});
    auto* renormalize = field<MixedCheckBox>("Renormalise combine weights");
    QTest::mouseClick(renormalize, Qt::LeftButton, {}, QPoint(8, renormalize->height() / 2));
    EXPECT_FALSE(layer("encoder.0").moe.renormalize);
    choose(field<MixedComboBox>("Router"), 1);
    EXPECT_EQ(layer("encoder.0").moe.router, core::RouterKind::TopK);
    document.select({mlp("encoder.0"), mlp("encoder.1")});
    EXPECT_EQ(renormalize->checkState(), Qt::PartiallyChecked);
    EXPECT_EQ(field<MixedComboBox>("Router")->currentIndex(), -1);
    QTest::mouseClick(renormalize, Qt::LeftButton, {}, QPoint(8, renormalize->height() / 2));
    EXPECT_TRUE(layer("encoder.0").moe.renormalize);
    EXPECT_TRUE(layer("encoder.1").moe.renormalize);
    EXPECT_FALSE(renormalize->isTristate());
}

TEST_F(InspectorTest, SettingsOfTopKAppearWithTopKAndGoWithIt) {
    editor.switchBlocks({"encoder.3"}, true);
    document.select({mlp("encoder.3")});
    EXPECT_FALSE(isShown<MixedSpinBox>("K"));
    choose(field<MixedComboBox>("Router"), 1);
    EXPECT_TRUE(isShown<MixedSpinBox>("K"));
    EXPECT_TRUE(isShown<MixedComboBox>("Order"));
    type(field<MixedSpinBox>("K"), "4");
    auto* dropless = field<MixedCheckBox>("Dropless");
    QTest::mouseClick(dropless, Qt::LeftButton, {}, QPoint(8, dropless->height() / 2));
    EXPECT_TRUE(layer("encoder.3").moe.dropless);
    EXPECT_EQ(layer("encoder.3").moe.k, 4);
    EXPECT_FALSE(isShown<MixedDoubleSpinBox>("Capacity factor"));
    choose(field<MixedComboBox>("Router"), 0);
    EXPECT_FALSE(isShown<MixedSpinBox>("K"));
    EXPECT_EQ(layer("encoder.3").moe, core::MoeSpec());
}

TEST_F(InspectorTest, ARefusedValueGoesBackToThePlans) {
    editor.switchBlocks({"encoder.3"}, true);
    document.select({mlp("encoder.3")});
    choose(field<MixedComboBox>("Router"), 1);
    QSignalSpy refused(&document, &Document::refused);
    auto* k = field<MixedSpinBox>("K");
    type(k, "40");
    EXPECT_EQ(refused.count(), 1);
    EXPECT_EQ(layer("encoder.3").moe.k, 2);
    EXPECT_EQ(k->value(), 2);
    EXPECT_EQ(k->text(), QStringLiteral("2"));
}

TEST_F(InspectorTest, InitialisationIsEdited) {
    editor.switchBlocks({"encoder.3"}, true);
    document.select({mlp("encoder.3")});
    choose(field<MixedComboBox>("Experts from"), 2);
    EXPECT_EQ(layer("encoder.3").experts, (core::ExpertInit{core::ExpertInit::Kind::Drop, 0.5}));
    type(field<MixedDoubleSpinBox>("Share drawn anew"), "0.25");
    EXPECT_EQ(layer("encoder.3").experts.amount, 0.25);
    choose(field<MixedComboBox>("Router initialisation"), 1);
    EXPECT_EQ(layer("encoder.3").routerInit.kind, core::RouterInit::Kind::Lecun);
    EXPECT_FALSE(isShown<MixedDoubleSpinBox>("Std. deviation"));
    QTest::mouseClick(inspector.findChild<QPushButton*>(QStringLiteral("settings.paper")),
                      Qt::LeftButton);
    EXPECT_EQ(layer("encoder.3"), core::defaultLayerPlan(document.model().spec,
                                                         *document.model().spec.find("encoder.3")));
}

TEST_F(InspectorTest, DenseMlpsOfferAButton) {
    document.select({mlp("encoder.0"), mlp("encoder.1"), {"encoder.2", Part::Attention}});
    auto* button = inspector.findChild<QPushButton*>(QStringLiteral("settings.makeMoe"));
    ASSERT_TRUE(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    EXPECT_EQ(planned(), (std::set<std::string>{"encoder.0", "encoder.1"}));
    EXPECT_FALSE(button->isVisible());
}

TEST_F(InspectorTest, TheTitleNamesTheSelection) {
    EXPECT_EQ(text("inspector.title"), QStringLiteral("dense"));
    document.select({mlp("encoder.1")});
    EXPECT_EQ(text("inspector.title"), QStringLiteral("encoder.1 · MLP"));
    document.select({mlp("encoder.1"), mlp("encoder.2")});
    EXPECT_EQ(text("inspector.title"), QStringLiteral("2 × MLP"));
    document.select({mlp("encoder.1"), {"encoder.1", Part::Attention}});
    EXPECT_EQ(text("inspector.title"), QStringLiteral("encoder.1"));
}

TEST_F(InspectorTest, TensorsOfTheSelectionAreListedAndFiltered) {
    inspector.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"))->setCurrentIndex(1);
    auto* table = inspector.findChild<QTableView*>(QStringLiteral("tensorTable"));
    const int all = static_cast<int>(document.model().checkpoint->tensors().size());
    EXPECT_EQ(table->model()->rowCount(), all);
    document.select({{"encoder.1", Part::Attention}});
    EXPECT_EQ(table->model()->rowCount(), 8);
    auto* filter = inspector.findChild<QLineEdit*>(QStringLiteral("tensorFilter"));
    QTest::keyClicks(filter, QStringLiteral("QUERY"));
    EXPECT_EQ(table->model()->rowCount(), 2);
    QTest::keyClicks(filter, QStringLiteral("???"));
    EXPECT_EQ(table->model()->rowCount(), 0);
    EXPECT_EQ(text("stats.title"), QStringLiteral("No tensor selected"));
}

TEST_F(InspectorTest, StatisticsOfTheCurrentTensorAreTheEngines) {
    inspector.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"))->setCurrentIndex(1);
    document.select({{"encoder.1", Part::Attention}});
    const core::Checkpoint& checkpoint = *document.model().checkpoint;
    const std::size_t index = document.model().cells.of({"encoder.1", Part::Attention})[0];
    const core::TensorInfo& tensor = checkpoint.tensors()[index];
    const std::atomic<bool> cancel{false};
    const core::TensorStats stats = core::computeStats(checkpoint, tensor, cancel);
    const QString expected = QLocale().toString(stats.max, 'g', 3);
    ASSERT_TRUE(QTest::qWaitFor([&] { return text("stats.max") == expected; }, 10'000))
        << text("stats.max").toStdString();
    EXPECT_EQ(text("stats.title"), QString::fromStdString(tensor.name));
    EXPECT_EQ(text("stats.mean"), QLocale().toString(stats.mean, 'g', 3));
    EXPECT_EQ(text("stats.nonFinite"), QStringLiteral("0"));
}

TEST_F(InspectorTest, OnlyTheLastRequestOfStatisticsAnswers) {
    StatsLoader loader(nullptr);
    loader.setModel(document.sharedModel());
    loader.setFirst(0);
    loader.setFirst(1);
    loader.setFirst(2);
    ASSERT_TRUE(QTest::qWaitFor([&] { return loader.find(2) != nullptr; }, 10'000));
    EXPECT_EQ(loader.find(1), nullptr);
    QSignalSpy ready(&loader, &StatsLoader::ready);
    loader.setFirst(2);  // known
    loader.setFirst({});
    QTest::qWait(50);
    EXPECT_EQ(ready.count(), 0);
    EXPECT_FALSE(loader.isBusy());
}

TEST_F(InspectorTest, WarningsOfASelectedBlockStandWithItsSettings) {
    editor.switchBlocks({"encoder.0", "encoder.3"}, true);
    editor.change(QStringLiteral("zero"), {}, {"encoder.3"}, [](core::LayerPlan& plan) {
        plan.routerInit.kind = core::RouterInit::Kind::Zero;
    });
    const auto& warnings = document.report().warnings;
    const auto found = std::find_if(warnings.begin(), warnings.end(), [](const auto& warning) {
        return warning.block == "encoder.3";
    });
    ASSERT_NE(found, warnings.end());
    document.select({mlp("encoder.3")});
    QTest::qWait(20);
    QStringList shown;
    for (const QLabel* label : inspector.findChildren<QLabel*>(QStringLiteral("warning")))
        if (label->isVisible()) shown << label->text();
    EXPECT_TRUE(shown.join(QLatin1Char('\n')).contains(QString::fromStdString(found->text)))
        << shown.join(QLatin1Char('\n')).toStdString();
}

}  // namespace
}  // namespace ui
