// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_walk_internal.h"

#include <fmt/format.h>

#include <set>

namespace core {
namespace {

constexpr std::size_t kMaxDepth = 64;

struct Link {
    std::string name;
    bool hard = false;
    haddr_t address = HADDR_UNDEF;  ///< of the object that a hard link leads to
};

herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* into) noexcept {
    try {
        auto& links = *static_cast<std::vector<Link>*>(into);
        if (links.size() == kMaxHdf5Objects) return -1;
        const bool hard = info->type == H5L_TYPE_HARD;
        links.push_back({name, hard, hard ? info->u.address : HADDR_UNDEF});
        return 0;
    } catch (...) {
        return -1;
    }
}

class GroupWalk {
  public:
    GroupWalk(const Path& path, const Hdf5Visitor& visit) : path_(path), visit_(visit) {}

    void walk(hid_t group, const std::string& prefix, std::size_t depth) {
        std::vector<Link> links;
        if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &links) < 0)
            refuseHdf5(path_, fmt::format("the list of datasets{} cannot be read after {}",
                                          prefix.empty() ? "" : " in '" + printable(prefix) + "'",
                                          links.size()));
        for (const Link& link : links) follow(group, link, prefix + link.name, depth);
    }

  private:
    void follow(hid_t group, const Link& link, const std::string& name, std::size_t depth) {
        if (!isUtf8(name)) refuseHdf5(path_, "a dataset has a name that is not UTF-8");
        objects_ += 1;
        nameBytes_ += name.size();
        if (objects_ > kMaxHdf5Objects || nameBytes_ > kMaxHdf5NameBytes)
            refuseHdf5(path_, fmt::format("holds more than {} datasets or {} of their names",
                                          kMaxHdf5Objects,
                                          formatBytes(static_cast<double>(kMaxHdf5NameBytes))));
        if (!link.hard) fail(name, "is a link, expected a dataset");
        const Hdf5Handle object(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
        if (!object.valid()) fail(name, "cannot be read");
        const H5I_type_t kind = H5Iget_type(object.get());
        if (kind == H5I_DATASET) return visit_(name, name, object.get());
        if (kind != H5I_GROUP)
            refuseHdf5(path_, fmt::format("'{}' is not a dataset", printable(name)));
        if (!groups_.insert(link.address).second)
            refuseHdf5(path_, fmt::format("the group '{}' is reached twice", printable(name)),
                       "the file's groups run in circles: write it anew");
        if (depth == kMaxDepth)
            refuseHdf5(path_, fmt::format("the group '{}' lies deeper than {} levels",
                                          printable(name), kMaxDepth));
        walk(object.get(), name + '/', depth + 1);
    }

    [[noreturn]] void fail(const std::string& name, const char* text) const {
        refuseHdf5(path_, fmt::format("dataset '{}' {}", printable(name), text));
    }

    const Path& path_;
    const Hdf5Visitor& visit_;
    std::set<haddr_t> groups_;
    std::size_t objects_ = 0;
    std::size_t nameBytes_ = 0;
};

}  // namespace

void refuseHdf5(const Path& path, const std::string& text, const char* hint) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), text), hint);
}

Hdf5Handle openHdf5File(const Path& path) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_sec2(access.get());
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    H5Pset_file_locking(access.get(), false, true);
    Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file.valid()) refuseHdf5(path, "the HDF5 structure cannot be read (damaged or cut short)");
    return file;
}

hid_t Hdf5Opener::open(std::string_view objectPath, const std::string& what) {
    std::size_t known = 0;
    std::string_view rest = objectPath;
    while (true) {
        const std::size_t slash = rest.find('/');
        const std::string part(rest.substr(0, slash));
        if (part.empty() || part == "." || part.find('\0') != std::string::npos)
            refuseHdf5(path_, fmt::format("{} has the odd path '{}'", what, printable(objectPath)));
        if (known == chain_.size() || chain_[known].first != part) {
            chain_.resize(known);
            const hid_t parent = known == 0 ? root_ : chain_[known - 1].second.get();
            H5L_info_t link{};
            if (H5Lget_info(parent, part.c_str(), &link, H5P_DEFAULT) < 0)
                refuseHdf5(path_, fmt::format("{} is listed, but there is no '{}'", what,
                                              printable(objectPath)));
            if (link.type != H5L_TYPE_HARD)
                refuseHdf5(path_, fmt::format("{} is reached by a link ('{}'), which is not "
                                              "followed",
                                              what, printable(objectPath)));
            Hdf5Handle object(H5Oopen(parent, part.c_str(), H5P_DEFAULT), H5Oclose);
            if (!object.valid()) refuseHdf5(path_, fmt::format("{} cannot be read", what));
            chain_.emplace_back(part, std::move(object));
        }
        known += 1;
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    chain_.resize(known);
    return chain_.back().second.get();
}

void walkHdf5Groups(hid_t file, const Path& path, const Hdf5Visitor& visit) {
    GroupWalk(path, visit).walk(file, "", 0);
}

}  // namespace core
