// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"
#include "core/checkpoint/hdf5_scan_internal.h"
#include "core/checkpoint/hdf5_walk_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace core {
namespace {

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

}  // namespace

void readHdf5Boxes(const Path& path, const Hdf5Listing::Dataset& from, std::int64_t begin,
                   std::int64_t count, std::span<std::byte> into) {
    const TensorInfo& tensor = from.info;
    const Hdf5Handle file = openHdf5File(path);
    Hdf5Opener opener(file.get(), path);
    const hid_t dataset =
        opener.open(from.objectPath, fmt::format("dataset '{}'", printable(tensor.name)));
    const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
    const std::optional<Hdf5Element> element = hdf5Element(type.get(), {});
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const std::size_t width = dtypeBytes(tensor.dtype);
    while (count > 0) {
        const Box box = longestBox(tensor.shape, begin, count);
        if (tensor.shape.rank() > 0)
            H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, box.start.data(), nullptr,
                                box.extent.data(), nullptr);
        // Of the box's own shape: the library copies between equal shapes much faster.
        const Hdf5Handle memory(
            box.extent.empty()
                ? H5Screate(H5S_SCALAR)
                : H5Screate_simple(static_cast<int>(box.extent.size()), box.extent.data(), nullptr),
            H5Sclose);
        if (!element || dtypeBytes(element->dtype) != width ||
            H5Dread(dataset, element->memoryType.get(), memory.get(), space.get(), H5P_DEFAULT,
                    into.data()) < 0)
            refuseHdf5(path, fmt::format("the elements of dataset '{}' cannot be read",
                                         printable(tensor.name)));
        begin += box.elements;
        count -= box.elements;
        into = into.subspan(static_cast<std::size_t>(box.elements) * width);
    }
}

}  // namespace core
