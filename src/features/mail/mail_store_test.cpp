#include "features/mail/mail_store.h"

#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail::rows {
namespace {

using store::fails_with;
using store::SealedBytes;
using store::Transaction;

constexpr UnixMs k_now = 1'800'000'000'000;
constexpr UnixMs k_forever = std::numeric_limits<UnixMs>::max();

template <typename IdType>
IdType id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = number;
    return IdType(bytes);
}

SealedObject sealed(const std::string& text, std::size_t wraps) {
    SealedObject object;
    object.content = SealedBytes(to_bytes(text));
    for (std::size_t i = 0; i < wraps; ++i)
        object.wraps.emplace_back(to_bytes(text + " wrap " + std::to_string(i)));
    return object;
}

class MailStoreTest : public ::testing::Test {
protected:
    MailStoreTest() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
    }
    template <store::Body F>
    auto write(F body) {
        return database->write_now(std::move(body));
    }
    template <store::Body F>
    auto read(F body) {
        return database->read_now(std::move(body));
    }

    void add_thread(std::uint8_t number,
                    const std::vector<CreatorId>& people,
                    IntegrationId integration = id<IntegrationId>(1),
                    WorkspaceId workspace = id<WorkspaceId>(1)) {
        NewThread thread{workspace, id<ThreadId>(number), integration, {}, {}, people};
        thread.token.fill(number);
        thread.head = sealed("head " + std::to_string(number), people.size());
        const auto added =
            write([&](Transaction& tx) { return insert_thread(tx, thread, k_now + number); });
        ASSERT_TRUE(added.has_value());
    }
    NewMessage message(std::uint8_t number, std::uint8_t thread = 1) {
        NewMessage row;
        row.workspace = ours;
        row.id = id<MessageId>(number);
        row.thread = id<ThreadId>(thread);
        row.number = number;
        row.origin_mac = to_bytes("origin " + std::to_string(number));
        row.body = sealed("body " + std::to_string(number), 2);
        row.body_people = {id<CreatorId>(1), id<CreatorId>(2)};
        return row;
    }
    Result<bool> add(const NewMessage& row) {
        return write([&](Transaction& tx) { return insert_message(tx, row, k_now); });
    }
    std::vector<std::uint8_t> listed(const ListQuery& query, WorkspaceId workspace) {
        const auto found = read([&](Transaction& tx) {
            return list_threads(tx, Viewer(workspace, std::nullopt), query);
        });
        std::vector<std::uint8_t> out;
        for (const auto& row : found.value())
            out.push_back(row.id.raw()[0]);
        return out;
    }
    std::vector<std::uint8_t> listed(const ListQuery& query) { return listed(query, ours); }

    void add_outbox(std::uint8_t number,
                    UnixMs at,
                    IntegrationId integration = id<IntegrationId>(1)) {
        const auto added = write([&](Transaction& tx) {
            return insert_outbox(tx, ours, id<MessageId>(number), integration, at);
        });
        ASSERT_TRUE(added.has_value());
    }
    Result<bool> move(const OutboxMove& how) {
        return write([&](Transaction& tx) { return move_outbox(tx, how); });
    }
    std::vector<OutboxRow> due(UnixMs at,
                               std::int64_t limit = 100,
                               std::int64_t of_one = 100,
                               std::int64_t passed_over = 0) {
        const DueLimits limits{limit, of_one, passed_over};
        return read([&](Transaction& tx) { return due_outbox(tx, at, limits); }).value();
    }
    std::vector<ListedHeld> list(const HeldQuery& query = {}) {
        return read([&](Transaction& tx) {
                   return list_held(tx, Viewer(ours, std::nullopt), query);
               })
            .value();
    }

    store::TestFolder folder;
    std::unique_ptr<store::Database> database;
    WorkspaceId ours = id<WorkspaceId>(1);
    WorkspaceId theirs = id<WorkspaceId>(2);
};

TEST_F(MailStoreTest, thread_comes_back_as_it_was_stored) {
    add_thread(3, {id<CreatorId>(9), id<CreatorId>(8)});
    const auto row = read([&](Transaction& tx) { return load_thread(tx, ours, id<ThreadId>(3)); });
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(row->id, id<ThreadId>(3));
    EXPECT_EQ(row->integration, id<IntegrationId>(1));
    EXPECT_EQ(row->token[15], 3);
    EXPECT_EQ(row->next_number, 1U);
    EXPECT_EQ(as_text(row->head.content), "head 3");
    ASSERT_EQ(row->head.wraps.size(), 2U);
    EXPECT_EQ(row->head.wraps[0].first, id<CreatorId>(8));
    EXPECT_EQ(as_text(row->head.wraps[0].second), "head 3 wrap 1");
    EXPECT_EQ(row->created_at_ms, k_now + 3);
    EXPECT_EQ(row->updated_at_ms, k_now + 3);
}

