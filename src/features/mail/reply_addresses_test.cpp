#include "features/mail/reply_addresses.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/replies_lab_fake.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/mail/reply_address.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::test {
namespace {

using State = ReplyAddressState;

/// A mailbox at whose reply addresses a probe arrived, and a thread that has one.
class ReplyAddressesTest : public RepliesLab {
protected:
    ReplyAddressesTest() : addresses(parts()) {
        put(rows::ReplyProbeState::arrived);
        give(thread);
    }

    Mailbox mailbox() { return mailboxes.all.at(integration); }
    void put(rows::ReplyProbeState as) {
        const auto own = mailbox();
        probe.state = as;
        probe.token.fill(9);
        probe.place_mac = run(addresses.place_mac(&own)).value();
        probe.sent_at_ms = clock.now;
        write([&](store::Transaction& tx) {
            return rows::put_reply_probe(tx, workspace, integration, probe);
        });
    }
    State state() {
        const auto own = mailbox();
        return run(addresses.state(&own)).value();
    }
    /// As with a mail of ours that names it.
    std::string give(const Thread& to) {
        const auto own = mailboxes.all.at(to.integration);
        auto given = run(addresses.to_give(&own, to.token)).value();
        if (!given) return "none";
        write([&](store::Transaction& tx) {
            return rows::insert_reply_address(tx, to.workspace, to.integration, given->tag_mac,
                                              to.id);
        });
        return given->address;
    }
    std::string address_of(const Thread& of) {
        const auto own = mailboxes.all.at(of.integration);
        return run(addresses.address_of(&own, of.token)).value();
    }
    std::string probe_address() {
        const auto own = mailbox();
        return run(addresses.address_of(&own, probe.token)).value();
    }
    /// Without any id of ours.
    Candidate addressed(std::uint32_t uid, const std::string& to) {
        auto candidate = reply(uid);
        candidate.our_ids.clear();
        candidate.recipients = {{"Maya", to}};
        courier.mails[{"INBOX", uid}] = "Re: Hello\nanswer";
        return candidate;
    }
    /// Neither read nor held.
    void expect_ignored(const Candidate& candidate) {
        ASSERT_TRUE(take({candidate}));
        EXPECT_TRUE(courier.fetched.empty());
        EXPECT_TRUE(messages(thread).empty());
        EXPECT_TRUE(held().empty());
    }
    void expect_held(const Candidate& candidate, const std::string& reason) {
        ASSERT_TRUE(take({candidate}));
        EXPECT_TRUE(courier.fetched.empty());
        ASSERT_EQ(held().size(), 1U);
        EXPECT_EQ(held()[0].reason, reason);
        EXPECT_EQ(held()[0].thread, thread.id);
    }

