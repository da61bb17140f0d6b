// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/mixed_choice.h"

#include <QSignalBlocker>
#include <QWheelEvent>

namespace ui {

MixedComboBox::MixedComboBox(QWidget* parent) : QComboBox(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setPlaceholderText(tr("mixed"));
}

void MixedComboBox::setShown(std::optional<int> index) {
    const QSignalBlocker blocker(this);
    setCurrentIndex(index.value_or(-1));
}

void MixedComboBox::wheelEvent(QWheelEvent* event) {
    hasFocus() ? QComboBox::wheelEvent(event) : event->ignore();
}

MixedCheckBox::MixedCheckBox(const QString& text, QWidget* parent) : QCheckBox(text, parent) {
    connect(this, &QCheckBox::clicked, this, [this] {
        const bool on = checkState() != Qt::Unchecked;
        setShown(on);
        Q_EMIT edited(on);
    });
}

void MixedCheckBox::setShown(std::optional<bool> value) {
    const QSignalBlocker blocker(this);
    setTristate(!value);
    setCheckState(!value ? Qt::PartiallyChecked : *value ? Qt::Checked : Qt::Unchecked);
}

}  // namespace ui
