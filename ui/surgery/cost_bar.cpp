// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/surgery/cost_bar.h"

#include "core/base/text.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

constexpr int kGap = 6;
constexpr std::size_t kFlops = 2;  ///< its place among the items

QString countText(double value) { return QString::fromStdString(core::formatCount(value)); }

QString bytesText(double value) { return QString::fromStdString(core::formatBytes(value)); }

QString ratioText(double ratio) {
    return QStringLiteral("×%1").arg(QLocale().toString(ratio, 'f', ratio < 10 ? 2 : 1));
}

/// A T5's encoder and decoder cost differently: what the one figure is the mean of.
QString flopsToolTip(const core::ModelCost& cost) {
    const QString what = CostBar::tr("Forward pass, two for each multiply-add");
    if (cost.flopsPerDecoderToken == 0) return what;
    return CostBar::
        tr("%1.\nEncoder %2, decoder %3; the mean of an example of %4 input and %5 target tokens")
            .arg(what, countText(cost.flopsPerEncoderToken), countText(cost.flopsPerDecoderToken))
            .arg(core::kT5InputTokens)
            .arg(core::kT5TargetTokens);
}

/// What the figure counts, and for which examples.
QString trainingToolTip(const core::PlanReport& report) {
    if (report.after.trainingBytes == 0)
        return CostBar::tr("Not known: this version does not train this model");
    if (report.output.family == core::Family::T5)
        return CostBar::tr(
                   "Weights, gradients, Adafactor's state and activations for a batch of %1,\n"
                   "each of %2 input and %3 target tokens")
            .arg(report.trainingBatch)
            .arg(core::kT5InputTokens)
            .arg(core::kT5TargetTokens);
    return CostBar::tr("Weights, gradients, AdamW moments and activations for a batch of %1")
        .arg(report.trainingBatch);
}

double widen(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

CostBar::CostBar(Document& document, QWidget* parent)
    : QFrame(parent),
      document_(document),
      items_{{{QStringLiteral("parameters"), tr("Parameters"), tr("All weights of the model"),
               [](const core::ModelCost& cost) { return widen(cost.parameters); }, countText},
              {QStringLiteral("active"), tr("Active per token"),
               tr("Weights that one token uses on average"),
               [](const core::ModelCost& cost) { return widen(cost.activeParameters); }, countText},
              {QStringLiteral("flops"),
               tr("FLOPs per token"),
               {},
               [](const core::ModelCost& cost) { return cost.flopsPerToken; },
               countText},
              {QStringLiteral("file"), tr("File size"), tr("Tensor data in the checkpoint"),
               [](const core::ModelCost& cost) { return widen(cost.fileBytes); }, bytesText},
              {QStringLiteral("training"),
               tr("Training memory"),
               {},
               [](const core::ModelCost& cost) { return widen(cost.trainingBytes); },
               bytesText}}},
      warnings_(new QPushButton(this)) {
    setObjectName(QStringLiteral("costBar"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::kXl, space::kS, space::kL, space::kS);
    row->setSpacing(space::kS);
    for (Item& item : items_) row->addWidget(makeItem(item), 1);
    setButtonKind(warnings_, ButtonKind::Ghost);
    setButtonIcon(*warnings_, QStringLiteral("warning"), IconTone::Warning);
    warnings_->setText(QStringLiteral("99"));
    warnings_->setFixedWidth(warnings_->sizeHint().width());
    QSizePolicy policy = warnings_->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    warnings_->setSizePolicy(policy);
    row->addWidget(warnings_);
    connect(warnings_, &QPushButton::clicked, this, &CostBar::warningsClicked);
    connect(&document_, &Document::opened, this, &CostBar::refresh);
    connect(&document_, &Document::closed, this, &CostBar::refresh);
    connect(&document_, &Document::planChanged, this, &CostBar::refresh);
    refresh();
}

QWidget* CostBar::makeItem(Item& item) {
    auto* widget = new QWidget(this);
    widget->setToolTip(item.toolTip);
    widget->setObjectName(QStringLiteral("cost.%1").arg(item.key));
    const auto label = [&](const QString& part, TextRole role, bool muted) {
        auto* made = new QLabel(widget);
        made->setObjectName(QStringLiteral("cost.%1.%2").arg(item.key, part));
        made->setTextFormat(Qt::PlainText);
        setTextRole(made, role, muted);
        return made;
    };
    QLabel* caption = label(QStringLiteral("caption"), TextRole::Caption, true);
    caption->setText(item.caption);
    item.before = label(QStringLiteral("before"), TextRole::Body, true);
    item.arrow = label(QStringLiteral("arrow"), TextRole::Body, true);
    item.arrow->setText(QStringLiteral("→"));
    item.after = label(QStringLiteral("after"), TextRole::Strong, false);
    item.ratio = label(QStringLiteral("ratio"), TextRole::Caption, false);
    item.ratio->setProperty("chip", true);

    auto* top = new QHBoxLayout;
    top->setSpacing(kGap);
    for (QLabel* part : {caption, item.ratio}) top->addWidget(part);
    top->addStretch(1);
    auto* figures = new QHBoxLayout;
    figures->setSpacing(kGap);
    for (QLabel* figure : {item.before, item.arrow, item.after}) figures->addWidget(figure);
    figures->addStretch(1);
    auto* column = new QVBoxLayout(widget);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    column->addLayout(top);
    column->addLayout(figures);
    // As wide as the longest figures, whatever is shown: columns stand still and stay alike.
    const QFontMetrics strong(textFont(TextRole::Strong));
    widget->setMinimumWidth(strong.horizontalAdvance(QStringLiteral("888.8 MB → 888.8 MB")));
    const int chip = item.ratio->sizeHint().height();
    top->addStrut(std::max(chip, caption->sizeHint().height()));
    return widget;
}

void CostBar::refreshItem(const Item& item, double before, double after) {
    const bool changed = before != after;
    const auto text = [&item](double value) {
        return value > 0 ? item.text(value) : QStringLiteral("–");  // what is not known for it
    };
    item.after->setText(text(after));
    item.before->setText(text(before));
    item.before->setVisible(changed);
    item.arrow->setVisible(changed);
    item.ratio->setVisible(changed && before > 0);
    if (before > 0) item.ratio->setText(ratioText(after / before));
    item.after->parentWidget()->setAccessibleName(
        changed ? tr("%1: %2, was %3").arg(item.caption, text(after), text(before))
                : tr("%1: %2").arg(item.caption, text(after)));
}

void CostBar::refresh() {
    setVisible(document_.hasModel());
    if (!document_.hasModel()) return;
    const core::PlanReport& report = document_.report();
    for (const Item& item : items_)
        refreshItem(item, item.value(report.before), item.value(report.after));
    items_.back().after->parentWidget()->setToolTip(trainingToolTip(report));
    items_[kFlops].after->parentWidget()->setToolTip(flopsToolTip(report.after));
    const int warnings = static_cast<int>(report.warnings.size());
    warnings_->setVisible(warnings > 0);
    warnings_->setText(QLocale().toString(warnings));
    const QString words = tr("%n warning(s)", nullptr, warnings);
    warnings_->setAccessibleName(words);
    warnings_->setToolTip(words);
}

}  // namespace ui
