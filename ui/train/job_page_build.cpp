// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/document.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/job_form.h"
#include "ui/train/job_page.h"
#include "ui/train/notice.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kCheckDelayMs = 300;
constexpr int kCommandLines = 3;

QFrame* separator() {
    auto* line = new QFrame;
    line->setProperty("line", true);
    line->setFixedHeight(1);
    return line;
}

}  // namespace

JobPage::JobPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      form_(new JobForm),
      pages_(new QStackedWidget),
      back_(new QPushButton),
      summary_(new QLabel),
      command_(new QPlainTextEdit),
      notice_(new Notice),
      train_(new QPushButton(tr("Train"))) {
    auto* heading = new QLabel(tr("Train"));
    setTextRole(heading, TextRole::Title);
    setButtonKind(back_, ButtonKind::Ghost);
    setButtonIcon(*back_, QStringLiteral("run"), IconTone::Muted);
    back_->hide();
    setTextRole(summary_, TextRole::Caption, true);
    summary_->setWordWrap(true);
    connect(back_, &QPushButton::clicked, this, &JobPage::backAsked);
    auto* top = new QHBoxLayout;
    top->addWidget(heading);
    top->addStretch(1);
    top->addWidget(back_);

    auto* inside = new QWidget;
    inside->setProperty("panel", true);
    inside->setAttribute(Qt::WA_StyledBackground);
    auto* column = new QVBoxLayout(inside);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kM);
    column->addLayout(top);
    column->addWidget(summary_);
    column->addWidget(form_, 1);
    auto* scroll = new QScrollArea;
    scroll->setWidget(inside);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);  // what is inside takes the keyboard
    connect(scroll->verticalScrollBar(), &QScrollBar::rangeChanged, column,
            [scroll, column](int, int most) {  // the fields end where the footer's do
                const int bar = most > 0 ? scroll->verticalScrollBar()->sizeHint().width() : 0;
                column->setContentsMargins(space::kL, space::kM, space::kL - bar, space::kL);
            });

    auto* page = new QWidget;
    auto* all = new QVBoxLayout(page);
    all->setContentsMargins(0, 0, 0, 0);
    all->setSpacing(0);
    all->addWidget(scroll, 1);
    all->addWidget(separator());
    all->addWidget(buildFooter());
    pages_->addWidget(buildEmpty());
    pages_->addWidget(page);
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(pages_);

    delay_.setSingleShot(true);
    delay_.setInterval(kCheckDelayMs);
    connect(&delay_, &QTimer::timeout, this, &JobPage::check);
    connect(form_, &JobForm::edited, this, &JobPage::edited);
    connect(train_, &QPushButton::clicked, this, &JobPage::trainAsked);
    connect(&document_, &Document::opened, this, &JobPage::loadDefaults);
    connect(&document_, &Document::closed, this, &JobPage::loadDefaults);
    connect(&document_, &Document::planChanged, this, &JobPage::planChanged);
    loadDefaults();
}

QWidget* JobPage::buildFooter() {
    command_->setReadOnly(true);
    command_->setFont(textFont(TextRole::Mono));
    command_->setLineWrapMode(QPlainTextEdit::NoWrap);
    command_->setAccessibleName(tr("The same in a terminal"));
    command_->setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    command_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    command_->setTabChangesFocus(true);
    const int line = QFontMetrics(command_->font()).lineSpacing();
    command_->setFixedHeight(kCommandLines * line + 30);

    auto* caption = new QLabel(tr("The same in a terminal"));
    setTextRole(caption, TextRole::Caption, true);
    auto* copy = new QToolButton;
    copy->setIcon(icon(QStringLiteral("copy")));
    copy->setAccessibleName(tr("Copy the commands"));
    copy->setToolTip(tr("Copy the commands"));
    connect(copy, &QToolButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(commandText()); });
    auto* row = new QHBoxLayout;
    row->addWidget(caption);
    row->addStretch(1);
    row->addWidget(copy);

    train_->setObjectName(QStringLiteral("job/train"));
    setButtonKind(train_, ButtonKind::Primary);
    setButtonIcon(*train_, QStringLiteral("play"), IconTone::OnAccent);
    train_->setMinimumHeight(34);
    train_->setToolTip(
        tr("Starts the trainer as a process of its own: it goes on when the window "
           "is closed."));
    auto* footer = new QWidget;
    auto* column = new QVBoxLayout(footer);
    column->setContentsMargins(space::kL, space::kS, space::kL, space::kL);
    column->setSpacing(space::kXs);
    column->addLayout(row);
    column->addWidget(command_);
    column->addSpacing(space::kS);
    column->addWidget(notice_);
    column->addWidget(train_);
    return footer;
}

QWidget* JobPage::buildEmpty() {
    auto* empty = new QWidget;
    auto* heading = new QLabel(tr("Train"));
    setTextRole(heading, TextRole::Title);
    auto* text =
        new QLabel(tr("Open a checkpoint and mark the layers that shall become "
                      "Mixture-of-Experts; the job is set up here."));
    text->setWordWrap(true);
    setTextRole(text, TextRole::Body, true);
    auto* column = new QVBoxLayout(empty);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kM);
    column->addWidget(heading);
    column->addWidget(text);
    column->addStretch(1);
    return empty;
}

}  // namespace ui
