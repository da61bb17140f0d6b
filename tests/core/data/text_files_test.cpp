// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_files.h"

#include "core/base/text.h"
#include "tests/core/data/data_helpers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace core::test {
namespace {

std::vector<Document> documentsOf(const Path& file,
                                  TextSource::Kind kind = TextSource::Kind::Text) {
    DocumentReader reader(file, kind);
    std::vector<Document> documents;
    while (std::optional<Document> document = reader.next())
        documents.push_back(std::move(*document));
    return documents;
}

std::vector<std::string> textsOf(const std::vector<Document>& documents) {
    std::vector<std::string> texts;
    for (const Document& document : documents) texts.push_back(document.text);
    return texts;
}

TEST(TextFiles, ParagraphsAreDocuments) {
    const TemporaryFolder folder;
    const std::string text = "\n \t\none\ntwo  \n\n\nthree\r\n\r\nlast without a newline";
    writeBytes(folder / "a.txt", text);
    const std::vector<Document> documents = documentsOf(folder / "a.txt");
    EXPECT_EQ(textsOf(documents),
              (std::vector<std::string>{"one\ntwo  ", "three\r", "last without a newline"}));
    EXPECT_EQ(documents[0].line, 3);
    EXPECT_EQ(documents[1].line, 7);
    EXPECT_EQ(text.substr(documents[1].offset, 5), "three");
    writeGzip(folder / "a.gz", text);
    EXPECT_EQ(textsOf(documentsOf(folder / "a.gz")), textsOf(documents));
}

TEST(TextFiles, GoesOnAtADocument) {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 50000; ++i) text += "paragraph " + std::to_string(i) + "\nof two lines\n\n";
    writeBytes(folder / "a.txt", text);
    const std::vector<Document> documents = documentsOf(folder / "a.txt");
    ASSERT_EQ(documents.size(), 50000U);
    for (const std::size_t at : {std::size_t{1}, std::size_t{777}, documents.size() - 1}) {
        DocumentReader reader(folder / "a.txt", TextSource::Kind::Text, documents[at].offset,
                              documents[at].line);
        const std::optional<Document> document = reader.next();
        ASSERT_TRUE(document);
        EXPECT_EQ(document->text, documents[at].text);
        EXPECT_EQ(document->line, documents[at].line);
    }
}

TEST(TextFiles, LongLinesAreCutBetweenCharacters) {
    const TemporaryFolder folder;
    std::string text = "x";
    while (text.size() < 5 * kLongestDocument) text += "\xE2\x82\xAC";  // three bytes each
    writeBytes(folder / "a.txt", text);
    std::string joined;
    for (const Document& document : documentsOf(folder / "a.txt")) {
        EXPECT_LE(document.text.size(), kLongestDocument);
        EXPECT_TRUE(isUtf8(document.text));
        joined += document.text;
    }
    EXPECT_EQ(joined, text);
}

TEST(TextFiles, LongParagraphsAreCutAtLineEndsAndLongLinesAtSpaces) {
    const TemporaryFolder folder;
    std::string lines;
    for (int i = 0; i < 500; ++i) lines += "line " + std::to_string(i) + " of no paragraph\n";
    writeBytes(folder / "lines.txt", lines);
    std::string joined;
    const std::vector<Document> documents = documentsOf(folder / "lines.txt");
    EXPECT_GE(documents.size(), 3U);
    for (const Document& document : documents) {
        EXPECT_LE(document.text.size(), kLongestDocument);
        EXPECT_TRUE(document.text.starts_with("line "));
        joined += document.text + "\n";
    }
    EXPECT_EQ(joined, lines);
    std::string words;
    for (int i = 0; i < 3000; ++i) words += "word" + std::to_string(i) + " ";
    writeBytes(folder / "words.txt", words);
    joined.clear();
    for (const Document& document : documentsOf(folder / "words.txt")) {
        EXPECT_TRUE(document.text.starts_with("word"));
        joined += document.text;
    }
    EXPECT_EQ(joined, words);
}

