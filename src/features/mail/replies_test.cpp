#include "features/mail/replies.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/replies_lab_fake.h"
#include "foundation/base/error.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

using store::fails_with;

TEST_F(RepliesLab, reply_is_taken_in_when_id_and_people_are_right) {
    courier.mails[{"INBOX", 100}] = "Re: Hello\nGladly!";
    ASSERT_TRUE(take({reply(100)}));
    ASSERT_EQ(courier.fetched.size(), 1U);
    EXPECT_EQ(courier.fetched[0].integration, integration);
    EXPECT_EQ(courier.fetched[0].folder, "INBOX");
    EXPECT_EQ(courier.fetched[0].uid_validity, 7U);
    EXPECT_EQ(courier.fetched[0].uid, 100U);
    const auto rows = messages(thread);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].direction, Direction::in);
    EXPECT_EQ(rows[0].state, MessageState::received);
    EXPECT_EQ(rows[0].number, 0U);
    const auto body = body_of(rows[0]);
    EXPECT_EQ(body.subject, "Re: Hello");
    EXPECT_EQ(body.text, "Gladly!");
    EXPECT_EQ(body.from[0].address, k_lea.address);
    EXPECT_EQ(body.message_id, "reply-100@creators.example");
    EXPECT_TRUE(body.defects.empty());
    EXPECT_EQ(raw_of(rows[0]), "Re: Hello\nGladly!");
    EXPECT_EQ(next_uid(), 101U);
    EXPECT_EQ(ledger(), (Texts{"fetch_body verified_reply", "search new_mail"}));
    EXPECT_EQ(told(), Texts{"message.received received"});
    EXPECT_EQ(replies->totals(integration).matched, 1U);
    EXPECT_EQ(replies->totals(integration).kept, 1U);
    EXPECT_EQ(replies->totals(integration).refused, 0U);
}

TEST_F(RepliesLab, body_is_for_its_author_and_raw_mail_for_all_of_the_thread) {
    courier.mails[{"INBOX", 100}] = "x";
    ASSERT_TRUE(take({reply(100)}));
    const auto row = messages(thread).at(0);
    ASSERT_EQ(row.body.wraps.size(), 1U);
    EXPECT_EQ(row.body.wraps[0].first, ensure(workspace, {k_lea})[0]);
    const auto raw =
        read([&](store::Transaction& tx) { return rows::load_raw(tx, workspace, row.id); });
    EXPECT_EQ(raw.people, ensure(workspace, {k_lea, k_bo}));
}

