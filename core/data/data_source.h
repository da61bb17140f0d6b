// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Training-time image changes: random crop after zero padding, horizontal flip.
struct Augmentation {
    int cropPadding = 0;
    bool flip = false;
    bool operator==(const Augmentation&) const = default;
};

/// What the model needs of an image.
struct ImageShape {
    std::int64_t channels = 1;
    std::int64_t height = 28;
    std::int64_t width = 28;
    bool operator==(const ImageShape&) const = default;
};

/// Normalisation (x / 255 - mean) / std, the same for all channels when one number is given.
struct Normalization {
    std::vector<float> mean{0.5F};
    std::vector<float> std{0.5F};
};

enum class Split { Train, Validation, Test };
std::string_view splitName(Split split) noexcept;  ///< "train", "validation", "test"
std::optional<Split> splitFromName(std::string_view name) noexcept;

/// A set of labelled images with random access. Thread-safe reads.
class ImageDataset {
  public:
    virtual ~ImageDataset() = default;
    virtual std::int64_t size() const = 0;
    virtual std::int64_t classes() const = 0;
    /// Writes example `index` as raw values 0..255 (or, for synthetic, already normalised: see
    /// isNormalized) into [C, H, W]; returns its label.
    virtual std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const = 0;
    virtual bool isNormalized() const { return false; }
    /// Label of example `index` without reading the image.
    virtual std::int64_t label(std::int64_t index) const = 0;
    /// Threads that reading is worth: 1 where examples lie in memory, more where they are decoded.
    virtual int suggestedWorkers() const { return 1; }
    /// One line for people: "Fashion-MNIST train, 60,000 images, 10 classes".
    virtual std::string description() const = 0;
    virtual std::vector<std::string> classNames() const { return {}; }
};

/// The parts that a SOURCE has, Train first. Fashion-MNIST and IDX: train, test. Image folders: as
/// their folders say, else train and a validation part cut off by seed. Synthetic: all three.
/// Usage names the known kinds; BadInput when the folder does not exist.
std::vector<Split> splitsOf(const std::string& source);

/// The part that training watches: validation where the source has it, else test.
Split evaluationSplit(const std::string& source);

/// SOURCE of the command line: "fashion-mnist[:DIR]", "idx:DIR", "images:DIR",
/// "synthetic:images=28x28x1,classes=10" (HxWxC; further key: examples=N, 1024 unless given).
/// BadInput when it does not exist, is empty or broken (naming the file), or lacks the split
/// (naming those it has). Where nothing is held out by folders, 5 % of the images (at least one)
/// chosen by `seed` are the validation part and train is the rest: the two never overlap.
std::shared_ptr<const ImageDataset> openImages(const std::string& source, Split split,
                                               const ImageShape& shape, std::uint64_t seed);

/// `count` examples of `dataset` drawn by `seed` without repetition, in their order; all of them
/// when it has no more.
std::shared_ptr<const ImageDataset> sampleExamples(std::shared_ptr<const ImageDataset> dataset,
                                                   std::int64_t count, std::uint64_t seed);

}  // namespace core