TEST(TextFiles, ALineOfAQuarterGigabyteCostsLittleMemory) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "AddressSanitizer keeps what was freed";
#endif
    const TemporaryFolder folder;
    const std::string piece(std::size_t{1} << 20U, 'a');
    {
        File file = File::createNew(folder / "a.txt");
        for (std::uint64_t i = 0; i < 256; ++i)
            file.writeAt(i << 20U, std::as_bytes(std::span(piece)));
    }
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    DocumentReader reader(folder / "a.txt", TextSource::Kind::Text);
    std::uint64_t bytes = 0;
    while (const std::optional<Document> document = reader.next()) bytes += document->text.size();
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
    EXPECT_EQ(bytes, std::uint64_t{256} << 20U);
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 * 1024);  // KiB
}

TEST(TextFiles, InvalidUtf8IsReplacedAndCounted) {
    const TemporaryFolder folder;
    writeBytes(folder / "a.txt", "caf\xE9 and \xF0\x9F\x98\x80\n");
    DocumentReader reader(folder / "a.txt", TextSource::Kind::Text);
    EXPECT_EQ(reader.next()->text, "caf\xEF\xBF\xBD and \xF0\x9F\x98\x80");
    EXPECT_EQ(reader.replaced(), 1U);
}

TEST(TextFiles, FoldersAndTheirParts) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "train/deep");
    std::filesystem::create_directories(folder / "validation");
    writeBytes(folder / "train/deep/b.txt", "b");
    writeBytes(folder / "train/a.txt", "a");
    writeBytes(folder / "validation/c.txt", "c");
    const TextSource source = openTextSource("text:" + folder.path().string());
    EXPECT_EQ(source.train, (std::vector<TextFile>{{folder / "train/a.txt", "a.txt"},
                                                   {folder / "train/deep/b.txt", "deep/b.txt"}}));
    EXPECT_EQ(source.held, (std::vector<TextFile>{{folder / "validation/c.txt", "c.txt"}}));
    const TextSource two = openTextSource("text:" + (folder / "train/a.txt").string() + "," +
                                          (folder / "validation/c.txt").string());
    EXPECT_EQ(two.train, (std::vector<TextFile>{{folder / "train/a.txt", "a.txt"},
                                                {folder / "validation/c.txt", "1:c.txt"}}));
    EXPECT_TRUE(two.held.empty());
}

TEST(TextFiles, RefusesWhatIsNoText) {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& name) {
        return errorOf(ErrorKind::BadInput,
                       [&] { openTextSource("text:" + (folder / name).string()); });
    };
    EXPECT_NE(refusal("missing.txt").find("missing.txt does not exist"), std::string::npos);
    writeBytes(folder / "empty.txt", "");
    EXPECT_NE(refusal("empty.txt").find("empty.txt is empty"), std::string::npos);
    writeBytes(folder / "blank.txt", "\n \n\n");
    EXPECT_NE(refusal("blank.txt").find("nothing but white space"), std::string::npos);
    std::string binary;
    for (int i = 0; i < 5000; ++i) binary += static_cast<char>(i * 37 % 256);
    writeBytes(folder / "binary.bin", binary);
    EXPECT_NE(refusal("binary.bin").find("does not look like text"), std::string::npos);
    std::filesystem::create_directories(folder / "nothing");
    EXPECT_NE(refusal("nothing").find("holds no files"), std::string::npos);
    writeGzip(folder / "cut.gz", std::string(100000, 'a') + "\n\nb");
    std::string packed = readBytes(folder / "cut.gz");
    writeBytes(folder / "cut.gz", packed.substr(0, packed.size() / 2));
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { documentsOf(folder / "cut.gz"); })
                  .find("damaged or cut gzip data"),
              std::string::npos);
    EXPECT_NE(errorOf(ErrorKind::Usage, [] { openTextSource("images:x"); }).find("images:x"),
              std::string::npos);
}

TEST(TextFiles, ALineOfJsonTooLongIsRefused) {
    const TemporaryFolder folder;
    writeBytes(folder / "a.jsonl",
               "{}\n{\"text\": \"" + std::string(kLongestJsonLine, 'a') + "\"}\n");
    EXPECT_NE(errorOf(ErrorKind::BadInput,
                      [&] { documentsOf(folder / "a.jsonl", TextSource::Kind::JsonLines); })
                  .find("a.jsonl: line 2 is longer than"),
              std::string::npos);
}

}  // namespace
}  // namespace core::test
