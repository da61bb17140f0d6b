// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/ui/opened_document.h"
#include "tests/ui/tiny_checkpoint.h"
#include "ui/theme/theme.h"
#include "ui/window/main_window.h"

#include <gtest/gtest.h>

#include <QAction>
#include <QApplication>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

namespace ui::testing {

/// The real main window with answers put into its dialogs, and a checkpoint to open.
class OpenedWindow : public ::testing::Test {
  protected:
    OpenedWindow() : theme(*qApp), window(theme, prompts()) {
        writeTinyCheckpoint(place() / "dense");
        window.resize(1280, 800);
        window.show();
    }
    ~OpenedWindow() override { QSettings().clear(); }

    Prompts prompts() {
        Prompts made;
        made.openFile = [this](QWidget*, const QString&, const QString&) { return fileAnswer; };
        made.openFolder = [this](QWidget*, const QString&) { return fileAnswer; };
        made.saveFile = [this](QWidget*, const QString&, const QString&, const QString&) {
            return fileAnswer;
        };
        made.unsavedPlan = [this](QWidget*, const QString&) {
            ++asked;
            return unsavedAnswer;
        };
        made.heads = [this](QWidget*, const QString&, std::int64_t) {
            ++asked;
            return headsAnswer;
        };
        made.closeWhileTraining = [](QWidget*, const QString&) { return true; };
        return made;
    }
    core::Path place() const { return folder.path().toStdString(); }
    QString file(const char* name) const { return folder.filePath(QString::fromLatin1(name)); }
    void trigger(const char* action) {
        auto* found = window.findChild<QAction*>(QString::fromLatin1(action));
        ASSERT_NE(found, nullptr) << action;
        found->trigger();
    }
    void openDense() {
        window.openPath(file("dense"));
        ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    }

    QTemporaryDir folder;
    QString fileAnswer;
    Prompts::Unsaved unsavedAnswer = Prompts::Unsaved::Discard;
    std::int64_t headsAnswer = 0;
    int asked = 0;
    Theme theme;
    MainWindow window;
};

}  // namespace ui::testing
