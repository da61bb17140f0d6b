// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/stats_panel.h"

#include "ui/inspect/histogram.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QVBoxLayout>

#include <utility>

namespace ui {
namespace {

constexpr int kColumns = 3;

QString realText(double value) { return QLocale().toString(value, 'g', 4); }

QString shareText(std::uint64_t part, std::uint64_t whole) {
    const QString count = QLocale().toString(static_cast<qulonglong>(part));
    if (part == 0 || whole == 0) return count;
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return QStringLiteral("%1 (%2 %)").arg(count, QLocale().toString(percent, 'g', 2));
}

}  // namespace

StatsPanel::StatsPanel(QWidget* parent)
    : QWidget(parent),
      loader_(this),
      title_(new ElidedLabel(Qt::ElideMiddle, this)),
      note_(new QLabel(this)),
      histogram_(new Histogram(this)) {
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
         {QStringLiteral("std"), tr("Std. deviation")},
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
    connect(&loader_, &StatsLoader::ready, this,
            [this](std::size_t, const core::TensorStats& stats) { showStats(stats); });
    connect(&loader_, &StatsLoader::failed, this,
            [this](std::size_t, const ErrorText& error) { clear(error.message); });
    setTensor({}, {});
}

void StatsPanel::setTensor(std::shared_ptr<const OpenedModel> model,
                           std::optional<std::size_t> tensor) {
    if (model == model_ && tensor == tensor_ && tensor) return;
    loader_.cancel();
    model_ = std::move(model);
    tensor_ = tensor;
    if (!tensor_) {
        title_->setText(tr("No tensor selected"));
        clear(tr("Select a tensor above to see its values."));
        return;
    }
    const core::TensorInfo& info = model_->checkpoint->tensors()[*tensor_];
    title_->setText(printableText(info.name));
    clear(tr("Reading values …"));
    if (isVisible()) start();
}

void StatsPanel::start() {
    if (model_ && tensor_) loader_.request(model_, *tensor_);
}

void StatsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    start();
}

void StatsPanel::hideEvent(QHideEvent* event) {
    loader_.cancel();
    QWidget::hideEvent(event);
}

void StatsPanel::clear(const QString& note) {
    note_->setText(note);
    for (QLabel* value : values_) value->setText(QStringLiteral("–"));
    histogram_->setStats({});
}

void StatsPanel::showStats(const core::TensorStats& stats) {
    const QString values =
        tr("%1 values").arg(QLocale().toString(static_cast<qulonglong>(stats.count)));
    note_->setText(values);
    const bool any = stats.count > stats.nonFinite();
    const auto real = [any](double value) { return any ? realText(value) : QStringLiteral("–"); };
    values_[Min]->setText(real(stats.min));
    values_[Max]->setText(real(stats.max));
    values_[Mean]->setText(real(stats.mean));
    values_[Std]->setText(real(stats.std));
    values_[Zeros]->setText(shareText(stats.zeros, stats.count));
    values_[NonFinite]->setText(shareText(stats.nonFinite(), stats.count));
    histogram_->setStats(any ? std::optional(stats) : std::nullopt);
}

}  // namespace ui
