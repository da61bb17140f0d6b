// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_internal.h"
#include "core/checkpoint/hdf5_scan_internal.h"
#include "core/checkpoint/hdf5_walk_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kMaxAttributes = 100'000;
constexpr std::size_t kMaxAttributeBytes = std::size_t{64} << 20U;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{256} << 20U;
/// Deflate shrinks at most by this factor.
constexpr std::uint64_t kMaxInflation = 1032;

herr_t collect(hid_t, const char* name, const H5A_info_t*, void* into) noexcept {
    try {
        auto& names = *static_cast<std::vector<std::string>*>(into);
        if (names.size() == kMaxAttributes) return -1;
        names.emplace_back(name);
        return 0;
    } catch (...) {
        return -1;
    }
}

std::map<std::string, std::string> textAttributes(hid_t file, const Path& path) {
    std::vector<std::string> names;
    hsize_t position = 0;
    if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, collect, &names) < 0)
        refuseHdf5(path, "the root attributes cannot be read");
    std::map<std::string, std::string> texts;
    std::size_t bytes = 0;
    for (const std::string& name : names) {
        std::optional<std::string> text = readTextAttribute(file, name.c_str());
        if (!text || !isUtf8(*text) || !isUtf8(name)) continue;
        bytes += name.size() + text->size();
        if (bytes > kMaxAttributeBytes)
            refuseHdf5(path, fmt::format("the root attributes hold more than {}",
                                         formatBytes(static_cast<double>(kMaxAttributeBytes))));
        texts.emplace(name, std::move(*text));
    }
    return texts;
}

class DatasetScan {
  public:
    DatasetScan(const Path& path, const std::string& name, std::uint64_t fileBytes)
        : path_(path), name_(printable(name)), fileBytes_(fileBytes) {
        found_.info.name = name;
    }

    Hdf5Listing::Dataset scan(hid_t dataset) && {
        examine(dataset);
        return std::move(found_);
    }

  private:
    void examine(hid_t dataset) {
        const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
        const std::string label =
            H5Aexists(dataset, kHdf5DTypeAttribute) > 0
                ? readTextAttribute(dataset, kHdf5DTypeAttribute).value_or("not a text")
                : std::string();
        const std::optional<Hdf5Element> element = hdf5Element(type.get(), label);
        if (!element)
            fail(label.empty() ? std::string("has elements that are not of a known number type")
                               : fmt::format("has a dtype attribute '{}' that its elements deny",
                                             printable(label, 40)));
        found_.info.dtype = element->dtype;
        readShape(dataset);
        const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
        checkStorage(dataset, creation.get(), *element);
    }

    void readShape(hid_t dataset) {
        const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
        const int rank = H5Sget_simple_extent_ndims(space.get());
        const H5S_class_t kind = H5Sget_simple_extent_type(space.get());
        if (rank < 0 || rank > H5S_MAX_RANK || (kind != H5S_SIMPLE && kind != H5S_SCALAR))
            fail("has no shape");
        std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
        if (rank > 0) H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
        std::vector<std::int64_t> shape;
        for (const hsize_t size : sizes)
            shape.push_back(static_cast<std::int64_t>(std::min<hsize_t>(size, INT64_MAX)));
        found_.info.shape = Shape(std::move(shape));
        const std::optional<std::int64_t> elements = found_.info.shape.checkedElements();
        const std::uint64_t width = dtypeBytes(found_.info.dtype);
        if (!elements || static_cast<std::uint64_t>(*elements) > UINT64_MAX / width)
            fail(fmt::format("has the absurd shape {}", toString(found_.info.shape)));
        found_.info.bytes = static_cast<std::uint64_t>(*elements) * width;
    }

