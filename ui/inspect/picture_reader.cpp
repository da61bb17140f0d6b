// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/picture_reader.h"

#include "ui/document/background.h"

#include <utility>

namespace ui {

PictureReader::PictureReader(std::shared_ptr<const core::Checkpoint> checkpoint,
                             const core::TensorInfo& tensor, QObject* parent)
    : QObject(parent), checkpoint_(std::move(checkpoint)), tensor_(tensor) {
    pool_.setMaxThreadCount(1);
}

PictureReader::~PictureReader() {
    cancel();
    pool_.waitForDone();
}

void PictureReader::cancel() {
    ++generation_;
    busy_ = false;
    if (cancelled_) cancelled_->store(true);
}

void PictureReader::request(const core::PictureRequest& request) {
    cancel();
    busy_ = true;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    runInBackground(
        this, &pool_,
        [checkpoint = checkpoint_, &tensor = tensor_, request, cancelled = cancelled_] {
            return core::drawMatrix(*checkpoint, tensor, request, *cancelled);
        },
        [this, request,
         generation = generation_](const Outcome<std::optional<core::MatrixPicture>>& outcome) {
            if (generation != generation_) return;
            busy_ = false;
            if (!outcome.value)
                Q_EMIT failed(outcome.error);
            else if (*outcome.value)
                Q_EMIT drawn(request, **outcome.value);
        });
}

}  // namespace ui
