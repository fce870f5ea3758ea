#include "features/mail/mail_room.h"

#include "features/mail/compose.h"
#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_service.h"
#include "features/mail/mail_types.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/send_outcome.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

using store::fails_with;
using Texts = std::vector<std::string>;

constexpr std::uint64_t k_handle = 77;

class MailRoomTest : public MailLab {
protected:
    MailRoomTest() {
        courier.before_dot = [this](BeforeFinalDot ask) { return room->before_final_dot(ask); };
        courier.searched = [this](FolderSearched told_of) {
            return room->folder_searched(std::move(told_of));
        };
        begin();
    }
    ~MailRoomTest() override { stop(); }

    void begin() {
        room = std::make_unique<MailRoom>(parts(), RetryPolicy{});
        EXPECT_TRUE(run(room->start()));
        settle();
    }
    /// As after the end of front's process.
    void restart() {
        stop();
        room.reset();
        open_store();
        begin();
    }
    static NewMail mail_to(std::vector<MailAddress> to, std::string text = "Hi") {
        NewMail mail;
        mail.to = std::move(to);
        mail.subject = "Hello";
        mail.text = std::move(text);
        return mail;
    }
    Result<ThreadView> start(NewMail mail, std::optional<IntegrationId> from = std::nullopt) {
        ++clock.now;
        return run(room->start_thread(host(workspace), from.value_or(integration), std::move(mail),
                                      k_handle));
    }
    ThreadView started(std::vector<MailAddress> to = {k_lea}) {
        auto view = start(mail_to(std::move(to)));
        EXPECT_TRUE(view.has_value());
        settle();
        return view ? std::move(*view) : ThreadView{};
    }
    Result<MessageView> add(ThreadId thread, NewMail mail) {
        ++clock.now;
        auto added = run(room->add_message(host(workspace), thread, std::move(mail), k_handle));
        settle();
        return added;
    }
    ThreadView view_of(ThreadId id) {
        return run(room->thread(host(workspace), id, k_handle)).value();
    }
    Result<std::string> raw(MessageId id, std::optional<WorkspaceId> owner = std::nullopt) {
        auto download = run(room->raw(host(owner.value_or(workspace)), id, k_handle));
        if (!download) return fail(std::move(download.error()));
        return content_of(download->content);
    }
    void close(Error why) { mailboxes.closed.insert_or_assign(integration, std::move(why)); }

    Candidate answer(const ThreadView& thread, std::uint32_t uid, MailAddress from = k_lea) {
        Candidate candidate;
        candidate.uid = uid;
        candidate.message_id = "reply-" + std::to_string(uid) + "@creators.example";
        candidate.our_ids = {thread.messages.at(0).body.message_id};
        candidate.from = {std::move(from)};
        candidate.recipients = {k_maya};
        courier.mails[{"INBOX", uid}] = "Re: Hello\nanswer " + std::to_string(uid);
        return candidate;
    }
    FolderSearched search(std::vector<Candidate> candidates) {
        FolderSearched found;
        found.integration = integration;
        found.folder = "INBOX";
        found.uid_validity = 7;
        found.first = 100;
        found.next = 200;
        found.candidates = std::move(candidates);
        return found;
    }
    Result<SyncResult> sync() { return run(room->sync(k_by, workspace, integration)); }

    std::unique_ptr<MailRoom> room;
};

TEST_F(MailRoomTest, new_thread_is_queued_sent_and_in_the_history) {
    auto mail = mail_to({k_lea, k_bo}, "Hi both");
    mail.html = "<b>Hi both</b>";
    const auto view = start(std::move(mail));
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->integration, integration);
    EXPECT_EQ(view->subject, "Hello");
    EXPECT_EQ(view->creators.size(), 2U);
    ASSERT_EQ(view->messages.size(), 1U);
    EXPECT_EQ(view->messages[0].state, MessageState::queued);
    settle();
    ASSERT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(courier.submitted[0].message, view->messages[0].id);
    EXPECT_EQ(told(), (Texts{"message.state queued", "message.state sent"}));
    const auto stored = view_of(view->id);
    EXPECT_EQ(stored.subject, "Hello");
    ASSERT_EQ(stored.messages.size(), 1U);
    const auto& message = stored.messages[0];
    EXPECT_EQ(message.id, view->messages[0].id);
    EXPECT_EQ(message.state, MessageState::sent);
    EXPECT_EQ(message.body.text, "Hi both");
    EXPECT_EQ(message.body.html, "<b>Hi both</b>");
    EXPECT_EQ(message.body.from[0].address, k_maya.address);
    EXPECT_EQ(message.body.to.size(), 2U);
}

