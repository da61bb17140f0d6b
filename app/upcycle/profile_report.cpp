// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/profile_report.h"

#include "app/upcycle/output.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kGiga = 1e9;
constexpr double kMilli = 1e-3;

/// What the rows come to, per step.
struct Totals {
    double seconds = 0;   ///< of all ops
    double products = 0;  ///< of those with products
    double flops = 0, floor = 0;
};

Totals totalsOf(const std::vector<ProfileRow>& rows) {
    Totals totals;
    for (const ProfileRow& row : rows) {
        totals.seconds += row.seconds;
        totals.flops += row.work.flops;
        totals.floor += row.floor;
        if (row.work.flops > 0) totals.products += row.seconds;
    }
    return totals;
}

double outsideOps(const core::StepProfile& profile, const Totals& totals) {
    return std::max(0.0, profile.opByOpSeconds - totals.seconds);
}

double ratio(double value, double of) { return of > 0 ? value / of : 0.0; }

std::string rateText(const ProfileRow& row) {
    return row.work.flops > 0
               ? fmt::format("{:.0f} GFLOP/s", ratio(row.work.flops, row.seconds) / kGiga)
               : fmt::format("{:.1f} GB/s", ratio(row.work.bytes, row.seconds) / kGiga);
}

void printRows(const core::StepProfile& profile, const std::vector<ProfileRow>& rows,
               const Totals& totals) {
    const auto line = [](const std::string& op, const std::string& calls, double seconds, double of,
                         const std::string& rest) {
        printLine(fmt::format("{:<36} {:>6} {:>9.3f} {:>6.1f} %{}", op, calls, seconds / kMilli,
                              100 * ratio(seconds, of), rest));
    };
    printLine(fmt::format("{:<36} {:>6} {:>9} {:>8} {:>13} {:>9} {:>7}{}", "op", "calls", "ms",
                          "share", "rate", "floor ms", "gap",
                          rows.front().sizes.empty() ? "" : "  sizes"));
    for (const ProfileRow& row : rows)
        line(row.op, fmt::format("{:.3g}", row.calls), row.seconds, profile.opByOpSeconds,
             fmt::format(" {:>13} {:>9.3f} {:>6.1f}x{}", rateText(row), row.floor / kMilli,
                         ratio(row.seconds, row.floor),
                         row.sizes.empty() ? std::string() : "  " + row.sizes));
    line("outside the ops", "", outsideOps(profile, totals), profile.opByOpSeconds, "");
    line("a step, op by op", "", profile.opByOpSeconds, profile.opByOpSeconds,
         fmt::format(" {:>13} {:>9.3f} {:>6.1f}x", "", totals.floor / kMilli,
                     ratio(profile.opByOpSeconds, totals.floor)));
}

/// Name and bytes of every kind.
std::array<std::pair<const char*, std::uint64_t>, 6> kindsOf(const core::MemoryUse& memory) {
    return {{{"parameters", memory.parameters},
             {"gradients", memory.gradients},
             {"optimizer", memory.optimizer},
             {"bf16_copies", memory.copies},
             {"activations", memory.activations},
             {"other", memory.other}}};
}

}  // namespace

std::vector<ProfileRow> profileRows(const core::StepProfile& profile, bool bySizes) {
    std::map<std::pair<std::string, std::string>, ProfileRow> rows;
    const auto steps = static_cast<double>(profile.steps);
    for (const core::OpProfile& op : profile.ops) {
        const std::string sizes =
            bySizes ? fmt::format("{} {}", core::dtypeOption(op.dtype), op.sizes) : std::string();
        ProfileRow& row = rows[{op.op, sizes}];
        row.op = op.op;
        row.sizes = sizes;
        row.calls += static_cast<double>(op.calls) / steps;
        row.seconds += op.seconds / steps;
        row.work.flops += op.work.flops / steps;
        row.work.bytes += op.work.bytes / steps;
        row.floor += core::floorSeconds(op, profile.ceilings) / steps;
    }
    std::vector<ProfileRow> sorted;
    for (auto& [key, row] : rows) sorted.push_back(std::move(row));
    std::stable_sort(sorted.begin(), sorted.end(), [](const ProfileRow& a, const ProfileRow& b) {
        return a.seconds > b.seconds;
    });
    return sorted;
}

