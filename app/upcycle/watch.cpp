// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/watch.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/terminal.h"
#include "app/upcycle/train_report.h"
#include "app/upcycle/watch_view.h"
#include "core/run/event_tail.h"
#include "core/run/stop_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

namespace upcycle {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStdout = 1;
constexpr std::chrono::milliseconds kPoll{200};
constexpr std::chrono::seconds kLineEvery{5};
constexpr std::chrono::seconds kGraceForNew{15};  ///< for a trainer that is just being started
constexpr std::chrono::seconds kGraceForOther{2};

struct Options {
    std::string run;
    bool json = false;
};

/// Draws over its own last picture.
class Screen {
  public:
    void draw(const std::vector<std::string>& lines) {
        std::string text;
        if (height_ > 0) text += fmt::format("\x1b[{}A", height_);
        for (const std::string& line : lines) text += "\r" + line + "\x1b[K\n";
        text += "\x1b[J";
        height_ = lines.size();
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
    }

  private:
    std::size_t height_ = 0;
};

class Watcher {
  public:
    explicit Watcher(const Options& options)
        : options_(options),
          run_(core::RunDirectory::open(options.run)),
          tail_(run_.eventsFile()),
          terminal_(isTerminal(kStdout)),
          begin_(Clock::now()),
          lastLine_(begin_) {
        state_.texts = core::isOfTexts(run_.job().objective);
    }

    int watch() {
        bool over = false;
        while (!over && core::stopRequest() == 0) {
            const bool alive = core::FileLock::isHeld(run_.lockFile());
            readAll();
            over = !alive && (state_.ended || waitedEnough());
            everAlive_ = everAlive_ || alive;
            show();
            if (!over) std::this_thread::sleep_for(kPoll);
        }
        finish(over);
        return 0;
    }

  private:
    void readAll() {
        do {
            for (const core::Event& event : tail_.poll().events) {
                state_.see(event);
                if (caughtUp_ && !terminal_ && !options_.json) sayLine(eventText(event));
            }
        } while (!tail_.atEnd());
        caughtUp_ = true;
    }

    bool waitedEnough() const {
        if (everAlive_) return true;
        return Clock::now() - begin_ > (state_.steps == 0 ? kGraceForNew : kGraceForOther);
    }

    void show() {
        if (options_.json) return;
        if (terminal_) {
            screen_.draw(watchLines(options_.run, state_, terminalColumns(kStdout)));
        } else if (Clock::now() - lastLine_ >= kLineEvery && state_.step > 0) {
            lastLine_ = Clock::now();
            sayLine(watchLine(state_));
        }
    }

    void sayLine(const std::string& line) {
        if (!line.empty()) printLine(line);
    }

    void finish(bool over) {
        const core::RunStatus status = run_.status();
        if (options_.json) {
            printJson(statusJson(options_.run, status));
            return;
        }
        if (!terminal_ && over)
            for (const std::string& line : watchLines(options_.run, state_, 120)) sayLine(line);
        if (!over)
            sayLine("the run goes on");
        else if (status.phase == core::RunPhase::Crashed)
            sayLine("the trainer died; go on with: upcycle train " + options_.run);
        else if (status.phase == core::RunPhase::New)
            sayLine("no trainer has been started; start one with: upcycle train " + options_.run);
    }

    const Options& options_;
    core::RunDirectory run_;
    core::EventTail tail_;
    WatchState state_;
    Screen screen_;
    bool terminal_;
    bool everAlive_ = false;
    bool caughtUp_ = false;
    Clock::time_point begin_;
    Clock::time_point lastLine_;
};

}  // namespace

Command addWatch(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("watch", "Look on while a run trains; ends when it ends");
    app->add_option("RUN", options->run, "A run directory, live or finished")->required();
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle watch run1\nCtrl-C leaves the run going.");
    return {app, [options] { return Watcher(*options).watch(); }};
}

}  // namespace upcycle
