// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_internal.h"
#include "core/checkpoint/writers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace core {
namespace {

constexpr std::size_t kLongestName = 60000;
constexpr const char* kSafetensorsHint = "write safetensors instead";

[[noreturn]] void writeFailed(const Path& path) {
    throw Error(ErrorKind::DiskFull, fmt::format("{} could not be written", path.string()),
                "free some space or choose another disk");
}

[[noreturn]] void refuseName(const TensorInfo& tensor, const char* why) {
    throw Error(
        ErrorKind::BadInput,
        fmt::format("tensor '{}' has a name that HDF5 cannot hold{}", printable(tensor.name), why),
        kSafetensorsHint);
}

/// The names of the groups that a name with slashes lies in, from the outermost on.
std::vector<std::string> groupsOf(const std::string& name) {
    std::vector<std::string> groups;
    for (std::size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1))
        groups.push_back(name.substr(0, slash));
    return groups;
}

bool isPlainName(const std::string& name) {
    std::string_view rest = name;
    while (true) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        if (part.empty() || part == "." || part.find('\0') != std::string_view::npos) return false;
        if (part.size() == rest.size()) return name.size() <= kLongestName;
        rest.remove_prefix(part.size() + 1);
    }
}

void checkNames(const std::vector<TensorInfo>& tensors, const WriterOptions& options) {
    std::set<std::string> groups;
    for (const TensorInfo& tensor : tensors) {
        if (!isPlainName(tensor.name)) refuseName(tensor, "");
        for (std::string& group : groupsOf(tensor.name)) groups.insert(std::move(group));
    }
    for (const TensorInfo& tensor : tensors)
        if (groups.contains(tensor.name))
            refuseName(tensor, " beside others whose names go on behind it with a slash");
    for (const auto& [key, value] : options.metadata)
        if (key.empty() || key.find('\0') != std::string::npos ||
            value.find('\0') != std::string::npos)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("the metadata '{}' is a text that HDF5 cannot hold", printable(key)),
                kSafetensorsHint);
}

/// Space is asked for in the plain way first: the library answers a full disk badly.
void rehearse(const Path& path, const std::vector<TensorInfo>& tensors,
              const WriterOptions& options) {
    std::uint64_t bytes = 8192 + 2 * options.configText.size();
    for (const TensorInfo& tensor : tensors) {
        const auto slashes = std::count(tensor.name.begin(), tensor.name.end(), '/');
        bytes += tensor.bytes + 640 * static_cast<std::uint64_t>(1 + slashes) + tensor.name.size();
    }
    for (const auto& [key, value] : options.metadata) bytes += 256 + key.size() + value.size();
    File::createNew(path).preallocate(bytes);
}

Hdf5Handle createFile(const Path& path) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18);
    const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false);
    Hdf5Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
    if (!file.valid()) writeFailed(path);
    return file;
}

bool writeRootAttributes(hid_t file, const WriterOptions& options) {
    bool written = writeTextAttribute(file, kHdf5FormatAttribute, kHdf5FormatName);
    if (!options.configText.empty())
        written = written && writeTextAttribute(file, kHdf5ConfigAttribute, options.configText);
    for (const auto& [key, value] : options.metadata)
        if (key != kHdf5FormatAttribute && key != kHdf5ConfigAttribute)
            written = written && writeTextAttribute(file, key.c_str(), value);
    return written;
}

/// Groups for names with slashes, in the order in which they are needed.
void createGroups(hid_t file, const std::vector<TensorInfo>& tensors, const Path& path) {
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
    const Hdf5Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false);
    std::set<std::string> created;
    for (const TensorInfo& tensor : tensors)
        for (const std::string& name : groupsOf(tensor.name)) {
            if (!created.insert(name).second) continue;
            const Hdf5Handle group(
                H5Gcreate2(file, name.c_str(), links.get(), creation.get(), H5P_DEFAULT), H5Gclose);
            if (!group.valid()) writeFailed(path);
        }
}

/// A contiguous dataset whose place in the file is fixed at once; its offset, or 0 for no elements.
std::uint64_t createDataset(hid_t file, const TensorInfo& tensor, const Path& path) {
    const Hdf5Handle type = hdf5TypeOf(tensor.dtype);
    const std::vector<hsize_t> sizes(tensor.shape.sizes().begin(), tensor.shape.sizes().end());
    const Hdf5Handle space(
        sizes.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
        H5Sclose);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(creation.get(), false);
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
    Hdf5Handle dataset(H5Dcreate2(file, tensor.name.c_str(), type.get(), space.get(), links.get(),
                                  creation.get(), H5P_DEFAULT),
                       H5Dclose);
    if (!dataset.valid()) writeFailed(path);
    if (needsDTypeAttribute(tensor.dtype) &&
        !writeTextAttribute(dataset.get(), kHdf5DTypeAttribute,
                            std::string(dtypeName(tensor.dtype))))
        writeFailed(path);
    const haddr_t offset = H5Dget_offset(dataset.get());
    if (offset == HADDR_UNDEF && tensor.bytes != 0) writeFailed(path);
    return offset == HADDR_UNDEF ? 0 : offset;
}

}  // namespace

LaidOutFiles layOutHdf5(const WritePlace& place, std::vector<TensorInfo>& tensors,
                        const WriterOptions& options) {
    checkNames(tensors, options);
    const std::string name = place.folder.empty() ? place.fileName : "model.h5";
    const Path path = place.pathOf(name);
    rehearse(path, tensors, options);
    {
        const Hdf5Lock lock;
        Hdf5Handle hdf5 = createFile(path);
        if (!writeRootAttributes(hdf5.get(), options)) writeFailed(path);
        createGroups(hdf5.get(), tensors, path);
        for (TensorInfo& tensor : tensors) {
            tensor.offset = createDataset(hdf5.get(), tensor, path);
            tensor.file = name;
        }
        if (!hdf5.close()) writeFailed(path);
    }
    LaidOutFiles files;
    File file = File::openForUpdating(path);
    file.preallocate(file.size());
    files.emplace(name, std::move(file));
    return files;
}

}  // namespace core
