// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/matrix_picture.h"
#include "ui/document/error_text.h"

#include <QObject>
#include <QThreadPool>

#include <atomic>
#include <memory>

namespace ui {

/// Draws pictures of one tensor in the background, the newest request alone: one that is under way
/// is cancelled by the next.
class PictureReader : public QObject {
    Q_OBJECT

  public:
    PictureReader(std::shared_ptr<const core::Checkpoint> checkpoint,
                  const core::TensorInfo& tensor, QObject* parent);
    /// Cancels and waits for the thread (one bounded piece of reading).
    ~PictureReader() override;

    /// Ends in `drawn` or `failed`, unless another request or cancel() comes.
    void request(const core::PictureRequest& request);
    void cancel();
    bool isBusy() const { return busy_; }

  Q_SIGNALS:
    void drawn(const core::PictureRequest& request, const core::MatrixPicture& picture);
    void failed(const ui::ErrorText& error);

  private:
    std::shared_ptr<const core::Checkpoint> checkpoint_;
    const core::TensorInfo& tensor_;  ///< the checkpoint's
    QThreadPool pool_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
    quint64 generation_ = 0;
    bool busy_ = false;
};

}  // namespace ui