TEST_F(MailStoreTest, thread_of_another_workspace_is_not_found_by_id_or_token) {
    add_thread(3, {id<CreatorId>(9)});
    const auto by_id =
        read([&](Transaction& tx) { return load_thread(tx, theirs, id<ThreadId>(3)); });
    EXPECT_TRUE(fails_with(by_id, MailServiceError::thread_not_found));
    std::array<std::uint8_t, 16> token{};
    token.fill(3);
    const auto ours_by_token = read([&](Transaction& tx) { return find_thread(tx, ours, token); });
    EXPECT_TRUE(ours_by_token->has_value());
    const auto by_token = read([&](Transaction& tx) { return find_thread(tx, theirs, token); });
    EXPECT_FALSE(by_token->has_value());
    token.fill(4);
    const auto other_token = read([&](Transaction& tx) { return find_thread(tx, ours, token); });
    EXPECT_FALSE(other_token->has_value());
}

TEST_F(MailStoreTest, token_is_given_out_once_per_workspace) {
    add_thread(3, {});
    NewThread second{ours, id<ThreadId>(4), id<IntegrationId>(1), {}, sealed("x", 0), {}};
    second.token.fill(3);
    EXPECT_TRUE(fails_with(write([&](Transaction& tx) { return insert_thread(tx, second, k_now); }),
                           store::StoreError::conflict));
    second.workspace = theirs;
    EXPECT_TRUE(write([&](Transaction& tx) { return insert_thread(tx, second, k_now); }));
}

TEST_F(MailStoreTest, first_thread_of_a_mailbox_is_its_own) {
    const auto first = [&](WorkspaceId workspace, std::uint8_t integration) {
        return read([&](Transaction& tx) {
                   return first_thread_at(tx, workspace, id<IntegrationId>(integration));
               })
            .value();
    };
    add_thread(3, {}, id<IntegrationId>(2));
    add_thread(4, {}, id<IntegrationId>(1));
    add_thread(5, {}, id<IntegrationId>(1));
    EXPECT_EQ(first(ours, 1), k_now + 4);
    EXPECT_EQ(first(ours, 2), k_now + 3);
    EXPECT_EQ(first(ours, 3), std::nullopt);
    EXPECT_EQ(first(theirs, 1), std::nullopt);
}

TEST_F(MailStoreTest, large_thread_is_read_with_every_wrap_of_its_newest_thousand) {
    constexpr std::uint16_t k_messages = 1010;
    add_thread(1, {});
    const auto nth = [](std::uint16_t n) {
        std::array<std::uint8_t, 16> bytes{};
        bytes[0] = static_cast<std::uint8_t>(n >> 8U);
        bytes[1] = static_cast<std::uint8_t>(n);
        return MessageId(bytes);
    };
    for (std::uint16_t n = 0; n < k_messages; ++n) {
        auto row = message(1);
        row.id = nth(n);
        row.origin_mac = to_bytes("origin " + std::to_string(n));
        row.body = sealed(std::to_string(n), 12);
        row.body_people.clear();
        for (std::uint8_t person = 1; person <= 12; ++person)
            row.body_people.push_back(id<CreatorId>(person));
        ASSERT_TRUE(add(row).value());
    }
    const auto rows =
        read([&](Transaction& tx) { return load_messages(tx, ours, id<ThreadId>(1)); });
    ASSERT_TRUE(rows.has_value());
    ASSERT_EQ(rows->size(), 1000U);
    EXPECT_EQ(rows->front().id, nth(10));
    EXPECT_EQ(rows->back().id, nth(k_messages - 1));
    for (const auto& row : *rows) {
        ASSERT_EQ(row.body.wraps.size(), 12U) << as_text(row.body.content);
        const auto last = std::string(as_text(row.body.content)) + " wrap 11";
        EXPECT_EQ(as_text(row.body.wraps.back().second), last);
    }
}

TEST_F(MailStoreTest, each_number_is_given_out_once) {
    add_thread(3, {});
    const auto take = [&](WorkspaceId workspace) {
        return write([&](Transaction& tx) { return take_number(tx, workspace, id<ThreadId>(3)); });
    };
    EXPECT_EQ(take(ours).value(), 1U);
    EXPECT_EQ(take(ours).value(), 2U);
    EXPECT_TRUE(fails_with(take(theirs), MailServiceError::thread_not_found));
    EXPECT_EQ(take(ours).value(), 3U);
}

TEST_F(MailStoreTest, threads_are_paged_newest_first_without_gap_or_repetition) {
    for (std::uint8_t number = 1; number <= 5; ++number)
        add_thread(number, {});
    ListQuery query;
    query.limit = 2;
    EXPECT_EQ(listed(query), (std::vector<std::uint8_t>{5, 4}));
    query.before = id<ThreadId>(4);
    EXPECT_EQ(listed(query), (std::vector<std::uint8_t>{3, 2}));
    query.before = id<ThreadId>(2);
    EXPECT_EQ(listed(query), std::vector<std::uint8_t>{1});
    query.before = id<ThreadId>(1);
    EXPECT_TRUE(listed(query).empty());
}

