// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/layer_form.h"

#include "ui/theme/theme.h"
#include "ui/widgets/mixed_choice.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QFormLayout>
#include <QLabel>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace ui {
namespace {

constexpr int kMostExperts = 4096;
constexpr int kMostGroupTokens = 1 << 24;
constexpr std::int64_t kFirstGroupTokens = 4096;
constexpr double kFirstNoise = 0.01;
constexpr double kFirstDrop = 0.5;

QLabel* sectionTitle(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    setTextRole(label, TextRole::Strong);
    return label;
}

QFormLayout* makeForm() {
    auto* form = new QFormLayout;
    form->setContentsMargins(0, 0, 0, 0);
    form->setHorizontalSpacing(space::kM);
    form->setVerticalSpacing(space::kS);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    return form;
}

void addRow(QFormLayout& form, const QString& text, QWidget* field, const QString& toolTip) {
    auto* label = new QLabel(text, field->parentWidget());
    setTextRole(label, TextRole::Body, true);
    label->setBuddy(field);
    label->setToolTip(toolTip);
    field->setToolTip(toolTip);
    field->setAccessibleName(text);
    field->setAccessibleDescription(toolTip);
    form.addRow(label, field);
}

/// Fields of both sections begin at the same place, whatever rows are shown.
void alignFields(std::initializer_list<QFormLayout*> forms) {
    std::vector<QWidget*> labels;
    int widest = 0;
    for (const QFormLayout* form : forms)
        for (int row = 0; row < form->rowCount(); ++row) {
            const QLayoutItem* item = form->itemAt(row, QFormLayout::LabelRole);
            if (item == nullptr) continue;
            labels.push_back(item->widget());
            widest = std::max(widest, labels.back()->sizeHint().width());
        }
    for (QWidget* label : labels) label->setMinimumWidth(widest);
}

void addCheck(QFormLayout& form, MixedCheckBox* box, const QString& toolTip) {
    box->setToolTip(toolTip);
    box->setAccessibleName(box->text());
    box->setAccessibleDescription(toolTip);
    form.addRow(box);
}

/// Expert Choice has none of Top-K's settings: they go back to what a plan file leaves out.
void setRouter(core::MoeSpec& moe, core::RouterKind router) {
    moe.router = router;
    if (router == core::RouterKind::TopK) return;
    const core::MoeSpec plain;
    moe.k = plain.k;
    moe.order = plain.order;
    moe.dropless = plain.dropless;
    moe.batchPriority = plain.batchPriority;
}

/// A choice that is there but cannot be made, with the reason.
void setOffered(QComboBox& box, int index, bool offered, const QString& reason) {
    auto* items = qobject_cast<QStandardItemModel*>(box.model());
    QStandardItem* item = items == nullptr ? nullptr : items->item(index);
    if (item == nullptr) return;
    item->setEnabled(offered);
    item->setToolTip(offered ? QString() : reason);
}

core::ExpertInit firstInit(core::ExpertInit::Kind kind) {
    switch (kind) {
        case core::ExpertInit::Kind::Noise:
            return {kind, kFirstNoise};
        case core::ExpertInit::Kind::Drop:
            return {kind, kFirstDrop};
        default:
            return {kind, 0};
    }
}

}  // namespace

