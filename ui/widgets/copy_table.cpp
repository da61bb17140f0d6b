// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/copy_table.h"

#include "ui/theme/icon.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>

#include <algorithm>
#include <vector>

namespace ui {
namespace {

constexpr int kRowHeight = 28;

/// One cell of tab-separated text.
QString plain(QString text) {
    for (QChar& c : text)
        if (c == QLatin1Char('\t') || c == QLatin1Char('\n') || c == QLatin1Char('\r'))
            c = QLatin1Char(' ');
    return text;
}

}  // namespace

CopyTable::CopyTable(QWidget* parent) : QTableView(parent) {
    setSortingEnabled(true);
    setShowGrid(false);
    setEditTriggers(NoEditTriggers);
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setWordWrap(false);
    setTabKeyNavigation(false);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollMode(ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(kRowHeight);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    horizontalHeader()->setSortIndicatorClearable(true);
}

void CopyTable::setSqueezed(int column, bool squeezed) {
    if (squeezed == squeezed_.contains(column)) return;
    squeezed ? static_cast<void>(squeezed_.insert(column))
             : static_cast<void>(squeezed_.erase(column));
    setColumnHidden(column, squeezed);
}

QString CopyTable::text() const {
    std::vector<int> columns;
    for (int i = 0; i < horizontalHeader()->count(); ++i)
        if (const int column = horizontalHeader()->logicalIndex(i);
            !isColumnHidden(column) || squeezed_.contains(column))
            columns.push_back(column);
    std::vector<int> rows;
    if (selectionModel() != nullptr)
        for (const QModelIndex& index : selectionModel()->selectedRows())
            rows.push_back(index.row());
    std::sort(rows.begin(), rows.end());
    if (rows.empty())
        for (int row = 0; row < model()->rowCount(); ++row) rows.push_back(row);
    QStringList lines;
    QStringList cells;
    for (const int column : columns)
        cells << plain(model()->headerData(column, Qt::Horizontal).toString());
    lines << cells.join(QLatin1Char('\t'));
    for (const int row : rows) {
        cells.clear();
        for (const int column : columns) {
            const QModelIndex index = model()->index(row, column);
            const QVariant copied = index.data(kCopyRole);
            cells << plain((copied.isValid() ? copied : index.data()).toString());
        }
        lines << cells.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

void CopyTable::copyText() const { QGuiApplication::clipboard()->setText(text()); }

void CopyTable::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) {
        copyText();
        event->accept();
        return;
    }
    QTableView::keyPressEvent(event);
}

void CopyTable::contextMenuEvent(QContextMenuEvent* event) {
    if (model() == nullptr || model()->rowCount() == 0) return;
    QMenu menu(this);
    QAction* copy = menu.addAction(icon(QStringLiteral("copy")), tr("Copy as text"));
    copy->setShortcut(QKeySequence::Copy);
    connect(copy, &QAction::triggered, this, &CopyTable::copyText);
    Q_EMIT menuOpening(menu);
    menu.exec(event->globalPos());
}

}  // namespace ui
