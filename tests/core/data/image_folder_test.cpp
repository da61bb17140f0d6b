// SPDX-License-Identifier: Apache-2.0
#include "core/data/image_folder.h"

#include "core/data/batch_loader.h"
#include "core/data/image_codec.h"
#include "tests/core/data/data_helpers.h"

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace core::test {
namespace {

const ImageShape kShape{.channels = 3, .height = 8, .width = 8};

std::string pngBytes(const std::vector<std::uint8_t>& pixels, int width, int height,
                     std::uint32_t format) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = format;
    png_alloc_size_t size = 0;
    EXPECT_NE(::png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr), 0);
    std::string bytes(size, '\0');
    EXPECT_NE(
        ::png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr), 0);
    return bytes;
}

std::string jpegBytes(const std::vector<std::uint8_t>& pixels, int width, int height, int format) {
    tjhandle handle = ::tjInitCompress();
    unsigned char* data = nullptr;
    unsigned long size = 0;
    const int sampling = format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444;
    EXPECT_EQ(::tjCompress2(handle, pixels.data(), width, 0, height, format, &data, &size, sampling,
                            100, 0),
              0);
    std::string bytes(reinterpret_cast<const char*>(data), size);
    ::tjFree(data);
    ::tjDestroy(handle);
    return bytes;
}

std::vector<std::uint8_t> solid(int width, int height, const std::vector<std::uint8_t>& colour) {
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < width * height; ++i)
        pixels.insert(pixels.end(), colour.begin(), colour.end());
    return pixels;
}

/// `count` PNG images of class `name`, numbered, in grey levels 10, 20, ...
void writeClass(const Path& folder, int count) {
    std::filesystem::create_directories(folder);
    for (int i = 0; i < count; ++i)
        writeBytes(
            folder / ("image" + std::to_string(100 + i) + ".png"),
            pngBytes(solid(8, 8, {static_cast<std::uint8_t>(10 * i + 10)}), 8, 8, PNG_FORMAT_GRAY));
}

TEST(ImageCodec, ReadsPngAndJpegInColourAndGrey) {
    const TemporaryFolder folder;
    const auto read = [&](const std::string& bytes) {
        writeBytes(folder / "image", bytes);
        return readImageFile(folder / "image", kShape);
    };
    const DecodedImage rgb = read(pngBytes(solid(5, 3, {200, 100, 50}), 5, 3, PNG_FORMAT_RGB));
    EXPECT_EQ(rgb.width, 5);
    EXPECT_EQ(rgb.height, 3);
    EXPECT_EQ(rgb.pixels, solid(5, 3, {200, 100, 50}));
    const DecodedImage grey = read(pngBytes(solid(5, 3, {77}), 5, 3, PNG_FORMAT_GRAY));
    EXPECT_EQ(grey.channels, 1);
    EXPECT_EQ(grey.pixels, solid(5, 3, {77}));
    const DecodedImage clear = read(pngBytes(solid(2, 2, {9, 9, 9, 0}), 2, 2, PNG_FORMAT_RGBA));
    EXPECT_EQ(clear.pixels, solid(2, 2, {0, 0, 0}));

    const DecodedImage jpeg = read(jpegBytes(solid(9, 7, {200, 100, 50}), 9, 7, TJPF_RGB));
    EXPECT_EQ(jpeg.channels, 3);
    ASSERT_EQ(jpeg.pixels.size(), 9U * 7U * 3U);
    EXPECT_NEAR(jpeg.pixels[0], 200, 3);
    EXPECT_NEAR(jpeg.pixels[1], 100, 3);
    EXPECT_NEAR(jpeg.pixels[2], 50, 3);
    const DecodedImage greyJpeg = read(jpegBytes(solid(9, 7, {130}), 9, 7, TJPF_GRAY));
    EXPECT_EQ(greyJpeg.channels, 1);
    EXPECT_NEAR(greyJpeg.pixels[0], 130, 2);
}