TEST_F(RepliesLab, any_of_several_ids_may_be_ours) {
    courier.mails[{"INBOX", 100}] = "x";
    auto candidate = reply(100);
    candidate.our_ids = {"garbage", altered(our_id(thread)), our_id(thread, 3)};
    ASSERT_TRUE(take({candidate}));
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(RepliesLab, nothing_is_fetched_for_an_id_that_we_did_not_issue) {
    add_mailbox(other_integration, workspace);
    const auto others = add_thread({k_lea}, other_integration);
    Thread unknown = thread;
    unknown.token[0] ^= 1;
    Thread claimed = others;  // their token under a MAC for our mailbox
    claimed.integration = integration;
    Thread moved = thread;  // our token under a MAC for theirs
    moved.integration = other_integration;
    Thread foreign = thread;
    foreign.workspace = other_workspace;
    auto other_label = our_id(thread);
    other_label.replace(other_label.find("box7"), 4, "box8");
    auto upper = our_id(thread);
    upper[5] = upper[5] == '0' ? 'O' : static_cast<char>(upper[5] - 32);
    const std::pair<const char*, std::vector<std::string>> cases[] = {
        {"no id", {}},
        {"garbage", {"garbage"}},
        {"wrong MAC", {altered(our_id(thread))}},
        {"another number under this MAC", {other_number(our_id(thread))}},
        {"another mailbox's label", {other_label}},
        {"label of somebody else", {our_id(thread) + ".evil.test"}},
        {"text before it", {"x" + our_id(thread)}},
        {"written differently", {upper}},
        {"no such thread", {our_id(unknown)}},
        {"thread of another mailbox", {our_id(claimed)}},
        {"thread of another mailbox under its own MAC", {our_id(others)}},
        {"MAC for another mailbox", {our_id(moved)}},
        {"MAC of another workspace", {our_id(foreign)}},
    };
    std::uint32_t uid = 200;
    for (const auto& [name, ids] : cases) {
        SCOPED_TRACE(name);
        auto candidate = reply(++uid);
        candidate.our_ids = ids;
        ASSERT_TRUE(take({candidate}));
        EXPECT_EQ(next_uid(), uid + 1);
    }
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_TRUE(messages(others).empty());
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(replies->totals(integration).refused, std::size(cases));
    EXPECT_EQ(replies->totals(integration).matched, 0U);
    EXPECT_TRUE(told().empty());
}

TEST_F(RepliesLab, looks_at_no_more_than_sixteen_ids) {
    auto candidate = reply(100);
    candidate.our_ids.assign(16, altered(our_id(thread)));
    candidate.our_ids.push_back(our_id(thread));
    ASSERT_TRUE(take({candidate}));
    EXPECT_TRUE(courier.fetched.empty());
}

TEST_F(RepliesLab, erased_thread_takes_nothing_in) {
    keeper.people.clear();
    ASSERT_TRUE(take({reply(100)}));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_EQ(replies->totals(integration).refused, 1U);
}

TEST_F(RepliesLab, own_address_is_refused_unread) {
    auto candidate = reply(100);
    candidate.from = {{"Maya", "MAYA@brand.example"}};
    ASSERT_TRUE(take({candidate}));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(next_uid(), 101U);
    EXPECT_EQ(replies->totals(integration).refused, 1U);
}

TEST_F(RepliesLab, stranger_and_new_recipient_are_held_unread) {
    auto stranger = reply(100);
    stranger.from = {{"Eve", "eve@evil.example"}};
    auto with_agent = reply(101);
    with_agent.recipients.push_back({"", "agent@agency.example"});
    ASSERT_TRUE(take({stranger, with_agent}));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(messages(thread).empty());
    const auto rows = held();
    ASSERT_EQ(rows.size(), 2U);
    for (const auto& row : rows) {
        const bool is_stranger = row.uid == 100;
        EXPECT_EQ(row.reason, is_stranger ? "not_a_participant" : "new_recipient");
        EXPECT_EQ(row.thread, thread.id);
        EXPECT_EQ(row.integration, integration);
        EXPECT_EQ(row.uid_validity, 7U);
    }
    EXPECT_EQ(ledger(), Texts{"search new_mail"});
    EXPECT_EQ(told(), (Texts{"message.held", "message.held"}));
    EXPECT_EQ(replies->totals(integration).held, 2U);
    EXPECT_EQ(replies->totals(integration).matched, 2U);
    EXPECT_EQ(next_uid(), 102U);
}

TEST_F(RepliesLab, one_mail_in_two_folders_is_taken_in_once) {
    courier.mails[{"INBOX", 100}] = "x";
    courier.mails[{"Archive", 5}] = "x";
    auto copy = reply(100);
    ASSERT_TRUE(take({copy}));
    copy.uid = 5;
    ASSERT_TRUE(take({copy}, "Archive"));
    EXPECT_EQ(messages(thread).size(), 1U);
    EXPECT_EQ(courier.fetched.size(), 1U);
    EXPECT_EQ(replies->totals(integration).kept, 1U);
    EXPECT_EQ(cursors().size(), 2U);
}

TEST_F(RepliesLab, one_mail_in_two_folders_is_held_once) {
    auto copy = reply(100);
    copy.from = {{"Eve", "eve@evil.example"}};
    ASSERT_TRUE(take({copy}));
    copy.uid = 5;
    ASSERT_TRUE(take({copy}, "Archive"));
    EXPECT_EQ(held().size(), 1U);
    EXPECT_EQ(told(), Texts{"message.held"});
}

TEST_F(RepliesLab, mail_without_an_id_is_told_by_its_place) {
    for (const auto* folder_name : {"INBOX", "Archive"})
        courier.mails[{folder_name, 100}] = "x";
    auto candidate = reply(100);
    candidate.message_id.clear();
    ASSERT_TRUE(take({candidate}));
    ASSERT_TRUE(take({candidate}));
    EXPECT_EQ(messages(thread).size(), 1U);
    ASSERT_TRUE(take({candidate}, "Archive"));
    EXPECT_EQ(messages(thread).size(), 2U);
}

TEST_F(RepliesLab, mail_that_is_too_large_or_gone_is_stored_with_the_reason) {
    auto uid = 99U;
    for (const auto failure :
         {MailError::too_large, MailError::not_found, MailError::mail_refused}) {
        SCOPED_TRACE(describe(failure).code.view());
        ++uid;
        courier.fetches_fail = {failure};
        ASSERT_TRUE(take({reply(uid)}));
        const auto row = messages(thread).back();
        const auto body = body_of(row);
        EXPECT_EQ(body.defects, Texts{std::string(describe(failure).code.view())});
        EXPECT_EQ(body.from[0].address, k_lea.address);
        EXPECT_EQ(body.text, "");
        EXPECT_EQ(raw_of(row), "none");
        EXPECT_EQ(next_uid(), uid + 1);
    }
    EXPECT_EQ(readers.parsed, 0);
    const auto lines = read([&](store::Transaction& tx) {
        return rows::load_ledger(tx, workspace, integration, 0, 10);
    });
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[1].command, "fetch_body");
    EXPECT_EQ(lines[1].bytes, 0);
}