TEST_F(MailRoomTest, first_mail_has_an_id_that_keeper_made_and_names_itself) {
    const auto thread = started();
    const auto& body = thread.messages.at(0).body;
    const auto label = codec::IdLabel::parse(k_label).value();
    const auto id = codec::OurMessageId::parse(body.message_id, label);
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->number, 1U);
    const auto mac = keys::test::mac_of(workspace, keys::MacPurpose::message_id,
                                        id->mac_input(integration.bytes()));
    EXPECT_TRUE(std::equal(id->mac.begin(), id->mac.end(), mac.begin()));
    EXPECT_EQ(body.references, Texts{body.message_id});
}

TEST_F(MailRoomTest, thread_is_not_started_for_wrong_recipients) {
    const auto nobody = start(mail_to({}));
    EXPECT_TRUE(fails_with(nobody, MailServiceError::invalid_recipient));
    std::vector<MailAddress> crowd;
    for (int i = 0; i < 51; ++i)
        crowd.push_back({"", "c" + std::to_string(i) + "@creators.example"});
    EXPECT_TRUE(fails_with(start(mail_to(crowd)), MailServiceError::too_many_recipients));
    for (const auto* address :
         {"", "lea", "lea@", "@creators.example", "a b@creators.example", "maya@brand.example",
          "MAYA@Brand.Example", "lea@creators.example\r\nBcc: eve@evil.example",
          "lea@creators.example, eve@evil.example"}) {
        EXPECT_TRUE(
            fails_with(start(mail_to({k_lea, {"", address}})), MailServiceError::invalid_recipient))
            << address;
    }
    settle();
    EXPECT_TRUE(courier.submitted.empty());
    EXPECT_TRUE(creators.all.empty());
    crowd.pop_back();
    EXPECT_TRUE(start(mail_to(crowd)));
}

TEST_F(MailRoomTest, thread_is_not_started_with_a_broken_header) {
    auto mail = mail_to({k_lea});
    mail.subject = "Hello\r\nBcc: eve@evil.example";
    EXPECT_TRUE(fails_with(start(std::move(mail)), ComposeError::control_character));
    EXPECT_TRUE(
        fails_with(start(mail_to({{"Lea\n", k_lea.address}})), ComposeError::control_character));
    EXPECT_TRUE(run(room->threads(host(workspace), {}, k_handle))->empty());
    EXPECT_TRUE(outbox().empty());
}

TEST_F(MailRoomTest, thread_is_not_started_by_a_mailbox_that_may_not_send) {
    EXPECT_TRUE(fails_with(start(mail_to({k_lea}), other_integration),
                           MailServiceError::integration_not_found));
    for (const auto why :
         {keys::KeyError::integration_sealed, keys::KeyError::integration_cut_off}) {
        close(Error(why));
        EXPECT_TRUE(fails_with(start(mail_to({k_lea})), why));
    }
    const auto foreign =
        run(room->start_thread(host(other_workspace), integration, mail_to({k_lea}), k_handle));
    EXPECT_TRUE(fails_with(foreign, MailServiceError::integration_not_found));
    EXPECT_TRUE(outbox().empty());
    EXPECT_TRUE(creators.all.empty());
}

TEST_F(MailRoomTest, given_id_makes_a_thread_once) {
    const auto id = ThreadId::make(5);
    auto mail = mail_to({k_lea});
    mail.id = id.raw();
    ASSERT_EQ(start(mail)->id, id);
    EXPECT_TRUE(fails_with(start(mail), store::StoreError::conflict));
    settle();
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(view_of(id).messages.size(), 1U);
}

