// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/inspect/stats_loader.h"

#include <QWidget>

#include <array>
#include <memory>
#include <optional>

class QLabel;
class QPushButton;

namespace ui {

class Histogram;

/// Statistics and histogram of one tensor. Asks for nothing while hidden.
class StatsPanel : public QWidget {
    Q_OBJECT

  public:
    StatsPanel(StatsLoader& loader, QWidget* parent);
    /// Empty: nothing to show.
    void setTensor(std::shared_ptr<const OpenedModel> model, std::optional<std::size_t> tensor);

  Q_SIGNALS:
    /// A person wants to see the tensor's values as a picture.
    void pictureAsked();

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    enum Field { Min, Max, Mean, Std, Zeros, NonFinite, FieldCount };
    void refresh();
    void showStats(const core::TensorStats& stats);
    void clear(const QString& note);

    StatsLoader& loader_;
    std::shared_ptr<const OpenedModel> model_;
    std::optional<std::size_t> tensor_;
    QLabel* title_;
    QLabel* note_;
    std::array<QLabel*, FieldCount> values_{};
    Histogram* histogram_;
    QPushButton* picture_;
};

}  // namespace ui