TEST(ImageCodec, CmykPhotosBecomeRgb) {
    const TemporaryFolder folder;  // Adobe's inverted CMYK: 255 = no ink
    tjhandle handle = ::tjInitCompress();
    const std::vector<std::uint8_t> pixels = solid(16, 16, {200, 100, 50, 255});
    unsigned char* data = nullptr;
    unsigned long size = 0;
    ASSERT_EQ(::tjCompress2(handle, pixels.data(), 16, 0, 16, TJPF_CMYK, &data, &size, TJSAMP_444,
                            100, 0),
              0);
    writeBytes(folder / "image", {reinterpret_cast<const char*>(data), size});
    ::tjFree(data);
    ::tjDestroy(handle);
    const DecodedImage image = readImageFile(folder / "image", kShape);
    ASSERT_EQ(image.channels, 3);
    ASSERT_EQ(image.pixels.size(), 16U * 16U * 3U);
    EXPECT_NEAR(image.pixels[0], 200, 3);
    EXPECT_NEAR(image.pixels[1], 100, 3);
    EXPECT_NEAR(image.pixels[2], 50, 3);
}

TEST(ImageCodec, LargeJpegsAreDecodedSmallerButNotTooSmall) {
    const TemporaryFolder folder;
    writeBytes(folder / "image", jpegBytes(solid(640, 320, {90}), 640, 320, TJPF_GRAY));
    const DecodedImage image = readImageFile(folder / "image", kShape);
    EXPECT_LT(image.width, 640);
    EXPECT_GE(image.width, 16);
    EXPECT_GE(image.height, 16);
    EXPECT_EQ(image.width, 2 * image.height);
}

TEST(ImageCodec, NamesTheBrokenImage) {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& bytes) {
        writeBytes(folder / "image.png", bytes);
        const std::string message =
            errorOf(ErrorKind::BadInput, [&] { readImageFile(folder / "image.png", kShape); });
        EXPECT_NE(message.find((folder / "image.png").string()), std::string::npos) << message;
        return message;
    };
    std::vector<std::uint8_t> noise(64 * 64 * 3);
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 11U);
    const std::string png = pngBytes(noise, 64, 64, PNG_FORMAT_RGB);
    const std::string jpeg = jpegBytes(noise, 64, 64, TJPF_RGB);
    EXPECT_NE(refusal("").find("neither"), std::string::npos);
    EXPECT_NE(refusal("GIF89a").find("neither"), std::string::npos);
    refusal(png.substr(0, png.size() / 2));
    refusal(png.substr(0, 20));
    refusal(jpeg.substr(0, jpeg.size() / 2));
    refusal(jpeg.substr(0, 30));
    std::string huge = png;  // 60000 x 60000 in the header, its checksum made right again
    huge.replace(16, 8, bigEndian(60000) + bigEndian(60000));
    huge.replace(29, 4,
                 bigEndian(static_cast<std::uint32_t>(
                     ::crc32(0, reinterpret_cast<const Bytef*>(huge.data()) + 12, 17))));
    EXPECT_NE(refusal(huge).find("claims 60000 x 60000"), std::string::npos);
    for (std::size_t i = 8; i < png.size(); i += 97) {  // any damage: an image or a refusal
        std::string damaged = png;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
        writeBytes(folder / "damaged", damaged);
        try {
            readImageFile(folder / "damaged", kShape);
        } catch (const Error&) {
        }
    }
    for (std::size_t i = 2; i < jpeg.size(); i += 97) {
        std::string damaged = jpeg;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
        writeBytes(folder / "damaged", damaged);
        try {
            readImageFile(folder / "damaged", kShape);
        } catch (const Error&) {
        }
    }
}

TEST(ImageFolder, ClassesAndFilesInOrder) {
    const TemporaryFolder folder;
    writeClass(folder / "dogs", 2);
    writeClass(folder / "cats" / "deep", 1);
    writeClass(folder / "cats", 1);
    writeClass(folder / ".hidden", 1);
    writeBytes(folder / "readme.txt", "not a class");
    writeBytes(folder / "cats" / "notes.txt", "not an image");
    const ImageFolderListing listing = listImageFolder(folder.path(), {});
    EXPECT_EQ(listing.classNames, (std::vector<std::string>{"cats", "dogs"}));
    EXPECT_EQ(listing.labels, (std::vector<std::int64_t>{0, 0, 1, 1}));
    ASSERT_EQ(listing.files.size(), 4U);
    EXPECT_EQ(listing.files[0], folder / "cats" / "deep" / "image100.png");
    EXPECT_EQ(listing.files[3], folder / "dogs" / "image101.png");
}

