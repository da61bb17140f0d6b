// SPDX-License-Identifier: Apache-2.0
#include "core/run/preprocessor.h"

#include "core/run/job_json_internal.h"

#include <system_error>
#include <utility>
#include <vector>

namespace core {
namespace {

Path fileIn(const Path& folder) { return folder / "preprocessor_config.json"; }

/// An object, empty when the file is missing or something else.
Json readFile(const Path& folder) {
    std::error_code code;
    if (!std::filesystem::exists(fileIn(folder), code)) return Json::object();
    Json json = Json::parse(readTextFile(fileIn(folder)), nullptr, false);
    return json.is_object() ? json : Json::object();
}

std::vector<float> numbersIn(const Json& json, const char* key) {
    std::vector<float> values;
    if (const auto list = json.find(key); list != json.end() && list->is_array())
        for (const Json& value : *list)
            if (value.is_number()) values.push_back(value.get<float>());
    return values;
}

}  // namespace

std::optional<Normalization> readPreprocessor(const Path& folder) {
    const Json json = readFile(folder);
    Normalization found{numbersIn(json, "image_mean"), numbersIn(json, "image_std")};
    if (found.mean.empty() || found.mean.size() != found.std.size()) return std::nullopt;
    return found;
}

void writePreprocessor(const Path& folder, const Normalization& normalization,
                       const ImageShape& shape) {
    Json json = readFile(folder);
    if (json.empty())
        json = {{"image_processor_type", "ViTImageProcessor"},
                {"do_resize", true},
                {"size", {{"height", shape.height}, {"width", shape.width}}},
                {"do_rescale", true},
                {"rescale_factor", 1.0 / 255.0},
                {"do_normalize", true}};
    const Json ours = toJson(normalization);
    json["image_mean"] = ours["mean"];
    json["image_std"] = ours["std"];
    writeTextFile(fileIn(folder), json.dump(2) + "\n");
}

}  // namespace core
