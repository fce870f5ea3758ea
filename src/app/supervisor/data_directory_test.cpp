#include "app/supervisor/data_directory.h"

#include "app/config/config.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/place_error.h"
#include "foundation/base/result.h"
#include "platform/os/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace postern::app::supervisor {
namespace {

class DataDirectoryTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "postern-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string data() const { return folder_ + "/data"; }
    /// Whole, as init leaves it.
    Result<DataDirectory> make() {
        auto directory = DataDirectory::create(data());
        if (directory) {
            EXPECT_TRUE(directory->made());
        }
        return directory;
    }
    static unsigned mode_of(const std::string& path) {
        struct stat status{};
        return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
    }

    std::string folder_;
};

TEST_F(DataDirectoryTest, is_made_for_the_owner_alone) {
    const auto made = make();
    ASSERT_TRUE(made);
    for (const auto* part : {"", "/store", "/keyring", "/run"})
        EXPECT_EQ(mode_of(data() + part), 0700U) << part;
    EXPECT_EQ(mode_of(data() + "/lock"), 0600U);
}

TEST_F(DataDirectoryTest, the_root_key_in_use_is_told_from_a_copy_of_it) {
    const auto made = make();
    ASSERT_TRUE(made);
    const auto key = folder_ + "/root.key";
    std::ofstream(key) << "key";
    std::ofstream(folder_ + "/copy.key") << "key";
    EXPECT_TRUE(DataDirectory::check_root_key(data(), key).error().is(os::OsError::io))
        << "no link";
    for (int start = 0; start < 2; ++start)
        ASSERT_TRUE(made->point_at_root_key(key));
    EXPECT_TRUE(DataDirectory::check_root_key(data(), key));
    EXPECT_TRUE(DataDirectory::check_root_key(data(), data() + "/../root.key"));
    for (const auto* other : {"/copy.key", "/nothing.key"}) {
        const auto checked = DataDirectory::check_root_key(data(), folder_ + other);
        ASSERT_FALSE(checked) << other;
        EXPECT_TRUE(checked.error().is(PlaceError::other_root_key)) << other;
    }
    // A rotation gives the name to a new file.
    std::filesystem::rename(folder_ + "/copy.key", key);
    EXPECT_TRUE(DataDirectory::check_root_key(data(), key));
}

TEST_F(DataDirectoryTest, a_second_one_is_refused_while_the_first_lives) {
    {
        const auto made = make();
        ASSERT_TRUE(made);
        const auto second = DataDirectory::open(data());
        ASSERT_FALSE(second);
        EXPECT_TRUE(second.error().is(PlaceError::in_use));
    }
    EXPECT_TRUE(DataDirectory::open(data()));
}

TEST_F(DataDirectoryTest, is_not_made_twice) {
    ASSERT_TRUE(make());
    std::ofstream(data() + "/keyring/keyring.db") << "mine";
    const auto again = DataDirectory::create(data());
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.error().is(PlaceError::already_set_up));
}

TEST_F(DataDirectoryTest, one_that_is_half_made_is_not_opened_and_made_anew) {
    {
        const auto half = DataDirectory::create(data());
        ASSERT_TRUE(half);
        std::ofstream(data() + "/keyring/keyring.db") << "of then";
        const auto meanwhile = DataDirectory::create(data());
        ASSERT_FALSE(meanwhile);
        EXPECT_TRUE(meanwhile.error().is(PlaceError::in_use));
    }
    EXPECT_TRUE(std::filesystem::exists(data() + "/keyring/keyring.db"));
    const auto opened = DataDirectory::open(data());
    ASSERT_FALSE(opened);
    EXPECT_TRUE(opened.error().is(PlaceError::half_made));
    const auto again = DataDirectory::create(data());
    ASSERT_TRUE(again);
    EXPECT_FALSE(std::filesystem::exists(data() + "/keyring/keyring.db"));
    EXPECT_TRUE(again->made());
}

