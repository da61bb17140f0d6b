// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/tensors_page.h"

#include "ui/inspect/stats_panel.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QAction>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <numeric>

namespace ui {
namespace {

constexpr int kRowHeight = 28;

void setUpTable(QTableView& table) {
    table.setObjectName(QStringLiteral("tensorTable"));
    table.setSortingEnabled(true);
    table.setShowGrid(false);
    table.setSelectionBehavior(QAbstractItemView::SelectRows);
    table.setSelectionMode(QAbstractItemView::SingleSelection);
    table.setTextElideMode(Qt::ElideLeft);
    table.setWordWrap(false);
    table.setTabKeyNavigation(false);
    table.setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    table.setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table.verticalHeader()->hide();
    table.verticalHeader()->setDefaultSectionSize(kRowHeight);
    QHeaderView& header = *table.horizontalHeader();
    header.setHighlightSections(false);
    header.setSectionResizeMode(QHeaderView::ResizeToContents);
    header.setSectionResizeMode(TensorModel::Name, QHeaderView::Stretch);
    header.setSortIndicator(-1, Qt::AscendingOrder);
    header.setSortIndicatorClearable(true);
}

}  // namespace

TensorsPage::TensorsPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(new TensorModel(this)),
      proxy_(new QSortFilterProxyModel(this)),
      filter_(new QLineEdit(this)),
      table_(new QTableView(this)),
      count_(new ElidedLabel(Qt::ElideRight, this)),
      stats_(new StatsPanel(this)) {
    proxy_->setSourceModel(model_);
    proxy_->setSortRole(TensorModel::kSortRole);
    proxy_->setFilterKeyColumn(TensorModel::Name);
    proxy_->setFilterRole(TensorModel::kWholeNameRole);
    proxy_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    table_->setModel(proxy_);
    table_->setAccessibleName(tr("Tensors of the selection"));
    setUpTable(*table_);
    filter_->setPlaceholderText(tr("Filter by name"));
    filter_->setAccessibleName(tr("Filter tensors by name"));
    filter_->setObjectName(QStringLiteral("tensorFilter"));
    filter_->setClearButtonEnabled(true);
    filter_->addAction(icon(QStringLiteral("search"), IconTone::Faint), QLineEdit::LeadingPosition);
    setTextRole(count_, TextRole::Caption, true);

    auto* top = new QWidget(this);
    auto* search = new QVBoxLayout(top);
    search->setContentsMargins(space::kL, space::kM, space::kL, space::kXs);
    search->setSpacing(space::kXs);
    search->addWidget(filter_);
    search->addWidget(count_);
    auto* list = new QWidget(this);
    auto* listColumn = new QVBoxLayout(list);
    listColumn->setContentsMargins(0, 0, 0, 0);
    listColumn->setSpacing(0);
    listColumn->addWidget(top);
    listColumn->addWidget(table_, 1);
    auto* splitter = new QSplitter(Qt::Vertical, this);
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(list);
    splitter->addWidget(stats_);
    splitter->setStretchFactor(0, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(splitter);

    connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
        proxy_->setFilterFixedString(text);
        showCurrent();
    });
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &TensorsPage::showCurrent);
}

std::vector<std::size_t> TensorsPage::shownTensors() const {
    const OpenedModel& model = document_.model();
    std::vector<std::size_t> tensors;
    if (document_.selection().empty()) {
        tensors.resize(model.checkpoint->tensors().size());
        std::iota(tensors.begin(), tensors.end(), std::size_t{0});
        return tensors;
    }
    for (const CellId& cell : document_.selection()) {
        const auto of = model.cells.of(cell);
        tensors.insert(tensors.end(), of.begin(), of.end());
    }
    std::sort(tensors.begin(), tensors.end());
    return tensors;
}

void TensorsPage::refresh() {
    if (!document_.hasModel()) {
        model_->setTensors({}, {});
        stats_->setTensor({}, {});
        return;
    }
    model_->setTensors(document_.model().checkpoint, shownTensors());
    if (proxy_->rowCount() > 0 && !document_.selection().empty()) table_->selectRow(0);
    showCurrent();
}

void TensorsPage::showCurrent() {
    const int shown = proxy_->rowCount();
    const int all = model_->rowCount();
    QString count = shown == all ? tr("%n tensor(s)", nullptr, all)
                                 : tr("%1 of %n tensor(s)", nullptr, all).arg(shown);
    if (const QString prefix = model_->prefix(); !prefix.isEmpty())
        count += QStringLiteral(" · ") + prefix + QStringLiteral("…");
    count_->setText(count);
    const QModelIndex current = proxy_->mapToSource(table_->currentIndex());
    if (!current.isValid()) {
        stats_->setTensor({}, {});
        return;
    }
    stats_->setTensor(document_.sharedModel(), model_->tensorIndex(current.row()));
}

}  // namespace ui
