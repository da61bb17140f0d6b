// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QCoreApplication;

namespace ui {

/// English plural forms for everybody, over them Qt's and our texts in the person's language where
/// there are any. Call after Theme (which loads the resources) and before the first window.
void installTranslations(QCoreApplication& application);

}  // namespace ui
