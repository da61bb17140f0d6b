// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/dialog_progress.h"

#include <QProgressBar>

namespace ui {

void makeDialogProgress(QProgressBar& bar) {
    bar.setTextVisible(false);
    QSizePolicy kept = bar.sizePolicy();
    kept.setRetainSizeWhenHidden(true);
    bar.setSizePolicy(kept);
    bar.hide();
}

}  // namespace ui
