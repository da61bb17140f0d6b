// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/field.h"
#include "ui/train/job_form.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <limits>

namespace ui {
namespace {

QToolButton* folderButton(const QString& name) {
    auto* button = new QToolButton;
    button->setIcon(icon(QStringLiteral("folder")));
    button->setAccessibleName(name);
    button->setToolTip(name);
    return button;
}

}  // namespace

JobForm::JobForm(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::kL);
    buildData(*column);
    buildText(*column);
    buildLength(*column);
    buildOptimizer(*column);
    buildSaving(*column);
    buildMore(*column);
    column->addStretch(1);
    setText(base_);
}

QGridLayout* JobForm::section(QVBoxLayout& column, const QString& title) {
    auto* heading = new QLabel(title);
    setTextRole(heading, TextRole::Strong);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(space::kM);
    grid->setVerticalSpacing(space::kS + 2);
    grid->setColumnStretch(0, 1);
    grid->setColumnStretch(1, 1);
    auto* block = new QVBoxLayout;
    block->setSpacing(space::kS);
    block->addWidget(heading);
    block->addLayout(grid);
    column.addLayout(block);
    return grid;
}

Field* JobForm::add(const QString& key, Field* field, QGridLayout& grid, int row, int column,
                    int span) {
    field->editor()->setObjectName(QStringLiteral("job/") + key);
    fields_[key] = field;
    grid.addWidget(field, row, column, 1, span, Qt::AlignTop);
    return field;
}

QSpinBox* JobForm::count(int from, int to, const QString& atZero) {
    auto* box = new QSpinBox;
    box->setRange(from, to);
    box->setGroupSeparatorShown(true);
    box->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
    box->setSpecialValueText(atZero);
    box->setFocusPolicy(Qt::StrongFocus);
    box->setMinimumWidth(60);
    box->installEventFilter(this);
    connect(box, &QSpinBox::valueChanged, this, [this] {
        if (!filling_) Q_EMIT edited();
    });
    return box;
}

QLineEdit* JobForm::real() {
    auto* edit = new QLineEdit;
    edit->setMinimumWidth(60);
    reals_.push_back(edit);
    connect(edit, &QLineEdit::textChanged, this, [this] {
        if (!filling_) Q_EMIT edited();
    });
    return edit;
}

QComboBox* JobForm::choice(const std::vector<std::pair<QString, QString>>& entries) {
    auto* box = new QComboBox;
    for (const auto& [value, label] : entries) box->addItem(label, value);
    box->setMinimumWidth(60);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setFocusPolicy(Qt::StrongFocus);
    box->installEventFilter(this);
    connect(box, &QComboBox::currentIndexChanged, this, [this] {
        if (!filling_) Q_EMIT edited();
    });
    return box;
}

void JobForm::buildData(QVBoxLayout& column) {
    QGridLayout* grid = section(column, tr("Data and run"));
    data_ = choice({});
    data_->setEditable(true);
    data_->setInsertPolicy(QComboBox::NoInsert);
    data_->lineEdit()->setPlaceholderText(QStringLiteral("images:/folder"));
    connect(data_, &QComboBox::editTextChanged, this, &JobForm::textEdited);
    chooseFolder_ = folderButton(tr("Choose a folder of images"));
    connect(chooseFolder_, &QToolButton::clicked, this, &JobForm::chooseData);
    chooseFiles_ = folderButton(tr("Choose text files"));
    chooseFiles_->setIcon(icon(QStringLiteral("file")));
    connect(chooseFiles_, &QToolButton::clicked, this, &JobForm::chooseTexts);
    auto* choosers = new QWidget;
    auto* row = new QHBoxLayout(choosers);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kXs);
    row->addWidget(chooseFiles_);
    row->addWidget(chooseFolder_);
    add(QStringLiteral("data"),
        new Field(tr("Images"), data_,
                  tr("fashion-mnist, idx:FOLDER, images:FOLDER with one folder a class, or "
                     "synthetic:images=28x28x1,classes=10"),
                  choosers),
        *grid, 0, 0, 2);
    run_ = new QLineEdit;
    connect(run_, &QLineEdit::textChanged, this, &JobForm::edited);
    auto* chooseFolder = folderButton(tr("Choose where the run is kept"));
    connect(chooseFolder, &QToolButton::clicked, this, &JobForm::chooseRun);
    add(QStringLiteral("run"),
        new Field(tr("Run folder"), run_,
                  tr("A new folder: the job, its events and its checkpoints are kept there."),
                  chooseFolder),
        *grid, 1, 0, 2);
}

void JobForm::buildLength(QVBoxLayout& column) {
    constexpr int kMost = std::numeric_limits<int>::max();
    QGridLayout* grid = section(column, tr("Length"));
    steps_ = count(1, kMost);
    add(QStringLiteral("steps"),
        new Field(tr("Steps"), steps_, tr("Optimizer updates of this run.")), *grid, 0, 0, 1);
    batch_ = count(1, 1 << 20);
    add(QStringLiteral("batch"), new Field(tr("Batch"), batch_, tr("Images per update.")), *grid, 0,
        1, 1);
    batchTokens_ = count(0, 1 << 30, tr("off"));
    add(QStringLiteral("text.batch_tokens"),
        new Field(
            tr("Tokens per batch"), batchTokens_,
            tr("Most tokens of a batch, in place of a number of examples; off: by examples.")),
        *grid, 1, 0, 1);
    connect(batchTokens_, &QSpinBox::valueChanged, this, &JobForm::refreshText);
}