TEST_F(RepliesLab, later_copy_brings_the_content_that_was_gone) {
    for (const auto failure : {MailError::not_found, MailError::mail_refused}) {
        SCOPED_TRACE(describe(failure).code.view());
        const auto uid = failure == MailError::not_found ? 100U : 101U;
        courier.fetches_fail = {failure};
        auto copy = reply(uid);
        ASSERT_TRUE(take({copy}));
        const auto before = messages(thread).back();
        copy.uid = uid - 95;
        ASSERT_TRUE(take({copy}, "Archive"));
        EXPECT_FALSE(body_of(messages(thread).back()).defects.empty()) << "gone there, too";
        courier.mails[{"Archive", copy.uid}] = "Re: Hello\nGladly!";
        ASSERT_TRUE(take({copy}, "Archive"));
        const auto row = messages(thread).back();
        EXPECT_EQ(row.id, before.id);
        EXPECT_EQ(row.created_at_ms, before.created_at_ms);
        EXPECT_EQ(body_of(row).text, "Gladly!");
        EXPECT_TRUE(body_of(row).defects.empty());
        EXPECT_EQ(raw_of(row), "Re: Hello\nGladly!");
        const auto fetched = courier.fetched.size();
        ASSERT_TRUE(take({copy}, "Archive"));
        EXPECT_EQ(courier.fetched.size(), fetched) << "it is there";
    }
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_EQ(told(), Texts(4, "message.received received"));
}

TEST_F(RepliesLab, later_copy_brings_nothing_where_it_is_judged_otherwise_or_was_too_large) {
    courier.fetches_fail = {MailError::not_found, MailError::too_large};
    ASSERT_TRUE(take({reply(100), reply(101)}));
    const auto fetched = courier.fetched.size();
    for (const std::uint32_t uid : {100, 101})
        courier.mails[{"Archive", uid}] = "x";
    auto other = reply(100);
    other.from = {{"Eve", "eve@evil.example"}};
    ASSERT_TRUE(take({other, reply(101)}, "Archive"));
    EXPECT_EQ(courier.fetched.size(), fetched);
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_TRUE(held().empty());
}

TEST_F(RepliesLab, mail_that_the_reader_cannot_cope_with_is_stored_with_the_reason) {
    courier.mails[{"INBOX", 100}] = "bomb";
    readers.fails = Error(MailError::mail_unreadable);
    ASSERT_TRUE(take({reply(100)}));
    const auto row = messages(thread).at(0);
    EXPECT_EQ(body_of(row).defects,
              Texts{std::string(describe(MailError::mail_unreadable).code.view())});
    EXPECT_EQ(raw_of(row), "bomb");
}

