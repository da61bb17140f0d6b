// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/prompts.h"

#include "ui/window/heads_dialog.h"

#include <QCoreApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>

namespace ui {
namespace {

const QString kFolderKey = QStringLiteral("dialogs/folder");

QString lastFolder() { return QSettings().value(kFolderKey).toString(); }

QString remember(const QString& path) {
    if (!path.isEmpty()) QSettings().setValue(kFolderKey, QFileInfo(path).absolutePath());
    return path;
}

Prompts::Unsaved askUnsaved(QWidget* parent, const QString& model) {
    const auto tr = [](const char* text) { return QCoreApplication::translate("Prompts", text); };
    QMessageBox box(parent);
    box.setIcon(QMessageBox::NoIcon);
    box.setWindowTitle(tr(QT_TRANSLATE_NOOP("Prompts", "Unsaved plan")));
    box.setText(tr(QT_TRANSLATE_NOOP("Prompts", "The plan for %1 has changes that are not saved."))
                    .arg(model));
    box.setInformativeText(
        tr(QT_TRANSLATE_NOOP("Prompts", "Save it to a file to use it again or to script it.")));
    box.setStandardButtons(QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel);
    box.setDefaultButton(QMessageBox::Save);
    switch (box.exec()) {
        case QMessageBox::Save:
            return Prompts::Unsaved::Save;
        case QMessageBox::Discard:
            return Prompts::Unsaved::Discard;
        default:
            return Prompts::Unsaved::Cancel;
    }
}

bool askCloseWhileTraining(QWidget* parent, const QString& run) {
    const auto tr = [](const char* text) { return QCoreApplication::translate("Prompts", text); };
    QMessageBox box(parent);
    box.setIcon(QMessageBox::NoIcon);
    box.setWindowTitle(tr(QT_TRANSLATE_NOOP("Prompts", "Training goes on")));
    box.setText(tr(QT_TRANSLATE_NOOP("Prompts", "The run goes on without this window.")));
    box.setInformativeText(
        tr(QT_TRANSLATE_NOOP("Prompts", "Open %1 again to watch it, to pause or to stop it."))
            .arg(run));
    const QPushButton* close =
        box.addButton(tr(QT_TRANSLATE_NOOP("Prompts", "Close window")), QMessageBox::AcceptRole);
    box.addButton(QMessageBox::Cancel);
    box.exec();
    return box.clickedButton() == close;
}

std::int64_t askHeads(QWidget* parent, const QString& model, std::int64_t hidden) {
    HeadsDialog dialog(model, hidden, parent);
    return dialog.exec() == QDialog::Accepted ? dialog.heads() : 0;
}

}  // namespace

Prompts desktopPrompts() {
    Prompts prompts;
    prompts.openFile = [](QWidget* parent, const QString& title, const QString& filter) {
        return remember(QFileDialog::getOpenFileName(parent, title, lastFolder(), filter));
    };
    prompts.openFolder = [](QWidget* parent, const QString& title) {
        return remember(QFileDialog::getExistingDirectory(parent, title, lastFolder()));
    };
    prompts.saveFile = [](QWidget* parent, const QString& title, const QString& suggestion,
                          const QString& filter) {
        return remember(QFileDialog::getSaveFileName(
            parent, title, lastFolder() + QLatin1Char('/') + suggestion, filter));
    };
    prompts.unsavedPlan = askUnsaved;
    prompts.closeWhileTraining = askCloseWhileTraining;
    prompts.heads = askHeads;
    return prompts;
}

}  // namespace ui