TEST_F(MailStoreTest, listing_keeps_to_creator_integration_and_workspace) {
    const auto lea = id<CreatorId>(1);
    const auto bo = id<CreatorId>(2);
    const auto one = id<IntegrationId>(1);
    const auto two = id<IntegrationId>(2);
    add_thread(1, {lea}, one);
    add_thread(2, {lea, bo}, two);
    add_thread(3, {bo}, one);
    add_thread(4, {lea}, two);
    add_thread(5, {lea}, one, theirs);
    using Numbers = std::vector<std::uint8_t>;
    EXPECT_EQ(listed({}), (Numbers{4, 3, 2, 1}));
    EXPECT_EQ(listed({}, theirs), Numbers{5});
    ListQuery query;
    query.creator = lea;
    EXPECT_EQ(listed(query), (Numbers{4, 2, 1}));
    query.integration = one;
    EXPECT_EQ(listed(query), Numbers{1});
    query.integration = two;
    query.limit = 1;
    EXPECT_EQ(listed(query), Numbers{4});
    query.before = id<ThreadId>(4);
    EXPECT_EQ(listed(query), Numbers{2});
    query = {};
    query.integration = one;
    EXPECT_EQ(listed(query), (Numbers{3, 1}));
    query.creator = id<CreatorId>(7);
    EXPECT_TRUE(listed(query).empty());
}

TEST_F(MailStoreTest, touching_moves_only_the_time_of_change) {
    add_thread(1, {});
    ASSERT_TRUE(write(
        [&](Transaction& tx) { return touch_thread(tx, ours, id<ThreadId>(1), k_now + 99); }));
    ASSERT_TRUE(write(
        [&](Transaction& tx) { return touch_thread(tx, theirs, id<ThreadId>(1), k_now + 777); }));
    const auto row = read([&](Transaction& tx) { return load_thread(tx, ours, id<ThreadId>(1)); });
    EXPECT_EQ(row->created_at_ms, k_now + 1);
    EXPECT_EQ(row->updated_at_ms, k_now + 99);
}

TEST_F(MailStoreTest, messages_come_oldest_first_each_with_its_own_wraps) {
    for (const std::uint8_t number : {3, 1, 2}) {
        auto row = message(number);
        if (number == 2) row.body_people = {};
        ASSERT_TRUE(add(row).value());
    }
    ASSERT_TRUE(add(message(9, 2)).value());
    const auto rows =
        read([&](Transaction& tx) { return load_messages(tx, ours, id<ThreadId>(1)); });
    ASSERT_EQ(rows->size(), 3U);
    for (std::uint8_t i = 0; i < 3; ++i) {
        const auto& row = rows->at(i);
        EXPECT_EQ(row.id, id<MessageId>(i + 1));
        EXPECT_EQ(row.number, i + 1U);
        ASSERT_EQ(row.body.wraps.size(), i == 1 ? 0U : 2U);
        if (i == 1) continue;
        EXPECT_EQ(as_text(row.body.wraps[1].second), "body " + std::to_string(i + 1) + " wrap 1");
    }
    const auto foreign =
        read([&](Transaction& tx) { return load_messages(tx, theirs, id<ThreadId>(1)); });
    EXPECT_TRUE(foreign->empty());
}

TEST_F(MailStoreTest, message_comes_back_as_it_was_stored) {
    auto row = message(4);
    row.direction = Direction::in;
    row.state = MessageState::received;
    row.raw = sealed("raw", 1);
    row.raw_people = {id<CreatorId>(2), id<CreatorId>(1)};
    ASSERT_TRUE(add(row).value());
    const auto loaded =
        read([&](Transaction& tx) { return load_message(tx, ours, id<MessageId>(4)); });
    EXPECT_EQ(loaded->direction, Direction::in);
    EXPECT_EQ(loaded->state, MessageState::received);
    EXPECT_EQ(loaded->failure_code, "");
    EXPECT_EQ(as_text(loaded->body.content), "body 4");
    EXPECT_EQ(loaded->body.wraps.size(), 2U);
    EXPECT_EQ(loaded->created_at_ms, k_now);
    const auto raw = read([&](Transaction& tx) { return load_raw(tx, ours, id<MessageId>(4)); });
    EXPECT_EQ(as_text(raw->content), "raw");
    EXPECT_EQ(as_text(raw->wrap), "raw wrap 0");
    EXPECT_EQ(raw->people, row.raw_people);
}

TEST_F(MailStoreTest, message_of_another_workspace_is_not_found) {
    auto row = message(4);
    row.raw = sealed("raw", 1);
    row.raw_people = {id<CreatorId>(1)};
    ASSERT_TRUE(add(row).value());
    EXPECT_TRUE(fails_with(
        read([&](Transaction& tx) { return load_message(tx, theirs, id<MessageId>(4)); }),
        MailServiceError::message_not_found));
    EXPECT_TRUE(
        fails_with(read([&](Transaction& tx) { return load_raw(tx, theirs, id<MessageId>(4)); }),
                   MailServiceError::message_not_found));
    EXPECT_TRUE(
        fails_with(read([&](Transaction& tx) { return load_raw(tx, ours, id<MessageId>(5)); }),
                   MailServiceError::message_not_found));
}

