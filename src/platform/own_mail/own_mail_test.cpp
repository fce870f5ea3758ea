#include "platform/own_mail/own_mail.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/manual_clock_test.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"
#include "platform/own_mail/own_mail_store.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::own_mail {
namespace {

keys::Records turned(std::vector<keys::Record> records) {
    keys::Records out;
    for (auto& record : records) {
        for (auto& byte : record.content)
            byte = static_cast<std::uint8_t>(~byte);
        out.contents.push_back(std::move(record.content));
    }
    return out;
}

async::Task<keys::Records> seal(keys::SealRecords ask) {
    co_return turned(std::move(ask.records));
}

async::Task<keys::Records> open(keys::OpenRecords ask) {
    co_return turned(std::move(ask.records));
}

/// Seals by turning every bit over, which is enough to see that nothing is stored in clear.
class TurningKeeper final : public keys::test::PlayedPeer {
public:
    explicit TurningKeeper(net::test::Loop& loop) : PlayedPeer(loop) {
        router_.on<keys::SealRecords>(seal);
        router_.on<keys::OpenRecords>(open);
    }
};

struct Postman final : Carrier {
    async::Task<> carry(Letter letter) override {
        ++tries;
        if (fails_with) co_return fail(Error(*fails_with));
        letters.push_back(std::move(letter));
        co_return Result<>{};
    }
    std::optional<CarryError> fails_with;
    int tries = 0;
    std::vector<Letter> letters;
};

class OwnMailTest : public ::testing::Test {
protected:
    OwnMailTest() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        options.clock = &clock;
        database = store::open_or_fail(options);
        mail = make(&postman);
    }
    std::unique_ptr<OwnMail> make(Carrier* carrier) {
        return std::make_unique<OwnMail>(OwnMail::Parts{*database, keeper.link, clock, carrier},
                                         loop.io.get_executor());
    }
    void write(std::string to) {
        auto enclosed = loop.run(mail->enclose({std::move(to), "Hello", "A text"})).value();
        const auto body = [enclosed](store::Transaction& tx) { return OwnMail::put(tx, enclosed); };
        ASSERT_TRUE(loop.run(database->write(body)));
    }
    std::optional<UnixMs> hand_over() { return loop.run(mail->hand_over_due()).value(); }
    std::int64_t waiting() {
        const auto body = [](store::Transaction& tx) { return rows::count(tx); };
        return loop.run(database->read(body)).value();
    }

    store::TestFolder folder;
    postern::test::ManualClock clock;
    net::test::Loop loop;
    TurningKeeper keeper{loop};
    std::unique_ptr<store::Database> database;
    Postman postman;
    std::unique_ptr<OwnMail> mail;
};

TEST_F(OwnMailTest, letter_is_handed_over_once) {
    write("lea@brand.example");
    EXPECT_EQ(hand_over(), std::nullopt);
    ASSERT_EQ(postman.letters.size(), 1U);
    EXPECT_EQ(postman.letters[0].to, "lea@brand.example");
    EXPECT_EQ(postman.letters[0].subject, "Hello");
    EXPECT_EQ(postman.letters[0].text, "A text");
    EXPECT_EQ(waiting(), 0);
    EXPECT_EQ(hand_over(), std::nullopt);
    EXPECT_EQ(postman.tries, 1);
}

TEST_F(OwnMailTest, server_that_is_away_is_tried_again_ever_more_seldom) {
    postman.fails_with = CarryError::not_now;
    write("lea@brand.example");
    const auto first = hand_over().value();
    EXPECT_GT(first, clock.now);
    EXPECT_EQ(hand_over(), first) << "not before its time";
    EXPECT_EQ(postman.tries, 1);
    clock.now = first;
    const auto second = hand_over().value();
    EXPECT_GT(second, first);
    postman.fails_with.reset();
    clock.now = second;
    EXPECT_EQ(hand_over(), std::nullopt);
    EXPECT_EQ(postman.letters.size(), 1U);
}

TEST_F(OwnMailTest, letter_that_is_refused_or_a_day_old_is_given_up) {
    postman.fails_with = CarryError::refused;
    write("nobody@brand.example");
    EXPECT_EQ(hand_over(), std::nullopt);
    EXPECT_EQ(waiting(), 0);
    postman.fails_with = CarryError::not_now;
    write("lea@brand.example");
    EXPECT_TRUE(hand_over().has_value());
    clock.now += k_tried_s * 1000;
    EXPECT_EQ(hand_over(), std::nullopt);
    EXPECT_EQ(waiting(), 0);
}

TEST_F(OwnMailTest, one_letter_does_not_hold_up_the_next) {
    postman.fails_with = CarryError::not_now;
    write("lea@brand.example");
    EXPECT_TRUE(hand_over().has_value());
    postman.fails_with.reset();
    write("maya@brand.example");
    EXPECT_TRUE(hand_over().has_value());
    ASSERT_EQ(postman.letters.size(), 1U);
    EXPECT_EQ(postman.letters[0].to, "maya@brand.example");
}

TEST_F(OwnMailTest, letter_that_cannot_be_opened_does_not_hold_up_the_next) {
    write("lea@brand.example");
    const auto damage = [](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(auto found, rows::due(tx, INT64_MAX, 1));
        auto row = std::move(found.at(0));
        if (auto gone = rows::remove(tx, row.id); !gone) return gone;
        auto sealed = std::move(row.letter).take();
        sealed.pop_back();
        row.letter = store::SealedBytes(std::move(sealed));
        return rows::insert(tx, row);
    };
    ASSERT_TRUE(loop.run(database->write(damage)));
    clock.now += 1;
    write("maya@brand.example");
    EXPECT_GT(hand_over().value(), clock.now);
    ASSERT_EQ(postman.letters.size(), 1U);
    EXPECT_EQ(postman.letters[0].to, "maya@brand.example");
    EXPECT_EQ(waiting(), 1) << "it is tried again, for a day";
    clock.now += k_tried_s * 1000;
    EXPECT_EQ(hand_over(), std::nullopt);
    EXPECT_EQ(waiting(), 0);
}

TEST_F(OwnMailTest, nothing_waits_in_clear) {
    write("lea@brand.example");
    const auto body = [](store::Transaction& tx) { return rows::due(tx, INT64_MAX, 10); };
    const auto rows = loop.run(database->read(body)).value();
    ASSERT_EQ(rows.size(), 1U);
    const std::string stored(as_text(rows[0].letter.view()));
    EXPECT_EQ(stored.find("lea@"), std::string::npos);
    EXPECT_EQ(stored.find("Hello"), std::string::npos);
}

TEST_F(OwnMailTest, without_a_mail_server_nothing_is_queued) {
    mail = make(nullptr);
    EXPECT_FALSE(mail->is_set_up());
    write("lea@brand.example");
    EXPECT_EQ(waiting(), 0);
}

}  // namespace
}  // namespace postern::own_mail