TEST_F(RepliesLab, mail_waits_while_there_is_no_reader) {
    courier.mails[{"INBOX", 100}] = "fine";
    readers.fails = Error(ipc::IpcError::busy);
    EXPECT_FALSE(take({reply(100)}));
    EXPECT_TRUE(messages(thread).empty());
    readers.fails.reset();
    ASSERT_TRUE(take({reply(100)}));
    ASSERT_EQ(messages(thread).size(), 1U);
    EXPECT_TRUE(body_of(messages(thread).at(0)).defects.empty());
}

TEST_F(RepliesLab, lost_connection_leaves_the_cursor_for_another_try) {
    courier.mails[{"INBOX", 100}] = "x";
    courier.mails[{"INBOX", 101}] = "y";
    courier.fetches_fail = {MailError::connection_lost};
    EXPECT_TRUE(fails_with(take({reply(100), reply(101)}), MailError::connection_lost));
    EXPECT_EQ(next_uid(), 0U);
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_TRUE(ledger().empty());
    EXPECT_EQ(replies->totals(integration).matched, 0U);
    ASSERT_TRUE(take({reply(100), reply(101)}));
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_EQ(next_uid(), 102U);
    EXPECT_EQ(replies->totals(integration).matched, 2U);
    EXPECT_EQ(replies->totals(integration).kept, 2U);
}

TEST_F(RepliesLab, unknown_mailbox_is_an_error_and_has_no_cursor) {
    auto searched = search({reply(100)});
    searched.integration = other_integration;
    EXPECT_TRUE(fails_with(run(replies->folder_searched(workspace, searched)),
                           MailServiceError::integration_not_found));
    EXPECT_TRUE(fails_with(run(replies->folder_searched(other_workspace, search({reply(100)}))),
                           MailServiceError::integration_not_found));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(cursors(other_integration).empty());
}

TEST_F(RepliesLab, empty_search_moves_the_cursor_and_is_in_the_ledger) {
    auto searched = search({});
    searched.first = 100;
    searched.next = 250;
    searched.bytes = 306;
    ASSERT_TRUE(run(replies->folder_searched(workspace, searched)));
    EXPECT_EQ(next_uid(), 250U);
    searched.uid_validity = 8;
    searched.validity_changed = true;
    searched.next = 3;
    ASSERT_TRUE(run(replies->folder_searched(workspace, searched)));
    EXPECT_EQ(next_uid(), 3U);
    EXPECT_EQ(cursors().at(0).uid_validity, 8U);
    const auto lines = read([&](store::Transaction& tx) {
        return rows::load_ledger(tx, workspace, integration, 0, 10);
    });
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].reason, "uid_validity_changed");
    EXPECT_EQ(lines[1].reason, "new_mail");
    EXPECT_EQ(lines[1].first_uid, 100);
    EXPECT_EQ(lines[1].next_uid, 250);
    EXPECT_EQ(lines[1].bytes, 306);
}

TEST_F(RepliesLab, cursors_come_back_by_the_names_of_their_folders) {
    ASSERT_TRUE(run(replies->store_cursors(workspace, integration,
                                           {{"INBOX", 7, 100}, {"Spam/Große", 8, 1}}, 900)));
    auto found = run(replies->cursors(workspace, integration)).value();
    ASSERT_EQ(found.size(), 2U);
    if (found[0].folder != "INBOX") std::swap(found[0], found[1]);
    EXPECT_EQ(found[0].folder, "INBOX");
    EXPECT_EQ(found[0].uid_validity, 7U);
    EXPECT_EQ(found[0].next_uid, 100U);
    EXPECT_EQ(found[1].folder, "Spam/Große");
    EXPECT_EQ(ledger(), Texts{"sign_in watch"});
    EXPECT_TRUE(run(replies->cursors(workspace, other_integration))->empty());
    EXPECT_TRUE(run(replies->cursors(other_workspace, integration))->empty());
}

TEST_F(RepliesLab, cursor_that_was_moved_to_another_mailbox_does_not_open) {
    ASSERT_TRUE(run(replies->store_cursors(workspace, integration, {{"INBOX", 7, 100}}, 0)));
    const auto row = cursors().at(0);
    write([&](store::Transaction& tx) {
        return rows::put_cursor(tx, workspace, other_integration, row);
    });
    EXPECT_TRUE(fails_with(run(replies->cursors(workspace, other_integration)),
                           keys::KeyError::cannot_open));
}

