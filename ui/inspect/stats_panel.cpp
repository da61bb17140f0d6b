// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/stats_panel.h"

#include "ui/inspect/histogram.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

#include <utility>

namespace ui {
namespace {

constexpr int kColumns = 3;

/// "12 (3.1 %)".
QString countText(std::uint64_t part, std::uint64_t whole) {
    const QString count = QLocale().toString(static_cast<qulonglong>(part));
    return part == 0 ? count : QStringLiteral("%1 (%2)").arg(count, shareText(part, whole));
}

}  // namespace

StatsPanel::StatsPanel(StatsLoader& loader, QWidget* parent)
    : QWidget(parent),
      loader_(loader),
      title_(new ElidedLabel(Qt::ElideMiddle, this)),
      note_(new QLabel(this)),
      histogram_(new Histogram(this)),
      picture_(new QPushButton(tr("Show as picture…"), this)) {
    setTextRole(title_, TextRole::Strong);
    title_->setObjectName(QStringLiteral("stats.title"));
    setTextRole(note_, TextRole::Caption, true);
    note_->setObjectName(QStringLiteral("stats.note"));
    note_->setTextFormat(Qt::PlainText);
    note_->setWordWrap(true);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(space::kM);
    grid->setVerticalSpacing(space::kS);
    const std::array<std::pair<QString, QString>, FieldCount> fields{
        {{QStringLiteral("min"), tr("Minimum")},
         {QStringLiteral("max"), tr("Maximum")},
         {QStringLiteral("mean"), tr("Mean")},
         {QStringLiteral("std"), tr("Std. dev.")},
         {QStringLiteral("zeros"), tr("Zeros")},
         {QStringLiteral("nonFinite"), tr("Not finite")}}};
    for (int i = 0; i < FieldCount; ++i) {
        const auto& [key, caption] = fields[static_cast<std::size_t>(i)];
        auto* name = new QLabel(caption, this);
        setTextRole(name, TextRole::Caption, true);
        auto* value = new QLabel(this);
        value->setObjectName(QStringLiteral("stats.") + key);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse);
        auto* cell = new QVBoxLayout;
        cell->setSpacing(1);
        cell->addWidget(name);
        cell->addWidget(value);
        grid->addLayout(cell, i / kColumns, i % kColumns);
        grid->setColumnStretch(i % kColumns, 1);
        values_[static_cast<std::size_t>(i)] = value;
    }
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kS);
    column->addWidget(title_);
    column->addWidget(note_);
    column->addWidget(histogram_);
    column->addLayout(grid);
    column->addSpacing(space::kXs);
    column->addWidget(picture_, 0, Qt::AlignLeft);
    setButtonIcon(*picture_, QStringLiteral("chart"));
    picture_->setObjectName(QStringLiteral("stats.picture"));
    connect(picture_, &QPushButton::clicked, this, &StatsPanel::pictureAsked);
    connect(&loader_, &StatsLoader::ready, this, &StatsPanel::refresh);
    setTensor({}, {});
}

void StatsPanel::setTensor(std::shared_ptr<const OpenedModel> model,
                           std::optional<std::size_t> tensor) {
    if (model == model_ && tensor == tensor_ && tensor) return;
    model_ = std::move(model);
    tensor_ = tensor;
    picture_->setEnabled(tensor_.has_value() &&
                         model_->checkpoint->tensors()[*tensor_].shape.elements() > 0);
    if (!tensor_) {
        title_->setText(tr("No tensor selected"));
        clear(tr("Select a tensor to see its values."));
        if (isVisible()) loader_.setFirst({});
        return;
    }
    title_->setText(printableText(model_->checkpoint->tensors()[*tensor_].name));
    clear(tr("Reading values …"));
    refresh();
}

void StatsPanel::refresh() {
    if (!model_ || !tensor_ || !isVisible()) return;
    if (const core::TensorStats* stats = loader_.find(*tensor_))
        showStats(*stats);
    else if (const ErrorText* error = loader_.failureOf(*tensor_))
        clear(error->message);
    else
        loader_.setFirst(tensor_);
}

void StatsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();
}

void StatsPanel::hideEvent(QHideEvent* event) {
    loader_.setFirst({});
    QWidget::hideEvent(event);
}

void StatsPanel::clear(const QString& note) {
    note_->setText(note);
    for (QLabel* value : values_) value->setText(QStringLiteral("–"));
    histogram_->setStats({});
}

void StatsPanel::showStats(const core::TensorStats& stats) {
    QString note = tr("%1 values").arg(QLocale().toString(static_cast<qulonglong>(stats.count)));
    if (stats.rounded) note += tr(" · integers beyond 2^53, rounded");
    if (stats.nan > 0) note += tr(" · %1 NaN").arg(stats.nan);
    if (stats.infinite > 0) note += tr(" · %1 infinite").arg(stats.infinite);
    note_->setText(note);
    const bool any = stats.count > stats.nonFinite();
    const auto real = [any](double value) { return any ? realText(value) : QStringLiteral("–"); };
    values_[Min]->setText(real(stats.min));
    values_[Max]->setText(real(stats.max));
    values_[Mean]->setText(real(stats.mean));
    values_[Std]->setText(real(stats.std));
    values_[Zeros]->setText(shareText(stats.zeros, stats.count));
    values_[Zeros]->setToolTip(countText(stats.zeros, stats.count));
    values_[NonFinite]->setText(QLocale().toString(static_cast<qulonglong>(stats.nonFinite())));
    values_[NonFinite]->setToolTip(countText(stats.nonFinite(), stats.count));
    histogram_->setStats(any ? std::optional(stats) : std::nullopt);
}

}  // namespace ui
