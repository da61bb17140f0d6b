// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/runs/run_metrics.h"
#include "ui/train/sample_text.h"

#include <QFrame>

#include <cstdint>
#include <optional>

class QBoxLayout;
class QLabel;
class QTextEdit;
class QToolButton;

namespace ui {

/// What a text model makes of a held-out input, as the run goes on: the input with its masked
/// spans, and span by span the model's filling beside the truth. Follows the newest sample until a
/// person goes back to an earlier one. Not there at all while a run has no samples (image runs).
class SamplePanel : public QFrame {
    Q_OBJECT

  public:
    explicit SamplePanel(QWidget* parent);

    /// Another run: the newest is followed again.
    void reset() { chosen_.reset(); }
    void refresh(const RunMetrics& metrics);
    /// What the parts say, for tests and screen readers.
    QString stepText() const;
    QString inputText() const;
    QString spansText() const;

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    QToolButton* button(const QString& name, const QString& iconName, const QString& text);
    void go(int steps);
    void showSample();
    void showInput(const SampleText& text);
    void showSpans(const SampleText& text);

    const RunMetrics* metrics_ = nullptr;
    std::optional<std::uint64_t> chosen_;  ///< number of an earlier sample; empty: the newest
    std::optional<std::uint64_t> shown_;
    std::size_t at_ = 0;
    QLabel* step_;
    QLabel* score_;
    QToolButton* earlier_;
    QToolButton* later_;
    QToolButton* newest_;
    QTextEdit* input_;
    QTextEdit* spans_;
    QBoxLayout* texts_;
};

}  // namespace ui