TEST_F(MailStoreTest, origin_is_stored_once_per_thread) {
    auto row = message(4);
    row.raw = sealed("raw", 1);
    row.raw_people = {id<CreatorId>(1)};
    ASSERT_TRUE(add(row).value());
    auto again = message(5);
    again.origin_mac = row.origin_mac;
    again.raw = row.raw;
    again.raw_people = row.raw_people;
    EXPECT_FALSE(add(again).value());
    EXPECT_TRUE(
        fails_with(read([&](Transaction& tx) { return load_raw(tx, ours, id<MessageId>(5)); }),
                   MailServiceError::message_not_found));
    again.thread = id<ThreadId>(2);
    EXPECT_TRUE(add(again).value());
    auto elsewhere = message(4);
    elsewhere.workspace = theirs;
    EXPECT_TRUE(add(elsewhere).value());
    const auto has = [&](WorkspaceId workspace, std::uint8_t thread) {
        return read([&](Transaction& tx) {
                   return find_origin(tx, workspace, id<ThreadId>(thread), row.origin_mac);
               })
            ->has_value();
    };
    EXPECT_TRUE(has(ours, 1));
    EXPECT_TRUE(has(ours, 2));
    EXPECT_FALSE(has(ours, 3));
    EXPECT_FALSE(has(theirs, 2));
}

TEST_F(MailStoreTest, message_id_is_used_once) {
    ASSERT_TRUE(add(message(4)).value());
    auto again = message(4);
    again.origin_mac = to_bytes("another origin");
    EXPECT_TRUE(fails_with(add(again), store::StoreError::conflict));
}

TEST_F(MailStoreTest, every_state_is_read_as_it_was_written) {
    ASSERT_TRUE(add(message(1)).value());
    for (const auto state : {MessageState::queued, MessageState::sending, MessageState::sent,
                             MessageState::failed, MessageState::unknown, MessageState::received}) {
        const std::string code = state == MessageState::failed ? "smtp_550" : "";
        ASSERT_TRUE(write([&](Transaction& tx) {
            return set_message_state(tx, ours, id<MessageId>(1), state, code);
        }));
        ASSERT_TRUE(write([&](Transaction& tx) {
            return set_message_state(tx, theirs, id<MessageId>(1), MessageState::queued, "x");
        }));
        const auto row =
            read([&](Transaction& tx) { return load_message(tx, ours, id<MessageId>(1)); });
        EXPECT_EQ(row->state, state) << name_of(state);
        EXPECT_EQ(row->failure_code, code);
    }
}

TEST_F(MailStoreTest, due_mails_come_in_the_order_of_their_time) {
    add_outbox(1, 300);
    add_outbox(2, 100);
    add_outbox(3, 200);
    EXPECT_TRUE(due(99).empty());
    ASSERT_EQ(due(200).size(), 2U);
    EXPECT_EQ(due(200)[0].message, id<MessageId>(2));
    EXPECT_EQ(due(200)[1].message, id<MessageId>(3));
    ASSERT_EQ(due(k_forever, 1).size(), 1U);
    EXPECT_EQ(due(k_forever, 1)[0].message, id<MessageId>(2));
    EXPECT_EQ(read([](Transaction& tx) { return next_due(tx); }).value(), 100);
}

TEST_F(MailStoreTest, empty_queue_has_nothing_due) {
    EXPECT_TRUE(due(k_forever).empty());
    EXPECT_EQ(read([](Transaction& tx) { return next_due(tx); }).value(), std::nullopt);
}

TEST_F(MailStoreTest, mail_is_queued_once) {
    add_outbox(1, 100);
    EXPECT_TRUE(fails_with(write([&](Transaction& tx) {
                               return insert_outbox(tx, ours, id<MessageId>(1),
                                                    id<IntegrationId>(1), 5);
                           }),
                           store::StoreError::conflict));
}

TEST_F(MailStoreTest, row_moves_only_with_its_fence) {
    add_outbox(1, 100);
    OutboxMove how{ours, id<MessageId>(1), 0, Stage::sending, 3, 500, true};
    EXPECT_TRUE(move(how).value());
    EXPECT_FALSE(move(how).value());
    ASSERT_EQ(due(k_forever).size(), 1U);
    const auto row = due(k_forever)[0];
    EXPECT_EQ(row.workspace, ours);
    EXPECT_EQ(row.integration, id<IntegrationId>(1));
    EXPECT_EQ(row.stage, Stage::sending);
    EXPECT_EQ(row.attempts, 3);
    EXPECT_EQ(row.fence, 1);
    how.fence = 1;
    how.stage = Stage::handed_over;
    how.new_fence = false;
    EXPECT_TRUE(move(how).value());
    EXPECT_TRUE(move(how).value());
    EXPECT_EQ(due(k_forever)[0].stage, Stage::handed_over);
    for (auto wrong : {OutboxMove{theirs, id<MessageId>(1), 1, Stage::copy, 0, 0, true},
                       OutboxMove{ours, id<MessageId>(2), 1, Stage::copy, 0, 0, true},
                       OutboxMove{ours, id<MessageId>(1), 2, Stage::copy, 0, 0, true}}) {
        EXPECT_FALSE(move(wrong).value());
    }
    EXPECT_EQ(due(k_forever)[0].stage, Stage::handed_over);
}

