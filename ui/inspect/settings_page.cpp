// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/settings_page.h"

#include "ui/inspect/layer_form.h"
#include "ui/inspect/model_facts.h"
#include "ui/inspect/warning_list.h"
#include "ui/theme/theme.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <limits>

namespace ui {
namespace {

QLabel* textLabel(const QString& text, TextRole role, bool muted, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    setTextRole(label, role, muted);
    return label;
}

std::vector<core::PlanWarning> warningsOf(const core::PlanReport& report,
                                          const std::vector<std::string>& blocks) {
    std::vector<core::PlanWarning> warnings;
    for (const core::PlanWarning& warning : report.warnings)
        if (std::find(blocks.begin(), blocks.end(), warning.block) != blocks.end())
            warnings.push_back(warning);
    return warnings;
}

}  // namespace

SettingsPage::SettingsPage(Document& document, PlanEditor& editor, QWidget* parent)
    : QScrollArea(parent),
      document_(document),
      editor_(editor),
      note_(textLabel({}, TextRole::Body, true, this)),
      makeMoe_(new QPushButton(tr("Make MoE"), this)),
      makeDense_(new QPushButton(tr("Make dense"), this)),
      paper_(new QPushButton(tr("Paper’s settings"), this)),
      warnings_(new WarningList(this)),
      form_(new LayerForm(document, editor, this)),
      facts_(new QGridLayout),
      seed_(new MixedSpinBox(this)),
      overview_(makeOverview()) {
    setObjectName(QStringLiteral("settingsPage"));
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    note_->setWordWrap(true);
    note_->setObjectName(QStringLiteral("settings.note"));
    setButtonKind(makeMoe_, ButtonKind::Primary);
    makeMoe_->setObjectName(QStringLiteral("settings.makeMoe"));
    makeDense_->setObjectName(QStringLiteral("settings.makeDense"));
    paper_->setObjectName(QStringLiteral("settings.paper"));
    paper_->setToolTip(tr("Everything below as in the sparse upcycling paper"));
    connect(makeMoe_, &QPushButton::clicked, this,
            [this] { editor_.switchBlocks(document_.selectedMlps(), true); });
    connect(makeDense_, &QPushButton::clicked, this,
            [this] { editor_.switchBlocks(document_.selectedMoes(), false); });
    connect(paper_, &QPushButton::clicked, this, [this] {
        const core::ModelSpec& spec = document_.model().spec;
        core::SurgeryPlan plan = document_.plan();
        for (const std::string& block : document_.selectedMoes())
            plan.layers[block] = core::defaultLayerPlan(spec, *spec.find(block));
        document_.edit(tr("Paper’s settings"), plan);
    });

    auto* content = new QWidget(this);
    content->setProperty("panel", true);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(space::kL, space::kL, space::kL, space::kL);
    column->setSpacing(space::kM);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(space::kS);
    buttons->addWidget(makeMoe_);
    buttons->addWidget(makeDense_);
    buttons->addWidget(paper_);
    buttons->addStretch(1);
    column->addWidget(note_);
    column->addLayout(buttons);
    column->addWidget(warnings_);
    column->addWidget(form_);
    column->addWidget(overview_);
    column->addStretch(1);
    setWidget(content);
    connect(&document_, &Document::refused, form_, &LayerForm::refresh);
}

QWidget* SettingsPage::makeOverview() {
    auto* overview = new QWidget(this);
    auto* column = new QVBoxLayout(overview);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::kM);
    column->addWidget(textLabel(tr("Checkpoint"), TextRole::Strong, false, overview));
    facts_->setHorizontalSpacing(space::kL);
    facts_->setVerticalSpacing(6);
    facts_->setColumnStretch(1, 1);
    column->addLayout(facts_);
    column->addSpacing(space::kS);
    column->addWidget(textLabel(tr("Plan"), TextRole::Strong, false, overview));
    auto* row = new QHBoxLayout;
    row->setSpacing(space::kL);
    seedLabel_ = textLabel(tr("Seed"), TextRole::Body, true, overview);
    seed_->setRange(0, std::numeric_limits<int>::max());
    seed_->setObjectName(QStringLiteral("settings.seed"));
    seed_->setAccessibleName(tr("Seed of the plan"));
    seed_->setToolTip(
        tr("Of routers, noise and whatever else is drawn at random: the same plan and "
           "seed give the same bytes"));
    seedLabel_->setBuddy(seed_);
    row->addWidget(seedLabel_);
    row->addWidget(seed_, 1);
    column->addLayout(row);
    connect(seed_, &MixedSpinBox::edited, this, [this](int value) {
        core::SurgeryPlan plan = document_.plan();
        plan.seed = static_cast<std::uint64_t>(value);
        document_.edit(tr("Set seed"), plan, QStringLiteral("seed"));
    });
    return overview;
}

void SettingsPage::refreshOverview() {
    while (QLayoutItem* item = facts_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    int row = 0;
    int widest = 0;
    for (const Fact& fact : modelFacts(document_.model())) {
        QLabel* name = textLabel(fact.name, TextRole::Body, true, overview_);
        widest = std::max(widest, name->sizeHint().width());
        facts_->addWidget(name, row, 0);
        QLabel* value = textLabel(fact.value, TextRole::Body, false, overview_);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse);
        facts_->addWidget(value, row++, 1);
    }
    seedLabel_->setMinimumWidth(widest);
    seed_->setShown(static_cast<int>(
        std::min<std::uint64_t>(document_.plan().seed, std::numeric_limits<int>::max())));
    const std::size_t moes = document_.plan().layers.size();
    note_->setText(moes == 0 ? tr("Click an MLP to make it a mixture of experts, or take a preset.")
                             : tr("The plan makes %n MLP(s) a mixture of experts.", nullptr,
                                  static_cast<int>(moes)));
    warnings_->setWarnings(document_.report().warnings);
}

void SettingsPage::refreshSelection() {
    const std::vector<std::string> mlps = document_.selectedMlps();
    const std::vector<std::string> moes = document_.selectedMoes();
    const auto dense = std::count_if(mlps.begin(), mlps.end(), [this](const std::string& block) {
        return isSwitchable(document_.model().spec, block) &&
               !document_.plan().layers.contains(block);
    });
    makeMoe_->setVisible(dense > 0);
    makeDense_->setVisible(!moes.empty());
    paper_->setVisible(!moes.empty());
    form_->setVisible(!moes.empty());
    form_->refresh();
    warnings_->setWarnings(warningsOf(document_.report(), mlps));
    QString note;
    if (mlps.empty())
        note = tr("Nothing to set here: these parts are copied as they are.");
    else if (dense > 0 && !moes.empty())
        note = tr("%n of the selected MLPs is (are) dense.", nullptr, static_cast<int>(dense));
    else if (dense > 0)
        note = tr("%n dense MLP(s): each can become a mixture of experts.", nullptr,
                  static_cast<int>(dense));
    else if (moes.empty())
        note = tr("Already a mixture of experts in the checkpoint.");
    note_->setText(note);
    note_->setVisible(!note.isEmpty());
}

void SettingsPage::refresh() {
    if (!document_.hasModel()) return;
    const bool any = !document_.selection().empty();
    overview_->setVisible(!any);
    if (any) {
        refreshSelection();
        return;
    }
    for (QWidget* part : std::initializer_list<QWidget*>{makeMoe_, makeDense_, paper_, form_})
        part->hide();
    note_->show();
    refreshOverview();
}

}  // namespace ui
