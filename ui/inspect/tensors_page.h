// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/document.h"
#include "ui/inspect/stats_loader.h"
#include "ui/models/tensor_model.h"

#include <QSortFilterProxyModel>
#include <QTimer>
#include <QWidget>

#include <array>

class QLabel;
class QLineEdit;
class QSplitter;
class QToolButton;

namespace ui {

/// Columns that give way to the names, first the one that says least: a mean is nearly always 0, a
/// size follows from shape and type.
inline constexpr std::array kSqueezeOrder{TensorModel::Type, TensorModel::Mean, TensorModel::Size,
                                          TensorModel::Zeros, TensorModel::Std};

class CopyTable;
class StatsPanel;

/// The tensors of the selected cells (of the whole checkpoint where none is selected) with a
/// filter, and the statistics of the current one. Wide, the table has the statistics of all that it
/// shows, read in the background while it is visible.
class TensorsPage : public QWidget {
    Q_OBJECT

  public:
    TensorsPage(Document& document, QWidget* parent);
    ~TensorsPage() override;
    void refresh();
    bool isWide() const { return wide_; }
    void setWide(bool wide);
    StatsLoader& loader() { return loader_; }

  Q_SIGNALS:
    /// A person wants the page to have the whole workspace, or to give it back.
    void wideAsked(bool wide);

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void build();
    void connectAll();
    std::vector<std::size_t> shownTensors() const;
    std::size_t tensorAt(int proxyRow) const;
    void showCurrent();
    void showSummary();
    void showProgress();
    void showFindings();
    void wantShown();
    void measureNames();
    void fitName();
    void fitSide();
    void sortAgain();
    void showPicture();

    Document& document_;
    StatsLoader loader_;
    TensorModel* model_;
    QSortFilterProxyModel* proxy_;
    QLineEdit* filter_;
    QToolButton* widen_;
    QLabel* count_;  ///< how many, how large, and how all their names begin
    QLabel* progress_;
    QToolButton* stop_;
    CopyTable* table_;
    QSplitter* splitter_;
    QWidget* side_ = nullptr;  ///< what is said of the current tensor and of all
    StatsPanel* stats_;
    QLabel* findings_;
    QTimer wantSoon_;
    int widestName_ = 0;
    bool wide_ = false;
    bool stopped_ = false;
    bool sorted_ = true;  ///< by what the statistics are now
};

}  // namespace ui
