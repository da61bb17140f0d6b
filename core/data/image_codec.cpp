// SPDX-License-Identifier: Apache-2.0
#include "core/data/image_codec.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace core {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{256} << 20;
constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr std::array<std::uint8_t, 8> kPngMagic{0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
constexpr std::array<std::uint8_t, 3> kJpegMagic{0xFF, 0xD8, 0xFF};

[[noreturn]] void refuse(const Path& path, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what),
                "repair or remove the image");
}

void requireSize(const Path& path, std::int64_t width, std::int64_t height) {
    if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide ||
        width * height > kMaxPixels)
        refuse(path, fmt::format("the image claims {} x {} pixels, at most {} a side and {} in all",
                                 width, height, kMaxSide, kMaxPixels));
}

template <std::size_t N>
bool beginsWith(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& magic) {
    return bytes.size() >= N && std::equal(magic.begin(), magic.end(), bytes.begin());
}

void resizePixels(DecodedImage& image) {
    image.pixels.resize(static_cast<std::size_t>(image.width * image.height * image.channels));
}

struct DestroyJpeg {
    void operator()(void* handle) const { ::tjDestroy(handle); }
};
using JpegHandle = std::unique_ptr<void, DestroyJpeg>;

/// The smallest of libjpeg's 1/8 ... 8/8 that leaves twice the wanted pixels.
tjscalingfactor chooseScale(std::int64_t width, std::int64_t height, const ImageShape& shape) {
    for (int eighths = 1; eighths < 8; ++eighths) {
        const tjscalingfactor factor{eighths, 8};
        if (TJSCALED(width, factor) >= 2 * shape.width &&
            TJSCALED(height, factor) >= 2 * shape.height)
            return factor;
    }
    return {8, 8};
}

/// Adobe's CMYK is stored inverted, so that channel * key / 255 is the colour.
void cmykToRgb(std::span<const std::uint8_t> cmyk, std::span<std::uint8_t> rgb) {
    for (std::size_t i = 0; 4 * i < cmyk.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c)
            rgb[3 * i + c] =
                static_cast<std::uint8_t>((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
}

DecodedImage decodeJpeg(const Path& path, std::span<const std::uint8_t> bytes,
                        const ImageShape& shape) {
    const JpegHandle handle(::tjInitDecompress());
    if (!handle) throw Error(ErrorKind::OutOfMemory, "no memory for the JPEG decoder");
    const auto size = static_cast<unsigned long>(bytes.size());
    const auto problem = [&] {
        return "broken JPEG: " + printable(::tjGetErrorStr2(handle.get()));
    };
    // Cameras leave stray bytes that the decoder only warns of; data that end too early are an
    // error.
    const auto harmless = [&] {
        return ::tjGetErrorCode(handle.get()) == TJERR_WARNING &&
               std::string_view(::tjGetErrorStr2(handle.get())).find("Premature end") ==
                   std::string_view::npos;
    };
    int width = 0;
    int height = 0;
    int subsampling = 0;
    int colours = 0;
    if (::tjDecompressHeader3(handle.get(), bytes.data(), size, &width, &height, &subsampling,
                              &colours) != 0)
        refuse(path, problem());
    requireSize(path, width, height);
    const tjscalingfactor factor = chooseScale(width, height, shape);
    DecodedImage image;
    image.width = TJSCALED(width, factor);
    image.height = TJSCALED(height, factor);
    const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
    const int format = cmyk ? TJPF_CMYK : colours == TJCS_GRAY ? TJPF_GRAY : TJPF_RGB;
    image.channels = tjPixelSize[format];
    resizePixels(image);
    if (::tjDecompress2(handle.get(), bytes.data(), size, image.pixels.data(),
                        static_cast<int>(image.width), 0, static_cast<int>(image.height), format,
                        0) != 0 &&
        !harmless())
        refuse(path, problem());
    if (cmyk) {
        const std::vector<std::uint8_t> source = std::move(image.pixels);
        image.channels = 3;
        resizePixels(image);
        cmykToRgb(source, image.pixels);
    }
    return image;
}

struct PngImage {
    png_image value{};
    PngImage() { value.version = PNG_IMAGE_VERSION; }
    PngImage(const PngImage&) = delete;
    PngImage& operator=(const PngImage&) = delete;
    ~PngImage() { ::png_image_free(&value); }
};

DecodedImage decodePng(const Path& path, std::span<const std::uint8_t> bytes) {
    PngImage png;
    const auto problem = [&] { return "broken PNG: " + printable(png.value.message); };
    if (::png_image_begin_read_from_memory(&png.value, bytes.data(), bytes.size()) == 0)
        refuse(path, problem());
    requireSize(path, png.value.width, png.value.height);
    const bool colour = (png.value.format & PNG_FORMAT_FLAG_COLOR) != 0;
    png.value.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    png.value.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    DecodedImage image;
    image.width = png.value.width;
    image.height = png.value.height;
    image.channels = colour ? 3 : 1;
    resizePixels(image);
    const png_color black{0, 0, 0};
    if (::png_image_finish_read(&png.value, &black, image.pixels.data(), 0, nullptr) == 0)
        refuse(path, problem());
    return image;
}

}  // namespace

DecodedImage readImageFile(const Path& path, const ImageShape& shape) {
    const File file = File::openForReading(path);
    const std::uint64_t size = file.size();
    if (size > kMaxFileBytes)
        refuse(path, fmt::format("has {} bytes, at most {} for an image", size, kMaxFileBytes));
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    file.readAt(0, std::as_writable_bytes(std::span(bytes)));
    if (beginsWith(bytes, kPngMagic)) return decodePng(path, bytes);
    if (beginsWith(bytes, kJpegMagic)) return decodeJpeg(path, bytes, shape);
    refuse(path, "is neither a JPEG nor a PNG image");
}

}  // namespace core
