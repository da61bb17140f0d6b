// SPDX-License-Identifier: GPL-3.0-or-later
// One series of a million points, live: how long from a new value to pixels, how many pictures a
// second, and what an idle window costs. Prints medians and 95th percentiles.
#include "core/base/random.h"
#include "ui/charts/decimate.h"
#include "ui/charts/line_chart.h"

#include <sys/resource.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

namespace {

constexpr int kPoints = 1'000'000;
constexpr int kRounds = 60;

struct Times {
    double median = 0, p95 = 0;
};

Times measure(const std::function<void()>& work) {
    std::vector<double> times;
    for (int round = 0; round < kRounds; ++round) {
        QElapsedTimer timer;
        timer.start();
        work();
        times.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
    }
    std::sort(times.begin(), times.end());
    return {times[kRounds / 2], times[kRounds * 95 / 100]};
}

double cpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void report(const char* what, const Times& times) {
    std::printf("%-46s %8.3f ms median %8.3f ms p95 %7.1f /s\n", what, times.median, times.p95,
                1000 / times.median);
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    const core::CounterRandom random(1);
    const auto series = std::make_shared<ui::Series>();
    const auto append = [&] {
        const auto i = static_cast<std::uint64_t>(series->size());
        series->append(static_cast<double>(i), static_cast<double>(random.normal(i)));
    };
    QElapsedTimer ingest;
    ingest.start();
    while (series->size() < kPoints) append();
    std::printf("appending %d points: %.1f ms\n", kPoints,
                static_cast<double>(ingest.nsecsElapsed()) * 1e-6);

    report("decimation to 2000 columns", measure([&] {
               ui::decimate(series->x(), series->y(), {0, kPoints, 2000});
           }));
    ui::LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({{{QStringLiteral("train"), 0, true, false}, series}});
    chart.resize(1200, 500);
    chart.show();
    QCoreApplication::processEvents();
    const auto live = [&] {
        append();
        chart.refreshNow();
        chart.grab();
    };
    report("new value to pixels, 1M points, 1200x500", measure(live));
    chart.setSmoothing(0.9);
    report("the same with smoothing 0.9", measure(live));
    chart.setSmoothing(0);
    chart.setLogarithmic(true);
    report("the same, logarithmic", measure(live));
    chart.setLogarithmic(false);
    chart.showRange(500'000, 500'400);
    report("zoomed to 400 points", measure(live));
    chart.resetZoom();

    const double before = cpuSeconds();
    QTimer::singleShot(5000, &application, &QApplication::quit);
    QApplication::exec();
    std::printf("idle window: %.2f %% of a core\n", (cpuSeconds() - before) / 5 * 100);
    return 0;
}
