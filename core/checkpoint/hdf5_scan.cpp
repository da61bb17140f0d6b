// SPDX-License-Identifier: Apache-2.0

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_internal.h"
#include "core/checkpoint/hdf5_scan_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kMaxObjects = 1'000'000;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{256} << 20U;
/// Deflate shrinks at most by this factor.
constexpr std::uint64_t kMaxInflation = 1032;

[[noreturn]] void refuse(const Path& path, const std::string& text,
                         const char* hint = "the file is damaged or not one that Upcycler wrote") {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), text), hint);
}

Hdf5Handle openFile(const Path& path) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_sec2(access.get());
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    H5Pset_file_locking(access.get(), false, true);
    Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file.valid()) refuse(path, "the HDF5 structure cannot be read (damaged or cut short)");
    return file;
}

template <typename Names>
herr_t collect(Names& names, const char* name) noexcept {
    try {
        if (names.size() == kMaxObjects) return -1;
        names.emplace_back(name);
        return 0;
    } catch (...) {
        return -1;
    }
}

std::vector<std::string> linkNames(hid_t file, const Path& path) {
    std::vector<std::string> names;
    const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
        return collect(*static_cast<std::vector<std::string>*>(into), name);
    };
    if (H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names) < 0)
        refuse(path, fmt::format("the list of datasets cannot be read after {}", names.size()));
    return names;
}

std::map<std::string, std::string> textAttributes(hid_t file, const Path& path) {
    std::vector<std::string> names;
    const auto visit = [](hid_t, const char* name, const H5A_info_t*, void* into) -> herr_t {
        return collect(*static_cast<std::vector<std::string>*>(into), name);
    };
    hsize_t position = 0;
    if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, visit, &names) < 0)
        refuse(path, "the root attributes cannot be read");
    std::map<std::string, std::string> texts;
    for (const std::string& name : names) {
        std::optional<std::string> text = readTextAttribute(file, name.c_str());
        if (text && isUtf8(*text) && isUtf8(name)) texts.emplace(name, std::move(*text));
    }
    return texts;
}

class DatasetScan {
  public:
    DatasetScan(hid_t file, const Path& path, const std::string& name, std::uint64_t fileBytes)
        : path_(path), name_(printable(name)), fileBytes_(fileBytes) {
        if (!isUtf8(name)) refuse(path, "a dataset has a name that is not UTF-8");
        H5L_info_t link{};
        if (H5Lget_info(file, name.c_str(), &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
            fail("is a link, expected a dataset");
        const Hdf5Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose);
        if (!object.valid()) fail("cannot be read");
        if (H5Iget_type(object.get()) != H5I_DATASET)
            refuse(path, fmt::format("'{}' is not a dataset", name_),
                   "expected one dataset per tensor in the root, as Upcycler writes it");
        scan(object.get());
        info_.name = name;
    }

    Hdf5Listing::Dataset take() && { return {std::move(info_), plain_}; }

  private:
    void scan(hid_t dataset) {
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
        info_.dtype = element->dtype;
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
        info_.shape = Shape(std::move(shape));
        const std::optional<std::int64_t> elements = info_.shape.checkedElements();
        const std::uint64_t width = dtypeBytes(info_.dtype);
        if (!elements || static_cast<std::uint64_t>(*elements) > UINT64_MAX / width)
            fail(fmt::format("has the absurd shape {}", toString(info_.shape)));
        info_.bytes = static_cast<std::uint64_t>(*elements) * width;
    }

    void checkStorage(hid_t dataset, hid_t creation, const Hdf5Element& element) {
        const H5D_layout_t layout = H5Pget_layout(creation);
        if (H5Pget_external_count(creation) != 0 || layout == H5D_VIRTUAL)
            fail("keeps its elements in other files, which are not followed");
        const std::uint64_t stored = H5Dget_storage_size(dataset);
        if (layout == H5D_CHUNKED) {
            checkChunks(creation);
            if (stored > fileBytes_ || info_.bytes / kMaxInflation > stored ||
                (stored == 0 && info_.bytes != 0))
                fail(fmt::format("stores {} bytes, which cannot hold {} {} in a file of {} bytes",
                                 stored, dtypeName(info_.dtype), toString(info_.shape),
                                 fileBytes_));
            return;
        }
        if (stored != info_.bytes)
            fail(fmt::format("stores {} bytes, but {} {} needs {}", stored, dtypeName(info_.dtype),
                             toString(info_.shape), info_.bytes));
        if (layout != H5D_CONTIGUOUS || info_.bytes == 0) return;
        const haddr_t offset = H5Dget_offset(dataset);
        if (offset == HADDR_UNDEF || offset > fileBytes_ || info_.bytes > fileBytes_ - offset)
            fail(fmt::format("needs {} bytes, but the file of {} bytes ends before", info_.bytes,
                             fileBytes_));
        info_.offset = offset;
        plain_ = element.littleEndian;
    }

    void checkChunks(hid_t creation) {
        std::vector<hsize_t> sizes(H5S_MAX_RANK);
        const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes.data());
        std::uint64_t bytes = dtypeBytes(info_.dtype);
        for (int i = 0; i < rank; ++i) {
            const hsize_t size = sizes[static_cast<std::size_t>(i)];
            if (size == 0 || size > kMaxChunkBytes / bytes)
                fail("is stored in chunks of an absurd size");
            bytes *= size;
        }
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
        refuse(path_, fmt::format("dataset '{}' {}", name_, text));
    }