TEST_F(MailRoomTest, thread_of_which_a_part_cannot_be_stored_is_not_there) {
    const auto before = steps.taken;
    started();
    // Without those that sending it took.
    for (int bad = 1; bad <= 7; ++bad) {
        SCOPED_TRACE(bad);
        const auto base = steps.taken;
        steps.fails = [base, bad](int step) { return step == base + bad; };
        const auto failed = start(mail_to({k_lea}));
        steps.fails = nullptr;
        EXPECT_FALSE(failed);
        settle();
    }
    EXPECT_GE(steps.taken - before, 7);
    EXPECT_EQ(run(room->threads(host(workspace), {}, k_handle))->size(), 1U);
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(MailRoomTest, id_of_theirs_that_is_not_plain_is_not_repeated) {
    const auto thread = started({k_lea});
    auto odd = answer(thread, 101);
    odd.message_id = "r\u00e9ponse@creators.example";
    auto long_one = answer(thread, 102);
    long_one.message_id = std::string(900, 'x') + "@creators.example";
    courier.finds = {search({answer(thread, 100), odd, long_one})};
    ++clock.now;
    ASSERT_TRUE(sync());
    const auto second = add(thread.id, mail_to({}, "And?"));
    ASSERT_TRUE(second.has_value());
    const auto root = thread.messages[0].body.message_id;
    EXPECT_EQ(second->body.references, (Texts{root, "reply-100@creators.example"}));
    const auto text = raw(second->id).value();
    EXPECT_NE(text.find("In-Reply-To: <reply-100@creators.example>"), std::string::npos);
}

TEST_F(MailRoomTest, further_mail_goes_to_the_people_of_the_thread_and_names_the_last) {
    const auto thread = started({k_lea, k_bo});
    courier.finds = {search({answer(thread, 100)})};
    ++clock.now;
    ASSERT_TRUE(sync());
    auto mail = mail_to({}, "And?");
    mail.subject.clear();
    const auto second = add(thread.id, std::move(mail));
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->body.subject, "Re: Hello");
    EXPECT_EQ(second->body.to.size(), 2U);
    const auto root = thread.messages[0].body.message_id;
    EXPECT_EQ(second->body.references, (Texts{root, "reply-100@creators.example"}));
    EXPECT_NE(second->body.message_id, root);
    const auto text = raw(second->id).value();
    EXPECT_NE(text.find("In-Reply-To: <reply-100@creators.example>"), std::string::npos);
    ASSERT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(courier.submitted[1].recipients, (Texts{k_lea.address, k_bo.address}));
    EXPECT_EQ(view_of(thread.id).messages.size(), 3U);
    EXPECT_GT(view_of(thread.id).updated_at_ms, thread.updated_at_ms);
}

TEST_F(MailRoomTest, mails_written_at_once_take_numbers_without_a_gap) {
    const auto thread = started();
    std::array<std::optional<Result<MessageView>>, 3> added;
    for (auto& each : added)
        loop.start(room->add_message(host(workspace), thread.id, mail_to({}), k_handle), each);
    loop.run_until([&] { return added[0] && added[1] && added[2]; });
    settle();
    const auto label = codec::IdLabel::parse(k_label).value();
    std::set<std::uint32_t> numbers;
    for (const auto& each : added) {
        ASSERT_TRUE(each->has_value());
        numbers.insert(codec::OurMessageId::parse((*each)->body.message_id, label)->number);
    }
    EXPECT_EQ(numbers, (std::set<std::uint32_t>{2, 3, 4}));
    EXPECT_EQ(view_of(thread.id).messages.size(), 4U);
    EXPECT_EQ(courier.submitted.size(), 4U);
}

TEST_F(MailRoomTest, mail_that_comes_to_nothing_takes_no_number) {
    const auto thread = started();
    auto broken = mail_to({});
    broken.subject = "Hello\r\nBcc: eve@evil.example";
    EXPECT_FALSE(add(thread.id, std::move(broken)));
    const auto added = add(thread.id, mail_to({}));
    ASSERT_TRUE(added);
    const auto label = codec::IdLabel::parse(k_label).value();
    EXPECT_EQ(codec::OurMessageId::parse(added->body.message_id, label)->number, 2U);
}

