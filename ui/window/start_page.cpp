// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/start_page.h"

#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/window/demo_files.h"
#include "ui/window/recent_files.h"

#include <QDir>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

constexpr int kColumnWidth = 520;
constexpr int kLogoSize = 64;
constexpr int kShownRecent = 6;

QString shortPath(const QString& path) {
    const QString home = QDir::homePath();
    return path.startsWith(home + QLatin1Char('/')) ? QLatin1Char('~') + path.mid(home.size())
                                                    : path;
}

QPushButton* makeAction(const QString& iconName, const QString& text, QWidget* parent) {
    auto* button = new QPushButton(text, parent);
    setButtonIcon(*button, iconName, IconTone::Muted);
    button->setAutoDefault(false);
    return button;
}

/// A flat row: the name, and quieter the folder it lies in.
QPushButton* makeRecent(const QString& path, QWidget* parent) {
    auto* button = new QPushButton(parent);
    setButtonKind(button, ButtonKind::Ghost);
    const QFileInfo info(path);
    button->setAccessibleName(StartPage::tr("Open %1").arg(path));
    button->setToolTip(path);
    auto* row = new QHBoxLayout(button);
    row->setContentsMargins(space::kS, 0, space::kS, 0);
    row->setSpacing(space::kM);
    auto* name = new QLabel(info.fileName(), button);
    name->setTextFormat(Qt::PlainText);
    auto* folder = new ElidedLabel(Qt::ElideMiddle, button);
    folder->setText(shortPath(info.path()));
    folder->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    setTextRole(folder, TextRole::Caption, true);
    row->addWidget(name);
    row->addWidget(folder, 1);
    for (QLabel* label : {name, static_cast<QLabel*>(folder)})
        label->setAttribute(Qt::WA_TransparentForMouseEvents);
    button->setMinimumHeight(name->sizeHint().height() + 2 * space::kS);
    return button;
}

}  // namespace

StartPage::StartPage(RecentFiles& recent, QWidget* parent)
    : QWidget(parent),
      recent_(recent),
      recentColumn_(new QVBoxLayout),
      recentTitle_(new QLabel(tr("Recent"), this)),
      busy_(new QLabel(this)),
      progress_(new QProgressBar(this)) {
    setObjectName(QStringLiteral("startPage"));
    auto* logo = new QLabel(this);
    logo->setPixmap(QIcon(QStringLiteral(":/icons/upcycler.svg"))
                        .pixmap(QSize(kLogoSize, kLogoSize), devicePixelRatioF()));
    logo->setFixedSize(kLogoSize, kLogoSize);
    auto* title = new QLabel(tr("Upcycle a model"), this);
    setTextRole(title, TextRole::Display);
    auto* text = new QLabel(tr("Open a dense checkpoint, choose the MLPs that become mixtures of "
                               "experts, train, export. Or drop a file or folder here."),
                            this);
    setTextRole(text, TextRole::Body, true);
    text->setWordWrap(true);
    setTextRole(recentTitle_, TextRole::Strong);
    setTextRole(busy_, TextRole::Body, true);
    busy_->setTextFormat(Qt::PlainText);
    progress_->setRange(0, 0);
    progress_->setTextVisible(false);
    progress_->setAccessibleName(tr("Opening"));

    auto* box = new QWidget(this);
    QWidget* actions = makeActions();
    box->setFixedWidth(std::max(kColumnWidth, actions->sizeHint().width()));
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::kM);
    column->addWidget(logo);
    column->addSpacing(space::kXs);
    column->addWidget(title);
    column->addWidget(text);
    column->addSpacing(space::kXs);
    column->addWidget(actions);
    column->addWidget(busy_);
    column->addWidget(progress_);
    column->addSpacing(space::kM);
    column->addWidget(recentTitle_);
    recentColumn_->setSpacing(2);
    column->addLayout(recentColumn_);

    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kXl);
    outer->addStretch(2);
    auto* middle = new QHBoxLayout;  // not an alignment: wrapped text needs height for width
    middle->addStretch(1);
    middle->addWidget(box);
    middle->addStretch(1);
    outer->addLayout(middle);
    outer->addStretch(3);
    connect(&recent_, &RecentFiles::changed, this, &StartPage::refreshRecent);
    refreshRecent();
    setBusy(false);
    auto* demo = actions->findChild<QPushButton*>(QStringLiteral("start.demo"));
    setFocusProxy(demo != nullptr ? demo
                                  : actions->findChild<QPushButton*>(QStringLiteral("start.file")));
}

QWidget* StartPage::makeActions() {
    auto* actions = new QWidget(this);
    auto* row = new QHBoxLayout(actions);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kS);
    auto* file = makeAction(QStringLiteral("file"), tr("Open File…"), actions);
    file->setObjectName(QStringLiteral("start.file"));
    auto* folder = makeAction(QStringLiteral("folder"), tr("Open Folder…"), actions);
    auto* run = makeAction(QStringLiteral("run"), tr("Open Run…"), actions);
    connect(file, &QPushButton::clicked, this, &StartPage::openFileClicked);
    connect(folder, &QPushButton::clicked, this, &StartPage::openFolderClicked);
    connect(run, &QPushButton::clicked, this, &StartPage::openRunClicked);
    if (const std::optional<QString> demo = demoCheckpoint()) {
        auto* button = makeAction(QStringLiteral("demo"), tr("Open the demo"), actions);
        setButtonIcon(*button, QStringLiteral("demo"), IconTone::OnAccent);
        button->setObjectName(QStringLiteral("start.demo"));
        button->setToolTip(tr("A small Vision Transformer trained on Fashion-MNIST"));
        setButtonKind(button, ButtonKind::Primary);
        connect(button, &QPushButton::clicked, this,
                [this, path = *demo] { Q_EMIT openClicked(path); });
        row->addWidget(button);
    } else {
        setButtonKind(file, ButtonKind::Primary);
        setButtonIcon(*file, QStringLiteral("file"), IconTone::OnAccent);
    }
    row->addWidget(file);
    row->addWidget(folder);
    row->addWidget(run);
    row->addStretch(1);
    return actions;
}

void StartPage::refreshRecent() {
    while (QLayoutItem* item = recentColumn_->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    const QStringList paths = recent_.paths().mid(0, kShownRecent);
    recentTitle_->setVisible(!paths.isEmpty());
    for (const QString& path : paths) {
        QPushButton* button = makeRecent(path, this);
        connect(button, &QPushButton::clicked, this, [this, path] { Q_EMIT openClicked(path); });
        recentColumn_->addWidget(button);
    }
}

void StartPage::setBusy(bool busy, const QString& name) {
    busy_->setText(tr("Opening %1 …").arg(name));
    busy_->setVisible(busy);
    progress_->setVisible(busy);
}

}  // namespace ui
