// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QString>

#include <cstdint>
#include <vector>

class QComboBox;

namespace ui {

/// Asks for the number of attention heads of a checkpoint whose files do not say it.
class HeadsDialog : public QDialog {
    Q_OBJECT

  public:
    /// `hidden`: numbers of a token; the heads share them evenly. REQUIRES: some number is
    /// possible.
    HeadsDialog(const QString& model, std::int64_t hidden, QWidget* parent);

    std::int64_t heads() const;

  private:
    std::vector<std::int64_t> possible_;
    QComboBox* choice_;
};

}  // namespace ui