TEST_F(MailRoomTest, long_thread_keeps_its_root_first_and_its_parent_last) {
    const auto thread = started();
    const auto root = thread.messages[0].body.message_id;
    std::string parent = root;
    for (int i = 2; i <= 25; ++i) {
        const auto next = add(thread.id, mail_to({}));
        ASSERT_TRUE(next.has_value());
        const auto& references = next->body.references;
        EXPECT_EQ(references.size(), static_cast<std::size_t>(std::min(i - 1, 20)));
        EXPECT_EQ(references.front(), root);
        EXPECT_EQ(references.back(), parent);
        parent = next->body.message_id;
    }
}

TEST_F(MailRoomTest, further_mail_is_refused_where_it_does_not_belong) {
    const auto thread = started();
    EXPECT_TRUE(
        fails_with(add(ThreadId::make(9), mail_to({})), MailServiceError::thread_not_found));
    const auto foreign =
        run(room->add_message(host(other_workspace), thread.id, mail_to({}), k_handle));
    EXPECT_TRUE(fails_with(foreign, MailServiceError::thread_not_found));
    EXPECT_TRUE(fails_with(add(thread.id, mail_to({k_bo})), MailServiceError::invalid_recipient));
    EXPECT_TRUE(fails_with(add(thread.id, mail_to({k_maya})), MailServiceError::invalid_recipient));
    for (const auto why :
         {keys::KeyError::integration_sealed, keys::KeyError::integration_cut_off}) {
        close(Error(why));
        EXPECT_TRUE(fails_with(add(thread.id, mail_to({})), why));
    }
    mailboxes.closed.clear();
    keeper.people.clear();
    EXPECT_TRUE(fails_with(add(thread.id, mail_to({})), MailServiceError::not_readable));
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(MailRoomTest, thread_of_another_workspace_is_not_found) {
    const auto thread = started();
    EXPECT_TRUE(fails_with(run(room->thread(host(other_workspace), thread.id, k_handle)),
                           MailServiceError::thread_not_found));
    EXPECT_TRUE(fails_with(run(room->thread(host(workspace), ThreadId::make(3), k_handle)),
                           MailServiceError::thread_not_found));
    EXPECT_TRUE(run(room->threads(host(other_workspace), {}, k_handle))->empty());
    const auto id = thread.messages[0].id;
    EXPECT_TRUE(fails_with(raw(id, other_workspace), MailServiceError::message_not_found));
    EXPECT_TRUE(fails_with(run(room->attachment(host(other_workspace), id, 0, k_handle)),
                           MailServiceError::message_not_found));
}

TEST_F(MailRoomTest, reading_counts_under_the_handle_of_who_reads) {
    const auto thread = started();
    keeper.handles.clear();
    view_of(thread.id);
    ASSERT_TRUE(raw(thread.messages[0].id));
    ASSERT_FALSE(keeper.handles.empty());
    for (const auto handle : keeper.handles)
        EXPECT_EQ(handle, k_handle);
}

TEST_F(MailRoomTest, outlines_say_what_came_of_each_mail_and_open_none) {
    const auto thread = started();
    keeper.handles.clear();
    keeper.people.clear();
    const auto outlines = run(room->outlines(host(workspace), thread.id)).value();
    ASSERT_EQ(outlines.size(), 1U);
    EXPECT_EQ(outlines[0].id, thread.messages[0].id);
    EXPECT_EQ(outlines[0].thread, thread.id);
    EXPECT_EQ(outlines[0].direction, Direction::out);
    EXPECT_EQ(outlines[0].state, MessageState::sent);
    EXPECT_FALSE(outlines[0].bounced);
    EXPECT_TRUE(keeper.handles.empty());
    EXPECT_TRUE(fails_with(run(room->outlines(host(other_workspace), thread.id)),
                           MailServiceError::thread_not_found));
}

TEST_F(MailRoomTest, erased_person_leaves_a_thread_that_says_so) {
    const auto thread = started();
    keeper.people.clear();
    const auto view = view_of(thread.id);
    EXPECT_EQ(view.subject, "");
    ASSERT_EQ(view.messages.size(), 1U);
    EXPECT_FALSE(view.messages[0].readable);
    EXPECT_EQ(view.messages[0].body.text, "");
    EXPECT_EQ(view.messages[0].state, MessageState::sent);
    EXPECT_TRUE(fails_with(raw(view.messages[0].id), MailServiceError::not_readable));
}

TEST_F(MailRoomTest, history_outlives_the_process_and_the_mailbox) {
    const auto thread = started();
    const auto submitted = courier.submitted.at(0).raw;
    close(Error(keys::KeyError::integration_cut_off));
    restart();
    EXPECT_EQ(view_of(thread.id).messages.at(0).state, MessageState::sent);
    EXPECT_EQ(raw(thread.messages[0].id).value(), submitted);
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(MailRoomTest, raw_mails_are_byte_for_byte_what_went_out_and_came_in) {
    const auto thread = started();
    EXPECT_EQ(raw(thread.messages[0].id).value(), courier.submitted.at(0).raw);
    EXPECT_EQ(courier.copied.at(0).raw, courier.submitted[0].raw);
    auto incoming = answer(thread, 100);
    const std::string bytes("Re: x\n\0\xff\r\r\n bare", 16);
    courier.mails[{"INBOX", 100}] = bytes;
    courier.finds = {search({incoming})};
    ++clock.now;
    ASSERT_TRUE(sync());
    const auto id = view_of(thread.id).messages.at(1).id;
    EXPECT_EQ(raw(id).value(), bytes);
    const auto download = run(room->raw(host(workspace), id, k_handle));
    EXPECT_EQ(download->name, id.text() + ".eml");
    EXPECT_EQ(download->type, "message/rfc822");
}

TEST_F(MailRoomTest, attachment_comes_by_its_index_and_none_beyond) {
    const auto id = started().messages.at(0).id;
    auto first = run(room->attachment(host(workspace), id, 0, k_handle));
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->name, "whole.txt");
    EXPECT_EQ(first->type, "text/plain");
    EXPECT_EQ(content_of(first->content), courier.submitted.at(0).raw);
    EXPECT_TRUE(
        fails_with(run(room->attachment(host(workspace), id, 1, k_handle)), MailError::not_found));
    EXPECT_TRUE(fails_with(run(room->attachment(host(workspace), MessageId::make(3), 0, k_handle)),
                           MailServiceError::message_not_found));
}

TEST_F(MailRoomTest, mail_that_was_not_fetched_has_no_raw_form) {
    const auto thread = started();
    courier.fetches_fail = {MailError::too_large};
    courier.finds = {search({answer(thread, 100)})};
    ++clock.now;
    ASSERT_TRUE(sync());
    const auto message = view_of(thread.id).messages.at(1);
    EXPECT_EQ(message.body.defects, Texts{"too_large"});
    EXPECT_TRUE(fails_with(raw(message.id), MailServiceError::message_not_found));
}

TEST_F(MailRoomTest, threads_are_listed_newest_first_and_by_creator) {
    std::vector<ThreadId> all;
    for (const auto& to : {std::vector{k_lea}, std::vector{k_bo}, std::vector{k_lea, k_bo}})
        all.push_back(started(to).id);
    MailService::ThreadQuery query;
    query.limit = 2;
    auto page = run(room->threads(host(workspace), query, k_handle)).value();
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[0].id, all[2]);
    EXPECT_EQ(page[1].id, all[1]);
    EXPECT_EQ(page[0].subject, "Hello");
    EXPECT_TRUE(page[0].messages.empty());
    query.before = page[1].id;
    page = run(room->threads(host(workspace), query, k_handle)).value();
    ASSERT_EQ(page.size(), 1U);
    EXPECT_EQ(page[0].id, all[0]);
    query = {};
    query.creator = ensure(workspace, {k_lea})[0];
    page = run(room->threads(host(workspace), query, k_handle)).value();
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[0].id, all[2]);
    EXPECT_EQ(page[1].id, all[0]);
    query.integration = other_integration;
    EXPECT_TRUE(run(room->threads(host(workspace), query, k_handle))->empty());
}

