// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "ui/document/document.h"
#include "ui/surgery/plan_editor.h"

#include <gtest/gtest.h>

#include <QTemporaryDir>

namespace ui::testing {

/// A temporary folder with the tiny checkpoint (four blocks) in "dense", and a document that has it
/// open.
class OpenedDocument : public ::testing::Test {
  protected:
    OpenedDocument();

    core::Path place() const { return folder.path().toStdString(); }
    core::Path dense() const { return place() / "dense"; }
    QString file(const char* name) const;
    std::set<std::string> planned() const { return layerNames(document.plan()); }
    const core::LayerPlan& layer(const char* block) const {
        return document.plan().layers.at(block);
    }

    QTemporaryDir folder;
    Document document;
    PlanEditor editor;
};

/// Opens and waits; false when it failed.
bool openAndWait(Document& document, const QString& model);

inline CellId mlp(const char* block) { return {block, Part::Mlp}; }

}  // namespace ui::testing
