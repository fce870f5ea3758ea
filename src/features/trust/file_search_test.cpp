#include "features/trust/file_search.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/compress.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

namespace postern::trust {
namespace {

class FileSearchTest : public testing::Test {
protected:
    FileSearch::Found search(const std::vector<std::string>& words,
                             const std::string& content,
                             FileSearch::Forms forms = FileSearch::Forms::as_they_are) {
        const auto name = "file " + std::to_string(++files_);
        std::ofstream(folder.file(name), std::ios::binary) << content;
        const auto opened = held.open({folder.file(name)});
        POSTERN_CHECK(opened && opened->size() == 1);
        const auto found = FileSearch(words, forms).search(opened->front().descriptor);
        POSTERN_CHECK(found.has_value());
        return *found;
    }

    store::TestFolder folder;
    HeldFiles held;

private:
    int files_ = 0;
};

TEST_F(FileSearchTest, words_are_found_wherever_they_stand) {
    EXPECT_EQ(search({"Pelican"}, "Pelican").hits, 1U);
    EXPECT_EQ(search({"Pelican", "Orchid"}, "an Orchid, a Pelican and a Pelican").hits, 3U);
    EXPECT_EQ(search({"Pelican", "Pelicans"}, "Pelicans").hits, 2U);
    EXPECT_EQ(search({std::string("Pel\0can", 7)}, std::string("a Pel\0can", 9)).hits, 1U);
    EXPECT_EQ(search({"aaaaaa"}, "aaaaaaaa").hits, 3U);
}

TEST_F(FileSearchTest, what_is_not_there_is_not_found) {
    EXPECT_EQ(search({"Pelican"}, "").hits, 0U);
    EXPECT_EQ(search({"Pelican"}, "Pelica").hits, 0U);
    EXPECT_EQ(search({"Pelican"}, "pelican PELICAN P e l i c a n Pelicam").hits, 0U);
    EXPECT_EQ(search({}, "Pelican").hits, 0U);
}

TEST_F(FileSearchTest, words_that_chance_would_find_are_left_out) {
    EXPECT_EQ(FileSearch({"short", "", "longer", "longer"}).words(), 1U);
    EXPECT_EQ(search({"short"}, "short").hits, 0U);
    EXPECT_EQ(FileSearch({std::string(FileSearch::k_word_bytes_max + 1, 'x')}).words(), 0U);
    EXPECT_EQ(FileSearch({std::string(FileSearch::k_word_bytes_max, 'x')}).words(), 1U);
}

TEST_F(FileSearchTest, what_is_left_out_is_counted) {
    std::vector<std::string> words{"short", "", std::string(FileSearch::k_word_bytes_max + 1, 'x')};
    for (std::size_t i = 0; i < FileSearch::k_words_max + 7; ++i)
        words.push_back("word number " + std::to_string(i));
    words.push_back(words.back());
    const FileSearch search(words);
    EXPECT_EQ(search.words(), FileSearch::k_words_max);
    EXPECT_EQ(search.left_out().above_limit, 7U);
    EXPECT_EQ(search.left_out().by_length, 3U);
}

TEST_F(FileSearchTest, a_word_across_any_boundary_of_reading_is_found_once) {
    constexpr std::size_t k_mebibyte = std::size_t{1} << 20U;
    const std::string longest(FileSearch::k_word_bytes_max, 'L');
    for (const std::string& word : {std::string("Pelican"), longest}) {
        for (const auto at :
             {k_mebibyte - word.size(), k_mebibyte - 1, k_mebibyte, k_mebibyte + 1,
              k_mebibyte + FileSearch::k_word_bytes_max - 3, (2 * k_mebibyte) - 2}) {
            std::string content((3 * k_mebibyte) + 17, '.');
            content.replace(at, word.size(), word);
            const auto found = search({word, "no such word"}, content);
            EXPECT_EQ(found.hits, 1U) << at;
            EXPECT_EQ(found.bytes, content.size());
        }
    }
}

TEST_F(FileSearchTest, a_frame_is_looked_into_wherever_it_begins_in_a_file) {
    constexpr std::size_t k_mebibyte = std::size_t{1} << 20U;
    std::string around;
    for (unsigned i = 0; i < 900; ++i)
        around += static_cast<char>('A' + (i * i % 31 + i / 7) % 25);
    const auto packed = codec::compress(as_bytes(around + "a Pelican"));
    ASSERT_EQ(packed.front(), 1) << "a frame";
    const std::string frame(packed.begin() + 1, packed.end());
    for (const auto at : {std::size_t{0}, k_mebibyte - 2, k_mebibyte, (2 * k_mebibyte) - 5}) {
        std::string content((2 * k_mebibyte) + 500, '.');
        content.replace(at, frame.size(), frame);
        EXPECT_EQ(search({"Pelican"}, content, FileSearch::Forms::readable).hits, 1U) << at;
        EXPECT_EQ(search({"Pelican"}, content).hits, 0U);
    }
    // Of what begins like one and is none, nothing is made.
    EXPECT_EQ(
        search({"Pelican"}, "\x28\xb5\x2f\xfd and more, a Pelican", FileSearch::Forms::readable)
            .hits,
        1U);
}

TEST_F(FileSearchTest, words_are_told_apart_whatever_their_form) {
    const auto found = search({"Pelican", "Orchid", "Heron's"},
                              "Pelican Pelican P\x20 " + codec::base64(as_bytes("my Orchid")),
                              FileSearch::Forms::readable);
    EXPECT_EQ(found.hits, 3U);
    EXPECT_EQ(found.words.size(), 2U);
}

TEST_F(FileSearchTest, files_are_opened_once_and_stay_open) {
    std::ofstream(folder.file("one")) << "Pelican";
    const std::vector<std::string> names{folder.file("one"), folder.file("none")};
    const auto first = held.open(names);
    const auto second = held.open(names);
    ASSERT_EQ(first->size(), 1U);
    EXPECT_EQ(first->front().descriptor, second->front().descriptor);
    std::ofstream(folder.file("none")) << "Pelican";
    EXPECT_EQ(held.open(names)->size(), 2U);
}

TEST_F(FileSearchTest, a_name_that_goes_on_is_of_all_files_that_begin_so) {
    for (const char* name : {"one.before-9", "one.before-12", "one", "two.before-1"})
        std::ofstream(folder.file(name)) << "Pelican";
    const auto found = held.open({folder.file("one"), folder.file("one.before-*")});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 3U);
    EXPECT_EQ(found->at(1).name, folder.file("one.before-12"));
    EXPECT_EQ(found->at(2).name, folder.file("one.before-9"));
    EXPECT_EQ(held.open({folder.file("three.*")})->size(), 0U);
}

TEST_F(FileSearchTest, more_files_than_are_looked_at_are_an_error) {
    for (std::size_t i = 0; i <= HeldFiles::k_files_max; ++i)
        std::ofstream(folder.file("one." + std::to_string(i))) << "Pelican";
    EXPECT_FALSE(held.open({folder.file("one.*")}));
    EXPECT_FALSE(held.open({folder.file("no folder/one.*")}));
}

}  // namespace
}  // namespace postern::trust
