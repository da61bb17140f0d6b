// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/hdf5_listing.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/byte_message.h"
#include "core/checkpoint/child_process.h"
#include "core/checkpoint/hdf5_internal.h"
#include "core/checkpoint/hdf5_scan_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace core {
namespace {

[[noreturn]] void refuseDamaged(const Path& path, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), text),
                "copy or download the file again");
}

std::string encode(const Hdf5Listing& listing) {
    MessageWriter message;
    message.number(listing.attributes.size());
    for (const auto& [name, text] : listing.attributes) {
        message.text(name);
        message.text(text);
    }
    message.number(listing.keras ? 1 : 0);
    message.number(listing.notes.size());
    for (const std::string& note : listing.notes) message.text(note);
    message.number(listing.datasets.size());
    for (const Hdf5Listing::Dataset& dataset : listing.datasets) {
        message.text(dataset.info.name);
        message.text(dataset.objectPath);
        message.number(static_cast<std::uint64_t>(dataset.info.dtype));
        message.number(dataset.info.shape.rank());
        for (const std::int64_t size : dataset.info.shape.sizes())
            message.number(static_cast<std::uint64_t>(size));
        message.number(dataset.info.offset);
        message.number(dataset.plain ? 1 : 0);
        message.number(static_cast<std::uint64_t>(dataset.together));
    }
    return message.take();
}

/// Nothing when the child was out of its mind; what matters for memory safety is checked again.
std::optional<Hdf5Listing::Dataset> decodeDataset(MessageReader& message, std::uint64_t fileBytes) {
    Hdf5Listing::Dataset dataset;
    std::optional<std::string> name = message.text();
    std::optional<std::string> objectPath = message.text();
    const std::optional<std::uint64_t> dtype = message.number();
    const std::optional<std::uint64_t> rank = message.number();
    if (!name || !isUtf8(*name) || !objectPath || !dtype ||
        *dtype > static_cast<std::uint64_t>(DType::Bool) || !rank || *rank > H5S_MAX_RANK)
        return std::nullopt;
    std::vector<std::int64_t> sizes;
    for (std::uint64_t i = 0; i < *rank; ++i)
        sizes.push_back(static_cast<std::int64_t>(message.number().value_or(UINT64_MAX)));
    dataset.info.name = std::move(*name);
    dataset.objectPath = std::move(*objectPath);
    dataset.info.dtype = static_cast<DType>(*dtype);
    dataset.info.shape = Shape(std::move(sizes));
    const std::optional<std::int64_t> elements = dataset.info.shape.checkedElements();
    const std::uint64_t width = dtypeBytes(dataset.info.dtype);
    const std::optional<std::uint64_t> offset = message.number();
    const std::optional<std::uint64_t> plain = message.number();
    const std::optional<std::uint64_t> together = message.number();
    if (!elements || static_cast<std::uint64_t>(*elements) > UINT64_MAX / width || !offset ||
        !plain || !together || *together == 0 ||
        *together > std::max<std::uint64_t>(1, static_cast<std::uint64_t>(*elements)))
        return std::nullopt;
    dataset.info.bytes = static_cast<std::uint64_t>(*elements) * width;
    dataset.info.offset = *offset;
    dataset.plain = *plain == 1;
    dataset.together = static_cast<std::int64_t>(*together);
    if (dataset.plain && (*offset > fileBytes || dataset.info.bytes > fileBytes - *offset))
        return std::nullopt;
    return dataset;
}

std::optional<Hdf5Listing> decode(std::string_view bytes, const Path& path,
                                  std::uint64_t fileBytes) {
    MessageReader message(bytes);
    Hdf5Listing listing;
    const std::optional<std::uint64_t> attributes = message.number();
    for (std::uint64_t i = 0; i < attributes.value_or(0); ++i) {
        std::optional<std::string> name = message.text();
        std::optional<std::string> text = message.text();
        if (!name || !text) return std::nullopt;
        listing.attributes.emplace(std::move(*name), std::move(*text));
    }
    listing.keras = message.number() == 1;
    const std::optional<std::uint64_t> notes = message.number();
    for (std::uint64_t i = 0; i < notes.value_or(0); ++i) {
        std::optional<std::string> note = message.text();
        if (!note) return std::nullopt;
        listing.notes.push_back(std::move(*note));
    }
    const std::optional<std::uint64_t> datasets = message.number();
    if (!datasets) return std::nullopt;
    for (std::uint64_t i = 0; i < *datasets; ++i) {
        std::optional<Hdf5Listing::Dataset> dataset = decodeDataset(message, fileBytes);
        if (!dataset) return std::nullopt;
        dataset->info.file = path.filename().string();
        listing.datasets.push_back(std::move(*dataset));
    }
    return listing;
}

/// The lock is held while forking, so that the child's copy of the library is in order.
std::optional<std::string> withLibrary(const std::function<std::string()>& work) {
    const Hdf5Lock lock;
    return runInChild(work);
}

}  // namespace

Hdf5Listing listHdf5(const Path& path) {
    const std::uint64_t bytes = File::openForReading(path).size();
    const std::optional<std::string> answer =
        withLibrary([&] { return encode(scanHdf5(path, bytes)); });
    std::optional<Hdf5Listing> listing;
    if (answer) listing = decode(*answer, path, bytes);
    if (!listing) refuseDamaged(path, "the HDF5 structure is damaged");
    return std::move(*listing);
}

void readHdf5(const Path& path, const Hdf5Listing::Dataset& from, std::int64_t begin,
              std::int64_t count, const SharedBytes& into) {
    const std::optional<std::string> answer = withLibrary([&] {
        readHdf5Boxes(path, from, begin, count, into.bytes());
        return std::string();
    });
    if (!answer)
        refuseDamaged(path, fmt::format("the elements of dataset '{}' are damaged",
                                        printable(from.info.name)));
}

}  // namespace core