void printProfile(const core::StepProfile& profile, bool bySizes) {
    const std::vector<ProfileRow> rows = profileRows(profile, bySizes);
    const Totals totals = totalsOf(rows);
    printLine(fmt::format("{}; {} steps of {} examples, {} tokens{}", profile.device, profile.steps,
                          profile.examples, profile.tokens,
                          profile.randomWeights ? "; random weights" : ""));
    printLine(fmt::format("ceilings: products {:.0f} GFLOP/s, copies {:.1f} GB/s",
                          profile.ceilings.flops / kGiga, profile.ceilings.bytes / kGiga));
    printLine("");
    printRows(profile, rows, totals);
    printLine("");
    printLine(fmt::format(
        "a step as in training {:.3f} ms: {:.1f} GFLOP of products, {:.0f} GFLOP/s, {:.0f} % of "
        "the ceiling; floor {:.3f} ms",
        profile.seconds / kMilli, totals.flops / kGiga,
        ratio(totals.flops, profile.seconds) / kGiga,
        100 * ratio(totals.flops, profile.seconds * profile.ceilings.flops),
        totals.floor / kMilli));
    printLine(fmt::format("outside products {:.1f} %",
                          100 * (1 - ratio(totals.products, profile.opByOpSeconds))));
    printLine("");
    const auto bytes = [](std::uint64_t n) { return core::formatBytes(static_cast<double>(n)); };
    std::uint64_t sum = 0;
    for (const auto& [kind, count] : kindsOf(profile.memory)) {
        printLine(fmt::format("{:<12} {:>10}", kind, bytes(count)));
        sum += count;
    }
    printLine(
        fmt::format("{:<12} {:>10}   planned {}; most allocated at once {}, the process's peak {}",
                    "together", bytes(sum), bytes(profile.memory.planned),
                    bytes(profile.memory.allocated), bytes(profile.memory.process)));
}

Json profileJson(const core::StepProfile& profile, bool bySizes) {
    const std::vector<ProfileRow> rows = profileRows(profile, bySizes);
    const Totals totals = totalsOf(rows);
    Json ops = Json::array();
    for (const ProfileRow& row : rows) {
        Json op{{"op", row.op}};
        if (bySizes) op["sizes"] = row.sizes;
        op["calls"] = row.calls;
        op["seconds"] = row.seconds;
        op["share"] = ratio(row.seconds, profile.opByOpSeconds);
        op["flops"] = row.work.flops;
        op["bytes"] = row.work.bytes;
        op["floor_seconds"] = row.floor;
        ops.push_back(std::move(op));
    }
    Json memory;
    for (const auto& [kind, count] : kindsOf(profile.memory)) memory[kind] = count;
    memory["planned"] = profile.memory.planned;
    memory["allocated_peak"] = profile.memory.allocated;
    memory["process_peak"] = profile.memory.process;
    return {{"device", profile.device},
            {"random_weights", profile.randomWeights},
            {"steps", profile.steps},
            {"examples", profile.examples},
            {"tokens", profile.tokens},
            {"step_seconds", profile.seconds},
            {"op_by_op_seconds", profile.opByOpSeconds},
            {"outside_ops_seconds", outsideOps(profile, totals)},
            {"outside_products_share", 1 - ratio(totals.products, profile.opByOpSeconds)},
            {"floor_seconds", totals.floor},
            {"flops", totals.flops},
            {"ceilings",
             {{"product_flops", profile.ceilings.flops}, {"copy_bytes", profile.ceilings.bytes}}},
            {"ops", ops},
            {"memory", memory}};
}

}  // namespace upcycle
