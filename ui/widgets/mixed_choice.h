// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCheckBox>
#include <QComboBox>

#include <optional>

namespace ui {

/// A choice for several things at once: shows "mixed" where they differ. Ignores the wheel without
/// focus. `activated` says the person's choice.
class MixedComboBox : public QComboBox {
    Q_OBJECT

  public:
    explicit MixedComboBox(QWidget* parent);
    void setShown(std::optional<int> index);

  protected:
    void wheelEvent(QWheelEvent* event) override;
};

/// A switch for several things at once: half checked where they differ. `edited` says what the
/// person wants for all.
class MixedCheckBox : public QCheckBox {
    Q_OBJECT

  public:
    MixedCheckBox(const QString& text, QWidget* parent);
    void setShown(std::optional<bool> value);

  Q_SIGNALS:
    void edited(bool on);
};

}  // namespace ui
