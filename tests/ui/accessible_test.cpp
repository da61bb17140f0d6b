// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that takes the keyboard has a name; everything can be reached with Tab.
#include "tests/ui/opened_window.h"
#include "ui/canvas/canvas_view.h"
#include "ui/compare/checkpoint_comparison.h"
#include "ui/export/export_dialog.h"
#include "ui/inspect/tensor_picture.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/model_workspace.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QAccessibleInterface>
#include <QComboBox>
#include <QDialog>
#include <QLineEdit>
#include <QScrollBar>
#include <QSpinBox>
#include <QTabWidget>

namespace ui {
namespace {

/// The editor inside a spin box, the editor and the list of a combo box speak through their owner.
bool isInsideAnother(const QWidget& widget) {
    for (const QWidget* parent = widget.parentWidget(); parent != nullptr;
         parent = parent->parentWidget())
        if (qobject_cast<const QAbstractSpinBox*>(parent) != nullptr ||
            qobject_cast<const QComboBox*>(parent) != nullptr)
            return true;
    return false;
}

QString path(const QWidget* widget) {
    QStringList names;
    for (; widget != nullptr; widget = widget->parentWidget())
        names.prepend(QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char('#') +
                      widget->objectName());
    return names.join(QStringLiteral(" > "));
}

void expectNamed(const QWidget& root) {
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || isInsideAnother(*widget)) continue;
        if (!(widget->focusPolicy() & Qt::TabFocus) || !widget->isVisible()) continue;
        QAccessibleInterface* seen =
            QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget));
        ASSERT_NE(seen, nullptr) << path(widget).toStdString();
        EXPECT_FALSE(seen->text(QAccessible::Name).trimmed().isEmpty())
            << path(widget).toStdString();
    }
}

class AccessibleTest : public testing::OpenedWindow {};

TEST_F(AccessibleTest, EveryFocusableWidgetOfTheWindowHasAName) {
    expectNamed(window);
    openDense();
    window.editor().applyPreset({core::Preset::All, 0});
    auto* tabs = window.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"));
    for (int tab = 0; tab < tabs->count(); ++tab) {
        tabs->setCurrentIndex(tab);
        QCoreApplication::processEvents();
        expectNamed(window);
    }
    window.messages().showMessage(MessageBar::Kind::Info, QStringLiteral("text"), {},
                                  {QStringLiteral("Do it"), [] {}});
    QCoreApplication::processEvents();
    expectNamed(window);
}

TEST_F(AccessibleTest, SoHaveTrainAndCompare) {
    openDense();
    for (const auto workspace : {MainWindow::TrainTab, MainWindow::CompareTab}) {
        window.showWorkspace(workspace);
        QCoreApplication::processEvents();
        expectNamed(window);
    }
    window.compareCheckpoints(file("dense"), file("dense"));
    expectNamed(window);
    ASSERT_TRUE(
        QTest::qWaitFor([this] { return !window.checkpointComparison().isBusy(); }, 30'000));
    expectNamed(window);
}

TEST_F(AccessibleTest, SoHaveTheTensorTableAndItsPicture) {
    openDense();
    trigger("view.tensors");
    QCoreApplication::processEvents();
    expectNamed(window);
    TensorPicture picture(window.document().sharedModel(), 2, &window);  // of rank 4
    picture.show();
    expectNamed(picture);
    EXPECT_FALSE(picture.windowTitle().isEmpty());
}

TEST_F(AccessibleTest, SoHaveTheDialogs) {
    openDense();
    ExportDialog dialog(window.document().sharedModel(), {}, &window);
    dialog.show();
    expectNamed(dialog);
    for (const char* action : {"help.about", "help.shortcuts"}) {
        trigger(action);
        QCoreApplication::processEvents();
    }
    int dialogs = 0;
    for (QDialog* found : window.findChildren<QDialog*>()) {
        ++dialogs;
        expectNamed(*found);
        EXPECT_FALSE(found->windowTitle().isEmpty());
    }
    EXPECT_EQ(dialogs, 3);
}

TEST_F(AccessibleTest, TabGoesRoundThroughRailPresetsCanvasAndInspector) {
    openDense();
    window.activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
    window.modelWorkspace().canvas().setFocus();
    std::set<QWidget*> visited;
    for (int i = 0; i < 80; ++i) {
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        ASSERT_NE(QApplication::focusWidget(), nullptr);
        EXPECT_TRUE(QApplication::focusWidget()->isVisible());
        visited.insert(QApplication::focusWidget());
    }
    EXPECT_TRUE(visited.contains(&window.modelWorkspace().canvas()));
    const auto reached = [&](const char* name) {
        return std::any_of(visited.begin(), visited.end(), [&](QWidget* widget) {
            return widget->objectName() == QString::fromLatin1(name);
        });
    };
    EXPECT_TRUE(reached("rail.model"));
    EXPECT_TRUE(reached("zoom.in"));
    EXPECT_TRUE(reached("settings.seed"));
    const bool preset = std::any_of(visited.begin(), visited.end(), [](QWidget* widget) {
        const auto* button = qobject_cast<QAbstractButton*>(widget);
        return button != nullptr && button->text() == QStringLiteral("Last half");
    });
    EXPECT_TRUE(preset);
}

}  // namespace
}  // namespace ui
