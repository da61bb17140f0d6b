// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTableView>

#include <set>

class QMenu;

namespace ui {

/// A table of whole rows to read, sort and copy: Ctrl+C copies the selected rows (all rows where
/// none is selected) as tab-separated text under the columns' names, hidden columns left out but
/// for those that only lack the room. Plain look, no editing, Tab leaves it.
class CopyTable : public QTableView {
    Q_OBJECT

  public:
    /// The role whose text is copied; where it has none, the text that is shown.
    static constexpr int kCopyRole = Qt::UserRole + 40;

    explicit CopyTable(QWidget* parent);
    /// Hides a column for lack of room, or gives it back; what is copied has it all the same.
    void setSqueezed(int column, bool squeezed);
    QString text() const;
    void copyText() const;

  Q_SIGNALS:
    /// The context menu is about to open; further entries go in here.
    void menuOpening(QMenu& menu);

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

  private:
    std::set<int> squeezed_;
};

}  // namespace ui
