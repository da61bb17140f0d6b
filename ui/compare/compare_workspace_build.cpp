// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"
#include "ui/charts/smoothing_slider.h"
#include "ui/compare/compare_workspace.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/empty_state.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kLookMs = 5000;
constexpr int kRowHeight = 32;

}  // namespace

CompareWorkspace::CompareWorkspace(QWidget* parent)
    : QWidget(parent),
      place_(new ElidedLabel(Qt::ElideMiddle, this)),
      filter_(new QLineEdit),
      table_(new QTableView),
      metric_(new QComboBox),
      axis_(new QComboBox),
      chart_(new LineChart(tr("Training loss"))),
      pages_(new QStackedWidget),
      empty_(new EmptyState(QStringLiteral("compare"), tr("No runs to compare"))) {
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(buildTable());
    splitter->addWidget(buildChart());
    splitter->setStretchFactor(0, 2);
    splitter->setStretchFactor(1, 3);
    splitter->setChildrenCollapsible(false);
    pages_->addWidget(empty_);
    pages_->addWidget(splitter);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildBar());
    column->addWidget(pages_, 1);

    timer_.setInterval(kLookMs);
    connect(&timer_, &QTimer::timeout, this, &CompareWorkspace::scan);
    connect(&model_, &RunTableModel::chosenChanged, this, &CompareWorkspace::followChosen);
    connect(chart_, &ChartWidget::exportFailed, this,
            [this](const QString& message, const QString& hint) {
                Q_EMIT failed({core::ErrorKind::BadInput, message, hint});
            });
    folder_ = QSettings().value(QStringLiteral("compare/folder")).toString();
    place_->setText(folder_);
    firstLook_ = !folder_.isEmpty();
    refreshEmpty();
}

QWidget* CompareWorkspace::buildBar() {
    setTextRole(place_, TextRole::Caption, true);
    filter_->setPlaceholderText(tr("Filter"));
    filter_->setAccessibleName(tr("Filter runs"));
    filter_->setClearButtonEnabled(true);
    filter_->setFixedWidth(180);
    connect(filter_, &QLineEdit::textChanged, &proxy_,
            &QSortFilterProxyModel::setFilterFixedString);
    auto* choose = new QPushButton(tr("Choose folder…"));
    setButtonIcon(*choose, QStringLiteral("folder"));
    connect(choose, &QPushButton::clicked, this, &CompareWorkspace::chooseFolder);
    auto* bar = new QWidget;
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
    row->setSpacing(space::kM);
    row->addWidget(place_, 1);
    row->addWidget(filter_);
    row->addWidget(choose);
    return bar;
}

QWidget* CompareWorkspace::buildTable() {
    proxy_.setSourceModel(&model_);
    proxy_.setFilterKeyColumn(-1);
    proxy_.setFilterCaseSensitivity(Qt::CaseInsensitive);
    proxy_.setSortRole(RunTableModel::SortRole);
    proxy_.setDynamicSortFilter(true);
    table_->setModel(&proxy_);
    table_->setAccessibleName(tr("Runs"));
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setSelectionMode(QAbstractItemView::SingleSelection);
    table_->setShowGrid(false);
    table_->setSortingEnabled(true);
    table_->sortByColumn(RunTableModel::Date, Qt::DescendingOrder);
    table_->setTabKeyNavigation(false);
    table_->setWordWrap(false);
    table_->setIconSize({10, 10});
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(kRowHeight);
    QHeaderView* header = table_->horizontalHeader();
    header->setHighlightSections(false);
    header->setSectionResizeMode(QHeaderView::Interactive);
    header->setStretchLastSection(true);
    const int widths[] = {240, 180, 96, 120, 90, 90, 150, 130};
    for (int column = 0; column < RunTableModel::ColumnCount; ++column) {
        table_->setColumnWidth(column, widths[column]);
    }
    table_->setToolTip(tr("Space draws the run, Enter opens it"));
    connect(table_, &QTableView::activated, this, [this](const QModelIndex& index) {
        Q_EMIT openRunAsked(index.data(RunTableModel::PathRole).toString());
    });
    return table_;
}

QWidget* CompareWorkspace::buildChart() {
    offer(comparedMetrics());
    for (const ComparisonAxis axis :
         {ComparisonAxis::Step, ComparisonAxis::Images, ComparisonAxis::Hours,
          ComparisonAxis::Flops, ComparisonAxis::ExtraCost}) {
        axis_->addItem(tr("over %1").arg(axis == ComparisonAxis::ExtraCost
                                             ? tr("extra cost, % of the dense training")
                                             : axisName(axis)),
                       static_cast<int>(axis));
    }
    metric_->setAccessibleName(tr("Metric"));
    axis_->setAccessibleName(tr("Horizontal axis"));
    for (QComboBox* box : {metric_, axis_}) {
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            chart_->resetZoom();
            redraw();
        });
    }
    auto* choices = new QWidget;
    auto* row = new QHBoxLayout(choices);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kS);
    row->addWidget(metric_);
    row->addWidget(axis_);
    row->addStretch(1);
    auto* smoothing = new SmoothingSlider;
    connect(smoothing, &SmoothingSlider::changed, chart_, &LineChart::setSmoothing);
    chart_->setSmoothing(smoothing->weight());
    row->addWidget(smoothing);
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kM);
    column->addWidget(choices);
    column->addWidget(chart_, 1);
    return page;
}

}  // namespace ui
