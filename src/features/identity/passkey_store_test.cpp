#include "features/identity/passkey_store.h"

#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace postern::identity::test {
namespace {

using store::Clear;
using store::fails_with;
using store::SqlText;

constexpr UnixMs k_now = 1'800'000'000'000;

crypto::Hash hash_of(const std::string& text) {
    return crypto::sha256(as_bytes(text));
}

class PasskeyStoreTest : public ::testing::Test {
protected:
    PasskeyStoreTest() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
    }
    Result<> insert(const std::string& name,
                    ChallengePurpose purpose,
                    const std::string& asker,
                    UnixMs now_ms = k_now) {
        const ChallengeRow row{hash_of(name), purpose, hash_of(asker),
                               now_ms + k_challenge_s * 1000};
        return database->write_now(
            [&](store::Transaction& tx) { return rows::insert_challenge(tx, row, now_ms); });
    }
    std::optional<ChallengeRow> take(const std::string& name, UnixMs now_ms = k_now) {
        return database
            ->write_now([&](store::Transaction& tx) {
                return rows::take_challenge(tx, hash_of(name), now_ms);
            })
            .value();
    }

    store::TestFolder folder;
    std::unique_ptr<store::Database> database;
};

TEST_F(PasskeyStoreTest, challenge_is_there_once) {
    ASSERT_TRUE(insert("one", ChallengePurpose::show, "session"));
    EXPECT_FALSE(take("other"));
    const auto taken = take("one");
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->purpose, ChallengePurpose::show);
    EXPECT_EQ(taken->asker, hash_of("session"));
    EXPECT_FALSE(take("one"));
}

TEST_F(PasskeyStoreTest, challenge_is_over_after_five_minutes_and_when_the_clock_is_set_back) {
    for (const std::int64_t away_ms : {300'000, 300'001, -1, -86'400'000}) {
        ASSERT_TRUE(insert("one", ChallengePurpose::add, "session"));
        EXPECT_FALSE(take("one", k_now + away_ms)) << away_ms;
        EXPECT_FALSE(take("one")) << "gone in any case";
    }
    ASSERT_TRUE(insert("one", ChallengePurpose::add, "session"));
    EXPECT_TRUE(take("one", k_now + 299'999));
}

TEST_F(PasskeyStoreTest, oldest_of_a_session_goes_for_a_new_one) {
    for (int i = 0; i <= k_session_challenges_max; ++i) {
        ASSERT_TRUE(insert(std::to_string(i), ChallengePurpose::show, "session", k_now + i));
    }
    const auto later = k_now + k_session_challenges_max;
    EXPECT_FALSE(take("0", later));
    for (int i = 1; i <= k_session_challenges_max; ++i)
        EXPECT_TRUE(take(std::to_string(i), later)) << i;
}

TEST_F(PasskeyStoreTest, place_waits_and_others_do_not) {
    for (int i = 0; i < k_place_challenges_max; ++i)
        ASSERT_TRUE(insert(std::to_string(i), ChallengePurpose::sign_in, "place"));
    const auto refused = insert("more", ChallengePurpose::sign_in, "place", k_now + 100'000);
    EXPECT_TRUE(fails_with(refused, IdentityError::too_many_attempts));
    EXPECT_EQ(refused.error().retry_after_s(), 200);
    EXPECT_TRUE(insert("other", ChallengePurpose::sign_in, "another place"));
    EXPECT_TRUE(insert("session", ChallengePurpose::show, "session"));
    EXPECT_TRUE(take("0"));
    EXPECT_TRUE(insert("more", ChallengePurpose::sign_in, "place"));
    EXPECT_TRUE(insert("late", ChallengePurpose::sign_in, "place", k_now + k_challenge_s * 1000));
}

TEST_F(PasskeyStoreTest, all_places_together_are_bounded) {
    const auto body = [](store::Transaction& tx) -> Result<> {
        for (std::int64_t i = 0; i < k_open_challenges_max; ++i) {
            const auto name = std::to_string(i);
            const auto hash = hash_of(name);
            const auto asker = hash_of("place" + std::to_string(i / 50));
            tx.execute_later(
                SqlText("INSERT INTO passkey_challenges (workspace_id, challenge_hash, purpose, "
                        "asker, expires_at_ms) VALUES ($1, $2, 'sign_in', $3, $4)"),
                {k_installation, Clear::bytes(hash), Clear::bytes(asker), k_now + 1 + i});
        }
        return {};
    };
    ASSERT_TRUE(database->write_now(body));
    ASSERT_TRUE(insert("one more", ChallengePurpose::sign_in, "place", k_now));
    EXPECT_FALSE(take("0"));
    EXPECT_TRUE(take("1"));
    EXPECT_TRUE(take("one more"));
}

TEST_F(PasskeyStoreTest, user_handle_stays_what_it_first_was) {
    PersonRow person;
    person.id = PersonId::make(1);
    person.address_token = Bytes(32, 1);
    const auto insert_person = [&](store::Transaction& tx) {
        return rows::insert_person(tx, person);
    };
    ASSERT_TRUE(database->write_now(insert_person));
    const auto keep = [&](const Bytes& fresh) {
        return database->write_now(
            [&](store::Transaction& tx) { return rows::keep_user_handle(tx, person.id, fresh); });
    };
    EXPECT_EQ(keep(Bytes(32, 7)).value(), Bytes(32, 7));
    EXPECT_EQ(keep(Bytes(32, 8)).value(), Bytes(32, 7));
}

}  // namespace
}  // namespace postern::identity::test