void JobForm::buildOptimizer(QVBoxLayout& column) {
    constexpr int kMost = std::numeric_limits<int>::max();
    QGridLayout* grid = section(column, tr("Optimizer"));
    optimizer_ = choice({{QStringLiteral("adamw"), tr("AdamW")},
                         {QStringLiteral("adafactor"), tr("Adafactor")},
                         {QStringLiteral("sgd"), tr("SGD with momentum")}});
    add(QStringLiteral("optimizer.kind"),
        new Field(tr("Optimizer"), optimizer_, tr("How gradients become updates.")), *grid, 0, 0,
        1);
    lr_ = real();
    add(QStringLiteral("schedule.lr"),
        new Field(tr("Learning rate"), lr_, tr("Peak of the schedule, for example 1e-3.")), *grid,
        0, 1, 1);
    schedule_ = choice({{QStringLiteral("constant"), tr("Constant")},
                        {QStringLiteral("rsqrt"), tr("Inverse sqrt")},
                        {QStringLiteral("cosine"), tr("Cosine")},
                        {QStringLiteral("linear"), tr("Linear")}});
    add(QStringLiteral("schedule.kind"),
        new Field(tr("Schedule"), schedule_,
                  tr("How the learning rate goes on; a checkpoint's own schedule is continued.")),
        *grid, 1, 0, 1);
    warmup_ = count(0, kMost, tr("none"));
    add(QStringLiteral("schedule.warmup"),
        new Field(tr("Warm-up"), warmup_, tr("Steps over which the learning rate rises from 0.")),
        *grid, 1, 1, 1);
    cooldown_ = count(0, kMost, tr("none"));
    add(QStringLiteral("schedule.cooldown"),
        new Field(tr("Cooldown"), cooldown_, tr("Last steps, over which it falls to 0.")), *grid, 2,
        0, 1);
    state_ =
        choice({{QStringLiteral("carry"), tr("Carried")}, {QStringLiteral("reset"), tr("Fresh")}});
    add(QStringLiteral("optimizer_state"),
        new Field(tr("Moments"), state_,
                  tr("Carried: the checkpoint's optimizer state, copied to each expert. Fresh: "
                     "from zero.")),
        *grid, 2, 1, 1);
    weightDecay_ = real();
    add(QStringLiteral("optimizer.weight_decay"),
        new Field(tr("Weight decay"), weightDecay_, tr("0 turns it off.")), *grid, 3, 0, 1);
    clip_ = real();
    add(QStringLiteral("clip"), new Field(tr("Clip gradient norm"), clip_, tr("0 turns it off.")),
        *grid, 3, 1, 1);
}

void JobForm::buildSaving(QVBoxLayout& column) {
    constexpr int kMost = std::numeric_limits<int>::max();
    QGridLayout* grid = section(column, tr("Evaluation and checkpoints"));
    evalEvery_ = count(0, kMost, tr("at the end"));
    add(QStringLiteral("eval_every"),
        new Field(tr("Evaluate every"), evalEvery_, tr("Steps between two evaluations.")), *grid, 0,
        0, 1);
    checkpointEvery_ = count(0, kMost, tr("at the end"));
    add(QStringLiteral("checkpoint_every"),
        new Field(tr("Checkpoint every"), checkpointEvery_, tr("Steps between two checkpoints.")),
        *grid, 0, 1, 1);
    keep_ = count(0, 1 << 30, tr("all"));
    add(QStringLiteral("keep"),
        new Field(tr("Keep checkpoints"), keep_, tr("The newest ones that stay on disk.")), *grid,
        1, 0, 1);
}

void JobForm::buildMore(QVBoxLayout& column) {
    QGridLayout* grid = section(column, tr("Device and more"));
    device_ = choice({{QStringLiteral("auto"), tr("Automatic")},
                      {QStringLiteral("cpu"), tr("CPU")},
                      {QStringLiteral("cuda"), tr("CUDA")}});
    add(QStringLiteral("device"),
        new Field(tr("Device"), device_, tr("Automatic takes a proven GPU, else the CPU.")), *grid,
        0, 0, 2);
    dtype_ = choice({{QStringLiteral("f32"), tr("f32")}, {QStringLiteral("bf16"), tr("bf16")}});
    add(QStringLiteral("dtype"),
        new Field(tr("Precision"), dtype_,
                  tr("Of activations and products; weights, moments and routers stay f32.")),
        *grid, 1, 0, 1);
    threads_ = count(0, 4096, tr("all"));
    add(QStringLiteral("threads"), new Field(tr("Threads"), threads_, tr("Processors to use.")),
        *grid, 1, 1, 1);
    microbatch_ = count(0, 1 << 20, tr("whole batch"));
    add(QStringLiteral("microbatch"),
        new Field(tr("Microbatch"), microbatch_,
                  tr("Examples at a time; their gradients add up. Fewer take less memory.")),
        *grid, 2, 0, 1);
    recompute_ = choice(
        {{QStringLiteral("false"), tr("Kept")}, {QStringLiteral("true"), tr("Computed again")}});
    add(QStringLiteral("recompute"),
        new Field(tr("Activations"), recompute_,
                  tr("Computed again: less memory for a third more time.")),
        *grid, 2, 1, 1);
    aux_ = real();
    add(QStringLiteral("loss.aux"),
        new Field(tr("Balance loss"), aux_, tr("Weight of the balance loss; for Top-K routers.")),
        *grid, 3, 0, 1);
    z_ = real();
    add(QStringLiteral("loss.z"),
        new Field(tr("Router z-loss"), z_, tr("Weight of the router z-loss.")), *grid, 3, 1, 1);
    buildTextLosses(*grid, 4);
    seed_ = count(0, std::numeric_limits<int>::max());
    add(QStringLiteral("seed"),
        new Field(tr("Seed"), seed_, tr("The same job and seed give the same losses.")), *grid, 5,
        0, 1);
}

}  // namespace ui
