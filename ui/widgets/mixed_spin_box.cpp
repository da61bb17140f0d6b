// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/mixed_spin_box.h"

#include <QCoreApplication>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QWheelEvent>

namespace ui {
namespace {

QString mixedText() { return QCoreApplication::translate("MixedSpinBox", "mixed"); }

}  // namespace

MixedSpinBox::MixedSpinBox(QWidget* parent) : QSpinBox(parent) {
    setKeyboardTracking(false);
    setFocusPolicy(Qt::StrongFocus);
    connect(lineEdit(), &QLineEdit::textEdited, this, [this] { typed_ = true; });
    connect(this, &QSpinBox::editingFinished, this, &MixedSpinBox::commit);
}

void MixedSpinBox::setShown(std::optional<int> value, int base) {
    const QSignalBlocker blocker(this);
    shown_ = value;
    typed_ = false;
    setValue(value.value_or(base));
    lineEdit()->setText(textFromValue(this->value()));
}

void MixedSpinBox::stepBy(int steps) {
    typed_ = true;
    QSpinBox::stepBy(steps);
    commit();
}

void MixedSpinBox::commit() {
    if (isMixed() || shown_ == value()) return;
    shown_ = value();
    typed_ = false;
    Q_EMIT edited(value());
}

QString MixedSpinBox::textFromValue(int value) const {
    return isMixed() ? mixedText() : QSpinBox::textFromValue(value);
}

int MixedSpinBox::valueFromText(const QString& text) const {
    return text == mixedText() ? value() : QSpinBox::valueFromText(text);
}

QValidator::State MixedSpinBox::validate(QString& text, int& position) const {
    if (isMixed() && text == mixedText()) return QValidator::Acceptable;
    return QSpinBox::validate(text, position);
}

void MixedSpinBox::wheelEvent(QWheelEvent* event) {
    hasFocus() ? QSpinBox::wheelEvent(event) : event->ignore();
}

MixedDoubleSpinBox::MixedDoubleSpinBox(QWidget* parent) : QDoubleSpinBox(parent) {
    setKeyboardTracking(false);
    setFocusPolicy(Qt::StrongFocus);
    connect(lineEdit(), &QLineEdit::textEdited, this, [this] { typed_ = true; });
    connect(this, &QDoubleSpinBox::editingFinished, this, &MixedDoubleSpinBox::commit);
}

void MixedDoubleSpinBox::setShown(std::optional<double> value, double base) {
    const QSignalBlocker blocker(this);
    shown_ = value;
    typed_ = false;
    setValue(value.value_or(base));
    lineEdit()->setText(textFromValue(this->value()));
}

void MixedDoubleSpinBox::stepBy(int steps) {
    typed_ = true;
    QDoubleSpinBox::stepBy(steps);
    commit();
}

void MixedDoubleSpinBox::commit() {
    if (isMixed() || shown_ == value()) return;
    shown_ = value();
    typed_ = false;
    Q_EMIT edited(value());
}

QString MixedDoubleSpinBox::textFromValue(double value) const {
    return isMixed() ? mixedText() : locale().toString(value, 'g', 10);
}

double MixedDoubleSpinBox::valueFromText(const QString& text) const {
    return text == mixedText() ? value() : QDoubleSpinBox::valueFromText(text);
}

QValidator::State MixedDoubleSpinBox::validate(QString& text, int& position) const {
    if (isMixed() && text == mixedText()) return QValidator::Acceptable;
    return QDoubleSpinBox::validate(text, position);
}

void MixedDoubleSpinBox::wheelEvent(QWheelEvent* event) {
    hasFocus() ? QDoubleSpinBox::wheelEvent(event) : event->ignore();
}

}  // namespace ui
