// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDoubleSpinBox>
#include <QSpinBox>

#include <optional>

namespace ui {

/// Edits one number of several things at once: shows "mixed" where they differ, until the person
/// enters a value for all. Commits when editing ends or on a step, not with each key; ignores the
/// wheel without focus, so that scrolling a form changes nothing.
class MixedSpinBox : public QSpinBox {
    Q_OBJECT

  public:
    explicit MixedSpinBox(QWidget* parent);
    /// Empty: mixed; stepping then starts from `base`.
    void setShown(std::optional<int> value, int base = 0);
    bool isMixed() const { return !shown_ && !typed_; }
    void stepBy(int steps) override;

  Q_SIGNALS:
    void edited(int value);

  protected:
    QString textFromValue(int value) const override;
    int valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    void commit();
    std::optional<int> shown_ = 0;
    bool typed_ = false;
};

/// The same for real numbers; shows no trailing zeros.
class MixedDoubleSpinBox : public QDoubleSpinBox {
    Q_OBJECT

  public:
    explicit MixedDoubleSpinBox(QWidget* parent);
    void setShown(std::optional<double> value, double base = 0);
    bool isMixed() const { return !shown_ && !typed_; }
    void stepBy(int steps) override;

  Q_SIGNALS:
    void edited(double value);

  protected:
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    void commit();
    std::optional<double> shown_ = 0.0;
    bool typed_ = false;
};

}  // namespace ui
