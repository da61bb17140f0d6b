// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/tokenizer_dialog.h"

#include "core/base/file.h"
#include "core/data/tokenizer.h"
#include "ui/train/field.h"
#include "ui/train/job_form.h"
#include "ui/widgets/message_bar.h"

#include <gtest/gtest.h>

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

namespace ui {
namespace {

const QString kLicence =
    QStringLiteral("text:" UPCYCLER_SOURCE_DIR "/LICENSES/GPL-3.0-or-later.txt");

class TokenizerDialogTest : public ::testing::Test {
  protected:
    QString file(const char* name) const { return place.filePath(QString::fromLatin1(name)); }
    void open(std::int64_t modelIds, const QString& source = kLicence) {
        dialog = std::make_unique<TokenizerDialog>(
            TokenizerProposal{source, QStringLiteral("text"), {}, modelIds}, nullptr);
        part<QLineEdit>("target")->setText(file("spiece.model"));
        dialog->show();
    }
    template <typename Widget>
    Widget* part(const char* name) {
        return dialog->findChild<Widget*>(QStringLiteral("tokenizer.") + QString::fromLatin1(name));
    }
    Field* field(const char* name) {
        return qobject_cast<Field*>(part<QWidget>(name)->parentWidget());
    }
    MessageBar& messages() { return *dialog->findChild<MessageBar*>(); }
    bool waitForEnd() {
        return QTest::qWaitFor([&] { return !dialog->isRunning(); }, 60'000);
    }

    QTemporaryDir place;
    std::unique_ptr<TokenizerDialog> dialog;
};

TEST_F(TokenizerDialogTest, ProposesWhatTheModelHasRoomFor) {
    open(32128);
    EXPECT_EQ(part<QSpinBox>("vocabulary")->value(), 32028) << "100 ids are the sentinels'";
    EXPECT_TRUE(field("vocabulary")->message().isEmpty());
    EXPECT_TRUE(part<QPushButton>("train")->isEnabled());
    part<QSpinBox>("vocabulary")->setValue(32029);
    EXPECT_TRUE(field("vocabulary")->message().contains(QLocale().toString(32028)))
        << field("vocabulary")->message().toStdString();
    EXPECT_FALSE(part<QPushButton>("train")->isEnabled());
}

TEST_F(TokenizerDialogTest, TrainsByKeysAlone) {
    open(420);
    QSignalSpy trained(dialog.get(), &TokenizerDialog::trained);
    part<QSpinBox>("vocabulary")->setFocus();
    QTest::keyClick(part<QSpinBox>("vocabulary"), Qt::Key_Return);
    EXPECT_TRUE(dialog->isRunning());
    EXPECT_FALSE(part<QLineEdit>("source")->isEnabled());
    ASSERT_TRUE(waitForEnd());
    ASSERT_EQ(trained.size(), 1) << messages().message().toStdString();
    EXPECT_EQ(trained[0][0].toString(), file("spiece.model"));
    EXPECT_EQ(core::Tokenizer::open(file("spiece.model").toStdString())->size(), 420);
    EXPECT_TRUE(messages().message().contains(QStringLiteral("320 pieces")))
        << messages().message().toStdString();
    EXPECT_EQ(part<QPushButton>("cancel")->text(), QStringLiteral("Close"));
    EXPECT_TRUE(part<QPushButton>("cancel")->hasFocus());
    QTest::keyClick(dialog.get(), Qt::Key_Escape);
    EXPECT_FALSE(dialog->isVisible());
}

TEST_F(TokenizerDialogTest, NothingIsReplaced) {
    core::writeTextFile(file("spiece.model").toStdString(), "mine");
    open(420);
    EXPECT_FALSE(field("target")->message().isEmpty());
    EXPECT_FALSE(part<QPushButton>("train")->isEnabled());
    dialog->start();
    EXPECT_FALSE(dialog->isRunning());
    part<QLineEdit>("target")->setText(file("another.model"));
    EXPECT_TRUE(field("target")->message().isEmpty());
    core::writeTextFile(file("another.model").toStdString(), "came since");
    dialog->start();
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(messages().message().contains(QStringLiteral("exists already")))
        << messages().message().toStdString();
    EXPECT_EQ(core::readTextFile(file("another.model").toStdString()), "came since");
    EXPECT_EQ(core::readTextFile(file("spiece.model").toStdString()), "mine");
}

TEST_F(TokenizerDialogTest, ACancelLeavesNothing) {
    const QTemporaryDir texts;
    const QString large = texts.filePath(QStringLiteral("large.txt"));
    const std::string once =
        core::readTextFile(UPCYCLER_SOURCE_DIR "/LICENSES/GPL-3.0-or-later.txt");
    std::string many;
    for (int i = 0; i < 300; ++i) many += once + "\n\n";
    core::writeTextFile(large.toStdString(), many);
    open(420, QStringLiteral("text:") + large);
    dialog->start();
    dialog->reject();
    EXPECT_TRUE(dialog->isVisible()) << "the first press cancels";
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(messages().message().startsWith(QStringLiteral("Cancelled")))
        << messages().message().toStdString();
    EXPECT_TRUE(QDir(place.path()).isEmpty());
    EXPECT_TRUE(part<QPushButton>("train")->isEnabled()) << "and it can be begun again";
    dialog->start();
    dialog->reject();
    dialog->reject();
    EXPECT_FALSE(dialog->isVisible()) << "the second closes without waiting";
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(QDir(place.path()).isEmpty());
}

TEST_F(TokenizerDialogTest, SaysWhatIsWrongWithTheTexts) {
    open(420, QStringLiteral("synthetic:tokens,vocab=1000"));
    EXPECT_FALSE(field("source")->message().isEmpty());
    EXPECT_FALSE(part<QPushButton>("train")->isEnabled());
    part<QLineEdit>("source")->setText(QStringLiteral("/no/such/file"));
    dialog->start();
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(messages().message().contains(QStringLiteral("/no/such/file")));
    core::writeTextFile(file("little.jsonl").toStdString(), "{\"body\": \"one two three\"}\n");
    part<QLineEdit>("source")->setText(QStringLiteral("jsonl:") + file("little.jsonl"));
    EXPECT_TRUE(part<QLineEdit>("field")->isVisible());
    dialog->start();
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(messages().message().contains(QStringLiteral("text")))
        << messages().message().toStdString();
    part<QLineEdit>("field")->setText(QStringLiteral("body"));
    dialog->start();
    ASSERT_TRUE(waitForEnd());
    EXPECT_TRUE(messages().message().contains(QStringLiteral("too large for 1 sentences")))
        << messages().message().toStdString();
    EXPECT_FALSE(QFileInfo::exists(file("spiece.model")));
}

TEST_F(TokenizerDialogTest, EveryPartHasAName) {
    open(420);
    for (const auto* widget : dialog->findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible()) continue;
        if (widget->objectName().startsWith(QStringLiteral("qt_"))) continue;  // inside a spin box
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        EXPECT_FALSE(widget->accessibleName().isEmpty() &&
                     (button == nullptr || button->text().isEmpty()))
            << widget->metaObject()->className() << " " << widget->objectName().toStdString();
    }
}

TEST_F(TokenizerDialogTest, AFreeNameBesideTheTextsIsProposed) {
    core::writeTextFile(file("a.txt").toStdString(), "text");
    const QString source = QStringLiteral("text:") + file("a.txt") + QStringLiteral(",/b.txt");
    EXPECT_EQ(proposedTokenizerFile(source), file("spiece.model"));
    core::writeTextFile(file("spiece.model").toStdString(), "mine");
    EXPECT_EQ(proposedTokenizerFile(source), file("spiece-2.model"));
    QDir(place.path()).mkdir(QStringLiteral("books"));
    EXPECT_EQ(proposedTokenizerFile(QStringLiteral("text:") + file("books")),
              file("spiece-2.model"))
        << "not among the texts themselves";
    EXPECT_EQ(QFileInfo(proposedTokenizerFile({})).absolutePath(), QDir::homePath());
}

TEST_F(TokenizerDialogTest, TheFormTakesWhatWasTrained) {
    JobForm form;
    core::JobSpec job;
    job.objective = core::Objective::SpanCorruption;
    job.data = kLicence.toStdString();
    form.setJob(job, {});
    form.setTextModel({{}, 420, 0.1F});
    static_cast<QWidget&>(form).show();
    auto* button = form.findChild<QPushButton*>(QStringLiteral("job/train-tokenizer"));
    ASSERT_NE(button, nullptr);
    ASSERT_TRUE(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    auto* opened = form.findChild<TokenizerDialog*>();
    ASSERT_NE(opened, nullptr);
    EXPECT_EQ(opened->order().source, kLicence.toStdString());
    EXPECT_EQ(opened->order().training.vocabulary, 320);
    opened->findChild<QLineEdit*>(QStringLiteral("tokenizer.target"))
        ->setText(file("spiece.model"));
    QSignalSpy edited(&form, &JobForm::edited);
    opened->start();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !edited.isEmpty(); }, 60'000));
    EXPECT_EQ(form.job().text.tokenizer, file("spiece.model").toStdString());
    opened->close();
}

}  // namespace
}  // namespace ui