TEST_F(MailStoreTest, deleted_row_does_not_move) {
    add_outbox(1, 100);
    ASSERT_TRUE(
        write([&](Transaction& tx) { return delete_outbox(tx, theirs, id<MessageId>(1)); }));
    EXPECT_EQ(due(k_forever).size(), 1U);
    ASSERT_TRUE(write([&](Transaction& tx) { return delete_outbox(tx, ours, id<MessageId>(1)); }));
    EXPECT_TRUE(due(k_forever).empty());
    OutboxMove how{ours, id<MessageId>(1), 0, Stage::sending, 0, 0, true};
    EXPECT_FALSE(move(how).value());
}

TEST_F(MailStoreTest, due_mails_of_one_mailbox_do_not_crowd_out_those_of_another) {
    for (std::uint8_t number = 1; number <= 6; ++number)
        add_outbox(number, 100 + number);
    add_outbox(7, 300, id<IntegrationId>(2));
    add_outbox(8, 200, id<IntegrationId>(2));
    add_outbox(9, 900, id<IntegrationId>(3));
    const auto numbers = [&](std::int64_t in_all, std::int64_t of_one, std::int64_t from = 0) {
        std::vector<int> out;
        for (const auto& row : due(500, in_all, of_one, from))
            out.push_back(row.message.raw()[0]);
        return out;
    };
    EXPECT_EQ(numbers(100, 2), (std::vector{1, 8, 2, 7}));
    EXPECT_EQ(numbers(3, 2), (std::vector{1, 8, 2}));
    EXPECT_EQ(numbers(3, 2, 3), std::vector{7});
    EXPECT_TRUE(numbers(3, 2, 4).empty());
    EXPECT_EQ(numbers(100, 100), (std::vector{1, 8, 2, 7, 3, 4, 5, 6}));
}

TEST_F(MailStoreTest, waking_makes_waiting_mails_of_one_mailbox_due) {
    add_outbox(1, 900);
    add_outbox(2, 900, id<IntegrationId>(2));
    for (const auto stage : {Stage::sending, Stage::handed_over, Stage::copy, Stage::unknown}) {
        const auto number = static_cast<std::uint8_t>(10 + static_cast<int>(stage));
        add_outbox(number, 0);
        OutboxMove how{ours, id<MessageId>(number), 0, stage, 0, 900, false};
        ASSERT_TRUE(move(how).value());
    }
    const auto wake = [&](WorkspaceId workspace) {
        return write(
            [&](Transaction& tx) { return wake_outbox(tx, workspace, id<IntegrationId>(1), 500); });
    };
    ASSERT_TRUE(wake(theirs));
    EXPECT_TRUE(due(500).empty());
    ASSERT_TRUE(wake(ours));
    std::vector<Stage> woken;
    for (const auto& row : due(500))
        woken.push_back(row.stage);
    std::ranges::sort(woken);
    EXPECT_EQ(woken, (std::vector<Stage>{Stage::queued, Stage::copy, Stage::unknown}));
}

TEST_F(MailStoreTest, waking_does_not_put_off_what_is_due) {
    add_outbox(1, 100);
    ASSERT_TRUE(
        write([&](Transaction& tx) { return wake_outbox(tx, ours, id<IntegrationId>(1), 500); }));
    EXPECT_EQ(due(100).size(), 1U);
}

TEST_F(MailStoreTest, recovery_moves_each_stage_to_where_a_crash_may_leave_it) {
    const Stage stages[] = {Stage::queued, Stage::sending, Stage::handed_over, Stage::copy,
                            Stage::unknown};
    for (const auto stage : stages) {
        const auto number = static_cast<std::uint8_t>(1 + static_cast<int>(stage));
        auto row = message(number);
        row.state = stage == Stage::sending ? MessageState::sending : MessageState::queued;
        ASSERT_TRUE(add(row).value());
        add_outbox(number, 900);
        OutboxMove how{ours, id<MessageId>(number), 0, stage, 3, 900, false};
        ASSERT_TRUE(move(how).value());
    }
    const auto uncertain = write([](Transaction& tx) { return recover_outbox(tx, 500); }).value();
    ASSERT_EQ(uncertain.size(), 1U);
    EXPECT_EQ(uncertain[0].message, id<MessageId>(3));
    std::map<std::uint8_t, OutboxRow> after;
    for (const auto& row : due(k_forever))
        after[row.message.raw()[0]] = row;
    const Stage expected[] = {Stage::queued, Stage::queued, Stage::unknown, Stage::copy,
                              Stage::unknown};
    const std::int64_t attempts[] = {3, 3, 0, 3, 3};
    const std::int64_t fences[] = {0, 1, 1, 0, 0};
    for (std::uint8_t i = 0; i < 5; ++i) {
        const auto& row = after[i + 1];
        EXPECT_EQ(row.stage, expected[i]) << int{i};
        EXPECT_EQ(row.attempts, attempts[i]) << int{i};
        EXPECT_EQ(row.fence, fences[i]) << int{i};
    }
    EXPECT_EQ(due(500).size(), 2U);
    const auto requeued =
        read([&](Transaction& tx) { return load_message(tx, ours, id<MessageId>(2)); });
    EXPECT_EQ(requeued->state, MessageState::queued);
    EXPECT_TRUE(write([](Transaction& tx) { return recover_outbox(tx, 500); })->empty());
}

