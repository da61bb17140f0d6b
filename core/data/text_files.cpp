// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_files.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kText = "text:";
constexpr std::string_view kJson = "jsonl:";
constexpr std::size_t kLooked = std::size_t{1} << 16U;  ///< bytes of a file, whether it is text

[[noreturn]] void refuse(const std::string& source, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("data source '{}': {}", printable(source), what),
                source.starts_with(kJson)
                    ? "give files of one JSON object a line (plain or gzip), or folders of them"
                    : "give text files (plain or gzip), or folders of them");
}

/// Adds what lies below `folder`, sorted; names are `prefix` and the place below it.
void addFilesBelow(const Path& folder, const std::string& prefix, std::vector<TextFile>& files) {
    const auto begin = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && !entry.path().filename().string().starts_with("."))
            files.push_back(
                {entry.path(), prefix + entry.path().lexically_relative(folder).generic_string()});
    std::sort(files.begin() + begin, files.end(),
              [](const TextFile& a, const TextFile& b) { return a.path < b.path; });
}

/// A path as it is, or several with commas between them.
std::vector<Path> pathsOf(const std::string& list) {
    std::error_code code;
    if (fs::exists(list, code)) return {list};
    std::vector<Path> paths;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        if (end > begin) paths.emplace_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return paths;
}

/// `prefix` tells the paths of a source apart.
void addPath(const std::string& source, const Path& path, const std::string& prefix,
             TextSource& texts) {
    std::error_code code;
    if (!fs::exists(path, code)) refuse(source, fmt::format("{} does not exist", path.string()));
    if (!fs::is_directory(path, code))
        return texts.train.push_back({path, prefix + path.filename().string()});
    for (const auto& [name, part] :
         {std::pair("validation", Split::Validation), std::pair("test", Split::Test)}) {
        if (!fs::is_directory(path / "train", code) || !fs::is_directory(path / name, code))
            continue;
        addFilesBelow(path / "train", prefix, texts.train);
        addFilesBelow(path / name, prefix, texts.held);
        texts.heldPart = part;
        return;
    }
    const std::size_t before = texts.train.size();
    addFilesBelow(path, prefix, texts.train);
    if (texts.train.size() == before)
        refuse(source, fmt::format("{} holds no files", path.string()));
}

/// Control characters other than white space say that a file is no text.
void requireText(const std::string& source, const Path& path, TextSource::Kind kind) {
    std::error_code code;
    if (fs::file_size(path, code) == 0 || code)
        refuse(source, fmt::format("{} is empty", path.string()));
    DocumentReader reader(path, kind);
    std::uint64_t bytes = 0;
    std::uint64_t odd = 0;
    while (bytes < kLooked) {
        const std::optional<Document> document = reader.next();
        if (!document) break;
        bytes += document->text.size();
        for (const char c : document->text)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r' &&
                c != '\f' && c != '\v' && c != '\x1b' && c != '\b')
                ++odd;
    }
    if (bytes == 0) refuse(source, fmt::format("{} holds nothing but white space", path.string()));
    odd += reader.replaced();
    if (odd * 20 > bytes)
        refuse(source, fmt::format("{} does not look like text: {} of its first {} bytes are "
                                   "control characters or no UTF-8",
                                   path.string(), odd, bytes));
}

}  // namespace

bool isTextSource(const std::string& source) {
    return source.starts_with(kText) || source.starts_with(kJson) ||
           source.starts_with("synthetic:tokens");
}

std::string absoluteTextSource(const std::string& source) {
    const std::size_t begin = source.find(':') + 1;
    if (source.starts_with("synthetic:")) return source;
    std::string result = source.substr(0, begin);
    for (const Path& path : pathsOf(source.substr(begin))) {
        if (result.size() > begin) result += ',';
        result += fs::absolute(path).lexically_normal().string();
    }
    return result;
}

TextSource openTextSource(const std::string& source) {
    TextSource texts;
    texts.name = source;
    const bool json = source.starts_with(kJson);
    if (!json && !source.starts_with(kText))
        throw Error(ErrorKind::Usage,
                    fmt::format("data source '{}' is not known for texts", printable(source)),
                    "use text:PATH, jsonl:PATH or synthetic:tokens,vocab=N,inputs=N,targets=N");
    texts.kind = json ? TextSource::Kind::JsonLines : TextSource::Kind::Text;
    const std::vector<Path> paths = pathsOf(source.substr(json ? kJson.size() : kText.size()));
    if (paths.empty()) refuse(source, "it names no file");
    for (std::size_t i = 0; i < paths.size(); ++i)
        addPath(source, paths[i], i > 0 ? fmt::format("{}:", i) : std::string(), texts);
    if (texts.train.empty()) refuse(source, "it holds no files");
    for (const std::vector<TextFile>* files : {&texts.train, &texts.held})
        for (const TextFile& file : *files) requireText(source, file.path, texts.kind);
    return texts;
}

}  // namespace core