TEST_F(MailRoomTest, sync_counts_what_became_of_this_search) {
    const auto thread = started();
    auto held_mail = answer(thread, 101, {"Eve", "eve@evil.example"});
    auto own = answer(thread, 102, k_maya);
    auto forged = answer(thread, 103);
    forged.our_ids = {"garbage"};
    courier.finds = {search({answer(thread, 100), held_mail, own, forged})};
    const auto first = sync();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->searched, 100U);
    EXPECT_EQ(first->matched, 3U);
    EXPECT_EQ(first->kept, 1U);
    EXPECT_EQ(first->held, 1U);
    EXPECT_EQ(first->refused, 2U);
    const auto second = sync();
    EXPECT_EQ(second->searched, 0U);
    EXPECT_EQ(second->matched + second->kept + second->held + second->refused, 0U);
    EXPECT_EQ(courier.searches, 2);
    EXPECT_EQ(courier.watched.size(), 1U);
}

TEST_F(MailRoomTest, sync_is_refused_where_nothing_may_be_read) {
    EXPECT_TRUE(fails_with(run(room->sync(k_by, workspace, other_integration)),
                           MailServiceError::integration_not_found));
    EXPECT_TRUE(fails_with(run(room->sync(k_by, other_workspace, integration)),
                           MailServiceError::integration_not_found));
    for (const auto why :
         {keys::KeyError::integration_sealed, keys::KeyError::integration_cut_off}) {
        close(Error(why));
        EXPECT_TRUE(fails_with(sync(), why));
    }
    EXPECT_EQ(courier.searches, 0);
}

