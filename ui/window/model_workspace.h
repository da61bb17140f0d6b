// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/surgery/plan_editor.h"

#include <QWidget>

class QSplitter;
class QToolButton;

namespace ui {

class CanvasView;
class Inspector;

/// The Model workspace: presets over the canvas, the inspector beside it.
class ModelWorkspace : public QWidget {
    Q_OBJECT

  public:
    ModelWorkspace(Document& document, PlanEditor& editor, QWidget* parent);
    CanvasView& canvas() { return *canvas_; }
    Inspector& inspector() { return *inspector_; }
    QByteArray saveState() const;
    void restoreState(const QByteArray& state);

  private:
    QWidget* makeToolBar();
    void setWide(bool wide);

    Document& document_;
    PlanEditor& editor_;
    CanvasView* canvas_;
    Inspector* inspector_;
    QSplitter* splitter_;
    QByteArray narrow_;  ///< the splitter's state while the inspector has the whole workspace
    QWidget* zoomGroup_ = nullptr;  ///< of the canvas: not there while the table has its place
    QToolButton* zoom_ = nullptr;
};

}  // namespace ui
