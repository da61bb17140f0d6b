// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

#include <cstdint>
#include <functional>

class QWidget;

namespace ui {

/// The questions that the window asks with the desktop's dialogs. Each can be replaced, so that a
/// test answers instead of a person. An empty answer means cancelled.
struct Prompts {
    enum class Unsaved { Save, Discard, Cancel };

    std::function<QString(QWidget*, const QString& title, const QString& filter)> openFile;
    std::function<QString(QWidget*, const QString& title)> openFolder;
    std::function<QString(QWidget*, const QString& title, const QString& suggestion,
                          const QString& filter)>
        saveFile;
    /// The plan of `model` has changes that no file has.
    std::function<Unsaved(QWidget*, const QString& model)> unsavedPlan;
    /// The trainer of `run` goes on when the window closes; false keeps the window.
    std::function<bool(QWidget*, const QString& run)> closeWhileTraining;
    /// The number of attention heads of `model`, which its files do not say; 0 = cancelled.
    std::function<std::int64_t(QWidget*, const QString& model, std::int64_t hidden)> heads;
};

Prompts desktopPrompts();

}  // namespace ui
