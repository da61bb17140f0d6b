// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/change_model.h"
#include "ui/compare/checkpoint_comparison.h"
#include "ui/compare/cosine_map.h"
#include "ui/compare/model_choice.h"
#include "ui/models/name_filter.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/copy_table.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/icon_label.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace ui {

CheckpointComparison::CheckpointComparison(const RecentPaths& recent, QWidget* parent)
    : QWidget(parent),
      job_(this),
      model_(new ChangeModel(this)),
      proxy_(new QSortFilterProxyModel(this)),
      a_(new ModelChoice(QStringLiteral("A"), recent, this)),
      b_(new ModelChoice(QStringLiteral("B"), recent, this)),
      swap_(new QPushButton(tr("Swap"), this)),
      again_(new QPushButton(tr("Compare again"), this)),
      progress_(new QProgressBar),
      progressText_(new ElidedLabel(Qt::ElideMiddle, this)),
      pages_(new QStackedWidget),
      empty_(new EmptyState(QStringLiteral("compare"), tr("Two checkpoints beside each other"))),
      story_(new QLabel),
      filter_(new QLineEdit),
      count_(new QLabel),
      table_(new CopyTable(nullptr)),
      splitter_(new QSplitter(Qt::Horizontal)),
      block_(new QComboBox),
      map_(new CosineMap) {
    setObjectName(QStringLiteral("checkpointComparison"));
    setAcceptDrops(true);
    empty_->setObjectName(QStringLiteral("comparison.empty"));
    pages_->addWidget(empty_);
    pages_->addWidget(buildResult());
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildBar());
    column->addWidget(buildProgress());
    column->addWidget(pages_, 1);
    connectAll();
    start();
}

QWidget* CheckpointComparison::buildBar() {
    swap_->setToolTip(tr("Exchange A and B"));
    auto* bar = new QWidget;
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
    row->setSpacing(space::kS);
    row->addWidget(a_);
    row->addWidget(new IconLabel(QStringLiteral("arrow-right"), IconTone::Faint, 16, bar));
    row->addWidget(b_);
    row->addSpacing(space::kS);
    row->addWidget(swap_);
    row->addStretch(1);
    row->addWidget(again_);
    setButtonIcon(*again_, QStringLiteral("refresh"));
    return bar;
}

QWidget* CheckpointComparison::buildProgress() {
    auto* cancel = new QPushButton(tr("Stop"));
    cancel->setObjectName(QStringLiteral("comparison.stop"));
    connect(cancel, &QPushButton::clicked, this, &CheckpointComparison::stop);
    progress_->setRange(0, 1000);
    progress_->setTextVisible(false);
    progress_->setFixedWidth(200);
    progress_->setAccessibleName(tr("Progress of the comparison"));
    setTextRole(progressText_, TextRole::Caption, true);
    progressRow_ = new QWidget;
    auto* row = new QHBoxLayout(progressRow_);
    row->setContentsMargins(space::kL, 0, space::kL, space::kM);
    row->setSpacing(space::kM);
    row->addWidget(progress_);
    row->addWidget(progressText_, 1);
    row->addWidget(cancel);
    progressRow_->hide();
    return progressRow_;
}

QWidget* CheckpointComparison::buildResult() {
    story_->setObjectName(QStringLiteral("comparison.story"));
    story_->setTextFormat(Qt::PlainText);
    story_->setWordWrap(true);
    story_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    story_->setContentsMargins(space::kM, space::kM, space::kM, space::kM);
    auto* card = new QFrame;
    setCard(card);
    auto* inside = new QVBoxLayout(card);
    inside->setContentsMargins(space::kXs, 0, space::kXs, 0);
    inside->addWidget(story_);

    proxy_->setSourceModel(model_);
    proxy_->setSortRole(ChangeModel::kSortRole);
    proxy_->setFilterRole(ChangeModel::kFilterRole);
    proxy_->setFilterKeyColumn(ChangeModel::Name);
    table_->setModel(proxy_);
    table_->setObjectName(QStringLiteral("comparison.table"));
    table_->setAccessibleName(tr("Tensors that differ"));
    table_->setTextElideMode(Qt::ElideLeft);
    QHeaderView* header = table_->horizontalHeader();
    header->setSectionResizeMode(QHeaderView::ResizeToContents);
    header->setResizeContentsPrecision(200);
    header->setSectionResizeMode(ChangeModel::Name, QHeaderView::Stretch);
    filter_->setObjectName(QStringLiteral("comparison.filter"));
    filter_->setPlaceholderText(tr("Filter by what happened or by name, * for any text"));
    filter_->setAccessibleName(tr("Filter tensors that differ"));
    filter_->setClearButtonEnabled(true);
    filter_->addAction(icon(QStringLiteral("search"), IconTone::Faint), QLineEdit::LeadingPosition);
    connect(filter_, &QLineEdit::textChanged, proxy_,
            [this](const QString& text) { proxy_->setFilterRegularExpression(nameFilter(text)); });
    setTextRole(count_, TextRole::Caption, true);
    auto* search = new QHBoxLayout;
    search->setSpacing(space::kM);
    search->addWidget(filter_, 1);
    search->addWidget(count_);
    auto* list = new QFrame;
    setCard(list);
    auto* listColumn = new QVBoxLayout(list);
    listColumn->setContentsMargins(space::kM, space::kM, space::kM, space::kM);
    listColumn->setSpacing(space::kS);
    listColumn->addLayout(search);
    listColumn->addWidget(table_, 1);

    block_->setAccessibleName(tr("MoE block"));
    map_->setHeaderWidget(block_);
    splitter_->setChildrenCollapsible(false);
    splitter_->setHandleWidth(space::kM);
    splitter_->setProperty("gap", true);
    splitter_->addWidget(list);
    splitter_->addWidget(map_);
    splitter_->setStretchFactor(0, 5);
    splitter_->setStretchFactor(1, 4);
    splitter_->setSizes({650, 520});
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(space::kL, 0, space::kL, space::kL);
    column->setSpacing(space::kM);
    column->addWidget(card);
    column->addWidget(splitter_, 1);
    return page;
}

}  // namespace ui