    void checkStorage(hid_t dataset, hid_t creation, const Hdf5Element& element) {
        const H5D_layout_t layout = H5Pget_layout(creation);
        if (H5Pget_external_count(creation) != 0 || layout == H5D_VIRTUAL)
            fail("keeps its elements in other files, which are not followed");
        const std::uint64_t stored = H5Dget_storage_size(dataset);
        if (layout == H5D_CHUNKED) {
            checkChunks(creation);
            if (stored > fileBytes_ || found_.info.bytes / kMaxInflation > stored ||
                (stored == 0 && found_.info.bytes != 0))
                fail(fmt::format("stores {} bytes, which cannot hold {} {} in a file of {} bytes",
                                 stored, dtypeName(found_.info.dtype), toString(found_.info.shape),
                                 fileBytes_));
            return;
        }
        if (stored != found_.info.bytes)
            fail(fmt::format("stores {} bytes, but {} {} needs {}", stored,
                             dtypeName(found_.info.dtype), toString(found_.info.shape),
                             found_.info.bytes));
        if (layout != H5D_CONTIGUOUS || found_.info.bytes == 0) return;
        const haddr_t offset = H5Dget_offset(dataset);
        if (offset == HADDR_UNDEF || offset > fileBytes_ || found_.info.bytes > fileBytes_ - offset)
            fail(fmt::format("needs {} bytes, but the file of {} bytes ends before",
                             found_.info.bytes, fileBytes_));
        found_.info.offset = offset;
        found_.plain = element.littleEndian;
    }

    /// Elements that a row of chunks of `rows` rows holds, whatever their other extents.
    std::int64_t decodedTogether(std::int64_t rows) const {
        const Shape& shape = found_.info.shape;
        if (shape.elements() == 0) return 1;
        const std::int64_t inner = shape.elements() / shape[0];
        return std::min(rows, shape[0]) * inner;
    }

    void checkChunks(hid_t creation) {
        std::vector<hsize_t> sizes(H5S_MAX_RANK);
        const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes.data());
        std::uint64_t bytes = dtypeBytes(found_.info.dtype);
        for (int i = 0; i < rank; ++i) {
            const hsize_t size = sizes[static_cast<std::size_t>(i)];
            if (size == 0 || size > kMaxChunkBytes / bytes)
                fail("is stored in chunks of an absurd size");
            bytes *= size;
        }
        found_.together = decodedTogether(static_cast<std::int64_t>(sizes[0]));
        const int filters = H5Pget_nfilters(creation);
        for (int i = 0; i < filters; ++i) {
            unsigned flags = 0, config = 0;
            std::size_t values = 0;
            const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags,
                                                       &values, nullptr, 0, nullptr, &config);
            if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
                filter != H5Z_FILTER_FLETCHER32)
                fail(fmt::format("is packed by filter {}, which is not supported", filter));
        }
    }

    [[noreturn]] void fail(const std::string& text) const {
        refuseHdf5(path_, fmt::format("dataset '{}' {}", name_, text));
    }

    const Path& path_;
    std::string name_;
    std::uint64_t fileBytes_;
    Hdf5Listing::Dataset found_;
};

}  // namespace

Hdf5Listing scanHdf5(const Path& path, std::uint64_t fileBytes) {
    const Hdf5Handle file = openHdf5File(path);
    Hdf5Listing listing;
    listing.attributes = textAttributes(file.get(), path);
    std::size_t nameBytes = 0;
    const Hdf5Visitor visit = [&](const std::string& name, const std::string& objectPath,
                                  hid_t dataset) {
        nameBytes += name.size() + objectPath.size();
        if (nameBytes > 2 * kMaxHdf5NameBytes)
            refuseHdf5(path, fmt::format("the names of the datasets fill more than {}",
                                         formatBytes(static_cast<double>(kMaxHdf5NameBytes))));
        listing.datasets.push_back(DatasetScan(path, name, fileBytes).scan(dataset));
        listing.datasets.back().objectPath = objectPath;
    };
    const auto format = listing.attributes.find(kHdf5FormatAttribute);
    const bool ours = format != listing.attributes.end() && format->second == kHdf5FormatName;
    listing.keras = !ours && isKerasFile(file.get());
    if (listing.keras)
        walkKeras(file.get(), path, visit, listing.notes);
    else
        walkHdf5Groups(file.get(), path, visit);
    return listing;
}

}  // namespace core
