// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/surgery/preset_bar.h"

#include "core/base/text.h"
#include "tests/ui/opened_document.h"
#include "ui/surgery/cost_bar.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QLabel>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

namespace ui {
namespace {

using Names = std::set<std::string>;

class SurgeryBars : public testing::OpenedDocument {
  protected:
    SurgeryBars() : presets(document, editor, nullptr), costs(document, nullptr) {
        presets.show();
        costs.resize(1200, 60);
        costs.show();
    }

    QToolButton* button(const char* text) {
        for (QToolButton* found : presets.findChildren<QToolButton*>())
            if (found->text() == QString::fromUtf8(text)) return found;
        ADD_FAILURE() << "no button " << text;
        return nullptr;
    }
    void press(const char* text) { QTest::mouseClick(button(text), Qt::LeftButton); }
    QString cost(const char* key, const char* part) {
        const auto* label =
            costs.findChild<QLabel*>(QString::fromLatin1("cost.%1.%2")
                                         .arg(QString::fromLatin1(key), QString::fromLatin1(part)));
        return label != nullptr && !label->isHidden() ? label->text() : QString();
    }

    PresetBar presets;
    CostBar costs;
};

TEST_F(SurgeryBars, EachPresetMakesItsBlocksMoe) {
    press("Paper’s preset");
    EXPECT_EQ(planned(), (Names{"encoder.2", "encoder.3"}));
    EXPECT_EQ(document.selection().size(), 2U);
    EXPECT_TRUE(button("Paper’s preset")->isChecked());
    press("Every other");
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.3"}));
    EXPECT_TRUE(button("Every other")->isChecked());
    EXPECT_FALSE(button("Paper’s preset")->isChecked());
    press("All");
    EXPECT_EQ(planned().size(), 4U);
    auto* count = presets.findChild<QSpinBox*>();
    for (QSpinBox* box : presets.findChildren<QSpinBox*>())
        if (qobject_cast<MixedSpinBox*>(box) == nullptr) count = box;
    EXPECT_EQ(count->maximum(), 4);
    count->setValue(3);
    press("Last");
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.2", "encoder.3"}));
    press("First");
    EXPECT_EQ(planned(), (Names{"encoder.0", "encoder.1", "encoder.2"}));
    press("None");
    EXPECT_TRUE(planned().empty());
    EXPECT_EQ(document.undoStack().count(), 6);
}

TEST_F(SurgeryBars, PresetsKeepTheSettingsOfLayersThatStay) {
    press("All");
    document.select({testing::mlp("encoder.3")});
    editor.setExperts(7);
    press("Last half");
    EXPECT_EQ(layer("encoder.3").moe.experts, 7);
    EXPECT_EQ(layer("encoder.2").moe.experts, 32);
}

TEST_F(SurgeryBars, CostsAreTheReports) {
    EXPECT_EQ(cost("parameters", "before"), QString());
    EXPECT_EQ(cost("parameters", "ratio"), QString());
    press("Last half");
    editor.setExperts(8);
    const core::PlanReport& report = document.report();
    const auto count = [](double value) {
        return QString::fromStdString(core::formatCount(value));
    };
    const auto bytes = [](std::uint64_t value) {
        return QString::fromStdString(core::formatBytes(static_cast<double>(value)));
    };
    EXPECT_EQ(cost("parameters", "before"), count(static_cast<double>(report.before.parameters)));
    EXPECT_EQ(cost("parameters", "after"), count(static_cast<double>(report.after.parameters)));
    EXPECT_EQ(cost("active", "after"), count(static_cast<double>(report.after.activeParameters)));
    EXPECT_EQ(cost("flops", "before"), count(report.before.flopsPerToken));
    EXPECT_EQ(cost("flops", "after"), count(report.after.flopsPerToken));
    EXPECT_EQ(cost("file", "after"), bytes(report.after.fileBytes));
    EXPECT_EQ(cost("training", "after"), bytes(report.after.trainingBytes));
    const double ratio = static_cast<double>(report.after.parameters) /
                         static_cast<double>(report.before.parameters);
    EXPECT_EQ(cost("parameters", "ratio"),
              QStringLiteral("×%1").arg(QLocale().toString(ratio, 'f', ratio < 10 ? 2 : 1)));
    document.undoStack().undo();
    EXPECT_EQ(cost("parameters", "after"),
              count(static_cast<double>(document.report().after.parameters)));
}

TEST_F(SurgeryBars, CostColumnsStayWhereTheyAre) {
    const auto places = [this] {
        std::vector<int> xs;
        for (const char* key : {"parameters", "active", "flops", "file", "training"})
            xs.push_back(
                costs.findChild<QWidget*>(QStringLiteral("cost.") + QString::fromLatin1(key))
                    ->geometry()
                    .left());
        return xs;
    };
    QCoreApplication::processEvents();
    const std::vector<int> before = places();
    press("All");
    editor.setExperts(200);
    QTest::qWait(20);
    EXPECT_EQ(places(), before);
}

}  // namespace
}  // namespace ui
