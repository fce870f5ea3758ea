#include "features/mail/bounces.h"  // IWYU pragma: keep

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "features/mail/replies_lab_fake.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

class BouncesTest : public RepliesLab {
protected:
    BouncesTest() {
        courier.mails[{"INBOX", 100}] = "report";
        readers.bounce.original_ids = {our_id(thread)};
        readers.bounce.recipients = {told_of(k_lea.address, "failed", "5.1.1")};
    }
    static BouncedRecipient told_of(const std::string& address,
                                    const std::string& action,
                                    const std::string& status) {
        BouncedRecipient out;
        out.address = address;
        out.action = action;
        out.status = status;
        out.diagnostic = "550 no such user";
        return out;
    }
    Candidate bounce(std::uint32_t uid = 100) {
        auto candidate = reply(uid);
        candidate.is_bounce = true;
        candidate.author_kind = AuthorKind::machine;
        candidate.from = {{"", "mailer-daemon@mx.example"}};
        return candidate;
    }
    std::vector<rows::BounceRow> stored() {
        return read(
            [&](store::Transaction& tx) { return rows::load_bounces(tx, workspace, thread.id); });
    }
    BounceDetail detail_of(const rows::BounceRow& row) {
        MessageVault vault(keeper.link);
        std::vector<MessageVault::StoredBounce> sealed{
            {row.message, row.creator, row.detail, row.wrap}};
        auto opened = run(vault.open_bounces(workspace, std::move(sealed), 1));
        EXPECT_TRUE(opened && opened->at(0));
        return opened && opened->at(0) ? *opened->at(0) : BounceDetail{};
    }
    void set_state(MessageState state) {
        write([&](store::Transaction& tx) {
            return rows::set_message_state(tx, workspace, mail, state, "");
        });
    }

    MessageId mail = queue_mail(thread);
};

TEST_F(BouncesTest, is_kept_with_the_mail_that_bounced_and_is_no_reply) {
    set_state(MessageState::sent);
    ASSERT_TRUE(take({bounce()}));
    ASSERT_EQ(courier.fetched.size(), 1U);
    const auto bounces = stored();
    ASSERT_EQ(bounces.size(), 1U);
    EXPECT_EQ(bounces[0].message, mail);
    EXPECT_EQ(bounces[0].creator, ensure(workspace, {k_lea})[0]);
    EXPECT_EQ(bounces[0].action, BounceAction::failed);
    EXPECT_EQ(bounces[0].status, "5.1.1");
    EXPECT_EQ(detail_of(bounces[0]).recipient.address, k_lea.address);
    EXPECT_EQ(detail_of(bounces[0]).diagnostic, "550 no such user");
    EXPECT_EQ(messages(thread).size(), 1U);
    EXPECT_TRUE(held().empty());
    EXPECT_EQ(message(mail).state, MessageState::sent);
    EXPECT_EQ(ledger(), (Texts{"fetch_body bounce_of_ours", "search new_mail"}));
    EXPECT_EQ(told(), Texts{"message.bounced sent"});
    EXPECT_EQ(replies->totals(integration).matched, 1U);
    EXPECT_EQ(replies->totals(integration).kept, 0U);
}

TEST_F(BouncesTest, tells_that_an_unknown_mail_was_sent_and_never_sends_it) {
    set_state(MessageState::unknown);
    write([&](store::Transaction& tx) -> Result<> {
        rows::OutboxMove move{workspace, mail, 0, rows::Stage::unknown, 3, clock.now, true};
        POSTERN_TRY(const auto moved, rows::move_outbox(tx, move));
        EXPECT_TRUE(moved);
        return {};
    });
    ASSERT_TRUE(take({bounce()}));
    EXPECT_EQ(message(mail).state, MessageState::sent);
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].stage, rows::Stage::copy);
    EXPECT_EQ(told(), (Texts{"message.state sent", "message.bounced sent"}));
}

TEST_F(BouncesTest, one_that_was_delivered_after_all_settles_an_unknown_mail) {
    set_state(MessageState::unknown);
    readers.bounce.recipients = {told_of(k_lea.address, "delivered", "2.0.0")};
    ASSERT_TRUE(take({bounce()}));
    EXPECT_EQ(message(mail).state, MessageState::sent);
    EXPECT_TRUE(stored().empty());
    EXPECT_EQ(told(), Texts{"message.state sent"});
}

