// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/stats_panel.h"
#include "ui/inspect/tensors_page.h"
#include "ui/models/name_filter.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/copy_table.h"
#include "ui/widgets/elided_label.h"

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScrollBar>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <set>

namespace ui {
namespace {

constexpr int kSoonMs = 60;
constexpr int kLeastName = 160;
constexpr int kSide = 272;
constexpr int kCellPadding = 2 * space::kS + 8;

/// For the longest number, so that nothing jumps while values come in.
int statsWidth(int column) {
    const QString longest =
        column < TensorModel::Zeros ? QStringLiteral("-0.000000") : QStringLiteral("00.0 %");
    return QFontMetrics(textFont(TextRole::Caption)).horizontalAdvance(longest) + kCellPadding;
}

void setUpTable(CopyTable& table) {
    table.setObjectName(QStringLiteral("tensorTable"));
    table.setTextElideMode(Qt::ElideMiddle);
    QHeaderView& header = *table.horizontalHeader();
    header.setSectionResizeMode(QHeaderView::ResizeToContents);
    header.setResizeContentsPrecision(200);
    header.setSectionResizeMode(TensorModel::Name, QHeaderView::Fixed);
    for (int column = TensorModel::Min; column < TensorModel::ColumnCount; ++column) {
        header.setSectionResizeMode(column, QHeaderView::Fixed);
        table.setColumnWidth(column, statsWidth(column));
        table.setColumnHidden(column, true);
    }
}

}  // namespace

TensorsPage::TensorsPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      loader_(this),
      model_(new TensorModel(this)),
      proxy_(new QSortFilterProxyModel(this)),
      filter_(new QLineEdit(this)),
      widen_(new QToolButton(this)),
      count_(new ElidedLabel(Qt::ElideRight, this)),
      progress_(new QLabel(this)),
      stop_(new QToolButton(this)),
      table_(new CopyTable(this)),
      splitter_(new QSplitter(Qt::Vertical, this)),
      stats_(new StatsPanel(loader_, this)),
      findings_(new QLabel(this)) {
    model_->setStats([this](std::size_t tensor) { return loader_.find(tensor); });
    proxy_->setSourceModel(model_);
    proxy_->setSortRole(TensorModel::kSortRole);
    proxy_->setFilterKeyColumn(TensorModel::Name);
    proxy_->setFilterRole(TensorModel::kWholeNameRole);
    proxy_->setDynamicSortFilter(false);
    table_->setModel(proxy_);
    table_->setAccessibleName(tr("Tensors of the selection"));
    setUpTable(*table_);
    build();
    connectAll();
    setWide(false);
}

void TensorsPage::build() {
    filter_->setPlaceholderText(tr("Filter by name, * for any text"));
    filter_->setAccessibleName(tr("Filter tensors by name"));
    filter_->setObjectName(QStringLiteral("tensorFilter"));
    filter_->setClearButtonEnabled(true);
    filter_->addAction(icon(QStringLiteral("search"), IconTone::Faint), QLineEdit::LeadingPosition);
    widen_->setIcon(icon(QStringLiteral("fit")));
    widen_->setObjectName(QStringLiteral("tensors.wide"));
    widen_->setCheckable(true);
    widen_->setFocusPolicy(Qt::StrongFocus);
    setTextRole(count_, TextRole::Caption, true);
    setTextRole(progress_, TextRole::Caption, true);
    progress_->setObjectName(QStringLiteral("tensors.progress"));
    count_->setObjectName(QStringLiteral("tensors.count"));
    stop_->setObjectName(QStringLiteral("tensors.stop"));
    stop_->setFocusPolicy(Qt::StrongFocus);
    setTextRole(stop_, TextRole::Caption);
    setTextRole(findings_, TextRole::Caption, true);
    findings_->setObjectName(QStringLiteral("tensors.findings"));
    findings_->setTextFormat(Qt::PlainText);
    findings_->setWordWrap(true);
    findings_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    findings_->setContentsMargins(space::kL, 0, space::kL, space::kL);

    auto* search = new QHBoxLayout;
    search->setSpacing(space::kXs);
    search->addWidget(filter_, 1);
    search->addWidget(widen_);
    auto* summary = new QHBoxLayout;
    summary->setSpacing(space::kS);
    summary->addWidget(count_, 1);
    summary->addWidget(progress_);
    summary->addWidget(stop_);
    auto* top = new QWidget(this);
    auto* head = new QVBoxLayout(top);
    head->setContentsMargins(space::kL, space::kM, space::kL, space::kXs);
    head->setSpacing(space::kXs);
    head->addLayout(search);
    head->addLayout(summary);
    auto* list = new QWidget(this);
    auto* listColumn = new QVBoxLayout(list);
    listColumn->setContentsMargins(0, 0, 0, 0);
    listColumn->setSpacing(0);
    listColumn->addWidget(top);
    listColumn->addWidget(table_, 1);
    side_ = new QWidget(this);
    auto* sideColumn = new QVBoxLayout(side_);
    sideColumn->setContentsMargins(0, 0, 0, 0);
    sideColumn->setSpacing(0);
    sideColumn->addWidget(stats_);
    sideColumn->addWidget(findings_);
    sideColumn->addStretch(1);
    splitter_->setChildrenCollapsible(false);
    splitter_->addWidget(list);
    splitter_->addWidget(side_);
    splitter_->setStretchFactor(0, 1);
    splitter_->setStretchFactor(1, 0);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(splitter_);
}

void TensorsPage::fitSide() { side_->setMaximumWidth(wide_ ? kSide : QWIDGETSIZE_MAX); }

void TensorsPage::measureNames() {
    const QFontMetrics metrics(table_->font());
    widestName_ = kLeastName;
    for (const QString& name : model_->longestNames())
        widestName_ = std::max(widestName_, metrics.horizontalAdvance(name) + kCellPadding);
}

/// The name has what the other columns leave. Where that is too little for the names, columns that
/// say least give way one after another (what they say of the current tensor stands beside); where
/// that is still too little, the table scrolls.
void TensorsPage::fitName() {
    const QHeaderView& header = *table_->horizontalHeader();
    const int sorted = header.sortIndicatorSection();
    const auto widthOf = [&](int column) {
        if (!table_->isColumnHidden(column)) return table_->columnWidth(column);
        if (column >= TensorModel::Min) return statsWidth(column);
        const QAbstractItemView& view = *table_;
        return std::max(view.sizeHintForColumn(column), header.sectionSizeHint(column));
    };
    std::set<int> squeezed;
    if (model_->commonType() && sorted != TensorModel::Type) squeezed.insert(TensorModel::Type);
    const int last = wide_ ? TensorModel::ColumnCount : TensorModel::Min;
    int room = table_->viewport()->width();
    for (int column = TensorModel::Shape; column < last; ++column)
        if (!squeezed.contains(column)) room -= widthOf(column);
    for (const int column : kSqueezeOrder) {
        if (!wide_ || room >= widestName_) break;
        if (column == sorted || squeezed.contains(column) || column == TensorModel::Type) continue;
        squeezed.insert(column);
        room += widthOf(column);
    }
    for (const int column : kSqueezeOrder)
        if (column < last) table_->setSqueezed(column, squeezed.contains(column));
    table_->setColumnWidth(TensorModel::Name, std::max(kLeastName, room));
}

bool TensorsPage::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Resize) fitName();
    return QWidget::eventFilter(watched, event);
}

