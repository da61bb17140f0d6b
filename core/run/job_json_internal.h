// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"
#include "core/run/job_spec.h"
#include "core/run/json_internal.h"
#include "core/training/optimizer.h"
#include "core/training/schedule.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Strict reading of one JSON object: a key may be missing, but what is there must have the right
/// type; messages name `where` and the key's whole path.
class Fields {
  public:
    Fields(const Json& object, std::string where, std::string prefix = {});

    void read(const char* key, std::int64_t& value) const;
    void read(const char* key, int& value) const;
    void read(const char* key, std::uint64_t& value) const;
    void read(const char* key, double& value) const;
    void read(const char* key, float& value) const;
    void read(const char* key, bool& value) const;
    void read(const char* key, std::string& value) const;
    void read(const char* key, std::vector<float>& value) const;
    /// A word of a fixed set; `fromName` gives an optional.
    template <typename T, typename F>
    void readName(const char* key, T& value, F fromName) const {
        std::string name;
        read(key, name);
        if (name.empty()) return;
        const std::optional<T> found = fromName(name);
        if (!found) fail(key, "a known name");
        value = *found;
    }
    /// The object under `key`, or an empty one.
    Fields object(const char* key) const;
    const Json* find(const char* key) const;
    [[noreturn]] void fail(const char* key, std::string_view expected) const;

  private:
    Json object_;
    std::string where_;
    std::string prefix_;
};

/// Parses text that must be a JSON object of schema 1..newest.
Json parseDocument(const std::string& text, const std::string& where, int newestSchema);

/// The double whose shortest decimal is the float's: 0.1F -> 0.1.
double shortest(float value);

// The parts that job.json and training.json share.
Json toJson(const OptimizerSpec& spec);
Json toJson(const TextSpec& spec);
void read(const Fields& fields, OptimizerSpec& spec);
void read(const Fields& fields, TextSpec& spec);
Json toJson(const ScheduleSpec& spec);
void read(const Fields& fields, ScheduleSpec& spec);
Json toJson(const Augmentation& augmentation);
void read(const Fields& fields, Augmentation& augmentation);
Json toJson(const Normalization& normalization);
void read(const Fields& fields, Normalization& normalization);

}  // namespace core
