// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/job_spec.h"
#include "ui/train/job_verdict.h"

#include <QString>
#include <QWidget>

#include <cstdint>
#include <map>

class QComboBox;
class QGridLayout;
class QLineEdit;
class QSpinBox;
class QToolButton;
class QVBoxLayout;

namespace ui {

class Field;

/// What a text form says of the model itself.
struct TextModel {
    QString tokenizer;            ///< file name of the one beside it; empty when there is none
    std::int64_t vocabulary = 0;  ///< ids
    float dropout = 0;            ///< of its config: holds where the job says none
};

/// The job as a form: what a person sets of a JobSpec; everything else stays as the defaults of the
/// checkpoint say. Fields are known by their key in job.json, so that a problem appears under the
/// field that it is about.
class JobForm : public QWidget {
    Q_OBJECT

  public:
    explicit JobForm(QWidget* parent = nullptr);

    /// Fills every field. `suggestions`: data sources that fit the model.
    void setJob(const core::JobSpec& job, const QStringList& suggestions);
    void setRunFolder(const QString& folder);
    /// Devices that can be chosen: name and what it is.
    void setDevices(const std::vector<std::pair<QString, QString>>& devices);
    void setTextModel(const TextModel& model);
    /// The balance loss that suits the plan's routers; a person's own number is left alone.
    void suggestBalanceLoss(float weight);

    /// What the fields say now; a number that cannot be read is a problem (`problem`).
    core::JobSpec job() const;
    QString runFolder() const;
    /// The first field whose text is not a number; ok when there is none.
    JobVerdict problem() const;

    void show(const JobVerdict& verdict);
    using QWidget::show;
    /// nullptr when the form has no field for it.
    Field* field(const QString& key) const;

  Q_SIGNALS:
    void edited();

  private:
    QGridLayout* section(QVBoxLayout& column, const QString& title);
    Field* add(const QString& key, Field* field, QGridLayout& grid, int row, int column, int span);
    QSpinBox* count(int from, int to, const QString& atZero = {});
    QLineEdit* real();
    QLineEdit* line() const;
    QComboBox* choice(const std::vector<std::pair<QString, QString>>& entries);
    static double realValue(const QLineEdit& edit, double otherwise);
    void buildData(QVBoxLayout& column);
    void buildText(QVBoxLayout& column);
    void buildTask(QGridLayout& grid);
    void buildLines(QGridLayout& grid);
    void buildLength(QVBoxLayout& column);
    void buildOptimizer(QVBoxLayout& column);
    void buildSaving(QVBoxLayout& column);
    void buildMore(QVBoxLayout& column);
    void buildTextLosses(QGridLayout& grid, int row);
    void setText(const core::JobSpec& job);
    void readText(core::JobSpec& job) const;
    void refreshText();
    core::SpanCorruption corruption() const;
    void textEdited();
    void chooseTokenizer();
    void trainTokenizer();
    void chooseTexts();
    void chooseData();
    void chooseRun();
    bool eventFilter(QObject* watched, QEvent* event) override;

    core::JobSpec base_;
    TextModel textModel_;
    std::map<QString, Field*> fields_;
    std::vector<QLineEdit*> reals_;
    QComboBox *data_ = nullptr, *optimizer_ = nullptr, *schedule_ = nullptr, *state_ = nullptr,
              *device_ = nullptr, *objective_ = nullptr, *dtype_ = nullptr, *recompute_ = nullptr;
    QLineEdit *run_ = nullptr, *lr_ = nullptr, *weightDecay_ = nullptr, *clip_ = nullptr,
              *aux_ = nullptr, *z_ = nullptr, *tokenizer_ = nullptr, *textField_ = nullptr,
              *inputField_ = nullptr, *targetField_ = nullptr, *prefix_ = nullptr,
              *noiseDensity_ = nullptr, *meanSpan_ = nullptr, *logitZ_ = nullptr,
              *dropout_ = nullptr;
    QSpinBox *steps_ = nullptr, *batch_ = nullptr, *warmup_ = nullptr, *cooldown_ = nullptr,
             *evalEvery_ = nullptr, *checkpointEvery_ = nullptr, *keep_ = nullptr,
             *threads_ = nullptr, *seed_ = nullptr, *microbatch_ = nullptr, *batchTokens_ = nullptr,
             *inputsLength_ = nullptr, *targetsLength_ = nullptr;
    QWidget* textBlock_ = nullptr;  ///< hidden for images
    QToolButton *chooseFiles_ = nullptr, *chooseFolder_ = nullptr;
    bool isText_ = false;
    QString suggestedAux_;
    bool filling_ = false;
};

/// The SOURCE for a folder that a person chose: "idx:DIR" when it holds MNIST's files, else
/// "images:DIR".
QString sourceOfFolder(const QString& folder);

/// "jsonl:A,B" when all are JSONL files, else "text:A,B".
QString sourceOfFiles(const QStringList& files);

}  // namespace ui