class HeldTest : public RepliesLab {
protected:
    MessageId hold(std::vector<MailAddress> from, std::uint32_t uid = 100) {
        auto candidate = reply(uid);
        candidate.from = std::move(from);
        EXPECT_TRUE(take({candidate}));
        const auto rows = held();
        return rows.empty() ? MessageId{} : rows[0].id;
    }
    const MailAddress eve{"Eve", "eve@evil.example"};
};

TEST_F(HeldTest, accepted_mail_is_fetched_and_joins_the_thread) {
    const auto id = hold({eve});
    courier.mails[{"INBOX", 100}] = "Re: Hello\nIt is me";
    const auto view = run(replies->accept_held(k_by, host(workspace), id));
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->thread, thread.id);
    EXPECT_EQ(view->direction, Direction::in);
    EXPECT_EQ(view->state, MessageState::received);
    EXPECT_EQ(view->body.text, "It is me");
    const auto rows = messages(thread);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].id, view->id);
    EXPECT_EQ(body_of(rows[0]).from[0].address, eve.address);
    EXPECT_EQ(rows[0].body.wraps.at(0).first, ensure(workspace, {eve})[0]);
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(ledger(), (Texts{"search new_mail", "fetch_body accepted_by_person"}));
    EXPECT_EQ(told(), (Texts{"message.held", "message.received received"}));
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           MailServiceError::message_not_found));
    EXPECT_EQ(courier.fetched.size(), 1U);
}

TEST_F(HeldTest, what_a_thread_index_alone_names_is_held_until_a_person_accepts) {
    auto hinted = reply(100);
    hinted.our_ids.clear();
    hinted.hinted_thread.assign(thread.token.begin(), thread.token.end());
    ASSERT_TRUE(take({hinted}));
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].reason, "thread_index_only");
    EXPECT_EQ(held()[0].thread, thread.id);
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_TRUE(courier.fetched.empty());
    // Found once more, it is the same.
    ASSERT_TRUE(take({hinted}));
    ASSERT_EQ(held().size(), 1U);
    courier.mails[{"INBOX", 100}] = "Re: Hello\nfrom a phone";
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), held()[0].id)));
    EXPECT_EQ(body_of(messages(thread).at(0)).text, "from a phone");
    EXPECT_TRUE(held().empty());
}

TEST_F(HeldTest, thread_index_says_less_than_anything_else) {
    auto hinted = reply(100);
    hinted.our_ids.clear();
    hinted.hinted_thread.assign(thread.token.begin(), thread.token.end());
    auto stranger = hinted;
    stranger.from = {eve};
    ASSERT_TRUE(take({stranger}));
    EXPECT_EQ(held().at(0).reason, "not_a_participant");
    const auto refused = held()[0].id;
    write([&](store::Transaction& tx) { return rows::delete_held(tx, workspace, refused); });
    auto own = hinted;
    own.from = {k_maya};
    auto unknown = hinted;
    ++unknown.hinted_thread[0];
    auto shortened = hinted;
    shortened.hinted_thread.pop_back();
    const auto other = add_thread({k_lea});
    auto forged = hinted;
    forged.our_ids = {altered(our_id(other))};
    for (auto candidate : {own, unknown, shortened, forged}) {
        candidate.message_id = "another-" + candidate.message_id;
        ASSERT_TRUE(take({candidate}));
        EXPECT_TRUE(held().empty());
        EXPECT_TRUE(messages(thread).empty());
    }
    auto both = reply(101);
    both.hinted_thread.assign(other.token.begin(), other.token.end());
    courier.mails[{"INBOX", 101}] = "Re: Hello\nby its id";
    ASSERT_TRUE(take({both}));
    EXPECT_EQ(messages(thread).size(), 1U);
    EXPECT_TRUE(messages(other).empty());
}