TEST_F(MailStoreTest, cursor_of_a_folder_is_replaced_and_kept_apart) {
    const auto put = [&](WorkspaceId workspace, std::uint8_t mailbox, const CursorRow& cursor) {
        return write([&](Transaction& tx) {
            return put_cursor(tx, workspace, id<IntegrationId>(mailbox), cursor);
        });
    };
    const CursorRow inbox{to_bytes("inbox mac"), to_bytes("inbox"), 7, 100};
    ASSERT_TRUE(put(ours, 1, inbox));
    ASSERT_TRUE(put(ours, 1, {to_bytes("junk mac"), to_bytes("junk"), 1, 1}));
    ASSERT_TRUE(put(ours, 2, {to_bytes("inbox mac"), to_bytes("inbox"), 5, 5}));
    ASSERT_TRUE(put(theirs, 1, {to_bytes("inbox mac"), to_bytes("inbox"), 6, 6}));
    ASSERT_TRUE(put(ours, 1, {to_bytes("inbox mac"), to_bytes("inbox"), 8, 50}));
    const auto rows =
        read([&](Transaction& tx) { return load_cursors(tx, ours, id<IntegrationId>(1)); });
    ASSERT_EQ(rows->size(), 2U);
    for (const auto& row : *rows) {
        const bool is_inbox = as_text(row.folder_mac) == "inbox mac";
        EXPECT_EQ(as_text(row.sealed_folder), is_inbox ? "inbox" : "junk");
        EXPECT_EQ(row.uid_validity, is_inbox ? 8U : 1U);
        EXPECT_EQ(row.next_uid, is_inbox ? 50U : 1U);
    }
}

TEST_F(MailStoreTest, ledger_is_numbered_per_mailbox_and_paged_newest_first) {
    const auto append = [&](WorkspaceId workspace, std::uint8_t mailbox, std::int64_t bytes) {
        LedgerEntry entry{"search", to_bytes("mac"), 1, 2, bytes, "new_mail"};
        const auto done = write([&](Transaction& tx) {
            return append_ledger(tx, workspace, id<IntegrationId>(mailbox), entry, k_now);
        });
        ASSERT_TRUE(done.has_value());
    };
    for (std::int64_t bytes = 1; bytes <= 5; ++bytes)
        append(ours, 1, bytes);
    append(ours, 2, 70);
    append(theirs, 1, 80);
    const auto numbers = [&](WorkspaceId workspace, std::int64_t before, std::int64_t limit) {
        std::vector<std::int64_t> out;
        const auto lines = read([&](Transaction& tx) {
            return load_ledger(tx, workspace, id<IntegrationId>(1), before, limit);
        });
        for (const auto& line : lines.value()) {
            out.push_back(line.number);
            EXPECT_EQ(line.bytes, workspace == ours ? line.number : 80);
            EXPECT_EQ(line.command, "search");
            EXPECT_EQ(line.reason, "new_mail");
            EXPECT_EQ(line.at_ms, k_now);
        }
        return out;
    };
    using Numbers = std::vector<std::int64_t>;
    EXPECT_EQ(numbers(ours, 0, 2), (Numbers{5, 4}));
    EXPECT_EQ(numbers(ours, 4, 2), (Numbers{3, 2}));
    EXPECT_EQ(numbers(ours, 2, 2), Numbers{1});
    EXPECT_TRUE(numbers(ours, 1, 2).empty());
    EXPECT_EQ(numbers(theirs, 0, 9), Numbers{1});
}

HeldRow held(std::uint8_t number) {
    HeldRow row;
    row.id = id<MessageId>(number);
    row.thread = id<ThreadId>(1);
    row.integration = id<IntegrationId>(1);
    row.origin_mac = to_bytes("origin " + std::to_string(number));
    row.reason = "not_a_participant";
    row.folder_mac = to_bytes("mac");
    row.uid_validity = 4'000'000'000;
    row.uid = 4'000'000'001;
    row.sealed_sender = to_bytes("sender");
    row.created_at_ms = k_now;
    return row;
}

