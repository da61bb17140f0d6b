// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/surgery/plan.h"
#include "ui/theme/theme.h"
#include "ui/window/main_window.h"
#include "ui/window/translations.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QIcon>
#include <QStringList>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace {

constexpr int kUsageExit = 2;

struct Arguments {
    QStringList paths;
    QString preset;
};

void nameApplication() {
    QCoreApplication::setOrganizationName(QStringLiteral("Upcycler"));
    QCoreApplication::setApplicationName(QStringLiteral("upcycler"));
    QCoreApplication::setApplicationVersion(QStringLiteral(UPCYCLER_VERSION));
    QGuiApplication::setDesktopFileName(QStringLiteral("org.upcycler.Upcycler"));
}

void setUpParser(QCommandLineParser& parser) {
    parser.setApplicationDescription(
        QStringLiteral("Model surgery: upcycle dense checkpoints into Mixture-of-Experts.\n\n"
                       "Example: upcycler my-vit/ --preset paper"));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOption(
        {QStringLiteral("preset"),
         QStringLiteral("Plan for MODEL: paper, every-other, last-half, last:N, first:N, "
                        "all or none."),
         QStringLiteral("name")});
    parser.addPositionalArgument(
        QStringLiteral("MODEL|RUN|PLAN"),
        QStringLiteral(
            "A checkpoint file or folder, a run directory, or a plan for the MODEL before it. Two "
            "checkpoints are compared."),
        QStringLiteral("[MODEL|RUN|PLAN]…"));
}

/// --help, --version and usage errors need no display: they are answered before there is one.
bool asksForText(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        for (const char* word : {"-h", "--help", "--help-all", "-v", "--version"})
            if (std::strcmp(argv[i], word) == 0) return true;
    return false;
}

Arguments parse(const QCoreApplication& application) {
    QCommandLineParser parser;
    setUpParser(parser);
    parser.process(application);
    return {parser.positionalArguments(), parser.value(QStringLiteral("preset"))};
}

[[noreturn]] void refusePreset(const QString& preset) {
    std::fprintf(stderr,
                 "upcycler: --preset %s is not known\nhint: take paper, every-other, "
                 "last-half, last:N, first:N, all or none\n",
                 qPrintable(preset));
    std::exit(kUsageExit);
}

}  // namespace

int main(int argc, char** argv) {
    nameApplication();
    if (asksForText(argc, argv)) {
        const QCoreApplication text(argc, argv);
        parse(text);
        return EXIT_SUCCESS;
    }
    QApplication application(argc, argv);
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/upcycler.svg")));
    const Arguments arguments = parse(application);
    ui::Theme theme(application);
    ui::installTranslations(application);
    ui::MainWindow window(theme);
    if (!arguments.preset.isEmpty()) {
        const auto choice = core::presetFromText(arguments.preset.toStdString());
        if (!choice) refusePreset(arguments.preset);
        window.applyPresetWhenOpened(*choice);
    }
    window.openPaths(arguments.paths);
    if (arguments.paths.isEmpty()) window.restoreSession();
    window.show();
    return QApplication::exec();
}
