// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/opened_document.h"
#include "ui/canvas/canvas_view.h"

#include <QAccessible>
#include <QScrollBar>
#include <QTest>

namespace ui {
namespace {

using testing::mlp;
using Names = std::set<std::string>;
using Cells = std::set<CellId>;

class CanvasTest : public testing::OpenedDocument {
  protected:
    CanvasTest() : canvas(document, editor, nullptr) {
        canvas.resize(800, 700);
        canvas.show();
        canvas.setFocus();
        EXPECT_TRUE(QTest::qWaitForWindowActive(&canvas));
    }

    QPoint center(const CellId& cell) const { return canvas.cellRect(cell).center().toPoint(); }
    void click(const CellId& cell, Qt::KeyboardModifiers modifiers = {}) {
        QTest::mouseClick(canvas.viewport(), Qt::LeftButton, modifiers, center(cell));
    }
    void key(Qt::Key which, Qt::KeyboardModifiers modifiers = {}) {
        QTest::keyClick(&canvas, which, modifiers);
    }

    CanvasView canvas;
};

TEST_F(CanvasTest, ClickMakesMoeAndASecondClickMakesDense) {
    click(mlp("encoder.1"));
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.1")}));
    click(mlp("encoder.1"));
    EXPECT_TRUE(planned().empty());
    EXPECT_EQ(document.undoStack().count(), 2);
}

TEST_F(CanvasTest, ClickOnAnotherMoeSelectsItAndItsSwitchSwitchesAtOnce) {
    editor.applyPreset({core::Preset::All, 0});
    click(mlp("encoder.2"));
    EXPECT_EQ(planned().size(), 4U);
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.2")}));
    const QRectF cell = canvas.cellRect(mlp("encoder.0"));
    QTest::mouseClick(canvas.viewport(), Qt::LeftButton, {}, switchArea(cell).center().toPoint());
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.2", "encoder.3"}));
}

TEST_F(CanvasTest, OtherPartsAreSelectedNotSwitched) {
    click({"encoder.1", Part::Attention});
    EXPECT_TRUE(planned().empty());
    EXPECT_EQ(document.selection(), (Cells{{"encoder.1", Part::Attention}}));
    click({"encoder", Part::Head});
    EXPECT_EQ(document.selection(), (Cells{{"encoder", Part::Head}}));
}

TEST_F(CanvasTest, ShiftClickExtendsAsOneStep) {
    click(mlp("encoder.1"));
    click(mlp("encoder.3"), Qt::ShiftModifier);
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.2", "encoder.3"}));
    EXPECT_EQ(document.selection().size(), 3U);
    document.undoStack().undo();
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
}

TEST_F(CanvasTest, CtrlClickAddsAndTakesAway) {
    click(mlp("encoder.0"), Qt::ControlModifier);
    click(mlp("encoder.2"), Qt::ControlModifier);
    EXPECT_TRUE(planned().empty());
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.0"), mlp("encoder.2")}));
    click(mlp("encoder.0"), Qt::ControlModifier);
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.2")}));
}

TEST_F(CanvasTest, RubberBandSelectsWhatItTouches) {
    const QRect first = canvas.cellRect(mlp("encoder.1")).toRect();
    const QRect last = canvas.cellRect(mlp("encoder.2")).toRect();
    const QPoint from = first.topRight() + QPoint(8, -2);
    const QPoint to = last.center();
    QTest::mousePress(canvas.viewport(), Qt::LeftButton, {}, from);
    QTest::mouseMove(canvas.viewport(), (from + to) / 2);
    QTest::mouseMove(canvas.viewport(), to);
    QTest::mouseRelease(canvas.viewport(), Qt::LeftButton, {}, to);
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.1"), mlp("encoder.2")}));
    EXPECT_TRUE(planned().empty());
    key(Qt::Key_Escape);
    EXPECT_TRUE(document.selection().empty());
}

TEST_F(CanvasTest, ARowNumberSelectsItsBlock) {
    const CanvasLayout::RowLabel& label = canvas.layoutOfCells().labels.at(2);
    const CellId norm{"encoder.2", Part::AttentionNorm};
    const QPoint at(static_cast<int>(canvas.cellRect(norm).left() - 30 * canvas.zoom()),
                    center(norm).y());
    ASSERT_EQ(label.block, "encoder.2");
    QTest::mouseClick(canvas.viewport(), Qt::LeftButton, {}, at);
    EXPECT_EQ(document.selection().size(), 4U);
    for (const CellId& cell : document.selection()) EXPECT_EQ(cell.place, "encoder.2");
    EXPECT_TRUE(planned().empty());
}

TEST_F(CanvasTest, TheKeyboardMovesSelectsAndSwitches) {
    canvas.setFocusCell(mlp("encoder.0"));
    key(Qt::Key_Down);
    EXPECT_EQ(canvas.focusCell(), mlp("encoder.1"));
    EXPECT_EQ(document.selection(), (Cells{mlp("encoder.1")}));
    key(Qt::Key_Space);
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
    key(Qt::Key_Down, Qt::ShiftModifier);
    key(Qt::Key_Down, Qt::ShiftModifier);
    EXPECT_EQ(document.selection().size(), 3U);
    EXPECT_EQ(planned(), (Names{"encoder.1"}));
    key(Qt::Key_Space);
    EXPECT_EQ(planned(), (Names{"encoder.1", "encoder.2", "encoder.3"}));
    key(Qt::Key_Space);
    EXPECT_TRUE(planned().empty());
    key(Qt::Key_Left);
    EXPECT_EQ(canvas.focusCell(), (CellId{"encoder.3", Part::MlpNorm}));
    key(Qt::Key_Home);
    EXPECT_EQ(canvas.focusCell(), (CellId{"encoder", Part::Embedding}));
    key(Qt::Key_End);
    EXPECT_EQ(canvas.focusCell()->place, "encoder");
}

TEST_F(CanvasTest, CtrlASelectsEveryMlp) {
    key(Qt::Key_A, Qt::ControlModifier);
    EXPECT_EQ(document.selectedMlps().size(), 4U);
    EXPECT_EQ(document.selection().size(), 4U);
    key(Qt::Key_Space);
    EXPECT_EQ(planned().size(), 4U);
}

TEST_F(CanvasTest, ZoomIsBoundedAndFits) {
    canvas.setZoom(100);
    EXPECT_DOUBLE_EQ(canvas.zoom(), 2.0);
    EXPECT_GT(canvas.horizontalScrollBar()->maximum(), 0);
    canvas.setZoom(0.001);
    EXPECT_DOUBLE_EQ(canvas.zoom(), 0.4);
    canvas.zoomToFit();
    EXPECT_EQ(canvas.horizontalScrollBar()->maximum(), 0);
    canvas.resize(360, 400);
    EXPECT_EQ(canvas.density(), CanvasDensity::Compact);
    EXPECT_EQ(canvas.horizontalScrollBar()->maximum(), 0);
    canvas.setFocusCell({"encoder", Part::Head});
    EXPECT_TRUE(canvas.viewport()->rect().contains(center({"encoder", Part::Head})));
}

TEST_F(CanvasTest, ScreenReadersSeeEachCellWithNameAndState) {
    QAccessibleInterface* list = QAccessible::queryAccessibleInterface(&canvas);
    ASSERT_NE(list, nullptr);
    const auto& cells = canvas.layoutOfCells().cells;
    ASSERT_EQ(list->childCount(), static_cast<int>(cells.size()));
    int switches = 0;
    for (int i = 0; i < list->childCount(); ++i) {
        QAccessibleInterface* cell = list->child(i);
        EXPECT_FALSE(cell->text(QAccessible::Name).isEmpty());
        EXPECT_FALSE(cell->text(QAccessible::Description).isEmpty());
        EXPECT_EQ(list->indexOfChild(cell), i);
        EXPECT_FALSE(cell->rect().isEmpty());
        if (cell->role() != QAccessible::CheckBox) continue;
        ++switches;
        EXPECT_FALSE(cell->state().checked);
        auto* action = cell->actionInterface();
        ASSERT_NE(action, nullptr);
        action->doAction(QAccessibleActionInterface::toggleAction());
        EXPECT_TRUE(cell->state().checked);
    }
    EXPECT_EQ(switches, 4);
    EXPECT_EQ(planned().size(), 4U);
    canvas.setFocusCell(mlp("encoder.2"));
    ASSERT_NE(list->focusChild(), nullptr);
    EXPECT_EQ(list->focusChild()->text(QAccessible::Name), QStringLiteral("encoder.2 · MLP"));
}

}  // namespace
}  // namespace ui
