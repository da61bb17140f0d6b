// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/tensors_page.h"

#include "core/base/text.h"
#include "core/checkpoint/findings.h"
#include "ui/inspect/stats_panel.h"
#include "ui/inspect/tensor_picture.h"
#include "ui/models/tensor_model.h"
#include "ui/widgets/copy_table.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QSplitter>
#include <QToolButton>

#include <algorithm>
#include <numeric>

namespace ui {
namespace {

constexpr qsizetype kShownFindings = 6;

/// With a capital, unless it begins with a tensor's name.
QString sentenceText(const std::string& text) {
    QString sentence = QString::fromStdString(text);
    if (sentence.startsWith(QStringLiteral("the "))) sentence[0] = sentence[0].toUpper();
    return sentence;
}

}  // namespace

TensorsPage::~TensorsPage() { hide(); }  // the panel inside asks the loader when it is hidden

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

std::size_t TensorsPage::tensorAt(int proxyRow) const {
    return model_->tensorIndex(proxy_->mapToSource(proxy_->index(proxyRow, 0)).row());
}

void TensorsPage::refresh() {
    loader_.setModel(document_.sharedModel());
    if (!document_.hasModel()) {
        model_->setTensors({}, {});
        stats_->setTensor({}, {});
        return;
    }
    model_->setTensors(document_.model().checkpoint, shownTensors());
    sortAgain();
    measureNames();
    fitName();
    if (proxy_->rowCount() > 0 && !document_.selection().empty()) table_->selectRow(0);
    showCurrent();
    showSummary();
    showFindings();
    wantShown();
}

void TensorsPage::setWide(bool wide) {
    wide_ = wide;
    widen_->setChecked(wide);
    widen_->setToolTip(wide ? tr("Show the network again (Esc)")
                            : tr("Table with the statistics of all tensors"));
    widen_->setAccessibleName(widen_->toolTip());
    splitter_->setOrientation(wide ? Qt::Horizontal : Qt::Vertical);
    fitSide();
    if (wide) splitter_->setSizes({width() - side_->maximumWidth(), side_->maximumWidth()});
    for (const int column : kSqueezeOrder) table_->setSqueezed(column, false);
    for (int column = TensorModel::Min; column < TensorModel::ColumnCount; ++column)
        table_->setColumnHidden(column, !wide);
    fitName();
    stopped_ = false;
    wantShown();
    showSummary();
    showFindings();
}

/// Rows that are in view first, then all others from the top.
void TensorsPage::wantShown() {
    std::vector<std::size_t> tensors;
    if (wide_ && isVisible()) {
        const int rows = proxy_->rowCount();
        const int top = std::max(0, table_->rowAt(0));
        const int bottom = table_->rowAt(table_->viewport()->height() - 1);
        const int end = bottom < 0 ? rows : bottom + 1;
        tensors.reserve(static_cast<std::size_t>(rows));
        for (int row = top; row < end; ++row) tensors.push_back(tensorAt(row));
        for (int row = 0; row < rows; ++row)
            if (row < top || row >= end) tensors.push_back(tensorAt(row));
    }
    loader_.setWanted(std::move(tensors));
    loader_.setRunning(wide_ && isVisible() && !stopped_);
}

void TensorsPage::sortAgain() {
    sorted_ = true;
    const QHeaderView& header = *table_->horizontalHeader();
    proxy_->sort(header.sortIndicatorSection(), header.sortIndicatorOrder());
}

void TensorsPage::showCurrent() {
    const QModelIndex current = proxy_->mapToSource(table_->currentIndex());
    if (!current.isValid() || !document_.hasModel()) {
        stats_->setTensor({}, {});
        return;
    }
    stats_->setTensor(document_.sharedModel(), model_->tensorIndex(current.row()));
}

void TensorsPage::showSummary() {
    const int shown = proxy_->rowCount();
    const int all = model_->rowCount();
    double parameters = 0;
    double bytes = 0;
    for (int row = 0; row < shown; ++row) {
        const core::TensorInfo& info = document_.model().checkpoint->tensors()[tensorAt(row)];
        parameters += static_cast<double>(info.shape.elements());
        bytes += static_cast<double>(info.bytes);
    }
    QStringList parts{shown == all ? tr("%n tensor(s)", nullptr, all)
                                   : tr("%1 of %n tensor(s)", nullptr, all).arg(shown)};
    if (wide_)
        parts << tr("%1 parameters").arg(QString::fromStdString(core::formatCount(parameters)))
              << QString::fromStdString(core::formatBytes(bytes));
    if (const auto type = model_->commonType()) {
        const std::string_view name = core::dtypeName(*type);
        parts << tr("all %1").arg(
            QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())));
    }
    if (const QString prefix = model_->prefix(); !prefix.isEmpty())
        parts << prefix + QStringLiteral("…");
    count_->setText(parts.join(QStringLiteral(" · ")));
}

void TensorsPage::showProgress() {
    const int all = proxy_->rowCount();
    const int left = wide_ ? loader_.remaining() : 0;
    progress_->setVisible(wide_ && left > 0);
    stop_->setVisible(wide_ && left > 0);
    stop_->setText(stopped_ ? tr("Continue") : tr("Stop"));
    progress_->setText(
        (stopped_ ? tr("Stopped at %1 of %2") : tr("Reading %1 of %2")).arg(all - left).arg(all));
    if (left == 0 && !sorted_) sortAgain();
}

void TensorsPage::showFindings() {
    QStringList lines;
    if (wide_ && document_.hasModel()) {
        const core::Checkpoint& checkpoint = *document_.model().checkpoint;
        std::vector<core::TensorStats> stats;
        for (std::size_t i = 0; i < checkpoint.tensors().size(); ++i) {
            const core::TensorStats* known = loader_.find(i);
            if (known == nullptr) break;
            stats.push_back(*known);
        }
        if (stats.size() < checkpoint.tensors().size()) stats.clear();
        for (const core::Finding& finding : core::findingsOf(checkpoint, stats))
            lines << sentenceText(finding.text);
    }
    findings_->setVisible(!lines.isEmpty());
    findings_->setToolTip(lines.size() > kShownFindings ? lines.join(QLatin1Char('\n'))
                                                        : QString());
    QString text = lines.mid(0, kShownFindings).join(QStringLiteral("\n\n"));
    if (lines.size() > kShownFindings)
        text += QStringLiteral("\n\n") +
                tr("… and %n more", nullptr, static_cast<int>(lines.size() - kShownFindings));
    findings_->setText(text);
}

void TensorsPage::showPicture() {
    const QModelIndex current = proxy_->mapToSource(table_->currentIndex());
    if (!current.isValid() || model_->tensor(current.row()).shape.elements() == 0) return;
    auto* picture =
        new TensorPicture(document_.sharedModel(), model_->tensorIndex(current.row()), window());
    picture->setAttribute(Qt::WA_DeleteOnClose);
    picture->show();
}

void TensorsPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    wantSoon_.start();
}

void TensorsPage::hideEvent(QHideEvent* event) {
    loader_.setRunning(false);
    QWidget::hideEvent(event);
}

void TensorsPage::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && wide_) {
        Q_EMIT wideAsked(false);
        return;
    }
    QWidget::keyPressEvent(event);
}

}  // namespace ui
