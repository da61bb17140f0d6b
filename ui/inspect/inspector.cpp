// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/inspector.h"

#include "core/base/text.h"
#include "ui/inspect/settings_page.h"
#include "ui/inspect/tensors_page.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QTabWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

/// "encoder.3 · MLP", "6 × MLP", "encoder.3", "5 cells".
QString titleOf(const std::set<CellId>& selection) {
    if (selection.size() == 1) return cellName(*selection.begin());
    const CellId& first = *selection.begin();
    const auto all = [&](auto same) {
        return std::all_of(selection.begin(), selection.end(), same);
    };
    if (all([&](const CellId& cell) { return cell.place == first.place; }))
        return QString::fromStdString(first.place);
    if (all([&](const CellId& cell) { return cell.part == first.part; }))
        return QStringLiteral("%1 × %2").arg(selection.size()).arg(partName(first.part));
    return Inspector::tr("%n cell(s)", nullptr, static_cast<int>(selection.size()));
}

}  // namespace

Inspector::Inspector(Document& document, PlanEditor& editor, QWidget* parent)
    : QFrame(parent),
      document_(document),
      title_(new ElidedLabel(Qt::ElideRight, this)),
      subtitle_(new ElidedLabel(Qt::ElideRight, this)),
      tabs_(new QTabWidget(this)),
      settings_(new SettingsPage(document, editor, this)),
      tensors_(new TensorsPage(document, this)) {
    setObjectName(QStringLiteral("inspector"));
    setProperty("panel", true);
    setTextRole(title_, TextRole::Title);
    setTextRole(subtitle_, TextRole::Caption, true);
    title_->setObjectName(QStringLiteral("inspector.title"));
    tabs_->setObjectName(QStringLiteral("inspector.tabs"));
    tabs_->setDocumentMode(true);
    tabs_->setAccessibleName(tr("Inspector"));
    tabs_->addTab(settings_, tr("Settings"));
    tabs_->addTab(tensors_, tr("Tensors"));
    auto* head = new QVBoxLayout;
    head->setContentsMargins(space::kL, space::kL, space::kL, space::kS);
    head->setSpacing(2);
    head->addWidget(title_);
    head->addWidget(subtitle_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(head);
    column->addWidget(tabs_, 1);

    connect(tensors_, &TensorsPage::wideAsked, this, &Inspector::wideAsked);
    connect(tabs_, &QTabWidget::currentChanged, this, [this] {
        if (tensors_->isWide() && tabs_->currentWidget() != tensors_) Q_EMIT wideAsked(false);
    });
    connect(&document_, &Document::opened, this, &Inspector::refresh);
    connect(&document_, &Document::closed, this, &Inspector::refresh);
    connect(&document_, &Document::selectionChanged, this, &Inspector::refresh);
    connect(&document_, &Document::planChanged, this, [this] {
        if (isVisible()) settings_->refresh();
    });
}

void Inspector::showTensorTable() {
    tabs_->setCurrentWidget(tensors_);
    Q_EMIT wideAsked(true);
}

void Inspector::setWide(bool wide) { tensors_->setWide(wide); }

void Inspector::showEvent(QShowEvent* event) {
    QFrame::showEvent(event);
    refresh();
}

void Inspector::refresh() {
    if (!isVisible()) return;
    refreshTitle();
    settings_->refresh();
    tensors_->refresh();
}

void Inspector::refreshTitle() {
    if (!document_.hasModel()) return;
    const OpenedModel& model = document_.model();
    const std::set<CellId>& selection = document_.selection();
    title_->setText(selection.empty() ? model.name() : titleOf(selection));
    if (selection.empty()) {
        subtitle_->setText(QString::fromStdString(model.path.parent_path().string()));
        return;
    }
    std::uint64_t bytes = 0;
    int count = 0;
    for (const CellId& cell : selection)
        for (const std::size_t index : model.cells.of(cell)) {
            bytes += model.checkpoint->tensors()[index].bytes;
            ++count;
        }
    subtitle_->setText(tr("%n tensor(s)", nullptr, count) + QStringLiteral(" · ") +
                       QString::fromStdString(core::formatBytes(static_cast<double>(bytes))));
}

}  // namespace ui
