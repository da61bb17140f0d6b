// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/run/export.h"

#include "core/base/text.h"
#include "tests/ui/opened_document.h"
#include "ui/export/export_dialog.h"
#include "ui/widgets/message_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileInfo>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

namespace ui {
namespace {

class ExportTest : public testing::OpenedDocument {
  protected:
    ExportTest() {
        editor.applyPreset({core::Preset::LastHalf, 0});
        editor.setExperts(3);
        dialog = std::make_unique<ExportDialog>(document.sharedModel(), document.plan(), nullptr);
        dialog->show();
    }

    template <typename Widget>
    Widget* part(const char* name) {
        return dialog->findChild<Widget*>(QStringLiteral("export.") + QString::fromLatin1(name));
    }
    /// What the engine writes for the same settings.
    core::Path expected(const core::ConvertOptions& options) {
        const core::Path target = place() / "expected";
        const std::atomic<bool> cancel{false};
        core::exportCheckpoint(
            *document.model().checkpoint, document.plan(), target, options,
            [](const core::ConvertProgress&) {}, cancel);
        return target;
    }
    bool exportTo(const char* name) {
        dialog->setTarget(file(name));
        QSignalSpy exported(dialog.get(), &ExportDialog::exported);
        QTest::mouseClick(part<QPushButton>("start"), Qt::LeftButton);
        return QTest::qWaitFor([&] { return exported.count() == 1; }, 30'000);
    }
    static QByteArray bytes(const core::Path& path) {
        QFile opened(QString::fromStdString(path.string()));
        EXPECT_TRUE(opened.open(QIODevice::ReadOnly)) << path;
        return opened.readAll();
    }

    std::unique_ptr<ExportDialog> dialog;
};

TEST_F(ExportTest, WritesWhatTheEngineWrites) {
    ASSERT_TRUE(exportTo("out"));
    const core::Path same = expected({});
    for (const char* name :
         {"model.safetensors", "config.json", "README.md", "modeling_upcycled_vit.py"})
        EXPECT_EQ(bytes(place() / "out" / name), bytes(same / name)) << name;
    EXPECT_EQ(part<QProgressBar>("progress")->value(), part<QProgressBar>("progress")->maximum());
    EXPECT_EQ(part<QPushButton>("cancel")->text(), QStringLiteral("Close"));
}

TEST_F(ExportTest, WritesHalfPrecisionAndHdf5) {
    part<QComboBox>("dtype")->setCurrentIndex(2);
    part<QComboBox>("format")->setCurrentIndex(1);
    EXPECT_FALSE(part<QDoubleSpinBox>("shard")->isEnabled());
    const core::ConvertOptions options = dialog->options();
    EXPECT_EQ(options.dtype, core::DType::BF16);
    EXPECT_EQ(options.format, core::FileFormat::Hdf5);
    ASSERT_TRUE(exportTo("out.h5"));
    const auto written = core::Checkpoint::open(place() / "out.h5");
    EXPECT_EQ(written->format(), "hdf5");
    EXPECT_EQ(written->tensors().front().dtype, core::DType::BF16);
}

TEST_F(ExportTest, WritesGoogleNames) {
    part<QComboBox>("layout")->setCurrentIndex(1);
    EXPECT_EQ(dialog->options().layout, core::LayoutChoice::Google);
    EXPECT_EQ(dialog->options().format, core::FileFormat::Npz) << "what V-MoE's programs load";
    ASSERT_TRUE(exportTo("out.npz"));
    const auto written = core::Checkpoint::open(place() / "out.npz");
    EXPECT_EQ(written->layout(), "v-moe");
    const core::Path same = expected({});
    const auto hf = core::Checkpoint::open(same);
    EXPECT_EQ(written->tensors().size(), hf->tensors().size());
}

TEST_F(ExportTest, RefusalsAreSaidWhileOneChooses) {
    auto* messages = dialog->findChild<MessageBar*>();
    part<QComboBox>("layout")->setCurrentIndex(1);
    EXPECT_TRUE(messages->message().isEmpty());
    part<QComboBox>("format")->setCurrentIndex(0);
    EXPECT_TRUE(messages->message().contains(QStringLiteral("v-moe is written as .npz alone")))
        << messages->message().toStdString();
    EXPECT_FALSE(part<QPushButton>("start")->isEnabled());
    part<QComboBox>("format")->setCurrentIndex(2);
    EXPECT_FALSE(messages->isVisible());
    EXPECT_TRUE(part<QPushButton>("start")->isEnabled());
}

TEST_F(ExportTest, SaysWhatWasLeftOut) {
    const core::Path source = document.model().checkpoint->folder();
    core::writeTextFile(place() / "secret", "of somebody else");
    std::filesystem::create_symlink(place() / "secret", source / "notes.txt");
    ASSERT_TRUE(exportTo("out"));
    EXPECT_TRUE(dialog->findChild<MessageBar*>()->hint().contains(QStringLiteral("notes.txt")));
}

TEST_F(ExportTest, SaysTheSizeBefore) {
    const QString whole = part<QLabel>("size")->text();
    const std::uint64_t exact =
        core::convertedBytes(*document.model().checkpoint, document.plan(), {});
    EXPECT_TRUE(
        whole.contains(QString::fromStdString(core::formatBytes(static_cast<double>(exact)))))
        << whole.toStdString();
    part<QComboBox>("dtype")->setCurrentIndex(3);
    EXPECT_NE(part<QLabel>("size")->text(), whole);
}

TEST_F(ExportTest, AnExistingTargetNeedsConsent) {
    ASSERT_TRUE(exportTo("out"));
    dialog->setTarget(file("elsewhere"));
    EXPECT_TRUE(part<QPushButton>("start")->isEnabled());
    EXPECT_FALSE(part<QCheckBox>("replace")->isVisible());
    dialog->setTarget(file("out"));
    EXPECT_FALSE(part<QPushButton>("start")->isEnabled());
    ASSERT_TRUE(part<QCheckBox>("replace")->isVisible());
    part<QCheckBox>("replace")->setChecked(true);
    EXPECT_TRUE(dialog->options().force);
    EXPECT_TRUE(exportTo("out"));
}

TEST_F(ExportTest, AFailureIsSaidAndNothingIsLeft) {
    ASSERT_TRUE(QFile(file("wall")).open(QIODevice::WriteOnly));
    dialog->setTarget(file("wall/inside"));
    QTest::mouseClick(part<QPushButton>("start"), Qt::LeftButton);
    auto* messages = dialog->findChild<MessageBar*>();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !messages->message().isEmpty(); }, 30'000));
    EXPECT_TRUE(messages->message().contains(QStringLiteral("wall")))
        << messages->message().toStdString();
    EXPECT_FALSE(dialog->isRunning());
    EXPECT_TRUE(part<QComboBox>("format")->isEnabled());
}

TEST_F(ExportTest, CancelLeavesNothing) {
    dialog->setTarget(file("cancelled"));
    dialog->start();
    dialog->reject();
    EXPECT_TRUE(dialog->isVisible());
    ASSERT_TRUE(QTest::qWaitFor([&] { return !dialog->isRunning(); }, 30'000));
    // The job is small: either the order came in time, or the export was whole before it.
    auto* messages = dialog->findChild<MessageBar*>();
    if (!QFileInfo::exists(file("cancelled")))
        EXPECT_EQ(messages->message(), QStringLiteral("Cancelled. Nothing was written."));
    else
        EXPECT_TRUE(QFileInfo::exists(file("cancelled/model.safetensors")));
    EXPECT_TRUE(QDir(folder.path())
                    .entryList({QStringLiteral(".*")},
                               QDir::Hidden | QDir::AllEntries | QDir::NoDotAndDotDot)
                    .isEmpty());
    dialog->reject();
    EXPECT_FALSE(dialog->isVisible());
}

TEST_F(ExportTest, AModelByNameIsOpenedInTheBackground) {
    ExportDialog other(QString::fromStdString(dense().string()), nullptr);
    other.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !other.target().isEmpty(); }, 30'000));
    EXPECT_EQ(other.target(), file("dense-export"));
    ExportDialog missing(file("nothing"), nullptr);
    missing.show();
    auto* messages = missing.findChild<MessageBar*>();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !messages->message().isEmpty(); }, 30'000));
    EXPECT_TRUE(messages->message().contains(QStringLiteral("nothing")));
}

}  // namespace
}  // namespace ui
