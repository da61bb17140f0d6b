// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace ui {

class RecentFiles;

/// What is shown while no checkpoint is open: ways to open one, recent ones, the demo.
class StartPage : public QWidget {
    Q_OBJECT

  public:
    StartPage(RecentFiles& recent, QWidget* parent);
    /// A checkpoint is being opened.
    void setBusy(bool busy, const QString& name = {});

  Q_SIGNALS:
    void openFileClicked();
    void openFolderClicked();
    void openRunClicked();
    void openClicked(const QString& path);

  private:
    QWidget* makeActions();
    void refreshRecent();

    RecentFiles& recent_;
    QVBoxLayout* recentColumn_;
    QLabel* recentTitle_;
    QLabel* busy_;
    QProgressBar* progress_;
};

}  // namespace ui