void TensorsPage::connectAll() {
    table_->viewport()->installEventFilter(this);
    wantSoon_.setSingleShot(true);
    wantSoon_.setInterval(kSoonMs);
    connect(&wantSoon_, &QTimer::timeout, this, &TensorsPage::wantShown);
    connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
        proxy_->setFilterRegularExpression(nameFilter(text));
        showCurrent();
        showSummary();
        wantSoon_.start();
    });
    connect(table_->verticalScrollBar(), &QScrollBar::valueChanged, this, [this] {
        if (wide_ && loader_.remaining() > 0) wantSoon_.start();
    });
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &TensorsPage::showCurrent);
    connect(table_, &QTableView::activated, this, &TensorsPage::showPicture);
    connect(table_, &CopyTable::menuOpening, this, [this](QMenu& menu) {
        QAction* picture = menu.addAction(icon(QStringLiteral("chart")), tr("Show as picture…"));
        picture->setEnabled(table_->currentIndex().isValid());
        connect(picture, &QAction::triggered, this, &TensorsPage::showPicture);
    });
    connect(stats_, &StatsPanel::pictureAsked, this, &TensorsPage::showPicture);
    connect(widen_, &QToolButton::clicked, this, &TensorsPage::wideAsked);
    connect(stop_, &QToolButton::clicked, this, [this] {
        stopped_ = !stopped_;
        loader_.setRunning(!stopped_);
        showProgress();
    });
    connect(&loader_, &StatsLoader::ready, this, [this](const std::vector<std::size_t>& tensors) {
        model_->statsChanged(tensors);
        if (table_->horizontalHeader()->sortIndicatorSection() >= TensorModel::Min) sorted_ = false;
        if (loader_.remaining() == 0) showFindings();
    });
    connect(&loader_, &StatsLoader::changed, this, &TensorsPage::showProgress);
}

}  // namespace ui