TEST_F(BouncesTest, counts_once_and_a_failure_is_not_taken_back) {
    set_state(MessageState::sent);
    readers.bounce.recipients = {told_of(k_lea.address, "delayed", "4.4.1")};
    ASSERT_TRUE(take({bounce()}));
    ASSERT_TRUE(take({bounce()}, "Junk"));
    EXPECT_EQ(stored().at(0).action, BounceAction::delayed);
    readers.bounce.recipients = {told_of(k_lea.address, "failed", "5.4.1")};
    ASSERT_TRUE(take({bounce()}));
    readers.bounce.recipients = {told_of(k_lea.address, "delayed", "4.4.1")};
    ASSERT_TRUE(take({bounce()}));
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].status, "5.4.1");
    EXPECT_EQ(told(), (Texts{"message.bounced sent", "message.bounced sent"}));
}

TEST_F(BouncesTest, only_recipients_of_the_mail_count) {
    set_state(MessageState::sent);
    auto forwarded = told_of("elsewhere@forward.example", "failed", "5.2.2");
    forwarded.original_address = k_bo.address;
    readers.bounce.recipients = {told_of("eve@evil.example", "failed", "5.1.1"), forwarded,
                                 told_of("LEA@Creators.Example", "failed", "5.1.1")};
    ASSERT_TRUE(take({bounce()}));
    const auto bounces = stored();
    ASSERT_EQ(bounces.size(), 2U);
    for (const auto& row : bounces) {
        const auto address = detail_of(row).recipient.address;
        EXPECT_TRUE(address == k_lea.address || address == k_bo.address) << address;
    }
}

struct Refusal {
    std::string name;
    std::function<void(Candidate&)> change;
    bool fetches = false;
};

TEST_F(BouncesTest, what_is_not_about_a_mail_of_ours_says_nothing) {
    set_state(MessageState::sent);
    const Refusal refusals[] = {
        {"no id", [](auto& c) { c.our_ids.clear(); }},
        {"forged", [](auto& c) { c.our_ids = {altered(c.our_ids[0])}; }},
        {"a mail that we never wrote", [&](auto& c) { c.our_ids = {our_id(thread, 9)}; }},
        {"gone", [](auto& c) { c.uid = 101; }, true},
        {"about another mail",
         [&](auto&) { readers.bounce.original_ids = {"other@brand.example"}; }, true},
        {"about nothing", [&](auto&) { readers.bounce.original_ids.clear(); }, true},
        {"unreadable", [&](auto&) { readers.fails = Error(MailError::mail_unreadable); }, true},
    };
    for (const auto& refusal : refusals) {
        const auto fetched = courier.fetched.size();
        auto candidate = bounce();
        refusal.change(candidate);
        ASSERT_TRUE(take({candidate})) << refusal.name;
        EXPECT_TRUE(stored().empty()) << refusal.name;
        EXPECT_EQ(courier.fetched.size() > fetched, refusal.fetches) << refusal.name;
        readers.fails.reset();
    }
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(messages(thread).size(), 1U);
    EXPECT_TRUE(held().empty());
}

TEST_F(BouncesTest, is_looked_at_again_when_it_cannot_be_read_now) {
    courier.fetches_fail = {MailError::connection_lost};
    EXPECT_FALSE(take({bounce()}));
    EXPECT_EQ(next_uid(), 0U);
    readers.fails = Error(LabError::ceiling_reached);
    EXPECT_FALSE(take({bounce()}));
    readers.fails.reset();
    EXPECT_TRUE(take({bounce()}));
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(BouncesTest, of_an_erased_recipient_is_gone) {
    set_state(MessageState::sent);
    ASSERT_TRUE(take({bounce()}));
    const auto rows = stored();
    keeper.people.erase({workspace, rows.at(0).creator});
    MessageVault vault(keeper.link);
    std::vector<MessageVault::StoredBounce> sealed{
        {rows[0].message, rows[0].creator, rows[0].detail, rows[0].wrap}};
    const auto opened = run(vault.open_bounces(workspace, std::move(sealed), 1));
    ASSERT_TRUE(opened);
    EXPECT_FALSE(opened->at(0));
}

class AuthservTest : public RepliesLab {
protected:
    Candidate from_server(std::uint32_t uid, std::vector<Authentication> results) {
        courier.mails[{"INBOX", uid}] = "Re: Hello\nx";
        auto candidate = reply(uid);
        candidate.authentication = std::move(results);
        return candidate;
    }
    rows::ProbeRow probe() {
        return read(
            [&](store::Transaction& tx) { return rows::load_probe(tx, workspace, integration); });
    }
};

const Authentication k_forged{"mx.brand.example", AuthResult::fail};
const Authentication k_genuine{"mx.brand.example", AuthResult::pass};

TEST_F(AuthservTest, is_learnt_from_the_topmost_of_the_first_answer_and_counts_from_it_on) {
    ASSERT_TRUE(take({from_server(100, {k_forged, {"evil.test", AuthResult::pass}})}));
    EXPECT_EQ(probe().authserv_id, "brand.example");
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].reason, "authentication_failed");
    EXPECT_TRUE(courier.fetched.empty());
    // Nobody else can name himself from then on.
    ASSERT_TRUE(take({from_server(101, {{"evil.test", AuthResult::fail}})}));
    EXPECT_EQ(probe().authserv_id, "brand.example");
    EXPECT_EQ(messages(thread).size(), 1U);
    ASSERT_TRUE(take({from_server(102, {{"x.test", AuthResult::pass}, k_forged})}));
    EXPECT_EQ(held().size(), 2U);
    // Another host of theirs.
    ASSERT_TRUE(take({from_server(103, {{"mx3.brand.example", AuthResult::fail}})}));
    EXPECT_EQ(held().size(), 3U);
}

