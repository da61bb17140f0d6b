// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/event.h"
#include "tests/app/process.h"
#include "tests/app/tree.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace upcycle_test {

using Json = nlohmann::ordered_json;

/// A tiny dense ViT, trained a few steps by the program itself, its plan and its upcycled version:
/// made once per test program, in a folder that nobody writes to afterwards.
class Workshop {
  public:
    static const Workshop& get();

    core::Path config() const { return scratch_.path() / "config.json"; }
    /// A model folder with optimizer state and training.json.
    core::Path dense() const { return scratch_.path() / "dense"; }
    core::Path plan() const { return scratch_.path() / "plan.json"; }
    core::Path upcycled() const { return scratch_.path() / "upcycled"; }

  private:
    Workshop();
    core::ScratchFolder scratch_;
};

/// Synthetic data that fits the workshop's models.
inline constexpr const char* kData = "synthetic:images=8x8x1,classes=4,examples=96";

/// Base of the tests: a scratch folder, and words to make runs with.
class AppTest : public testing::Test {
  protected:
    std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
    const core::Path& folder() const { return scratch_.path(); }

    /// `upcycle new NAME --model MODEL --data ... --steps N` + more; expects success.
    std::string newRun(const std::string& name, const std::string& model, int steps,
                       const std::vector<std::string>& more = {}) const;

    core::ScratchFolder scratch_;
};

/// Runs and expects exit 0; returns the result.
Result expectDone(const std::vector<std::string>& arguments, const Setting& setting = {});

/// stdout as JSON.
Json jsonOf(const Result& result);

/// Expects `exit`, nothing on stdout, and on stderr exactly one "upcycle:" line that holds every
/// word, one "hint:" line, and warnings at most.
void expectRefused(const Result& result, int exit, const std::vector<std::string>& words);

/// Losses by step of a run, void ones left out.
std::map<std::int64_t, double> lossesOf(const core::Path& run);

/// All events of a run, in file order.
std::vector<core::Event> eventsOf(const core::Path& run);

/// Whether `test` holds before a deadline of 60 s.
template <typename F>
bool waitUntil(F test);

/// Whether a `T` for which `test` holds is among the run's events, the first `from` left out,
/// before that deadline.
template <typename T, typename F>
bool waitForEvent(const core::Path& run, F test, std::size_t from = 0);

}  // namespace upcycle_test

#include "tests/app/wait_for_event.h"
