#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>

namespace postern::store {
namespace {

class DurabilityOnFiles : public OnFiles {};

/// Runs in a forked child; the value is its exit code.
template <typename F>
int in_child(F work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Writes rows and tells each one's number through the pipe after the write was answered.
[[noreturn]] void write_until_killed(const Database::Options& options, int out) {
    auto database = Database::open(options);
    if (!database) ::_exit(1);
    const SealedBytes body(Bytes(300, 0x5a));
    for (std::int64_t number = 1;; ++number) {
        const auto done = (*database)->write_now(
            [&](Transaction& transaction) { return add_note(transaction, number, body); });
        if (!done || ::write(out, &number, sizeof number) != sizeof number) ::_exit(1);
    }
}

TEST_F(DurabilityOnFiles, holds_every_acknowledged_row_when_the_writer_was_killed) {
    const TestFolder folder;
    const auto options = options_for(folder);
    std::int64_t acknowledged = 0;
    for (const std::int64_t rows : {1, 40, 700}) {
        std::filesystem::remove_all(folder.path());
        std::filesystem::create_directory(folder.path());
        int ends[2];
        ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const pid_t child = ::fork();
        if (child == 0) write_until_killed(options, ends[1]);
        ::close(ends[1]);
        while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged &&
               acknowledged < rows) {
        }
        ::kill(child, SIGKILL);
        // What was acknowledged between the last look and the kill counts, too.
        while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
        }
        ::close(ends[0]);
        ::waitpid(child, nullptr, 0);

        const auto database = open_or_fail(options);
        EXPECT_TRUE(database->check_integrity_now());
        const auto count = count_notes(*database);
        EXPECT_GE(acknowledged, rows);
        EXPECT_GE(count, acknowledged);
        EXPECT_LE(count, acknowledged + 1) << "one may be written and not yet acknowledged";
    }
}

TEST_F(DurabilityOnFiles, refuses_a_second_opening_when_the_store_is_in_use) {
    const TestFolder folder;
    const auto options = options_for(folder);
    const auto open_elsewhere = [&] {
        const auto second = Database::open(options);
        if (second) return 1;
        return second.error().is(StoreError::in_use) ? 42 : 2;
    };
    auto database = open_or_fail(options);
    EXPECT_EQ(in_child(open_elsewhere), 42);
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::in_use)) << "the same process";
    EXPECT_TRUE(database->write_now([](Transaction& t) { return add_note(t, 1); }));
    database.reset();
    EXPECT_EQ(in_child([&] { return Database::open(options) ? 42 : 1; }), 42);
}

TEST_F(DurabilityOnFiles, does_not_make_a_store_when_that_was_not_asked_for) {
    const TestFolder folder;
    auto options = options_for(folder);
    options.create = false;
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_found));
    EXPECT_FALSE(std::filesystem::exists(options.file));
    std::ofstream(options.file).flush();
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_a_store)) << "empty";
}

TEST_F(DurabilityOnFiles, keeps_every_file_private_when_the_process_is_careless) {
    const TestFolder folder;
    const auto options = options_for(folder);
    const auto old_mask = ::umask(0);
    const auto database = open_or_fail(options);
    ::umask(old_mask);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        struct stat info{};
        ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    }
}

TEST_F(DurabilityOnFiles, refuses_a_file_when_it_is_no_store_of_this_kind) {
    const TestFolder folder;
    auto options = options_for(folder);
    std::ofstream(options.file) << std::string(8192, 'x');
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_a_store)) << "text";
    EXPECT_EQ(content_of(options.file), std::string(8192, 'x')) << "left as it was";

    std::filesystem::remove(options.file);
    std::filesystem::create_directory(options.file);
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_a_store)) << "a folder";
    std::filesystem::remove(options.file);
    std::filesystem::create_symlink("elsewhere.db", options.file);
    EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_a_store)) << "a link";
    std::filesystem::remove(options.file);

    options.kind = StoreKind::keyring;
    open_or_fail(options);
    for (const auto kind : {StoreKind::store, StoreKind::index}) {
        options.kind = kind;
        EXPECT_TRUE(fails_with(Database::open(options), StoreError::not_a_store)) << "keyring";
    }
    options.kind = StoreKind::keyring;
    EXPECT_TRUE(Database::open(options));
}

/// Overwrites part of a file in place.
void damage(const std::string& file, std::int64_t offset, std::size_t size) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(offset);
    out << std::string(size, '\xee');
}

TEST_F(DurabilityOnFiles, answers_with_an_error_and_never_dies_when_the_file_is_damaged) {
    const TestFolder folder;
    const auto options = options_for(folder);
    {
        const auto database = open_or_fail(options);
        const SealedBytes body(Bytes(900, 1));
        const auto filled = database->write_now([&](Transaction& t) -> Result<> {
            for (std::int64_t i = 0; i < 200; ++i) {
                POSTERN_TRY([[maybe_unused]] const auto added, add_note(t, i, body));
            }
            return {};
        });
        ASSERT_TRUE(filled);
    }
    const auto good = content_of(options.file);
    int noticed = 0;
    for (std::size_t page = 0; page * 4096 < good.size(); ++page) {
        std::ofstream(options.file, std::ios::binary) << good;
        damage(options.file, static_cast<std::int64_t>(page) * 4096, 512);
        const auto database = Database::open(options);
        if (!database) {
            const auto error = database.error().as<StoreError>();
            EXPECT_TRUE(error == StoreError::corrupt || error == StoreError::not_a_store ||
                        error == StoreError::bad_statement)
                << database.error().detail();
            ++noticed;
            continue;
        }
        if (!(*database)->check_integrity_now()) ++noticed;
        (void)(*database)->write_now([](Transaction& t) { return add_note(t, 1000); });
    }
    EXPECT_GE(noticed, static_cast<int>(good.size() / 4096) - 2);
}

TEST_F(DurabilityOnFiles, opens_to_the_last_whole_commit_when_the_log_is_cut) {
    const TestFolder folder;
    const auto options = options_for(folder);
    // Killed, so that the log is not written back at the end.
    EXPECT_EQ(in_child([&] {
                  const auto database = Database::open(options);
                  for (std::int64_t i = 0; database && i < 10; ++i) {
                      if (!(*database)->write_now([&](Transaction& t) { return add_note(t, i); })) {
                          return 1;
                      }
                  }
                  return ::kill(::getpid(), SIGKILL);
              }),
              -1);
    const auto log = content_of(options.file + "-wal");
    ASSERT_GT(log.size(), 4096U);
    std::filesystem::resize_file(options.file + "-wal", log.size() - 100);
    const auto database = open_or_fail(options);
    EXPECT_EQ(count_notes(*database), 9);
}

}  // namespace
}  // namespace postern::store