TEST_F(DataDirectoryTest, volumes_of_their_own_may_be_there_before) {
    for (const auto* part : {"/keyring", "/store/lost+found"})
        std::filesystem::create_directories(data() + part);
    {
        const auto made = DataDirectory::create(data());
        ASSERT_TRUE(made) << made.error().detail();
        EXPECT_TRUE(made->made());
        EXPECT_EQ(mode_of(data() + "/store"), 0700U);
    }
    const auto again = DataDirectory::create(data());
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.error().is(PlaceError::folder_not_empty));
}

TEST_F(DataDirectoryTest, other_things_in_the_folder_stay_as_they_are) {
    std::filesystem::create_directory(data());
    std::ofstream(data() + "/letter.txt") << "mine";
    const auto before = mode_of(data());
    const auto refused = DataDirectory::create(data());
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(PlaceError::folder_not_empty));
    EXPECT_EQ(mode_of(data()), before);
    EXPECT_FALSE(std::filesystem::exists(data() + "/lock"));
}

TEST_F(DataDirectoryTest, what_is_not_set_up_is_not_opened) {
    for (const auto& path : {data(), folder_ + "/no/where"}) {
        const auto refused = DataDirectory::open(path);
        ASSERT_FALSE(refused);
        EXPECT_TRUE(refused.error().is(PlaceError::not_set_up));
    }
    std::filesystem::create_directory(data());
    std::filesystem::permissions(data(), std::filesystem::perms::owner_all);
    EXPECT_TRUE(DataDirectory::open(data()).error().is(PlaceError::not_set_up));
    EXPECT_FALSE(std::filesystem::exists(data() + "/lock"));
}

TEST_F(DataDirectoryTest, a_folder_that_others_may_enter_is_refused) {
    ASSERT_TRUE(make());
    ASSERT_EQ(::chmod(data().c_str(), 0750), 0);
    EXPECT_TRUE(DataDirectory::open(data()).error().is(PlaceError::folder_open));
}

TEST_F(DataDirectoryTest, engine_is_files_until_it_is_noted) {
    using config::StoreEngine;
    const auto directory = make();
    ASSERT_TRUE(directory);
    EXPECT_EQ(directory->engine().value(), StoreEngine::sqlite);
    for (const auto engine : {StoreEngine::postgresql, StoreEngine::sqlite}) {
        ASSERT_TRUE(directory->set_engine(engine));
        EXPECT_EQ(directory->engine().value(), engine);
        EXPECT_FALSE(std::filesystem::exists(data() + "/engine.new"));
    }
    std::ofstream(data() + "/engine") << "postgres";
    EXPECT_FALSE(directory->engine().has_value()) << "damaged";
}

TEST_F(DataDirectoryTest, a_symbolic_link_in_place_of_a_part_is_refused) {
    ASSERT_TRUE(make());
    std::filesystem::remove(data() + "/store");
    std::filesystem::create_directory_symlink(folder_, data() + "/store");
    EXPECT_FALSE(DataDirectory::open(data()));
}

TEST_F(DataDirectoryTest, is_not_used_while_its_stores_are_being_moved) {
    const auto made = make();
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->check_not_moving());
    ASSERT_TRUE(made->begin_moving(config::StoreEngine::postgresql));
    const auto refused = made->check_not_moving();
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(SupervisorError::move_unfinished));
    EXPECT_EQ(refused.error().detail(), "--to postgresql");
    EXPECT_EQ(made->moving().value(), config::StoreEngine::postgresql);
    EXPECT_EQ(made->engine().value(), config::StoreEngine::sqlite) << "until it is switched";
    ASSERT_TRUE(made->end_moving());
    EXPECT_TRUE(made->check_not_moving());
    EXPECT_TRUE(made->end_moving()) << "as after a crash at its end";
}

}  // namespace
}  // namespace postern::app::supervisor