TEST_F(MailRoomTest, sync_of_a_mailbox_that_only_sends_finds_nothing_at_once) {
    add_mailbox(other_integration, workspace);
    mailboxes.all[other_integration].reads_replies = false;
    const auto found = run(room->sync(k_by, workspace, other_integration));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->searched, 0U);
    EXPECT_EQ(courier.searches, 0);
    EXPECT_EQ(courier.watched.size(), 1U);
}

TEST_F(MailRoomTest, two_may_sync_before_there_is_a_watch) {
    courier.watches_hang = true;
    room->watch_ended(integration, MailError::use_ended);
    settle();
    std::optional<Result<SyncResult>> outcomes[2];
    for (auto& outcome : outcomes) {
        loop.start(room->sync(k_by, workspace, integration), outcome);
        settle();
    }
    courier.watches_hang = false;
    courier.release();
    settle();
    for (const auto& outcome : outcomes) {
        ASSERT_TRUE(outcome);
        EXPECT_TRUE(outcome->has_value());
    }
}

TEST_F(MailRoomTest, failed_search_is_an_error_and_counts_only_what_is_kept) {
    const auto thread = started();
    const auto found = search({answer(thread, 100)});
    courier.fetches_fail = {MailError::connection_lost};
    courier.finds = {found};
    EXPECT_TRUE(fails_with(sync(), MailError::connection_lost));
    courier.finds = {found};
    const auto again = sync();
    EXPECT_EQ(again->matched, 1U);
    EXPECT_EQ(again->kept, 1U);
}

class ResolveTest : public MailRoomTest {
protected:
    ResolveTest() { courier.sends = {lost(SendPlay::End::lost_after_dot)}; }
    ThreadView unknown() {
        auto view = started();
        courier.restart();
        settle();
        EXPECT_EQ(message(view.messages.at(0).id).state, MessageState::unknown);
        return view;
    }
    Result<MessageView> resolve(MessageId id, MessageState state, WorkspaceId owner) {
        auto resolved = run(room->resolve(k_by, host(owner), id, state, k_handle));
        settle();
        return resolved;
    }
};

TEST_F(ResolveTest, person_says_what_became_of_an_unknown_mail) {
    const auto id = unknown().messages.at(0).id;
    courier.sent_has_it = true;
    const auto sent = resolve(id, MessageState::sent, workspace);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->state, MessageState::sent);
    EXPECT_EQ(sent->body.text, "Hi");
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(told().back(), "message.state sent");
}