LayerForm::LayerForm(Document& document, PlanEditor& editor, QWidget* parent)
    : QWidget(parent),
      document_(document),
      editor_(editor),
      routing_(makeForm()),
      experts_(new MixedSpinBox(this)),
      router_(new MixedComboBox(this)),
      routerNote_(new QLabel(this)),
      k_(new MixedSpinBox(this)),
      order_(new MixedComboBox(this)),
      capacity_(new MixedDoubleSpinBox(this)),
      dropless_(new MixedCheckBox(tr("Dropless"), this)),
      renormalize_(new MixedCheckBox(tr("Renormalise combine weights"), this)),
      batchPriority_(new MixedCheckBox(tr("Batch priority"), this)),
      group_(new MixedComboBox(this)),
      groupTokens_(new MixedSpinBox(this)),
      initialisation_(makeForm()),
      expertInit_(new MixedComboBox(this)),
      amountLabel_(new QLabel(this)),
      amount_(new MixedDoubleSpinBox(this)),
      routerInit_(new MixedComboBox(this)),
      routerStd_(new MixedDoubleSpinBox(this)) {
    setObjectName(QStringLiteral("layerForm"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::kM);
    column->addWidget(sectionTitle(tr("Routing"), this));
    makeRouting(*routing_);
    column->addLayout(routing_);
    column->addSpacing(space::kS);
    column->addWidget(sectionTitle(tr("Initialisation"), this));
    makeInitialisation(*initialisation_);
    column->addLayout(initialisation_);
    alignFields({routing_, initialisation_});
    connectRouting();
    connectInitialisation();
}

void LayerForm::edit(const QString& text, const QString& setting,
                     const std::function<void(core::LayerPlan&)>& change) {
    if (!editor_.change(text, setting, blocks_, change)) refresh();
}

template <typename T, typename Get>
std::optional<T> LayerForm::common(Get get) const {
    std::optional<T> value;
    for (const std::string& block : blocks_) {
        const T here = static_cast<T>(get(document_.plan().layers.at(block)));
        if (value && *value != here) return {};
        value = here;
    }
    return value;
}

void LayerForm::makeRouting(QFormLayout& form) {
    experts_->setRange(1, kMostExperts);
    addRow(form, tr("Experts"), experts_, tr("Copies of the MLP in this layer"));
    router_->addItems({tr("Expert Choice"), tr("Top-K")});
    addRow(form, tr("Router"), router_,
           tr("Expert Choice: each expert takes the tokens that suit it best. Top-K: each token "
              "takes its best experts."));
    setTextRole(routerNote_, TextRole::Caption, true);
    routerNote_->setObjectName(QStringLiteral("layerForm.routerNote"));
    routerNote_->setWordWrap(true);
    form.addRow(routerNote_);
    k_->setRange(1, kMostExperts);
    addRow(form, tr("K"), k_, tr("Experts per token"));
    order_->addItems({tr("Softmax, then top-K"), tr("Top-K, then softmax")});
    addRow(form, tr("Order"), order_,
           tr("Whether probabilities are taken over all experts or over the chosen"));
    capacity_->setRange(0.001, 1e6);
    capacity_->setDecimals(4);
    capacity_->setSingleStep(0.25);
    addRow(
        form, tr("Capacity factor"), capacity_,
        tr("An expert takes at most C · tokens / experts: C is how many experts a token can use on "
           "average"));
    group_->addItems({tr("Whole batch"), tr("One image or sequence"), tr("Number of tokens")});
    addRow(form, tr("Group"), group_, tr("The tokens that compete for an expert’s places"));
    groupTokens_->setRange(1, kMostGroupTokens);
    addRow(form, tr("Tokens in a group"), groupTokens_, tr("The last group may be smaller"));
    addCheck(form, renormalize_,
             tr("The combine weights of each token are divided by their sum; on for vision in the "
                "paper"));
    addCheck(form, dropless_, tr("No capacity: every token keeps all its experts"));
    addCheck(form, batchPriority_, tr("Tokens with a larger probability are placed first"));
}

void LayerForm::connectRouting() {
    connect(experts_, &MixedSpinBox::edited, this, [this](int value) {
        edit(tr("Set experts"), QStringLiteral("experts"),
             [value](core::LayerPlan& layer) { layer.moe.experts = value; });
    });
    connect(router_, &QComboBox::activated, this, [this](int index) {
        edit(tr("Set router"), {}, [index](core::LayerPlan& layer) {
            setRouter(layer.moe, static_cast<core::RouterKind>(index));
        });
    });
    connect(k_, &MixedSpinBox::edited, this, [this](int value) {
        edit(tr("Set K"), QStringLiteral("k"),
             [value](core::LayerPlan& layer) { layer.moe.k = value; });
    });
    connect(order_, &QComboBox::activated, this, [this](int index) {
        edit(tr("Set order"), {}, [index](core::LayerPlan& layer) {
            layer.moe.order = static_cast<core::TopKOrder>(index);
        });
    });
    connect(capacity_, &MixedDoubleSpinBox::edited, this, [this](double value) {
        edit(tr("Set capacity"), QStringLiteral("capacity"),
             [value](core::LayerPlan& layer) { layer.moe.capacity = value; });
    });
    connect(group_, &QComboBox::activated, this, [this](int index) {
        edit(tr("Set group"), {}, [index](core::LayerPlan& layer) {
            const auto kind = static_cast<core::GroupSize::Kind>(index);
            const bool counted = kind == core::GroupSize::Kind::Tokens;
            layer.moe.group = {kind, counted ? kFirstGroupTokens : 0};
        });
    });
    connect(groupTokens_, &MixedSpinBox::edited, this, [this](int value) {
        edit(tr("Set group"), QStringLiteral("group"), [value](core::LayerPlan& layer) {
            layer.moe.group = {core::GroupSize::Kind::Tokens, value};
        });
    });
    connect(renormalize_, &MixedCheckBox::edited, this, [this](bool on) {
        edit(tr("Set renormalisation"), {},
             [on](core::LayerPlan& layer) { layer.moe.renormalize = on; });
    });
    connect(dropless_, &MixedCheckBox::edited, this, [this](bool on) {
        edit(tr("Set dropless"), {}, [on](core::LayerPlan& layer) { layer.moe.dropless = on; });
    });
    connect(batchPriority_, &MixedCheckBox::edited, this, [this](bool on) {
        edit(tr("Set batch priority"), {},
             [on](core::LayerPlan& layer) { layer.moe.batchPriority = on; });
    });
}

void LayerForm::makeInitialisation(QFormLayout& form) {
    expertInit_->addItems(
        {tr("Copies of the MLP"), tr("Copies with noise"), tr("Drop-Upcycling"), tr("Random")});
    addRow(form, tr("Experts from"), expertInit_,
           tr("The paper copies the dense MLP into every expert"));
    amount_->setRange(0, 10);
    amount_->setDecimals(5);
    amount_->setSingleStep(0.01);
    setTextRole(amountLabel_, TextRole::Body, true);
    amountLabel_->setBuddy(amount_);
    form.addRow(amountLabel_, amount_);
    routerInit_->addItems({tr("Normal"), tr("LeCun normal"), tr("Zero")});
    addRow(form, tr("Router"), routerInit_, tr("The router is the only new parameter"));
    routerInit_->setAccessibleName(tr("Router initialisation"));
    routerStd_->setRange(0.000001, 10);
    routerStd_->setDecimals(6);
    routerStd_->setSingleStep(0.01);
    addRow(form, tr("Std. deviation"), routerStd_, tr("Of the router’s weights"));
}

void LayerForm::connectInitialisation() {
    connect(expertInit_, &QComboBox::activated, this, [this](int index) {
        edit(tr("Set expert initialisation"), {}, [index](core::LayerPlan& layer) {
            layer.experts = firstInit(static_cast<core::ExpertInit::Kind>(index));
        });
    });
    connect(amount_, &MixedDoubleSpinBox::edited, this, [this](double value) {
        edit(tr("Set expert initialisation"), QStringLiteral("amount"),
             [value](core::LayerPlan& layer) { layer.experts.amount = value; });
    });
    connect(routerInit_, &QComboBox::activated, this, [this](int index) {
        edit(tr("Set router initialisation"), {}, [index](core::LayerPlan& layer) {
            layer.routerInit = core::RouterInit();
            layer.routerInit.kind = static_cast<core::RouterInit::Kind>(index);
        });
    });
    connect(routerStd_, &MixedDoubleSpinBox::edited, this, [this](double value) {
        edit(tr("Set router initialisation"), QStringLiteral("routerStd"),
             [value](core::LayerPlan& layer) { layer.routerInit.std = value; });
    });
}

void LayerForm::refresh() {
    blocks_ = document_.selectedMoes();
    if (blocks_.empty()) return;
    refreshRouting();
    refreshInitialisation();
}

void LayerForm::refreshRouting() {
    using Layer = const core::LayerPlan&;
    const core::MoeSpec& first = document_.plan().layers.at(blocks_.front()).moe;
    experts_->setShown(common<int>([](Layer layer) { return layer.moe.experts; }),
                       static_cast<int>(first.experts));
    const auto router = common<int>([](Layer layer) { return static_cast<int>(layer.moe.router); });
    router_->setShown(router);
    k_->setShown(common<int>([](Layer layer) { return layer.moe.k; }), first.k);
    order_->setShown(common<int>([](Layer layer) { return static_cast<int>(layer.moe.order); }));
    capacity_->setShown(common<double>([](Layer layer) { return layer.moe.capacity; }),
                        first.capacity);
    const auto group =
        common<int>([](Layer layer) { return static_cast<int>(layer.moe.group.kind); });
    group_->setShown(group);
    groupTokens_->setShown(common<int>([](Layer layer) { return layer.moe.group.tokens; }),
                           static_cast<int>(first.group.tokens));
    renormalize_->setShown(common<bool>([](Layer layer) { return layer.moe.renormalize; }));
    const auto dropless = common<bool>([](Layer layer) { return layer.moe.dropless; });
    dropless_->setShown(dropless);
    batchPriority_->setShown(common<bool>([](Layer layer) { return layer.moe.batchPriority; }));

    const core::ModelSpec& spec = document_.model().spec;
    const bool causal = std::any_of(blocks_.begin(), blocks_.end(), [&](const std::string& block) {
        return spec.find(block)->stack == "decoder";
    });
    const QString reason =
        tr("No Expert Choice in a decoder: it looks at all tokens of a group, so a token would "
           "see the future.");
    setOffered(*router_, static_cast<int>(core::RouterKind::ExpertChoice), !causal, reason);
    routerNote_->setText(reason);
    routing_->setRowVisible(routerNote_, causal);
    router_->setAccessibleDescription(causal ? reason : router_->toolTip());
    const bool topK = router == static_cast<int>(core::RouterKind::TopK);
    for (QWidget* field : std::initializer_list<QWidget*>{k_, order_, dropless_})
        routing_->setRowVisible(field, topK);
    routing_->setRowVisible(batchPriority_, topK && !causal);
    routing_->setRowVisible(capacity_, !topK || dropless != true);
    routing_->setRowVisible(groupTokens_, group == static_cast<int>(core::GroupSize::Kind::Tokens));
}

void LayerForm::refreshInitialisation() {
    using Layer = const core::LayerPlan&;
    const core::LayerPlan& first = document_.plan().layers.at(blocks_.front());
    const auto kind = common<int>([](Layer layer) { return static_cast<int>(layer.experts.kind); });
    expertInit_->setShown(kind);
    amount_->setShown(common<double>([](Layer layer) { return layer.experts.amount; }),
                      first.experts.amount);
    const bool noise = kind == static_cast<int>(core::ExpertInit::Kind::Noise);
    const bool drop = kind == static_cast<int>(core::ExpertInit::Kind::Drop);
    const QString caption = drop ? tr("Share drawn anew") : tr("Noise, in std. deviations");
    amountLabel_->setText(caption);
    amount_->setAccessibleName(caption);
    initialisation_->setRowVisible(amount_, noise || drop);
    const auto routerKind =
        common<int>([](Layer layer) { return static_cast<int>(layer.routerInit.kind); });
    routerInit_->setShown(routerKind);
    routerStd_->setShown(common<double>([](Layer layer) { return layer.routerInit.std; }),
                         first.routerInit.std);
    initialisation_->setRowVisible(routerStd_,
                                   routerKind == static_cast<int>(core::RouterInit::Kind::Normal));
}

}  // namespace ui
