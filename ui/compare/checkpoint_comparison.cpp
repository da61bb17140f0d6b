// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/checkpoint_comparison.h"

#include "ui/compare/change_model.h"
#include "ui/compare/cosine_map.h"
#include "ui/compare/model_choice.h"
#include "ui/widgets/copy_table.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/local_paths.h"

#include <QComboBox>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>

namespace ui {
namespace {

constexpr int kProgressSteps = 1000;

}  // namespace

QString CheckpointComparison::a() const { return a_->path(); }
QString CheckpointComparison::b() const { return b_->path(); }
QString CheckpointComparison::story() const { return story_->text(); }

ChartWidget* CheckpointComparison::currentChart() const {
    return pages_->currentIndex() == ResultPage && !map_->isEmpty() ? map_ : nullptr;
}

void CheckpointComparison::compare(const QString& a, const QString& b) {
    if (!a.isEmpty()) a_->setPath(a);
    if (!b.isEmpty()) b_->setPath(b);
    start();
}

void CheckpointComparison::start() {
    const bool both = !a().isEmpty() && !b().isEmpty();
    swap_->setEnabled(both);
    again_->setEnabled(both);
    Q_EMIT started();
    if (!both) {
        showEmpty(
            a().isEmpty() && b().isEmpty()
                ? tr("Choose two checkpoints, or drop them here: what changed between them is "
                     "told in sentences, tensor by tensor and expert by expert.")
                : tr("Choose the other checkpoint, or drop it here."));
        return;
    }
    experts_.clear();
    progress_->setValue(0);
    progressText_->setText(tr("Opening …"));
    progressRow_->show();
    if (pages_->currentIndex() == EmptyPage) showEmpty(tr("Comparing …"));
    job_.start(a(), b());
}

void CheckpointComparison::stop() {
    job_.cancel();
    progressRow_->hide();
    if (pages_->currentIndex() == EmptyPage)
        showEmpty(tr("The comparison was stopped before it was done."));
    else if (map_->isEmpty())
        map_->setEmptyText(tr("The comparison of the experts was stopped."));
}

void CheckpointComparison::showEmpty(const QString& text) {
    empty_->setText(text);
    pages_->setCurrentIndex(EmptyPage);
    Q_EMIT chartChanged();
}

void CheckpointComparison::showDiff(const core::CheckpointDiff& diff) {
    QStringList sentences;
    for (const std::string& sentence : diff.story) {
        QString text = QString::fromStdString(sentence);
        if (!text.isEmpty()) text[0] = text[0].toUpper();
        sentences << text + QLatin1Char('.');
    }
    story_->setText(sentences.join(QLatin1Char('\n')));
    model_->setChanges(diff.changes);
    const QHeaderView& header = *table_->horizontalHeader();
    proxy_->sort(header.sortIndicatorSection(), header.sortIndicatorOrder());
    hideEmptyColumns();
    showCount();
    block_->clear();
    map_->setCosines({});
    map_->setEmptyText(tr("Reading the experts …"));
    splitter_->widget(1)->hide();
    pages_->setCurrentIndex(ResultPage);
    Q_EMIT chartChanged();
}

/// Names have the room of columns that say nothing.
void CheckpointComparison::hideEmptyColumns() {
    for (const int column : {ChangeModel::Detail, ChangeModel::Largest, ChangeModel::Relative}) {
        bool said = false;
        for (int row = 0; row < model_->rowCount() && !said; ++row)
            said = !model_->index(row, column).data().toString().isEmpty();
        table_->setColumnHidden(column, !said);
    }
}

void CheckpointComparison::addExperts(const core::ExpertCosines& cosines) {
    experts_.push_back(cosines);
    block_->addItem(QString::fromStdString(cosines.block));
    splitter_->widget(1)->show();
    if (experts_.size() == 1) {
        showBlock();
        Q_EMIT chartChanged();
    }
}

void CheckpointComparison::showBlock() {
    const int index = block_->currentIndex();
    if (index < 0 || index >= static_cast<int>(experts_.size())) return;
    map_->setCosines(experts_[static_cast<std::size_t>(index)]);
}

void CheckpointComparison::showCount() {
    const int all = model_->rowCount();
    const int shown = proxy_->rowCount();
    count_->setText(shown == all ? tr("%n tensor(s) differ", nullptr, all)
                                 : tr("%1 of %n tensor(s)", nullptr, all).arg(shown));
}

void CheckpointComparison::dragEnterEvent(QDragEnterEvent* event) {
    if (!localPaths(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

/// Two: both. One: the side that is missing, else B anew.
void CheckpointComparison::dropEvent(QDropEvent* event) {
    event->acceptProposedAction();
    const QStringList paths = localPaths(*event->mimeData());
    if (paths.size() >= 2)
        compare(paths[0], paths[1]);
    else if (a().isEmpty())
        compare(paths[0], {});
    else
        compare({}, paths[0]);
}

void CheckpointComparison::connectAll() {
    for (ModelChoice* side : {a_, b_})
        connect(side, &ModelChoice::chosen, this, [this, side](const QString& path) {
            side->setPath(path);
            start();
        });
    connect(swap_, &QPushButton::clicked, this, [this] { compare(QString(b()), QString(a())); });
    connect(again_, &QPushButton::clicked, this, &CheckpointComparison::start);
    connect(filter_, &QLineEdit::textChanged, this, &CheckpointComparison::showCount);
    connect(block_, &QComboBox::currentIndexChanged, this, &CheckpointComparison::showBlock);
    connect(&job_, &DiffJob::progressed, this, [this](double share, const QString& name) {
        progress_->setValue(static_cast<int>(share * kProgressSteps));
        progressText_->setText(name);
    });
    connect(&job_, &DiffJob::compared, this, &CheckpointComparison::showDiff);
    connect(&job_, &DiffJob::expertsCompared, this, &CheckpointComparison::addExperts);
    connect(&job_, &DiffJob::finished, progressRow_, &QWidget::hide);
    connect(&job_, &DiffJob::failed, this, [this](const ErrorText& error) {
        progressRow_->hide();
        if (pages_->currentIndex() == EmptyPage) showEmpty(tr("These two could not be compared."));
        Q_EMIT failed(error);
    });
}

}  // namespace ui