    const Path& path_;
    std::string name_;
    std::uint64_t fileBytes_;
    TensorInfo info_;
    bool plain_ = false;
};

struct Box {
    std::vector<hsize_t> start, extent;
    std::int64_t elements = 1;
};

/// The longest box that begins at element `begin` of the flattened tensor and whose elements follow
/// one another, at most `count` of them. A range is a few such boxes.
Box longestBox(const Shape& shape, std::int64_t begin, std::int64_t count) {
    const std::span<const std::int64_t> sizes = shape.sizes();
    Box box;
    if (sizes.empty()) return box;
    std::size_t axis = 0;
    std::int64_t inner = shape.elements() / sizes[0];
    while (begin % inner != 0 || count < inner) inner /= sizes[++axis];
    box.start.resize(sizes.size());
    std::int64_t rest = begin;
    for (std::size_t i = sizes.size(); i-- > 0; rest /= sizes[i])
        box.start[i] = static_cast<hsize_t>(rest % sizes[i]);
    const std::int64_t along =
        std::min(count / inner, sizes[axis] - static_cast<std::int64_t>(box.start[axis]));
    box.extent.assign(sizes.begin(), sizes.end());
    std::fill_n(box.extent.begin(), axis, hsize_t{1});
    box.extent[axis] = static_cast<hsize_t>(along);
    box.elements = along * inner;
    return box;
}

void refuseKeras(hid_t file, const Path& path, const std::vector<std::string>& names) {
    if (H5Aexists(file, "layer_names") <= 0 &&
        std::find(names.begin(), names.end(), "model_weights") == names.end())
        return;
    refuse(path, "is laid out as Keras or TensorFlow does, which is not supported",
           "convert it to safetensors first");
}

}  // namespace

Hdf5Listing scanHdf5(const Path& path, std::uint64_t fileBytes) {
    const Hdf5Handle file = openFile(path);
    Hdf5Listing listing;
    listing.attributes = textAttributes(file.get(), path);
    const std::vector<std::string> names = linkNames(file.get(), path);
    refuseKeras(file.get(), path, names);
    for (const std::string& name : names)
        listing.datasets.push_back(DatasetScan(file.get(), path, name, fileBytes).take());
    return listing;
}

void readHdf5Boxes(const Path& path, const TensorInfo& tensor, std::int64_t begin,
                   std::int64_t count, std::span<char> into) {
    const Hdf5Handle file = openFile(path);
    const Hdf5Handle dataset(H5Dopen2(file.get(), tensor.name.c_str(), H5P_DEFAULT), H5Dclose);
    const Hdf5Handle type(H5Dget_type(dataset.get()), H5Tclose);
    const std::optional<Hdf5Element> element = hdf5Element(type.get(), {});
    const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose);
    const std::size_t width = dtypeBytes(tensor.dtype);
    while (count > 0) {
        const Box box = longestBox(tensor.shape, begin, count);
        if (tensor.shape.rank() > 0)
            H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, box.start.data(), nullptr,
                                box.extent.data(), nullptr);
        const auto points = static_cast<hsize_t>(box.elements);
        const Hdf5Handle memory(H5Screate_simple(1, &points, nullptr), H5Sclose);
        if (!element || dtypeBytes(element->dtype) != width ||
            H5Dread(dataset.get(), element->memoryType.get(), memory.get(), space.get(),
                    H5P_DEFAULT, into.data()) < 0)
            refuse(path, fmt::format("the elements of dataset '{}' cannot be read",
                                     printable(tensor.name)));
        begin += box.elements;
        count -= box.elements;
        into = into.subspan(static_cast<std::size_t>(box.elements) * width);
    }
}

}  // namespace core
