// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_walk_internal.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr const char* kLayers = "layer_names";
constexpr const char* kWeights = "weight_names";
/// Where a whole Keras model keeps its weights beside configuration and optimizer.
constexpr const char* kModelWeights = "model_weights";
/// Weights of the model itself, outside of any layer; not among the layers' names.
constexpr const char* kTopLevel = "top_level_model_weights";

bool hasList(hid_t object, const std::string& name) {
    return H5Aexists(object, name.c_str()) > 0 || H5Aexists(object, (name + '0').c_str()) > 0;
}

bool hasHardLink(hid_t group, const char* name) {
    H5L_info_t link{};
    return H5Lexists(group, name, H5P_DEFAULT) > 0 &&
           H5Lget_info(group, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
}

/// The group that lists the layers; invalid where the file is not of Keras.
Hdf5Handle weightsGroup(hid_t file, bool& inModel) {
    inModel = !hasList(file, kLayers);
    if (!inModel) return {H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose};
    if (!hasHardLink(file, kModelWeights)) return {};
    Hdf5Handle group(H5Oopen(file, kModelWeights, H5P_DEFAULT), H5Oclose);
    const bool listed =
        group.valid() && H5Iget_type(group.get()) == H5I_GROUP && hasList(group.get(), kLayers);
    return listed ? std::move(group) : Hdf5Handle();
}

class KerasWalk {
  public:
    KerasWalk(hid_t root, std::string prefix, const Path& path, const Hdf5Visitor& visit)
        : root_(root),
          prefix_(std::move(prefix)),
          path_(path),
          visit_(visit),
          opener_(root, path) {}

    void walk() {
        std::vector<std::string> layers = list(root_, kLayers, "the file");
        if (hasHardLink(root_, kTopLevel)) layers.emplace_back(kTopLevel);
        for (const std::string& layer : layers) {
            const std::string what = fmt::format("layer '{}'", printable(layer));
            const hid_t object = opener_.open(layer, what);
            if (H5Iget_type(object) == H5I_DATASET) {
                // A shard of transformers lists datasets instead of layers.
                visit(layer, object);
                continue;
            }
            if (H5Iget_type(object) != H5I_GROUP)
                refuseHdf5(path_, what + " is neither a group nor a dataset");
            for (const std::string& weight : list(object, kWeights, what))
                visitWeight(fmt::format("{}/{}", layer, weight));
        }
    }

  private:
    void visitWeight(const std::string& name) {
        const hid_t object = opener_.open(name, fmt::format("weight '{}'", printable(name)));
        if (H5Iget_type(object) != H5I_DATASET)
            refuseHdf5(path_, fmt::format("weight '{}' is not a dataset", printable(name)));
        visit(name, object);
    }

    void visit(const std::string& name, hid_t dataset) { visit_(name, prefix_ + name, dataset); }

    /// A list of names, in one attribute or, where that would be too long, in `name`0, `name`1 ...
    std::vector<std::string> list(hid_t object, const std::string& name, const std::string& what) {
        std::vector<std::string> names;
        if (H5Aexists(object, name.c_str()) > 0) {
            append(names, object, name, what);
            return names;
        }
        for (std::size_t i = 0; H5Aexists(object, fmt::format("{}{}", name, i).c_str()) > 0; ++i)
            append(names, object, fmt::format("{}{}", name, i), what);
        if (H5Aexists(object, (name + '0').c_str()) <= 0)
            refuseHdf5(path_, fmt::format("{} has no attribute {}", what, name));
        return names;
    }

    void append(std::vector<std::string>& names, hid_t object, const std::string& attribute,
                const std::string& what) {
        std::optional<std::vector<std::string>> more = readTextList(
            object, attribute.c_str(), kMaxHdf5Objects - names_, kMaxHdf5NameBytes - nameBytes_);
        if (!more)
            refuseHdf5(path_, fmt::format("the attribute {} of {} is not a list of names, or too "
                                          "long a one",
                                          attribute, what));
        names_ += more->size();
        for (std::string& name : *more) {
            if (!isUtf8(name))
                refuseHdf5(path_, fmt::format("the attribute {} of {} holds a name that is not "
                                              "UTF-8",
                                              attribute, what));
            nameBytes_ += name.size();
            names.push_back(std::move(name));
        }
    }

    hid_t root_;
    std::string prefix_;
    const Path& path_;
    const Hdf5Visitor& visit_;
    Hdf5Opener opener_;
    std::size_t names_ = 0;
    std::size_t nameBytes_ = 0;
};

}  // namespace

bool isKerasFile(hid_t file) {
    bool inModel = false;
    return weightsGroup(file, inModel).valid();
}

void walkKeras(hid_t file, const Path& path, const Hdf5Visitor& visit,
               std::vector<std::string>& notes) {
    bool inModel = false;
    const Hdf5Handle group = weightsGroup(file, inModel);
    if (inModel)
        notes.emplace_back(
            "the file is a whole Keras model: its weights were read, configuration and optimizer "
            "left aside");
    KerasWalk(group.get(), inModel ? std::string(kModelWeights) + '/' : std::string(), path, visit)
        .walk();
}

}  // namespace core