TEST_F(HeldTest, thread_index_of_another_mailboxs_thread_names_none) {
    add_mailbox(other_integration, workspace);
    const auto others = add_thread({k_lea}, other_integration);
    auto hinted = reply(100);
    hinted.our_ids.clear();
    hinted.hinted_thread.assign(others.token.begin(), others.token.end());
    ASSERT_TRUE(take({hinted}));
    EXPECT_TRUE(held().empty());
    EXPECT_TRUE(messages(others).empty());
}

TEST_F(HeldTest, mail_that_was_moved_is_fetched_where_it_lies_now) {
    const auto id = hold({eve});
    auto moved = reply(100);
    moved.from = {eve};
    moved.uid = 5;
    ASSERT_TRUE(take({moved}, "Archive"));
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].id, id);
    auto renumbered = search({moved}, "Archive");
    renumbered.uid_validity = 8;
    renumbered.candidates[0].uid = 6;
    ASSERT_TRUE(run(replies->folder_searched(workspace, std::move(renumbered))));
    EXPECT_EQ(told(), Texts{"message.held"});
    courier.mails[{"Archive", 6}] = "x";
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), id)));
    EXPECT_EQ(courier.fetched.at(0).folder, "Archive");
    EXPECT_EQ(courier.fetched.at(0).uid_validity, 8U);
    EXPECT_EQ(courier.fetched.at(0).uid, 6U);
}

TEST_F(HeldTest, another_mail_under_the_same_id_does_not_take_its_place) {
    const auto id = hold({eve});
    auto mallory = reply(100);
    mallory.uid = 5;
    mallory.from = {{"Mallory", "mallory@evil.example"}};
    auto other_reason = reply(100);
    other_reason.uid = 6;
    other_reason.recipients.push_back({"", "agent@agency.example"});
    ASSERT_TRUE(take({mallory, other_reason}, "Archive"));
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].id, id);
    EXPECT_EQ(held()[0].uid, 100U);
}

/// A list that writes its own author keeps the id, and its copy may come first.
TEST_F(HeldTest, mail_of_who_was_written_to_does_not_wait_for_another_under_its_id) {
    const auto id = hold({eve});
    auto own = reply(100);
    own.uid = 5;
    courier.mails[{"INBOX", 5}] = "x";
    ASSERT_TRUE(take({own}, "INBOX"));
    ASSERT_EQ(messages(thread).size(), 1U);
    EXPECT_EQ(messages(thread).back().body.wraps.size(), 1U);
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].uid, 100U);
    // Each once: also when it is seen again, and when the other is accepted.
    ASSERT_TRUE(take({own}, "INBOX"));
    courier.mails[{"INBOX", 100}] = "y";
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), id)));
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_TRUE(held().empty());
    ASSERT_TRUE(take({own}, "INBOX"));
    EXPECT_EQ(messages(thread).size(), 2U);
}

TEST_F(HeldTest, mail_without_an_author_can_be_accepted) {
    for (const auto& from : {std::vector<MailAddress>{}, std::vector<MailAddress>{{"", ""}}}) {
        const auto uid = from.empty() ? 100U : 101U;
        const auto id = hold(from, uid);
        courier.mails[{"INBOX", uid}] = "x";
        ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), id)));
        EXPECT_EQ(messages(thread).back().body.wraps.size(), 2U);
    }
    EXPECT_FALSE(creators.all.contains({workspace, ""}));
}

TEST_F(HeldTest, is_not_found_in_another_workspace_or_under_another_id) {
    const auto id = hold({eve});
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(other_workspace), id)),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), MessageId::make(1))),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_EQ(held().size(), 1U);
}

TEST_F(HeldTest, stays_held_when_it_cannot_be_fetched) {
    const auto id = hold({eve});
    courier.fetches_fail = {MailError::connection_lost, MailError::not_found};
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           MailError::connection_lost));
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           MailServiceError::held_gone));
    EXPECT_EQ(held().size(), 1U);
    EXPECT_TRUE(messages(thread).empty());
}

TEST_F(HeldTest, erased_thread_accepts_nothing) {
    const auto id = hold({eve});
    keeper.people.clear();
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(courier.fetched.empty());
}