TEST_F(MailStoreTest, held_mail_comes_back_as_it_was_stored) {
    ASSERT_TRUE(write([&](Transaction& tx) { return insert_held(tx, ours, held(3)); }).value());
    const auto row = read([&](Transaction& tx) { return load_held(tx, ours, id<MessageId>(3)); });
    EXPECT_EQ(row->thread, id<ThreadId>(1));
    EXPECT_EQ(row->integration, id<IntegrationId>(1));
    EXPECT_EQ(row->reason, "not_a_participant");
    EXPECT_EQ(row->uid_validity, 4'000'000'000);
    EXPECT_EQ(row->uid, 4'000'000'001);
    EXPECT_EQ(as_text(row->sealed_sender), "sender");
    EXPECT_EQ(row->created_at_ms, k_now);
}

TEST_F(MailStoreTest, held_mails_of_one_thread_hide_none_of_another) {
    const auto add = [&](std::uint8_t number, std::uint8_t thread) {
        auto row = held(number);
        row.thread = id<ThreadId>(thread);
        ASSERT_TRUE(write([&](Transaction& tx) { return insert_held(tx, ours, row); }).value());
    };
    add(1, 2);
    for (std::uint8_t number = 2; number < 250; ++number)
        add(number, 1);
    const auto listed = list();
    ASSERT_EQ(listed.size(), 21U);
    EXPECT_EQ(listed.front().row.id, id<MessageId>(249)) << "the newest";
    EXPECT_EQ(listed.back().row.id, id<MessageId>(1));
    EXPECT_EQ(listed.back().row.thread, id<ThreadId>(2));
    for (std::size_t i = 0; i < listed.size(); ++i)
        EXPECT_EQ(listed[i].more, i == 19) << "the last shown of the long one alone: " << i;
}

TEST_F(MailStoreTest, held_mail_is_listed_in_pages_of_all_threads_or_of_one) {
    for (std::uint8_t number = 1; number < 60; ++number) {
        auto row = held(number);
        row.thread = id<ThreadId>(number < 30 ? 1 : 2);
        ASSERT_TRUE(write([&](Transaction& tx) { return insert_held(tx, ours, row); }).value());
    }
    const auto all = [&](HeldQuery query) {
        std::vector<std::uint8_t> out;
        for (auto page = list(query); !page.empty(); page = list(query)) {
            EXPECT_LE(page.size(), static_cast<std::size_t>(query.limit));
            for (const auto& one : page)
                out.push_back(one.row.id.raw()[0]);
            query.before = page.back().row.id;
        }
        return out;
    };
    const auto from_to = [](std::uint8_t newest, std::uint8_t oldest) {
        std::vector<std::uint8_t> out;
        for (auto number = newest; number >= oldest; --number)
            out.push_back(number);
        return out;
    };
    auto newest_of_each = from_to(59, 40);
    std::ranges::copy(from_to(29, 10), std::back_inserter(newest_of_each));
    EXPECT_EQ(all({.before = {}, .limit = 7, .thread = {}}), newest_of_each);
    EXPECT_EQ(all({.before = {}, .limit = 7, .thread = id<ThreadId>(1)}), from_to(29, 1));
    EXPECT_EQ(all({.before = {}, .limit = 100, .thread = id<ThreadId>(2)}), from_to(59, 30));
    EXPECT_TRUE(all({.before = {}, .limit = 7, .thread = id<ThreadId>(3)}).empty());
    EXPECT_TRUE(list({.before = id<MessageId>(10), .limit = 7, .thread = {}}).empty());
    EXPECT_TRUE(read([&](Transaction& tx) {
                    return list_held(tx, Viewer(theirs, std::nullopt),
                                     {.before = {}, .limit = 7, .thread = id<ThreadId>(1)});
                })
                    .value()
                    .empty());
}

TEST_F(MailStoreTest, held_mail_moves_alone) {
    for (const std::uint8_t number : {1, 2})
        ASSERT_TRUE(
            write([&](Transaction& tx) { return insert_held(tx, ours, held(number)); }).value());
    auto moved = held(1);
    moved.folder_mac = to_bytes("archive");
    moved.uid_validity = 9;
    moved.uid = 10;
    moved.sealed_sender = to_bytes("sealed anew");
    ASSERT_TRUE(write([&](Transaction& tx) { return move_held(tx, theirs, moved); }));
    ASSERT_TRUE(write([&](Transaction& tx) { return move_held(tx, ours, moved); }));
    const auto row = read([&](Transaction& tx) { return load_held(tx, ours, id<MessageId>(1)); });
    EXPECT_EQ(row->folder_mac, moved.folder_mac);
    EXPECT_EQ(row->uid_validity, 9U);
    EXPECT_EQ(row->uid, 10U);
    EXPECT_EQ(as_text(row->sealed_sender), "sealed anew");
    const auto other = read([&](Transaction& tx) { return load_held(tx, ours, id<MessageId>(2)); });
    EXPECT_EQ(other->uid, 4'000'000'001);
}

TEST_F(MailStoreTest, held_mail_is_held_once_and_by_its_workspace_alone) {
    for (const std::uint8_t number : {1, 2})
        ASSERT_TRUE(
            write([&](Transaction& tx) { return insert_held(tx, ours, held(number)); }).value());
    auto again = held(3);
    again.origin_mac = held(1).origin_mac;
    EXPECT_FALSE(write([&](Transaction& tx) { return insert_held(tx, ours, again); }).value());
    EXPECT_TRUE(write([&](Transaction& tx) { return insert_held(tx, theirs, again); }).value());
    const auto listed_held = list();
    ASSERT_EQ(listed_held.size(), 2U);
    EXPECT_EQ(listed_held[0].row.id, id<MessageId>(2));
    EXPECT_EQ(listed_held[1].row.id, id<MessageId>(1));
    EXPECT_TRUE(
        fails_with(read([&](Transaction& tx) { return load_held(tx, theirs, id<MessageId>(1)); }),
                   MailServiceError::message_not_found));
    const auto is_it = [&](WorkspaceId workspace, std::uint8_t number) {
        return read([&](Transaction& tx) {
                   return find_held(tx, workspace, id<ThreadId>(1), held(number).origin_mac);
               })
            ->has_value();
    };
    EXPECT_TRUE(is_it(ours, 1));
    EXPECT_TRUE(is_it(theirs, 1));
    EXPECT_FALSE(is_it(theirs, 2));
    ASSERT_TRUE(write([&](Transaction& tx) { return delete_held(tx, theirs, id<MessageId>(1)); }));
    EXPECT_TRUE(is_it(ours, 1));
    ASSERT_TRUE(write([&](Transaction& tx) { return delete_held(tx, ours, id<MessageId>(1)); }));
    EXPECT_FALSE(is_it(ours, 1));
}

TEST_F(MailStoreTest, reply_address_names_its_thread_in_its_mailbox_and_workspace_alone) {
    add_thread(3, {id<CreatorId>(9)});
    const auto mailbox = id<IntegrationId>(1);
    const auto mac = to_bytes("mac of a tag");
    const auto put = [&](std::uint8_t thread) {
        return write([&](Transaction& tx) {
            return insert_reply_address(tx, ours, mailbox, mac, id<ThreadId>(thread));
        });
    };
    ASSERT_TRUE(put(3));
    ASSERT_TRUE(put(4));  // what is known stays
    const auto find = [&](WorkspaceId workspace, IntegrationId of, const Bytes& by) {
        return read([&](Transaction& tx) { return find_reply_address(tx, workspace, of, by); })
            .value();
    };
    const auto found = find(ours, mailbox, mac);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->id, id<ThreadId>(3));
    EXPECT_FALSE(find(theirs, mailbox, mac));
    EXPECT_FALSE(find(ours, id<IntegrationId>(2), mac));
    EXPECT_FALSE(find(ours, mailbox, to_bytes("another")));
}

TEST_F(MailStoreTest, last_reply_probe_is_settled_by_its_token_and_an_arrival_stays) {
    const auto mailbox = id<IntegrationId>(1);
    const auto state = [&] {
        return read([&](Transaction& tx) { return load_reply_probe(tx, ours, mailbox); })
            .value()
            .value()
            .state;
    };
    const auto settle = [&](const std::array<std::uint8_t, 16>& token, ReplyProbeState as) {
        const auto done = write(
            [&](Transaction& tx) { return settle_reply_probe(tx, ours, mailbox, token, as); });
        EXPECT_TRUE(done.has_value());
        return state();
    };
    EXPECT_FALSE(
        read([&](Transaction& tx) { return load_reply_probe(tx, ours, mailbox); }).value());
    ReplyProbeRow row{ReplyProbeState::sent, {1, 2}, to_bytes("place"), k_now};
    const auto put = [&] {
        return write([&](Transaction& tx) { return put_reply_probe(tx, ours, mailbox, row); });
    };
    ASSERT_TRUE(put());
    const auto loaded =
        read([&](Transaction& tx) { return load_reply_probe(tx, ours, mailbox); }).value().value();
    EXPECT_EQ(loaded.token, row.token);
    EXPECT_EQ(loaded.place_mac, row.place_mac);
    EXPECT_EQ(loaded.sent_at_ms, k_now);
    EXPECT_EQ(settle({9}, ReplyProbeState::arrived), ReplyProbeState::sent);
    EXPECT_EQ(settle(row.token, ReplyProbeState::returned), ReplyProbeState::returned);
    EXPECT_EQ(settle(row.token, ReplyProbeState::arrived), ReplyProbeState::arrived);
    EXPECT_EQ(settle(row.token, ReplyProbeState::returned), ReplyProbeState::arrived);
    row.state = ReplyProbeState::not_sent;
    row.token = {7};
    ASSERT_TRUE(put());
    EXPECT_EQ(state(), ReplyProbeState::not_sent);
    EXPECT_FALSE(
        read([&](Transaction& tx) { return load_reply_probe(tx, theirs, mailbox); }).value());
}

}  // namespace
}  // namespace postern::mail::rows