TEST(ImageFolder, WithoutSplitFoldersAPartIsHeldOutBySeed) {
    const TemporaryFolder folder;
    writeClass(folder / "a", 12);
    writeClass(folder / "b", 12);
    const std::string source = "images:" + folder.path().string();
    EXPECT_EQ(splitsOf(source), (std::vector{Split::Train, Split::Validation}));
    const auto train = openImages(source, Split::Train, kShape, 4);
    const auto validation = openImages(source, Split::Validation, kShape, 4);
    EXPECT_EQ(train->size(), 23);
    EXPECT_EQ(validation->size(), 1);
    EXPECT_EQ(train->classes(), 2);
    std::multiset<float> seen;
    std::vector<float> pixels(3 * 64);
    for (const auto& part : {train, validation})
        for (std::int64_t i = 0; i < part->size(); ++i) {
            part->read(i, kShape, pixels.data());
            seen.insert(pixels[0]);
        }
    EXPECT_EQ(seen.size(), 24U);
    for (int i = 0; i < 12; ++i) EXPECT_EQ(seen.count(static_cast<float>(10 * i + 10)), 2U);
    errorOf(ErrorKind::BadInput, [&] { openImages(source, Split::Test, kShape, 4); });
}

TEST(ImageFolder, SplitFoldersAreRespected) {
    const TemporaryFolder folder;
    const std::string source = "images:" + folder.path().string();
    writeClass(folder / "train" / "a", 5);
    writeClass(folder / "train" / "b", 6);
    EXPECT_EQ(splitsOf(source), (std::vector{Split::Train, Split::Validation}));
    EXPECT_EQ(openImages(source, Split::Train, kShape, 0)->size(), 10);

    writeClass(folder / "test" / "b", 3);
    EXPECT_EQ(splitsOf(source), (std::vector{Split::Train, Split::Test}));
    EXPECT_EQ(openImages(source, Split::Train, kShape, 0)->size(), 11);
    const auto test = openImages(source, Split::Test, kShape, 0);
    EXPECT_EQ(test->size(), 3);
    EXPECT_EQ(test->label(0), 1);
    EXPECT_EQ(test->classes(), 2);

    writeClass(folder / "validation" / "a", 2);
    EXPECT_EQ(evaluationSplit(source), Split::Validation);
    EXPECT_EQ(openImages(source, Split::Validation, kShape, 0)->size(), 2);

    writeClass(folder / "test" / "c", 1);
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { openImages(source, Split::Test, kShape, 0); })
                  .find((folder / "test" / "c").string()),
              std::string::npos);
}

TEST(ImageFolder, EmptyFoldersAreRefused) {
    const TemporaryFolder folder;
    const std::string source = "images:" + folder.path().string();
    const auto open = [&] { openImages(source, Split::Train, kShape, 0); };
    EXPECT_NE(errorOf(ErrorKind::BadInput, open).find("no class folder"), std::string::npos);
    std::filesystem::create_directory(folder / "empty");
    EXPECT_NE(errorOf(ErrorKind::BadInput, open).find((folder / "empty").string()),
              std::string::npos);
    std::filesystem::remove(folder / "empty");
    writeClass(folder / "one", 1);
    EXPECT_NE(errorOf(ErrorKind::BadInput, open).find("one image"), std::string::npos);
}

TEST(ImageFolder, ABrokenImageIsNamedByTheLoader) {
    const TemporaryFolder folder;
    writeClass(folder / "a", 30);
    writeBytes(folder / "a" / "image110.png", "this is no picture");
    const auto train = openImages("images:" + folder.path().string(), Split::Train, kShape, 0);
    LoaderOptions options;
    options.batch = 28;
    options.shape = kShape;
    BatchLoader loader(train, options, {});
    const std::string message = errorOf(ErrorKind::BadInput, [&] {
        loader.next();
        loader.next();
    });
    EXPECT_NE(message.find("image110.png"), std::string::npos) << message;
}

TEST(ImageFolder, ASecondReadGivesTheSamePicture) {
    const TemporaryFolder folder;
    std::vector<std::uint8_t> noise(40 * 30 * 3);
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 11U);
    std::filesystem::create_directory(folder / "a");
    for (const char* name : {"x.jpg", "y.JPEG"})
        writeBytes(folder / "a" / name, jpegBytes(noise, 40, 30, TJPF_RGB));
    const auto train = openImages("images:" + folder.path().string(), Split::Train, kShape, 0);
    ASSERT_EQ(train->size(), 1);
    std::vector<float> first(3 * 64);
    std::vector<float> second(3 * 64);
    train->read(0, kShape, first.data());
    std::filesystem::remove_all(folder / "a");
    train->read(0, kShape, second.data());
    EXPECT_EQ(first, second);
    EXPECT_GT(std::set<float>(first.begin(), first.end()).size(), 10U);
}

}  // namespace
}  // namespace core::test
