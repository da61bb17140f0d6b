// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/opened_document.h"

#include "tests/ui/tiny_checkpoint.h"

#include <QSignalSpy>
#include <QTest>

namespace ui::testing {

OpenedDocument::OpenedDocument() : editor(document, nullptr) {
    writeTinyCheckpoint(dense());
    EXPECT_TRUE(openAndWait(document, QString::fromStdString(dense().string())));
}

QString OpenedDocument::file(const char* name) const {
    return folder.filePath(QString::fromLatin1(name));
}

bool openAndWait(Document& document, const QString& model) {
    const QSignalSpy opened(&document, &Document::opened);
    const QSignalSpy failed(&document, &Document::failed);
    document.open(model);
    return QTest::qWaitFor([&] { return opened.count() + failed.count() > 0; }, 30'000) &&
           opened.count() == 1;
}

}  // namespace ui::testing