TEST_F(ResolveTest, failed_is_neither_looked_for_nor_sent_again) {
    const auto id = unknown().messages.at(0).id;
    ASSERT_TRUE(resolve(id, MessageState::failed, workspace));
    EXPECT_EQ(message(id).state, MessageState::failed);
    EXPECT_EQ(message(id).failure_code, "resolved_by_person");
    EXPECT_TRUE(outbox().empty());
    const auto looks = courier.copied.size();
    restart();
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(courier.copied.size(), looks);
}

TEST_F(ResolveTest, only_what_is_unknown_can_be_resolved) {
    const auto thread = unknown();
    const auto id = thread.messages.at(0).id;
    EXPECT_TRUE(fails_with(resolve(id, MessageState::sent, other_workspace),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(fails_with(resolve(MessageId::make(77), MessageState::sent, workspace),
                           MailServiceError::message_not_found));
    ASSERT_TRUE(resolve(id, MessageState::failed, workspace));
    EXPECT_TRUE(
        fails_with(resolve(id, MessageState::sent, workspace), MailServiceError::not_unknown));
    EXPECT_EQ(message(id).state, MessageState::failed);
    ASSERT_TRUE(run(room->folder_searched(search({answer(thread, 100)}))));
    const auto reply = view_of(thread.id).messages.back().id;
    EXPECT_TRUE(
        fails_with(resolve(reply, MessageState::sent, workspace), MailServiceError::not_unknown));
}

TEST_F(MailRoomTest, search_of_an_unknown_mailbox_is_refused) {
    auto found = search({});
    found.integration = other_integration;
    EXPECT_TRUE(fails_with(run(room->folder_searched(found)), MailError::use_ended));
}

TEST_F(MailRoomTest, held_mail_shows_its_sender_and_can_be_refused) {
    const auto thread = started();
    courier.finds = {search({answer(thread, 100, {"Eve", "eve@evil.example"})})};
    ASSERT_TRUE(sync());
    const auto held = run(room->held(host(workspace), {})).value();
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].thread, thread.id);
    EXPECT_EQ(held[0].integration, integration);
    EXPECT_EQ(held[0].reason, "not_a_participant");
    EXPECT_EQ(held[0].sender.name, "Eve");
    EXPECT_EQ(held[0].sender.address, "eve@evil.example");
    EXPECT_TRUE(run(room->held(host(other_workspace), {}))->empty());
    EXPECT_TRUE(fails_with(run(room->refuse_held(k_by, host(other_workspace), held[0].id)),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(run(room->refuse_held(k_by, host(workspace), held[0].id)));
    EXPECT_TRUE(run(room->held(host(workspace), {}))->empty());
    EXPECT_TRUE(fails_with(run(room->refuse_held(k_by, host(workspace), held[0].id)),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(fails_with(run(room->accept_held(k_by, host(workspace), held[0].id, k_handle)),
                           MailServiceError::message_not_found));
    EXPECT_TRUE(courier.fetched.empty());
    EXPECT_EQ(view_of(thread.id).messages.size(), 1U);
}

TEST_F(MailRoomTest, accepted_mail_is_in_the_thread) {
    const auto thread = started();
    courier.finds = {search({answer(thread, 100, {"Eve", "eve@evil.example"})})};
    ++clock.now;
    ASSERT_TRUE(sync());
    const auto held = run(room->held(host(workspace), {})).value();
    const auto accepted = run(room->accept_held(k_by, host(workspace), held.at(0).id, k_handle));
    ASSERT_TRUE(accepted.has_value());
    EXPECT_EQ(view_of(thread.id).messages.at(1).id, accepted->id);
    EXPECT_TRUE(run(room->held(host(workspace), {}))->empty());
}

TEST_F(MailRoomTest, mail_is_accepted_while_the_watch_of_an_unlocked_mailbox_begins) {
    const auto thread = started();
    courier.finds = {search({answer(thread, 100, {"Eve", "eve@evil.example"})})};
    ++clock.now;
    ASSERT_TRUE(sync());
    const auto held = run(room->held(host(workspace), {})).value();
    close(Error(keys::KeyError::integration_sealed));
    restart();
    EXPECT_TRUE(fails_with(run(room->accept_held(k_by, host(workspace), held.at(0).id, k_handle)),
                           keys::KeyError::integration_sealed));
    courier.watches_hang = true;
    mailboxes.closed.clear();
    std::optional<Result<MessageView>> accepted;
    loop.start(room->accept_held(k_by, host(workspace), held.at(0).id, k_handle), accepted);
    settle();
    EXPECT_FALSE(accepted);
    EXPECT_EQ(room->watch_count(), 0U);
    courier.watches_hang = false;
    courier.release();
    settle();
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->has_value()) << accepted->error().code();
}

TEST_F(MailRoomTest, ledger_is_read_newest_first_in_pages) {
    ASSERT_TRUE(sync());
    courier.finds = {search({})};
    ASSERT_TRUE(sync());
    const auto newest = run(room->read_ledger(workspace, integration, 0, 1)).value();
    ASSERT_EQ(newest.size(), 1U);
    EXPECT_EQ(newest[0].command, "search");
    const auto older = run(room->read_ledger(workspace, integration, newest[0].number, 10));
    ASSERT_EQ(older->size(), 1U);
    EXPECT_EQ(older->at(0).command, "sign_in");
    EXPECT_TRUE(run(room->read_ledger(other_workspace, integration, 0, 10))->empty());
}

TEST_F(MailRoomTest, unlocked_mailbox_sends_what_waited_and_is_watched) {
    close(Error(keys::KeyError::integration_sealed));
    restart();
    EXPECT_EQ(room->watch_count(), 0U);
    const auto thread = add_thread({k_lea});
    const auto id = queue_mail(thread);
    room->mailbox_changed(workspace, integration);
    settle();
    EXPECT_EQ(message(id).state, MessageState::queued);
    mailboxes.closed.clear();
    room->mailbox_changed(workspace, integration);
    settle();
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(room->watch_count(), 1U);
}

TEST_F(MailRoomTest, mails_name_a_reply_address_of_their_thread_once_a_probe_has_arrived) {
    const auto before = started();
    EXPECT_EQ(raw(before.messages.at(0).id)->find("Reply-To:"), std::string::npos);
    ASSERT_TRUE(run(room->probe_reply_address(workspace, integration)));
    const auto probed_at = courier.submitted.back().recipients.at(0);
    auto own = answer(before, 110, k_maya);
    own.our_ids.clear();
    own.recipients = {{"", probed_at}};
    courier.finds = {search({own})};
    ASSERT_TRUE(sync());
    const auto known = run(room->search_state(workspace, integration));
    ASSERT_TRUE(known);
    EXPECT_EQ(known->reply_address, ReplyAddressState::arrives);

    const auto thread = started();
    const auto text = raw(thread.messages.at(0).id).value();
    const std::string start_of = "\r\nReply-To: \"Maya\" <maya+box7.";
    const auto at = text.find(start_of);
    ASSERT_NE(at, std::string::npos);
    const auto from = text.find('<', at) + 1;
    const auto address = text.substr(from, text.find('>', from) - from);
    EXPECT_NE(address, probed_at);
    auto found = answer(thread, 120);
    found.our_ids.clear();
    found.recipients = {{"Maya", address}};
    ++clock.now;  // the later one
    courier.finds = {search({found})};
    const auto synced = sync();
    ASSERT_TRUE(synced);
    EXPECT_EQ(synced->kept, 1U);
    ASSERT_EQ(view_of(thread.id).messages.size(), 2U);
    EXPECT_EQ(view_of(thread.id).messages[1].body.text, "answer 120");
    EXPECT_EQ(view_of(before.id).messages.size(), 1U);

    EXPECT_TRUE(fails_with(start(mail_to({{"", address}})), MailServiceError::invalid_recipient));
    restart();
    ASSERT_FALSE(courier.watched.empty());
    EXPECT_TRUE(courier.watched.back().by_address);
}

TEST_F(MailRoomTest, watch_looks_for_no_reply_addresses_before_a_probe) {
    ASSERT_FALSE(courier.watched.empty());
    EXPECT_FALSE(courier.watched.back().by_address);
}

}  // namespace
}  // namespace postern::mail::test
