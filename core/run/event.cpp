// SPDX-License-Identifier: Apache-2.0
#include "core/run/event.h"

#include "core/run/json_internal.h"

#include <cmath>
#include <set>
#include <utility>

namespace core {
namespace {

/// Writes numbers; remembers whether one was not finite.
class Writer {
  public:
    Writer(const char* name, double time) : json_{{"event", name}, {"time", time}} {}

    template <typename T>
    Writer& put(const char* key, const T& value) {
        json_[key] = value;
        return *this;
    }
    Writer& number(const std::string& key, double value) {
        json_[key] = finiteOrNull(value);
        return *this;
    }
    Writer& numbers(const char* key, const std::vector<double>& values) {
        Json list = Json::array();
        for (const double value : values) list.push_back(finiteOrNull(value));
        json_[key] = std::move(list);
        return *this;
    }
    std::string line() {
        if (!finite_) json_["finite"] = false;
        return json_.dump(-1, ' ', false, Json::error_handler_t::replace);
    }

  private:
    Json finiteOrNull(double value) {
        if (std::isfinite(value)) return value;
        finite_ = false;
        return nullptr;
    }

    Json json_;
    bool finite_ = true;
};

struct ToLine {
    double time;
    std::int64_t step;

    std::string operator()(const HelloEvent& e) const {
        Writer w("hello", time);
        w.put("schema", e.schema).put("program", e.program).put("version", e.version);
        w.put("device", e.device).put("device_reason", e.deviceReason).put("dtype", e.dtype);
        w.put("threads", e.threads).put("model", e.model).put("parameters", e.parameters);
        w.put("step", step).put("steps", e.steps);
        if (e.resumedFrom) w.put("resumed_from", *e.resumedFrom);
        return w.line();
    }
    std::string operator()(const StepEvent& e) const {
        Writer w("step", time);
        w.put("step", step).number("loss", e.loss).number("aux_loss", e.auxLoss);
        w.number("z_loss", e.zLoss).number("lr", e.lr).number("grad_norm", e.gradNorm);
        w.put("examples", e.examples).put("tokens", e.tokens).number("seconds", e.seconds);
        if (!e.applied) w.put("applied", false);
        return w.line();
    }
    std::string operator()(const RouterEvent& e) const {
        Writer w("router", time);
        w.put("step", step).put("block", e.stats.block).put("experts", e.experts);
        w.numbers("load", e.stats.load).number("unrouted", e.stats.unrouted);
        w.number("dropped", e.stats.dropped).number("entropy", e.stats.entropy);
        w.number("combine_sum", e.stats.combineSum).number("cv", e.stats.cv);
        return w.line();
    }
    std::string operator()(const EvalEvent& e) const {
        Writer w("eval", time);
        w.put("step", step).put("split", e.split).number("loss", e.loss);
        if (e.accuracy) w.number("accuracy", *e.accuracy);
        for (const auto& [name, value] : e.metrics) w.number(name, value);
        return w.line();
    }
    std::string operator()(const SampleEvent& e) const {
        Writer w("sample", time);
        w.put("step", step).put("input", e.input).put("filled", e.filled).put("truth", e.truth);
        return w.line();
    }
    std::string operator()(const CheckpointEvent& e) const {
        return Writer("checkpoint", time).put("step", step).put("path", e.path).line();
    }
    std::string operator()(const StateEvent& e) const {
        return Writer("state", time).put("step", step).put("state", e.state).line();
    }
    std::string operator()(const AlarmEvent& e) const {
        Writer w("alarm", time);
        w.put("step", step).put("kind", e.kind).put("block", e.block).put("message", e.message);
        return w.line();
    }
    std::string operator()(const ErrorEvent& e) const {
        Writer w("error", time);
        w.put("step", step).put("kind", e.kind).put("message", e.message).put("hint", e.hint);
        return w.line();
    }
    std::string operator()(const OrderEvent& e) const {
        Writer w("order", time);
        w.put("step", step).put("command", e.command).put("argument", e.argument);
        return w.put("control_offset", e.controlOffset).line();
    }
    std::string operator()(const DoneEvent& e) const {
        Writer w("done", time);
        w.put("step", step).put("reason", e.reason).put("control_offset", e.controlOffset);
        return w.line();
    }
    std::string operator()(const UnknownEvent& e) const {
        return Writer(e.name.c_str(), time).put("step", step).line();
    }
};

HelloEvent helloFrom(const Json& j) {
    HelloEvent e;
    e.schema = static_cast<int>(integerOr(j, "schema", 0));
    e.program = textOr(j, "program");
    e.version = textOr(j, "version");
    e.device = textOr(j, "device");
    e.deviceReason = textOr(j, "device_reason");
    e.dtype = textOr(j, "dtype");
    e.model = textOr(j, "model");
    e.threads = static_cast<int>(integerOr(j, "threads", 0));
    e.parameters = integerOr(j, "parameters", 0);
    e.steps = integerOr(j, "steps", 0);
    if (j.contains("resumed_from")) e.resumedFrom = integerOr(j, "resumed_from", 0);
    return e;
}

StepEvent stepFrom(const Json& j) {
    StepEvent e;
    e.loss = numberOr(j, "loss", 0);
    e.auxLoss = numberOr(j, "aux_loss", 0);
    e.zLoss = numberOr(j, "z_loss", 0);
    e.lr = numberOr(j, "lr", 0);
    e.gradNorm = numberOr(j, "grad_norm", 0);
    e.examples = integerOr(j, "examples", 0);
    e.tokens = integerOr(j, "tokens", 0);
    e.seconds = numberOr(j, "seconds", 0);
    e.applied = boolOr(j, "applied", true);
    return e;
}

RouterEvent routerFrom(const Json& j) {
    RouterEvent e;
    e.stats.block = textOr(j, "block");
    if (const auto load = j.find("load"); load != j.end() && load->is_array())
        for (const Json& value : *load) e.stats.load.push_back(asNumber(value, 0));
    e.experts = integerOr(j, "experts", static_cast<std::int64_t>(e.stats.load.size()));
    e.stats.unrouted = numberOr(j, "unrouted", 0);
    e.stats.dropped = numberOr(j, "dropped", 0);
    e.stats.entropy = numberOr(j, "entropy", 0);
    e.stats.combineSum = numberOr(j, "combine_sum", 0);
    e.stats.cv = numberOr(j, "cv", 0);
    return e;
}

EvalEvent evalFrom(const Json& j) {
    static const std::set<std::string> known{"event", "time",     "step",  "split",
                                             "loss",  "accuracy", "finite"};
    EvalEvent e;
    e.split = textOr(j, "split");
    e.loss = numberOr(j, "loss", 0);
    if (j.contains("accuracy")) e.accuracy = numberOr(j, "accuracy", 0);
    for (const auto& [key, value] : j.items())
        if (!known.contains(key) && (value.is_number() || value.is_null()))
            e.metrics[key] = asNumber(value, 0);
    return e;
}

std::uint64_t offsetFrom(const Json& j) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(integerOr(j, "control_offset", 0), 0));
}

}  // namespace

