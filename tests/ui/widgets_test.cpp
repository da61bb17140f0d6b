// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/error_text.h"
#include "ui/document/opened_model.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/mixed_choice.h"
#include "ui/widgets/mixed_spin_box.h"
#include "ui/window/heads_dialog.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

namespace ui {
namespace {

TEST(MixedSpinBoxTest, CommitsOnceWhenEditingEnds) {
    MixedSpinBox box(nullptr);
    box.setRange(1, 100);
    box.setShown(5);
    box.show();
    QSignalSpy edited(&box, &MixedSpinBox::edited);
    box.selectAll();
    QTest::keyClicks(&box, QStringLiteral("42"));
    EXPECT_EQ(edited.count(), 0);
    QTest::keyClick(&box, Qt::Key_Return);
    ASSERT_EQ(edited.count(), 1);
    EXPECT_EQ(edited[0][0].toInt(), 42);
    QTest::keyClick(&box, Qt::Key_Return);
    EXPECT_EQ(edited.count(), 1);
    QTest::keyClick(&box, Qt::Key_Up);
    EXPECT_EQ(edited.count(), 2);
}

TEST(MixedSpinBoxTest, ShowsMixedAndStepsFromItsBase) {
    MixedSpinBox box(nullptr);
    box.setRange(1, 100);
    box.setShown({}, 8);
    box.show();
    QSignalSpy edited(&box, &MixedSpinBox::edited);
    EXPECT_TRUE(box.isMixed());
    EXPECT_EQ(box.text(), QStringLiteral("mixed"));
    box.stepUp();
    ASSERT_EQ(edited.count(), 1);
    EXPECT_EQ(edited[0][0].toInt(), 9);
    EXPECT_FALSE(box.isMixed());
    EXPECT_EQ(box.text(), QStringLiteral("9"));
}

TEST(MixedSpinBoxTest, ProgramsChangesAreNotEdits) {
    MixedDoubleSpinBox box(nullptr);
    box.setRange(0, 10);
    box.setDecimals(4);
    QSignalSpy edited(&box, &MixedDoubleSpinBox::edited);
    box.setShown(1.25);
    EXPECT_EQ(box.text(), QStringLiteral("1.25"));
    box.setShown({}, 2);
    EXPECT_EQ(box.text(), QStringLiteral("mixed"));
    box.setShown(2);
    EXPECT_EQ(box.text(), QStringLiteral("2"));
    EXPECT_EQ(edited.count(), 0);
}

TEST(MixedCheckBoxTest, AClickOnMixedMeansOn) {
    MixedCheckBox box(QStringLiteral("x"), nullptr);
    box.setShown({});
    EXPECT_EQ(box.checkState(), Qt::PartiallyChecked);
    QSignalSpy edited(&box, &MixedCheckBox::edited);
    box.click();
    ASSERT_EQ(edited.count(), 1);
    EXPECT_TRUE(edited[0][0].toBool());
    box.click();
    EXPECT_FALSE(edited[1][0].toBool());
}

TEST(ErrorTextTest, HintsBeginAsSentencesButCommandsStay) {
    for (const auto& [hint, shown] :
         {std::pair{"choose a smaller batch", "Choose a smaller batch"},
          std::pair{"upcycle new RUN --steps 5", "upcycle new RUN --steps 5"},
          std::pair{"--batch 8", "--batch 8"},
          std::pair{"config.json is short", "config.json is short"}, std::pair{"", ""}})
        EXPECT_EQ(asSentence(QString::fromLatin1(hint)), QString::fromLatin1(shown));
}

TEST(MessageBarTest, SaysWhatHappenedAndWhatToDo) {
    MessageBar bar(nullptr);
    EXPECT_TRUE(bar.isHidden());
    bar.showError({core::ErrorKind::BadInput, QStringLiteral("m: broken"), QStringLiteral("mend")});
    EXPECT_FALSE(bar.isHidden());
    EXPECT_EQ(bar.message(), QStringLiteral("m: broken"));
    EXPECT_EQ(bar.hint(), QStringLiteral("mend"));
    int ran = 0;
    bar.showMessage(MessageBar::Kind::Info, QStringLiteral("new"), {},
                    {QStringLiteral("Do"), [&ran] { ++ran; }});
    EXPECT_EQ(bar.message(), QStringLiteral("new"));
    bar.findChild<QPushButton*>()->click();
    EXPECT_EQ(ran, 1);
    EXPECT_TRUE(bar.isHidden());
    bar.showMessage(MessageBar::Kind::Warning, QStringLiteral("w"));
    bar.findChild<QToolButton*>()->click();
    EXPECT_TRUE(bar.isHidden());
    EXPECT_EQ(bar.message(), QString());
}

TEST(EmptyStateTest, ItsSentenceIsWhole) {
    EmptyState page(QStringLiteral("chart"), QStringLiteral("Nothing yet"));
    page.addWidget(new QPushButton(QStringLiteral("Open")));
    page.setText(QStringLiteral("a sentence that goes over lines ").repeated(9));
    page.resize(580, 640);
    page.show();
    QTest::qWait(30);
    const auto* text = page.findChild<QLabel*>(QStringLiteral("empty.text"));
    ASSERT_NE(text, nullptr);
    EXPECT_GE(text->height(), text->heightForWidth(text->width()));
    EXPECT_LE(page.minimumSizeHint().height(), 400);
}

TEST(HeadsDialog, AsksAmongWhatIsPossibleAndBeginsWithTheUsual) {
    HeadsDialog dialog(QStringLiteral("/models/vit-base.safetensors"), 768, nullptr);
    dialog.show();
    auto* choice = dialog.findChild<QComboBox*>(QStringLiteral("heads.choice"));
    EXPECT_EQ(dialog.heads(), 12) << "heads of 64";
    EXPECT_EQ(choice->count(), static_cast<int>(possibleHeads(768).size()));
    EXPECT_FALSE(choice->accessibleName().isEmpty());
    EXPECT_TRUE(choice->accessibleDescription().contains(QStringLiteral("vit-base.safetensors")));
    for (int i = 0; i < choice->count(); ++i) {
        choice->setCurrentIndex(i);
        EXPECT_TRUE(choice->currentText().contains(QString::number(dialog.heads())));
        EXPECT_TRUE(choice->currentText().contains(QString::number(768 / dialog.heads())));
    }
    QTest::keyClick(choice, Qt::Key_Return);
    EXPECT_EQ(dialog.result(), QDialog::Accepted);
}

}  // namespace
}  // namespace ui
