// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/job_spec.h"
#include "ui/train/job_verdict.h"

#include <QString>
#include <QTimer>
#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QStackedWidget;

namespace ui {

class Document;
class JobForm;
class Notice;

/// The left side before a run: the form, what it comes to as commands, and the Train button. The
/// job is checked against the real files in the background while a person types.
class JobPage : public QWidget {
    Q_OBJECT

  public:
    JobPage(Document& document, QWidget* parent);

    JobForm& form() { return *form_; }
    /// The form's job with the document's model and plan.
    core::JobSpec job() const;
    QString runFolder() const;
    /// The commands as shown.
    QString commandText() const;
    /// A run is open behind the form: offers the way back.
    void setRunName(const QString& name);
    /// Proposes a folder that does not exist yet.
    void proposeRunFolder();
    void showFailure(const QString& message, const QString& hint);
    /// Between the press on Train and the run's folder.
    void setBusy(bool busy);
    /// The last check has ended and nothing has been edited since.
    bool isChecked() const noexcept { return !checking_ && !delay_.isActive(); }
    const JobVerdict& verdict() const noexcept { return verdict_; }

  Q_SIGNALS:
    void trainAsked();
    void backAsked();
    void checked();

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    QWidget* buildFooter();
    QWidget* buildEmpty();
    void loadDefaults();
    void planChanged();
    void edited();
    void check();
    void judge(const JobVerdict& verdict);
    void describe();
    void refreshButton();

    Document& document_;
    core::JobSpec defaults_;
    JobForm* form_;
    QStackedWidget* pages_;
    QPushButton* back_;
    QLabel* summary_;
    QPlainTextEdit* command_;
    Notice* notice_;
    QPushButton* train_;
    QTimer delay_;
    JobVerdict verdict_;
    bool checking_ = false;
    bool busy_ = false;
    bool stale_ = false;
    bool devicesAsked_ = false;
    quint64 load_ = 0;   ///< of the newest look at the checkpoint's defaults
    quint64 check_ = 0;  ///< of the newest check; older ones are void
};

/// Defaults for a person before a window: those of the checkpoint, and evaluations and checkpoints
/// often enough to watch.
core::JobSpec jobForWindow(core::JobSpec job);

}  // namespace ui