    ReplyAddresses addresses;
    rows::ReplyProbeRow probe;
};

TEST_F(ReplyAddressesTest, answer_without_ids_belongs_to_the_thread_that_it_goes_to) {
    ASSERT_TRUE(take({addressed(100, address_of(thread))}));
    ASSERT_EQ(messages(thread).size(), 1U);
    EXPECT_EQ(body_of(messages(thread)[0]).text, "answer");
    EXPECT_EQ(ledger(), (Texts{"fetch_body verified_reply", "search new_mail"}));
    EXPECT_EQ(next_uid(), 101U);
}

TEST_F(ReplyAddressesTest, case_that_a_client_changed_does_not_count) {
    auto shouted = address_of(thread);
    std::ranges::transform(shouted, shouted.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    ASSERT_TRUE(take({addressed(100, shouted)}));
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(ReplyAddressesTest, may_stand_beside_people_of_the_thread_and_ids_of_ours) {
    auto both = reply(100);
    both.recipients = {k_maya, {"", address_of(thread)}, k_bo};
    courier.mails[{"INBOX", 100}] = "Re: Hello\nto all";
    ASSERT_TRUE(take({both}));
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(ReplyAddressesTest, wrong_mac_or_another_mailboxs_is_none_of_ours) {
    add_mailbox(other_integration, workspace);
    mailboxes.all.at(other_integration).address = "max1@brand.example";
    const auto others = add_thread({k_lea}, other_integration);
    const auto form = ReplyAddresses::form_of(mailbox()).value();
    const auto unknown = add_thread({k_lea});  // right in every way, but it was never given out
    auto changed = form.tag_of(address_of(thread)).value();
    changed[9] ^= 1;
    for (const auto& to :
         {form.text(changed), form.text({}), address_of(others), address_of(unknown),
          "x" + address_of(thread), address_of(thread) + ".evil.test",
          std::string("maya+box7.@brand.example")}) {
        SCOPED_TRACE(to);
        expect_ignored(addressed(101, to));
    }
    EXPECT_TRUE(messages(others).empty());
    EXPECT_TRUE(messages(unknown).empty());
}

TEST_F(ReplyAddressesTest, row_alone_gives_no_thread_away) {
    // Somebody wrote a row for a tag of their own: keeper's MAC is another one.
    const auto form = ReplyAddresses::form_of(mailbox()).value();
    const codec::ReplyAddressForm::Tag tag{1, 2, 3};
    auto input = to_bytes(std::string_view("reply:"));
    input.insert(input.end(), tag.begin(), tag.end());
    const auto mac = keys::test::mac_of(workspace, keys::MacPurpose::origin, input);
    write([&](store::Transaction& tx) {
        return rows::insert_reply_address(tx, workspace, integration, mac, thread.id);
    });
    expect_ignored(addressed(100, form.text(tag)));
}

TEST_F(ReplyAddressesTest, erased_thread_takes_nothing_in) {
    const auto to = address_of(thread);
    for (const auto& person : people_of(thread))
        keeper.people.erase({workspace, person});
    expect_ignored(addressed(100, to));
}

TEST_F(ReplyAddressesTest, tag_alone_from_a_stranger_is_held_until_a_person_accepts) {
    auto candidate = addressed(100, address_of(thread));
    candidate.from = {{"Eve", "eve@evil.example"}};
    expect_held(candidate, "not_a_participant");
    ASSERT_TRUE(run(replies->accept_held(k_by, host(workspace), held()[0].id)));
    EXPECT_EQ(messages(thread).size(), 1U);
    EXPECT_TRUE(held().empty());
}

TEST_F(ReplyAddressesTest, new_recipient_is_held) {
    auto candidate = addressed(100, address_of(thread));
    candidate.recipients.push_back({"", "friend@elsewhere.example"});
    expect_held(candidate, "new_recipient");
}

TEST_F(ReplyAddressesTest, ids_win_and_an_address_of_another_thread_is_a_new_recipient) {
    const auto other = add_thread({k_lea, k_bo});
    auto candidate = reply(100);
    candidate.recipients = {{"", give(other)}};
    expect_held(candidate, "new_recipient");
    EXPECT_TRUE(messages(other).empty());
}

TEST_F(ReplyAddressesTest, mail_from_one_of_them_is_never_read) {
    const auto other = add_thread({k_lea});
    for (const auto& from : {address_of(thread), address_of(other), k_maya.address}) {
        auto candidate = addressed(100, address_of(thread));
        candidate.from = {{"", from}};
        expect_ignored(candidate);
    }
}

TEST_F(ReplyAddressesTest, are_named_only_where_the_probe_arrived) {
    EXPECT_EQ(state(), State::arrives);
    EXPECT_EQ(give(thread), address_of(thread));
    for (const auto as : {rows::ReplyProbeState::sent, rows::ReplyProbeState::returned,
                          rows::ReplyProbeState::not_sent}) {
        put(as);
        EXPECT_NE(state(), State::arrives);
        EXPECT_EQ(give(thread), "none");
    }
    put(rows::ReplyProbeState::arrived);
    mailboxes.all.at(integration).imap_host = "imap.other.example";
    EXPECT_EQ(state(), State::not_tried);
    EXPECT_EQ(give(thread), "none");
    mailboxes.all.at(integration).imap_host.clear();
    EXPECT_EQ(state(), State::arrives);
    mailboxes.all.at(integration).reads_replies = false;
    EXPECT_EQ(state(), State::not_possible);
}

TEST_F(ReplyAddressesTest, are_not_possible_where_whom_mail_goes_to_is_not_looked_at) {
    write([&](store::Transaction& tx) {
        return rows::put_probe(tx, workspace, integration, true, clock.now);
    });
    EXPECT_EQ(state(), State::not_possible);
    EXPECT_EQ(give(thread), "none");
}

TEST_F(ReplyAddressesTest, are_not_possible_for_an_address_with_a_plus) {
    mailboxes.all.at(integration).address = "maya+news@brand.example";
    EXPECT_EQ(state(), State::not_possible);
    const auto own = mailbox();
    const auto made = run(addresses.address_of(&own, thread.token));
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().is(MailServiceError::reply_address_not_possible));
}

TEST_F(ReplyAddressesTest, probe_is_waited_for_a_day_and_taken_when_it_comes_later) {
    put(rows::ReplyProbeState::sent);
    EXPECT_EQ(state(), State::waiting);
    clock.pass_s(24 * 3600 - 1);
    EXPECT_EQ(state(), State::waiting);
    clock.pass_s(1);
    EXPECT_EQ(state(), State::did_not_arrive);
    auto own = addressed(100, probe_address());
    own.from = {k_maya};
    expect_ignored(own);
    EXPECT_EQ(state(), State::arrives);
    EXPECT_EQ(replies->totals(integration).matched, 0U);
    EXPECT_EQ(replies->totals(integration).refused, 0U);
}

TEST_F(ReplyAddressesTest, copy_of_the_probe_in_another_folder_shows_nothing_unless_delivered) {
    put(rows::ReplyProbeState::sent);
    auto copy = addressed(100, probe_address());
    copy.from = {k_maya};
    ASSERT_TRUE(take({copy}, "All Mail"));
    EXPECT_EQ(state(), State::waiting);
    copy.has_sender = true;
    ASSERT_TRUE(take({copy}, "Junk"));
    EXPECT_EQ(state(), State::arrives);
}

TEST_F(ReplyAddressesTest, another_address_is_no_arrival) {
    put(rows::ReplyProbeState::sent);
    auto own = addressed(100, address_of(thread));
    own.from = {k_maya};
    expect_ignored(own);
    EXPECT_EQ(state(), State::waiting);
}

TEST_F(ReplyAddressesTest, bounce_of_the_probe_tells_that_it_did_not_arrive) {
    put(rows::ReplyProbeState::sent);
    Thread pretended = thread;
    pretended.token = probe.token;
    auto bounce = reply(100);
    bounce.is_bounce = true;
    bounce.from = {{"", "mailer-daemon@brand.example"}};
    bounce.our_ids = {altered(our_id(pretended))};
    ASSERT_TRUE(take({bounce}));
    EXPECT_EQ(state(), State::waiting);
    bounce.our_ids = {our_id(pretended)};
    ASSERT_TRUE(take({bounce}));
    EXPECT_EQ(state(), State::did_not_arrive);
    EXPECT_TRUE(courier.fetched.empty());
    // It came all the same: what told of a delay was a bounce, too.
    ASSERT_TRUE(take({addressed(101, probe_address())}));
    EXPECT_EQ(state(), State::arrives);
    bounce.uid = 102;
    ASSERT_TRUE(take({bounce}));
    EXPECT_EQ(state(), State::arrives);
}

}  // namespace
}  // namespace postern::mail::test
