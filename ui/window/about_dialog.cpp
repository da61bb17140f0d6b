// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/about_dialog.h"

#include "ui/theme/theme.h"

#include <QCoreApplication>
#include <QDialog>
#include <QIcon>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <QtGlobal>

namespace ui {
namespace {

constexpr int kLogoSize = 72;
constexpr int kWidth = 460;

QString tr(const char* text) { return QCoreApplication::translate("About", text); }

QLabel* addText(QVBoxLayout& column, const QString& text, TextRole role, bool muted) {
    auto* label = new QLabel(text, column.parentWidget());
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    setTextRole(label, role, muted);
    column.addWidget(label);
    return label;
}

}  // namespace

void showAbout(QWidget& parent) {
    auto* dialog = new QDialog(&parent);
    dialog->setObjectName(QStringLiteral("aboutDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr(QT_TRANSLATE_NOOP("About", "About Upcycler")));
    auto* column = new QVBoxLayout(dialog);
    column->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kL);
    column->setSpacing(space::kS);
    auto* logo = new QLabel(dialog);
    logo->setPixmap(QIcon(QStringLiteral(":/icons/upcycler.svg"))
                        .pixmap(QSize(kLogoSize, kLogoSize), parent.devicePixelRatioF()));
    column->addWidget(logo);
    addText(*column, QStringLiteral("Upcycler"), TextRole::Heading, false);
    addText(*column,
            tr(QT_TRANSLATE_NOOP("About", "Version %1, with Qt %2"))
                .arg(QStringLiteral(UPCYCLER_VERSION), QString::fromLatin1(qVersion())),
            TextRole::Body, true);
    addText(
        *column,
        tr(QT_TRANSLATE_NOOP("About",
                             "Model surgery: turns the MLPs of a dense checkpoint into mixtures "
                             "of experts, trains the result and exports it. The method is Sparse "
                             "Upcycling (Komatsuzaki et al., ICLR 2023).")),
        TextRole::Body, false);
    column->addSpacing(space::kS);
    addText(*column, tr(QT_TRANSLATE_NOOP("About", "Licences")), TextRole::Strong, false);
    addText(
        *column,
        tr(QT_TRANSLATE_NOOP("About",
                             "This window is free software under the GNU General Public License, "
                             "version 3 or later; the engine is under the Apache License 2.0. It "
                             "comes without any warranty.")),
        TextRole::Body, true);
    addText(*column,
            tr(QT_TRANSLATE_NOOP(
                "About",
                "It uses Qt (LGPL-3.0), Qt Charts (GPL-3.0), HDF5 "
                "(BSD), nlohmann/json and fmt (MIT), zlib, libpng and libjpeg-turbo.")),
            TextRole::Body, true);
    column->addSpacing(space::kS);
    auto* close = new QPushButton(tr(QT_TRANSLATE_NOOP("About", "Close")), dialog);
    QObject::connect(close, &QPushButton::clicked, dialog, &QDialog::close);
    column->addWidget(close, 0, Qt::AlignRight);
    dialog->setFixedWidth(kWidth);
    dialog->open();
}

}  // namespace ui
