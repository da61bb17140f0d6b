// SPDX-License-Identifier: Apache-2.0
#include "core/data/image_folder.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/image_codec.h"
#include "core/data/resize.h"
#include "core/data/subset.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kCacheBytes = std::size_t{256} << 20;

/// 8-bit pictures as the model sees them, filled as they are first read.
class PictureCache {
  public:
    PictureCache(std::size_t count, std::size_t pictureBytes)
        : pictureBytes_(pictureBytes), filled_(count, 0), bytes_(count * pictureBytes) {}

    bool read(std::size_t index, float* into) const {
        const std::scoped_lock lock(mutex_);
        if (filled_[index] == 0) return false;
        const auto* from = bytes_.data() + index * pictureBytes_;
        std::copy(from, from + pictureBytes_, into);
        return true;
    }
    void write(std::size_t index, const float* from) {
        const std::scoped_lock lock(mutex_);
        std::transform(from, from + pictureBytes_, bytes_.data() + index * pictureBytes_,
                       [](float value) { return static_cast<std::uint8_t>(value); });
        filled_[index] = 1;
    }

  private:
    std::size_t pictureBytes_;
    mutable std::mutex mutex_;
    std::vector<std::uint8_t> filled_;
    std::vector<std::uint8_t> bytes_;
};

class FolderImages final : public ImageDataset {
  public:
    FolderImages(ImageFolderListing listing, const ImageShape& shape, std::string description)
        : listing_(std::move(listing)), shape_(shape), description_(std::move(description)) {
        const auto picture = static_cast<std::size_t>(shape.channels * shape.height * shape.width);
        if (picture <= kCacheBytes / listing_.files.size())
            cache_.emplace(listing_.files.size(), picture);
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(listing_.files.size()); }
    std::int64_t classes() const override {
        return static_cast<std::int64_t>(listing_.classNames.size());
    }
    std::int64_t label(std::int64_t index) const override {
        return listing_.labels[static_cast<std::size_t>(index)];
    }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        const auto i = static_cast<std::size_t>(index);
        const bool cacheable = cache_ && shape == shape_;
        if (cacheable && cache_->read(i, into)) return label(index);
        fitImage(readImageFile(listing_.files[i], shape).view(), shape, into);
        if (cacheable) cache_->write(i, into);
        return label(index);
    }
    int suggestedWorkers() const override {
        return static_cast<int>(std::clamp(std::thread::hardware_concurrency() / 2, 1U, 8U));
    }
    std::string description() const override { return description_; }
    std::vector<std::string> classNames() const override { return listing_.classNames; }

  private:
    ImageFolderListing listing_;
    ImageShape shape_;
    std::string description_;
    mutable std::optional<PictureCache> cache_;
};

[[noreturn]] void refuse(const Path& folder, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{} {}", folder.string(), what),
                "give a folder that holds one folder of JPEG or PNG images per class");
}

bool isHidden(const Path& path) { return path.filename().string().starts_with('.'); }

bool isImageName(const Path& path) {
    std::string extension = path.extension().string();
    for (char& c : extension)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<Path> classFolders(const Path& folder) {
    std::vector<Path> folders;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.is_directory() && !isHidden(entry.path())) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    return folders;
}

std::vector<Path> imagesBelow(const Path& folder) {
    std::vector<Path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && !isHidden(entry.path()) && isImageName(entry.path()))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<std::string> namesOf(const std::vector<Path>& folders) {
    std::vector<std::string> names;
    for (const Path& folder : folders) names.push_back(folder.filename().string());
    return names;
}

std::string describe(const Path& folder, Split split, std::size_t images, std::size_t classes) {
    return fmt::format("{} {}, {} images, {} classes", printable(folder.string()), splitName(split),
                       images, classes);
}

}  // namespace

ImageFolderListing listImageFolder(const Path& folder,
                                   const std::vector<std::string>& classNames) try {
    const std::vector<Path> folders = classFolders(folder);
    ImageFolderListing listing;
    listing.classNames = classNames.empty() ? namesOf(folders) : classNames;
    if (listing.classNames.empty()) refuse(folder, "holds no class folder");
    for (const Path& path : folders) {
        const auto name = std::find(listing.classNames.begin(), listing.classNames.end(),
                                    path.filename().string());
        if (name == listing.classNames.end())
            refuse(path, "is a class that the training part does not have");
        const std::vector<Path> files = imagesBelow(path);
        if (files.empty() && classNames.empty()) refuse(path, "holds no JPEG or PNG image");
        listing.labels.insert(listing.labels.end(), files.size(),
                              name - listing.classNames.begin());
        listing.files.insert(listing.files.end(), files.begin(), files.end());
    }
    if (listing.files.empty()) refuse(folder, "holds no JPEG or PNG image");
    return listing;
} catch (const std::filesystem::filesystem_error& error) {
    refuse(error.path1().empty() ? folder : error.path1(),
           "cannot be listed: " + error.code().message());
}

Path splitFolder(const Path& root, Split split) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(root / "train", ignored)) return {};
    std::vector<std::string> names{std::string(splitName(split))};
    if (split == Split::Validation) names.emplace_back("val");
    for (const std::string& name : names)
        if (std::filesystem::is_directory(root / name, ignored)) return root / name;
    return {};
}

std::shared_ptr<const ImageDataset> openImageFolder(const Path& root, Split split,
                                                    const ImageShape& shape, std::uint64_t seed) {
    requireImageChannels(shape, root.string());
    const Path trainFolder = splitFolder(root, Split::Train);
    const Path wholeTrain = trainFolder.empty() ? root : trainFolder;
    const bool heldOutByFolder =
        !splitFolder(root, Split::Test).empty() || !splitFolder(root, Split::Validation).empty();
    ImageFolderListing train = listImageFolder(wholeTrain, {});
    const std::size_t classes = train.classNames.size();
    if (heldOutByFolder) {
        ImageFolderListing listing =
            split == Split::Train ? std::move(train)
                                  : listImageFolder(splitFolder(root, split), train.classNames);
        std::string description = describe(root, split, listing.files.size(), classes);
        return std::make_shared<FolderImages>(std::move(listing), shape, std::move(description));
    }
    const auto count = static_cast<std::int64_t>(train.files.size());
    if (count < 2) refuse(wholeTrain, "holds one image; a validation part cannot be cut off");
    std::vector<std::int64_t> indices =
        heldOutIndices(count, seed, /*heldOut=*/split == Split::Validation);
    std::string description = describe(root, split, indices.size(), classes);
    ImageFolderListing part;
    part.classNames = std::move(train.classNames);
    for (const std::int64_t index : indices) {
        part.files.push_back(std::move(train.files[static_cast<std::size_t>(index)]));
        part.labels.push_back(train.labels[static_cast<std::size_t>(index)]);
    }
    return std::make_shared<FolderImages>(std::move(part), shape, std::move(description));
}

}  // namespace core
