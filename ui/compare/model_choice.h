// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPushButton>
#include <QStringList>

#include <functional>

namespace ui {

/// Asks for what was opened last, newest first.
using RecentPaths = std::function<QStringList()>;

/// One side of a comparison: a button that shows which checkpoint it is and offers files, folders
/// and what was opened last.
class ModelChoice : public QPushButton {
    Q_OBJECT

  public:
    /// `side`: "A" or "B".
    ModelChoice(const QString& side, RecentPaths recent, QWidget* parent);
    const QString& path() const { return path_; }
    void setPath(const QString& path);

  Q_SIGNALS:
    void chosen(const QString& path);

  private:
    void fillMenu();

    QString side_;
    RecentPaths recent_;
    QString path_;
};

}  // namespace ui