TEST_F(HeldTest, refused_while_it_is_fetched_is_not_kept) {
    const auto id = hold({eve});
    courier.mails[{"INBOX", 100}] = "x";
    courier.before_fetch = [this, id] {
        const auto refuse = [&](store::Transaction& tx) {
            return rows::delete_held(tx, workspace, id);
        };
        EXPECT_TRUE(database->write_now(refuse));
    };
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           MailServiceError::message_not_found));
    EXPECT_EQ(courier.fetched.size(), 1U);
    EXPECT_TRUE(messages(thread).empty());
    EXPECT_TRUE(held().empty());
}

TEST_F(HeldTest, is_not_asked_for_while_its_mailbox_is_closed) {
    const auto id = hold({eve});
    mailboxes.closed.insert_or_assign(integration, Error(keys::KeyError::integration_sealed));
    EXPECT_TRUE(fails_with(run(replies->accept_held(k_by, host(workspace), id)),
                           keys::KeyError::integration_sealed));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_EQ(held().size(), 1U);
}

TEST_F(HeldTest, accepted_twice_at_once_is_stored_once_and_told_to_one) {
    const auto id = hold({eve});
    courier.mails[{"INBOX", 100}] = "x";
    std::optional<Result<MessageView>> first;
    std::optional<Result<MessageView>> second;
    loop.start(replies->accept_held(k_by, host(workspace), id), first);
    loop.start(replies->accept_held(k_by, host(workspace), id), second);
    settle();
    ASSERT_TRUE(first && second);
    const auto rows = messages(thread);
    ASSERT_EQ(rows.size(), 1U);
    ASSERT_NE(first->has_value(), second->has_value());
    const auto& good = *first ? *first : *second;
    const auto& bad = *first ? *second : *first;
    EXPECT_EQ(good->id, rows[0].id);
    EXPECT_TRUE(bad.error().is(MailServiceError::message_not_found));
    EXPECT_TRUE(held().empty());
}

TEST_F(HeldTest, accepted_sender_takes_part_from_then_on) {
    const auto id = hold({eve});
    courier.mails[{"INBOX", 100}] = "x";
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), id)));
    courier.mails[{"INBOX", 101}] = "y";
    hold({{"", "EVE@evil.example"}}, 101);
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(messages(thread).size(), 2U);
    hold({{"Mallory", "mallory@evil.example"}}, 102);
    EXPECT_EQ(held().size(), 1U) << "nobody else joins with it";
    const auto creator = ensure(workspace, {eve})[0];
    EXPECT_EQ(std::ranges::count(people_of(thread), creator), 1);
    EXPECT_EQ(people_of(thread).size(), 3U) << "who was in it stays in it";
}

TEST_F(HeldTest, two_strangers_accepted_at_once_both_take_part) {
    const MailAddress ann{"Ann", "ann@agency.example"};
    const auto first_id = hold({eve});
    (void)hold({ann}, 101);
    const auto rows = held();
    ASSERT_EQ(rows.size(), 2U);
    const auto second_id = rows[0].id == first_id ? rows[1].id : rows[0].id;
    courier.mails[{"INBOX", 100}] = "x";
    courier.mails[{"INBOX", 101}] = "y";
    std::optional<Result<MessageView>> first;
    std::optional<Result<MessageView>> second;
    loop.start(replies->accept_held(k_by, host(workspace), first_id), first);
    loop.start(replies->accept_held(k_by, host(workspace), second_id), second);
    settle();
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(first->has_value());
    EXPECT_TRUE(second->has_value());
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_EQ(people_of(thread).size(), 4U);
}

TEST_F(HeldTest, too_large_a_mail_is_accepted_without_its_content) {
    const auto id = hold({eve});
    courier.fetches_fail = {MailError::too_large};
    const auto view = run(replies->accept_held(k_by, host(workspace), id));
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->body.defects, Texts{"too_large"});
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(HeldTest, mail_with_a_new_recipient_lets_nobody_join) {
    auto candidate = reply(100);
    candidate.recipients.push_back({"", "everybody@elsewhere.example"});
    ASSERT_TRUE(take({candidate}));
    ASSERT_EQ(held().size(), 1U);
    courier.mails[{"INBOX", 100}] = "x";
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), held()[0].id)));
    EXPECT_EQ(people_of(thread).size(), 2U);
}

}  // namespace
}  // namespace postern::mail::test
