// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/run_directory.h"

#include <QString>
#include <QWidget>

namespace ui {

/// What a run is doing, in a word: "Running", "Paused" ...
QString phaseText(core::RunPhase phase);

/// That word on a small coloured plate with a dot.
class PhasePill : public QWidget {
    Q_OBJECT

  public:
    explicit PhasePill(QWidget* parent = nullptr);

    void setPhase(core::RunPhase phase);
    /// The process has been started, nothing has come from it yet.
    void setStarting();
    const QString& text() const noexcept { return text_; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void setText(const QString& text);

    QString text_;
    core::RunPhase phase_ = core::RunPhase::New;
};

}  // namespace ui
