// SPDX-License-Identifier: Apache-2.0
#include "core/data/data_source.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/data/idx.h"
#include "core/data/image_folder.h"
#include "core/data/synthetic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace core {
namespace {

constexpr const char* kFashionFolder = "/usr/share/datasets/fashion-mnist";
constexpr const char* kKnownSources =
    "use fashion-mnist[:DIR], idx:DIR, images:DIR or synthetic:images=28x28x1,classes=10";
constexpr std::int64_t kMaxSyntheticSide = 4096;
constexpr std::int64_t kMaxSyntheticChannels = 1024;
constexpr std::int64_t kMaxSyntheticCount = std::int64_t{1} << 24;

std::vector<std::string> fashionNames() {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
}

enum class Kind { Fashion, Idx, Images, Synthetic };

struct Source {
    Kind kind;
    Path folder;
    SyntheticSpec synthetic;
};

[[noreturn]] void refuseOption(const std::string& source, const std::string& what) {
    throw Error(ErrorKind::Usage, fmt::format("data source '{}': {}", printable(source), what),
                kKnownSources);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::int64_t parseNumber(const std::string& source, std::string_view text, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < 1 || value > most)
        refuseOption(source,
                     fmt::format("'{}' is not a whole number from 1 to {}", printable(text), most));
    return value;
}

ImageShape parseShape(const std::string& source, std::string_view text) {
    const auto sizes = split(text, 'x');
    if (sizes.size() != 3)
        refuseOption(source, fmt::format("'{}' is not HEIGHTxWIDTHxCHANNELS", printable(text)));
    return {.channels = parseNumber(source, sizes[2], kMaxSyntheticChannels),
            .height = parseNumber(source, sizes[0], kMaxSyntheticSide),
            .width = parseNumber(source, sizes[1], kMaxSyntheticSide)};
}

SyntheticSpec parseSynthetic(const std::string& source, std::string_view options) {
    SyntheticSpec spec;
    bool hasShape = false;
    for (const std::string_view option : split(options, ',')) {
        const std::size_t equals = option.find('=');
        const std::string_view key = option.substr(0, equals);
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
        if (key == "images") {
            spec.shape = parseShape(source, value);
            hasShape = true;
        } else if (key == "classes") {
            spec.classes = parseNumber(source, value, kMaxSyntheticCount);
        } else if (key == "examples") {
            spec.examples = parseNumber(source, value, kMaxSyntheticCount);
        } else {
            refuseOption(source, fmt::format("'{}' is not one of images, classes, examples",
                                             printable(key)));
        }
    }
    if (!hasShape) refuseOption(source, "the shape is missing (images=HxWxC)");
    return spec;
}

Path requireFolder(const std::string& source, std::string_view folder) {
    if (folder.empty()) refuseOption(source, "the folder is missing");
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) return folder;
    throw Error(ErrorKind::BadInput,
                fmt::format("the data folder {} does not exist", printable(folder)),
                "check the path");
}

Path fashionFolder() {
    std::error_code ignored;
    if (std::filesystem::is_directory(kFashionFolder, ignored)) return kFashionFolder;
    throw Error(ErrorKind::BadInput,
                fmt::format("Fashion-MNIST is not installed: {} does not exist", kFashionFolder),
                "install the Debian package dataset-fashion-mnist, or give fashion-mnist:DIR");
}

Source parse(const std::string& source) {
    const std::size_t colon = source.find(':');
    const std::string_view kind = std::string_view(source).substr(0, colon);
    const bool bare = colon == std::string::npos;
    const std::string_view rest =
        bare ? std::string_view() : std::string_view(source).substr(colon + 1);
    if (kind == "fashion-mnist")
        return {Kind::Fashion, bare ? fashionFolder() : requireFolder(source, rest), {}};
    if (kind == "idx") return {Kind::Idx, requireFolder(source, rest), {}};
    if (kind == "images") return {Kind::Images, requireFolder(source, rest), {}};
    if (kind == "synthetic") return {Kind::Synthetic, {}, parseSynthetic(source, rest)};
    throw Error(ErrorKind::Usage, fmt::format("unknown data source '{}'", printable(source)),
                kKnownSources);
}

std::vector<Split> splitsOf(const Source& source) {
    switch (source.kind) {
        case Kind::Fashion:
        case Kind::Idx:
            return {Split::Train, Split::Test};
        case Kind::Synthetic:
            return {Split::Train, Split::Validation, Split::Test};
        case Kind::Images:
            break;
    }
    std::vector<Split> splits{Split::Train};
    for (const Split split : {Split::Validation, Split::Test})
        if (!splitFolder(source.folder, split).empty()) splits.push_back(split);
    if (splits.size() == 1) splits.push_back(Split::Validation);
    return splits;
}

void requireSplit(const Source& source, const std::string& text, Split split) {
    const std::vector<Split> splits = splitsOf(source);
    if (std::find(splits.begin(), splits.end(), split) != splits.end()) return;
    std::vector<std::string_view> names;
    for (const Split one : splits) names.push_back(splitName(one));
    throw Error(ErrorKind::BadInput,
                fmt::format("the data source {} has no {} part", printable(text), splitName(split)),
                fmt::format("choose one of: {}", fmt::join(names, ", ")));
}

void requireShape(const SyntheticSpec& spec, const ImageShape& shape) {
    if (spec.shape == shape) return;
    throw Error(ErrorKind::BadInput,
                fmt::format("the synthetic images are {}x{}x{}, the model takes {}x{}x{}",
                            spec.shape.height, spec.shape.width, spec.shape.channels, shape.height,
                            shape.width, shape.channels),
                fmt::format("use synthetic:images={}x{}x{},classes={}", shape.height, shape.width,
                            shape.channels, spec.classes));
}

}  // namespace

std::string_view splitName(Split split) noexcept {
    switch (split) {
        case Split::Train:
            return "train";
        case Split::Validation:
            return "validation";
        case Split::Test:
            return "test";
    }
    return "";
}

std::optional<Split> splitFromName(std::string_view name) noexcept {
    for (const Split split : {Split::Train, Split::Validation, Split::Test})
        if (splitName(split) == name) return split;
    return std::nullopt;
}

std::vector<Split> splitsOf(const std::string& source) { return splitsOf(parse(source)); }

Split evaluationSplit(const std::string& source) { return splitsOf(source).at(1); }

std::shared_ptr<const ImageDataset> openImages(const std::string& source, Split split,
                                               const ImageShape& shape, std::uint64_t seed) {
    const Source parsed = parse(source);
    requireSplit(parsed, source, split);
    switch (parsed.kind) {
        case Kind::Fashion:
            return openIdxFolder(parsed.folder, split, shape, "Fashion-MNIST", fashionNames());
        case Kind::Idx:
            return openIdxFolder(parsed.folder, split, shape, printable(parsed.folder.string()),
                                 {});
        case Kind::Images:
            return openImageFolder(parsed.folder, split, shape, seed);
        case Kind::Synthetic:
            requireShape(parsed.synthetic, shape);
            return makeSyntheticImages(parsed.synthetic, split, seed);
    }
    throw Error(ErrorKind::Internal, "unhandled data source");
}

}  // namespace core
