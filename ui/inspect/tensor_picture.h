// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/opened_model.h"
#include "ui/inspect/picture_reader.h"

#include <QDialog>
#include <QTimer>

#include <optional>
#include <vector>

class QComboBox;
class QLabel;
class QSpinBox;
class QToolButton;

namespace ui {

class ColorScale;
class MatrixCanvas;
class MessageBar;

/// One tensor's values as a picture: its last two axes, the others by index. First a sample of the
/// rows, then all of them; what is in view at its own resolution. Copied and saved as it is seen.
class TensorPicture : public QDialog {
    Q_OBJECT

  public:
    /// `tensor` is an index into the model's tensors; it has at least one element.
    TensorPicture(std::shared_ptr<const OpenedModel> model, std::size_t tensor, QWidget* parent);
    ~TensorPicture() override;

    MatrixCanvas& canvas() { return *canvas_; }
    /// All rows have been read and what is in view is as fine as it can be.
    bool isSettled() const;
    /// "row 3, column 7: 0.25"; empty without a cursor.
    QString valueText() const;
    double scaleTop() const;
    QImage picture() const;
    void saveTo(const QString& file);

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

  private:
    QWidget* buildBar();
    QWidget* buildFoot();
    QToolButton* addButton(QWidget* bar, const QString& name, const QString& iconName,
                           const QString& text);
    void connectAll();
    void showSlice();
    void readOverview(bool sampled);
    void readDetail();
    void readValue();
    void recolor();
    void showStatus();
    void copy() const;
    void save();
    core::Reduction reduction() const;
    bool needsDetail(const core::MatrixWindow& window) const;

    std::shared_ptr<const OpenedModel> model_;
    const core::TensorInfo& tensor_;
    core::MatrixSlice slice_;
    PictureReader overviewReader_;
    PictureReader detailReader_;
    PictureReader valueReader_;
    std::optional<core::MatrixPicture> overview_;
    std::optional<core::MatrixPicture> detail_;
    core::MatrixWindow detailWindow_;
    std::optional<core::MatrixPicture> value_;
    bool sampled_ = false;  ///< what the overview is
    QTimer detailSoon_;

    MessageBar* messages_;
    std::vector<QSpinBox*> leading_;
    QComboBox* reduction_;
    QComboBox* range_;
    MatrixCanvas* canvas_;
    ColorScale* scale_;
    QLabel* zoom_;
    QLabel* status_;
    QLabel* progress_;
};

}  // namespace ui
