// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/shortcuts_dialog.h"

#include "ui/theme/theme.h"

#include <QAction>
#include <QCoreApplication>
#include <QDialog>
#include <QGridLayout>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <utility>
#include <vector>

namespace ui {
namespace {

constexpr int kRowsPerColumn = 14;

struct Entry {
    QString keys;
    QString text;
};

QString tr(const char* text) { return QCoreApplication::translate("Shortcuts", text); }

QString withoutMnemonic(QString text) {
    return text.remove(QLatin1Char('&')).remove(QStringLiteral("…"));
}

void collect(const QMenu& menu, std::vector<Entry>& entries) {
    for (const QAction* action : menu.actions()) {
        if (action->menu() != nullptr) collect(*action->menu(), entries);
        if (action->shortcut().isEmpty()) continue;
        entries.push_back({action->shortcut().toString(QKeySequence::NativeText),
                           withoutMnemonic(action->data().isValid() ? action->data().toString()
                                                                    : action->text())});
    }
}

std::vector<Entry> canvasKeys() {
    return {{tr(QT_TRANSLATE_NOOP("Shortcuts", "Arrows")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Move between cells"))},
            {tr(QT_TRANSLATE_NOOP("Shortcuts", "Shift+Arrows")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Extend the selection"))},
            {tr(QT_TRANSLATE_NOOP("Shortcuts", "Space")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Switch the selected MLPs"))},
            {tr(QT_TRANSLATE_NOOP("Shortcuts", "Ctrl+Space")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Add the cell to the selection"))},
            {QStringLiteral("Ctrl+A"), tr(QT_TRANSLATE_NOOP("Shortcuts", "Select every MLP"))},
            {tr(QT_TRANSLATE_NOOP("Shortcuts", "Esc")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Select nothing"))},
            {tr(QT_TRANSLATE_NOOP("Shortcuts", "Ctrl+Wheel")),
             tr(QT_TRANSLATE_NOOP("Shortcuts", "Zoom"))}};
}

}  // namespace

void showShortcuts(QMainWindow& window) {
    std::vector<Entry> entries;
    for (const QAction* action : window.menuBar()->actions())
        if (action->menu() != nullptr) collect(*action->menu(), entries);
    for (Entry& entry : canvasKeys()) entries.push_back(std::move(entry));

    auto* dialog = new QDialog(&window);
    dialog->setObjectName(QStringLiteral("shortcutsDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr(QT_TRANSLATE_NOOP("Shortcuts", "Keyboard Shortcuts")));
    auto* column = new QVBoxLayout(dialog);
    column->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kL);
    column->setSpacing(space::kL);
    auto* title = new QLabel(dialog->windowTitle(), dialog);
    setTextRole(title, TextRole::Heading);
    column->addWidget(title);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(space::kL);
    grid->setVerticalSpacing(space::kS);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const int row = static_cast<int>(i) % kRowsPerColumn;
        const int left = 3 * (static_cast<int>(i) / kRowsPerColumn);
        auto* keys = new QLabel(entries[i].keys, dialog);
        keys->setProperty("key", true);
        setTextRole(keys, TextRole::Caption);
        grid->addWidget(keys, row, left, Qt::AlignLeft);
        grid->addWidget(new QLabel(entries[i].text, dialog), row, left + 1);
        grid->setColumnMinimumWidth(left + 2, space::kXl);
    }
    column->addLayout(grid);
    auto* close = new QPushButton(tr(QT_TRANSLATE_NOOP("Shortcuts", "Close")), dialog);
    QObject::connect(close, &QPushButton::clicked, dialog, &QDialog::close);
    column->addWidget(close, 0, Qt::AlignRight);
    dialog->open();
}

}  // namespace ui
