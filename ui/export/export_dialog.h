// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/convert.h"
#include "core/surgery/plan.h"
#include "ui/export/export_job.h"

#include <QDialog>

#include <memory>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace ui {

class ElidedLabel;
class MessageBar;

/// Writes a checkpoint in another place, format, type or number of files, with a plan carried out
/// where there is one. Says the size before, shows progress, can be cancelled; nothing half-written
/// remains.
class ExportDialog : public QDialog {
    Q_OBJECT

  public:
    /// The opened checkpoint as `plan` makes it.
    ExportDialog(std::shared_ptr<const OpenedModel> model, core::SurgeryPlan plan, QWidget* parent);
    /// MODEL as it is (a run's checkpoint: RUN, RUN@step); opened in the background.
    ExportDialog(const QString& model, QWidget* parent);

    QString target() const;
    void setTarget(const QString& path);
    core::ConvertOptions options() const;
    bool isRunning() const { return job_.isRunning(); }

  public Q_SLOTS:
    void start();
    /// Cancels what runs, else closes.
    void reject() override;

  Q_SIGNALS:
    /// The export is whole at this path.
    void exported(const QString& path);

  private:
    explicit ExportDialog(QWidget* parent);
    void build();
    void makeForm(QFormLayout& form);
    QWidget* makeTargetRow();
    void take(std::shared_ptr<const OpenedModel> model);
    void refresh();
    /// The format that the chosen layout's programs load.
    void followLayout();
    void setRunning(bool running);
    void finish(const core::ConvertResult& result);
    void browse();

    std::shared_ptr<const OpenedModel> model_;
    core::SurgeryPlan plan_;
    ExportJob job_;
    MessageBar* messages_;
    ElidedLabel* source_;
    QComboBox* format_;
    QComboBox* layout_;
    QComboBox* dtype_;
    QDoubleSpinBox* shard_;
    QLineEdit* target_;
    QPushButton* browse_;
    QCheckBox* replace_;
    QLabel* size_;
    QProgressBar* progress_;
    ElidedLabel* progressText_;
    QPushButton* cancel_;
    QPushButton* export_;
    bool done_ = false;
    bool refused_ = false;  ///< the message is a refusal of the settings as they stand
};

}  // namespace ui