std::string toJsonLine(const Event& event) {
    return std::visit(ToLine{event.time, event.step}, event.what);
}

std::optional<Event> eventFromJsonLine(std::string_view line) {
    const Json j = Json::parse(line, nullptr, false);
    if (!j.is_object()) return std::nullopt;
    const std::string name = textOr(j, "event");
    if (name.empty()) return std::nullopt;
    Event event;
    event.time = numberOr(j, "time", 0);
    event.step = integerOr(j, "step", 0);
    if (name == "hello")
        event.what = helloFrom(j);
    else if (name == "step")
        event.what = stepFrom(j);
    else if (name == "router")
        event.what = routerFrom(j);
    else if (name == "eval")
        event.what = evalFrom(j);
    else if (name == "sample")
        event.what = SampleEvent{textOr(j, "input"), textOr(j, "filled"), textOr(j, "truth")};
    else if (name == "checkpoint")
        event.what = CheckpointEvent{textOr(j, "path")};
    else if (name == "state")
        event.what = StateEvent{textOr(j, "state")};
    else if (name == "alarm")
        event.what = AlarmEvent{textOr(j, "kind"), textOr(j, "block"), textOr(j, "message")};
    else if (name == "error")
        event.what = ErrorEvent{textOr(j, "kind"), textOr(j, "message"), textOr(j, "hint")};
    else if (name == "order")
        event.what = OrderEvent{textOr(j, "command"), textOr(j, "argument"), offsetFrom(j)};
    else if (name == "done")
        event.what = DoneEvent{textOr(j, "reason"), offsetFrom(j)};
    else
        event.what = UnknownEvent{name};
    return event;
}

}  // namespace core
