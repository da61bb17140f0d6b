// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/inspect/stats_loader.h"

#include <QWidget>

#include <array>
#include <memory>
#include <optional>

class QLabel;

namespace ui {

class Histogram;

/// Statistics and histogram of one tensor. Computes nothing while hidden.
class StatsPanel : public QWidget {
    Q_OBJECT

  public:
    explicit StatsPanel(QWidget* parent);
    /// Empty: nothing to show.
    void setTensor(std::shared_ptr<const OpenedModel> model, std::optional<std::size_t> tensor);
    StatsLoader& loader() { return loader_; }

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    enum Field { Min, Max, Mean, Std, Zeros, NonFinite, FieldCount };
    void start();
    void showStats(const core::TensorStats& stats);
    void clear(const QString& note);

    StatsLoader loader_;
    std::shared_ptr<const OpenedModel> model_;
    std::optional<std::size_t> tensor_;
    QLabel* title_;
    QLabel* note_;
    std::array<QLabel*, FieldCount> values_{};
    Histogram* histogram_;
};

}  // namespace ui