TEST_F(AuthservTest, is_learnt_from_nobody_but_participants) {
    auto forged = from_server(100, {{"evil.test"}});
    forged.our_ids = {altered(our_id(thread))};
    ASSERT_TRUE(take({forged}));
    auto stranger = from_server(101, {{"evil.test"}});
    stranger.from = {{"Eve", "eve@evil.test"}};
    ASSERT_TRUE(take({stranger}));
    auto with_agent = from_server(102, {{"evil.test"}});
    with_agent.recipients.push_back({"", "agent@agency.example"});
    ASSERT_TRUE(take({with_agent}));
    EXPECT_EQ(probe().authserv_id, "");
    ASSERT_TRUE(take({from_server(103, {})}));
    EXPECT_TRUE(probe().authserv_is_open);
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(AuthservTest, learnt_anew_stays_what_it_is_while_it_is_seen) {
    const auto reopen = [this] {
        write([&](store::Transaction& tx) {
            return rows::put_probe(tx, workspace, integration, false, clock.now);
        });
    };
    ASSERT_TRUE(take({from_server(100, {k_genuine})}));
    reopen();
    ASSERT_TRUE(take({from_server(101, {{"evil.test", AuthResult::pass}, k_forged})}));
    EXPECT_EQ(probe().authserv_id, "brand.example");
    EXPECT_FALSE(probe().authserv_is_open);
    EXPECT_EQ(held().size(), 1U);
    reopen();
    ASSERT_TRUE(take({from_server(102, {{"mx.moved.example", AuthResult::fail}})}));
    EXPECT_EQ(probe().authserv_id, "moved.example");
    EXPECT_EQ(held().size(), 2U);
}

TEST_F(AuthservTest, name_of_a_single_server_from_before_counts_for_its_organisation) {
    write([&](store::Transaction& tx) {
        return rows::put_authserv(tx, workspace, integration, "mx1.brand.example");
    });
    ASSERT_TRUE(take({from_server(100, {k_forged})}));
    EXPECT_EQ(held().size(), 1U);
}

TEST_F(AuthservTest, held_mail_that_a_person_accepts_is_read) {
    ASSERT_TRUE(take({from_server(100, {{"mx", AuthResult::fail}})}));
    EXPECT_TRUE(run(replies->accept_held(k_by, host(workspace), held().at(0).id)));
    EXPECT_EQ(messages(thread).size(), 1U);
}

TEST_F(BouncesTest, that_a_mail_system_cannot_have_sent_is_passed_over_unread) {
    set_state(MessageState::sent);
    auto from_somebody = bounce(100);
    from_somebody.has_sender = true;
    ASSERT_TRUE(take({from_somebody}));
    write([&](store::Transaction& tx) {
        return rows::put_authserv(tx, workspace, integration, "brand.example");
    });
    auto forged = bounce(101);
    forged.authentication = {k_forged};
    ASSERT_TRUE(take({forged}));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_TRUE(stored().empty());
    EXPECT_EQ(replies->totals(integration).refused, 2U);
    auto genuine = bounce(100);
    genuine.authentication = {k_genuine};
    ASSERT_TRUE(take({genuine}));
    EXPECT_EQ(stored().size(), 1U);
}

TEST_F(BouncesTest, is_taken_back_by_an_answer_of_that_person_alone) {
    set_state(MessageState::sent);
    readers.bounce.recipients = {told_of(k_lea.address, "failed", "5.1.1"),
                                 told_of(k_bo.address, "failed", "5.1.1")};
    ASSERT_TRUE(take({bounce()}));
    ASSERT_EQ(stored().size(), 2U);
    courier.mails[{"INBOX", 101}] = "Re: Hello\nI am away";
    auto automatic = reply(101);
    automatic.author_kind = AuthorKind::auto_reply;
    ASSERT_TRUE(take({automatic}));
    EXPECT_EQ(stored().size(), 2U);
    courier.mails[{"INBOX", 102}] = "Re: Hello\nGladly!";
    ASSERT_TRUE(take({reply(102)}));
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].creator, ensure(workspace, {k_bo})[0]);
}

}  // namespace
}  // namespace postern::mail::test
