// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/model_choice.h"

#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>

#include <utility>

namespace ui {
namespace {

constexpr int kTextWidth = 220;

QString nameOf(const QString& path) {
    const QFileInfo info(path);
    const bool usual = info.fileName() == QStringLiteral("model.safetensors");
    return usual ? info.dir().dirName() : info.fileName();
}

}  // namespace

ModelChoice::ModelChoice(const QString& side, RecentPaths recent, QWidget* parent)
    : QPushButton(parent), side_(side), recent_(std::move(recent)) {
    setObjectName(QStringLiteral("choice.") + side);
    setButtonIcon(*this, QStringLiteral("checkpoint"));
    auto* menu = new QMenu(this);
    setMenu(menu);
    connect(menu, &QMenu::aboutToShow, this, &ModelChoice::fillMenu);
    setPath({});
}

void ModelChoice::setPath(const QString& path) {
    path_ = path;
    const QString name = path.isEmpty() ? tr("choose a checkpoint") : nameOf(path);
    QString text = fontMetrics().elidedText(QStringLiteral("%1:  %2").arg(side_, name),
                                            Qt::ElideMiddle, kTextWidth);
    setText(text.replace(QLatin1Char('&'), QStringLiteral("&&")));
    setToolTip(path);
    setAccessibleName(tr("Checkpoint %1").arg(side_));
    setAccessibleDescription(path);
}

void ModelChoice::fillMenu() {
    menu()->clear();
    const auto choose = [this](const QString& path) {
        if (!path.isEmpty()) Q_EMIT chosen(path);
    };
    connect(menu()->addAction(ui::icon(QStringLiteral("file")), tr("File…")), &QAction::triggered,
            this, [this, choose] {
                choose(QFileDialog::getOpenFileName(this, tr("Checkpoint %1").arg(side_), path_));
            });
    connect(
        menu()->addAction(ui::icon(QStringLiteral("folder")), tr("Folder or run…")),
        &QAction::triggered, this, [this, choose] {
            choose(QFileDialog::getExistingDirectory(this, tr("Checkpoint %1").arg(side_), path_));
        });
    const QStringList recent = recent_();
    if (!recent.isEmpty()) menu()->addSeparator();
    for (const QString& path : recent) {
        QString text = path;
        connect(menu()->addAction(text.replace(QLatin1Char('&'), QStringLiteral("&&"))),
                &QAction::triggered, this, [choose, path] { choose(path); });
    }
}

}  // namespace ui
