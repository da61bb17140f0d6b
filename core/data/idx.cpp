// SPDX-License-Identifier: Apache-2.0
#include "core/data/idx.h"

#include "core/base/error.h"
#include "core/data/resize.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace core {
namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1} << 31;
constexpr std::int64_t kMaxSide = 4096;
constexpr std::int64_t kMaxBytes = std::int64_t{16} << 30;
constexpr std::size_t kPiece = std::size_t{4} << 20;

[[noreturn]] void refuse(const Path& path, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what),
                "check that this is one of MNIST's IDX files, or copy it again");
}

/// Plain or gzip bytes of a regular file, one after the other.
class Bytes {
  public:
    explicit Bytes(const Path& path) : path_(path), file_(File::openForReading(path)) {
        const int copy = ::dup(file_.descriptor());
        gz_.reset(copy < 0 ? nullptr : ::gzdopen(copy, "rb"));
        if (!gz_) refuse(path_, "cannot be opened for decompression");
        ::gzbuffer(gz_.get(), 1U << 17);
    }

    /// Fewer than asked at the end of the data.
    std::size_t read(std::span<std::uint8_t> into) {
        const int got = ::gzread(gz_.get(), into.data(), static_cast<unsigned>(into.size()));
        int code = Z_OK;
        ::gzerror(gz_.get(), &code);
        if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
            refuse(path_, fmt::format("the compressed data break off or are damaged after {} bytes",
                                      position_ + static_cast<std::size_t>(std::max(got, 0))));
        position_ += static_cast<std::size_t>(got);
        return static_cast<std::size_t>(got);
    }

    std::size_t position() const { return position_; }

  private:
    struct Close {
        void operator()(gzFile file) const { ::gzclose_r(file); }
    };
    const Path& path_;
    File file_;
    std::unique_ptr<gzFile_s, Close> gz_;
    std::size_t position_ = 0;
};

std::int64_t readBigEndian(Bytes& bytes, const Path& path, const char* what) {
    std::array<std::uint8_t, 4> word{};
    if (bytes.read(word) != word.size())
        refuse(path, fmt::format("ends at byte {} inside the {}", bytes.position(), what));
    return (std::int64_t{word[0]} << 24) | (std::int64_t{word[1]} << 16) |
           (std::int64_t{word[2]} << 8) | std::int64_t{word[3]};
}

std::vector<std::uint8_t> readValues(Bytes& bytes, const Path& path, std::int64_t count) {
    std::vector<std::uint8_t> values;
    const auto total = static_cast<std::size_t>(count);
    while (values.size() < total) {
        const std::size_t old = values.size();
        values.resize(old + std::min(kPiece, total - old));
        const std::size_t got = bytes.read(std::span(values).subspan(old));
        if (got < values.size() - old)
            refuse(path, fmt::format("ends after {} elements where its header promises {}",
                                     old + got, total));
    }
    std::uint8_t beyond = 0;
    if (bytes.read({&beyond, 1}) != 0)
        refuse(path, fmt::format("goes on after the {} elements that its header promises", total));
    return values;
}

class IdxImages final : public ImageDataset {
  public:
    IdxImages(IdxFile images, std::vector<std::uint8_t> labels, std::int64_t classes,
              std::string description, std::vector<std::string> classNames)
        : images_(std::move(images)),
          labels_(std::move(labels)),
          classes_(classes),
          description_(std::move(description)),
          classNames_(std::move(classNames)) {}

    std::int64_t size() const override { return images_.sizes[0]; }
    std::int64_t classes() const override { return classes_; }
    std::int64_t label(std::int64_t index) const override {
        return labels_[static_cast<std::size_t>(index)];
    }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        const std::int64_t height = images_.sizes[1];
        const std::int64_t width = images_.sizes[2];
        const std::uint8_t* image = images_.values.data() + index * height * width;
        if (shape.channels == 1 && shape.height == height && shape.width == width)
            std::copy(image, image + height * width, into);
        else
            fitImage({image, width, height, 1}, shape, into);
        return label(index);
    }
    std::string description() const override { return description_; }
    std::vector<std::string> classNames() const override { return classNames_; }

  private:
    IdxFile images_;
    std::vector<std::uint8_t> labels_;
    std::int64_t classes_;
    std::string description_;
    std::vector<std::string> classNames_;
};

Path findIdx(const Path& folder, const std::string& name) {
    std::error_code ignored;
    for (const std::string& candidate : {name, name + ".gz"})
        if (std::filesystem::exists(folder / candidate, ignored)) return folder / candidate;
    throw Error(ErrorKind::BadInput,
                fmt::format("{} has neither {} nor {}.gz", folder.string(), name, name),
                "give the folder with MNIST's four files (train-images-idx3-ubyte, ...)");
}

}  // namespace

IdxFile readIdx(const Path& path, int rank) {
    Bytes bytes(path);
    const std::int64_t magic = readBigEndian(bytes, path, "magic number");
    if (magic != 0x0800 + rank)
        refuse(path, fmt::format("begins with 0x{:08x}, expected 0x{:08x} (bytes, rank {})", magic,
                                 0x0800 + rank, rank));
    IdxFile file;
    std::int64_t elements = 1;
    for (int axis = 0; axis < rank; ++axis) {
        const std::int64_t size = readBigEndian(bytes, path, "sizes");
        const std::int64_t most = axis == 0 ? kMaxCount : kMaxSide;
        if (size < 1 || size > most)
            refuse(path,
                   fmt::format("size {} of axis {} is not between 1 and {}", size, axis, most));
        elements *= size;
        file.sizes.push_back(size);
    }
    if (elements > kMaxBytes)
        refuse(path,
               fmt::format("promises {} bytes, more than the {} allowed", elements, kMaxBytes));
    file.values = readValues(bytes, path, elements);
    return file;
}

std::shared_ptr<const ImageDataset> openIdxFolder(const Path& folder, Split split,
                                                  const ImageShape& shape, const std::string& name,
                                                  std::vector<std::string> classNames) {
    requireImageChannels(shape, name);
    const auto labelsOf = [&](Split which) {
        const char* stem = which == Split::Train ? "train" : "t10k";
        return readIdx(findIdx(folder, fmt::format("{}-labels-idx1-ubyte", stem)), 1);
    };
    const char* stem = split == Split::Train ? "train" : "t10k";
    const Path imagePath = findIdx(folder, fmt::format("{}-images-idx3-ubyte", stem));
    IdxFile train = labelsOf(Split::Train);
    IdxFile test = labelsOf(Split::Test);
    std::int64_t classes = static_cast<std::int64_t>(classNames.size());
    for (const IdxFile* file : {&train, &test})
        classes = std::max<std::int64_t>(
            classes, *std::max_element(file->values.begin(), file->values.end()) + 1);
    IdxFile& labels = split == Split::Train ? train : test;
    IdxFile images = readIdx(imagePath, 3);
    if (images.sizes[0] != labels.sizes[0])
        refuse(imagePath, fmt::format("holds {} images, its label file {} labels", images.sizes[0],
                                      labels.sizes[0]));
    if (static_cast<std::int64_t>(classNames.size()) != classes) classNames.clear();
    std::string description =
        fmt::format("{} {}, {} images of {}x{}, {} classes", name, splitName(split),
                    images.sizes[0], images.sizes[1], images.sizes[2], classes);
    return std::make_shared<IdxImages>(std::move(images), std::move(labels.values), classes,
                                       std::move(description), std::move(classNames));
}

}  // namespace core
