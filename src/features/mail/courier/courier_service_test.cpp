#include "features/mail/courier/courier_service.h"

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/credential_source.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/ipc/wire.h"

#include <optional>
#include <string>
#include <utility>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

class CourierServiceTest : public CourierTest {
protected:
    async::Job start_watching() {
        auto beginning = begin();
        EXPECT_TRUE((co_await std::move(beginning)).has_value());
        co_await until([this] { return idles(); });
    }

    async::Job end_all() {
        co_await start_watching();
        EXPECT_EQ(service->end_uses({integration, true, {}}), 1U);
        EXPECT_TRUE(servers.at(0)->closed_by_client) << "within the call";
        EXPECT_EQ(service->end_uses({integration, true, {}}), 0U);
        mailbox->deliver("INBOX", reply_header("late"));
        co_await until([this] { return !front.ended.empty(); });
        EXPECT_EQ(front.ended.size(), 1U);
        EXPECT_EQ(front.ended.at(0).reason, MailError::use_ended);
        EXPECT_TRUE(front.searched.empty());
        auto fetching = service->fetch(fetch_request(1));
        EXPECT_FALSE((co_await std::move(fetching)).has_value());
    }
    async::Job end_of_another() {
        co_await start_watching();
        EXPECT_EQ(service->end_uses({IntegrationId::make(9), true, {}}), 0U);
        EXPECT_EQ(service->end_uses({integration, false, GrantId::make(1)}), 0U);
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1; });
    }
    async::Job end_while_front_works() {
        front.on_searched = [this](const FolderSearched&) { return end_and_fetch(); };
        co_await start_watching();
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return !front.ended.empty(); });
        EXPECT_EQ(front.ended.at(0).reason, MailError::use_ended);
        EXPECT_TRUE(mailbox->bodies_fetched.empty());
    }
    async::Task<> end_and_fetch() {
        service->end_uses({integration, true, {}});
        auto fetching = service->fetch(fetch_request(1));
        EXPECT_FALSE((co_await std::move(fetching)).has_value());
        co_return Result<>{};
    }
    async::Job end_within_fetch() {
        co_await start_watching();
        const auto uid = mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return idles() && front.candidates().size() == 1; });
        mailbox->before = [this](const std::string& command) {
            if (command.find("BODY.PEEK[]") != std::string::npos) {
                service->end_uses({integration, true, {}});
            }
        };
        auto fetching = service->fetch(fetch_request(uid));
        const auto fetched = co_await std::move(fetching);
        EXPECT_TRUE(!fetched && fetched.error().is(MailError::use_ended));
    }
    async::Job deadline_passes() {
        service->start();
        co_await start_watching();
        clock.now = credentials.next.until_ms;
        co_await until([this] { return !front.ended.empty(); });
        EXPECT_EQ(front.ended.at(0).reason, MailError::use_ended);
    }
    async::Job ended_while_redeeming() {
        credentials.before_answer = [this] { service->end_uses({integration, false, {}}); };
        auto beginning = begin();
        const auto begun = co_await std::move(beginning);
        EXPECT_TRUE(!begun && begun.error().is(MailError::use_ended));
        EXPECT_TRUE(connector.connected.empty());
    }
    async::Job second_watch() {
        co_await start_watching();
        auto again = begin();
        EXPECT_TRUE((co_await std::move(again)).has_value());
        EXPECT_TRUE(servers.at(0)->closed_by_client);
        co_await until([this] { return idles(); });
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_TRUE(front.ended.empty());
        EXPECT_EQ(mailbox->connections, 2);
    }
    async::Job stopped() {
        co_await start_watching();
        auto stopping = service->stop_watch(StopWatch{integration});
        EXPECT_TRUE((co_await std::move(stopping)).has_value());
        EXPECT_TRUE(servers.at(0)->closed_by_client);
        auto again = service->stop_watch(StopWatch{integration});
        EXPECT_TRUE((co_await std::move(again)).has_value());
        auto searching = service->search_now(SearchNow{integration});
        const auto searched = co_await std::move(searching);
        EXPECT_TRUE(!searched && searched.error().is(MailError::connection_lost));
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job refused(Watch asked, Error expected) {
        auto watching = service->watch(std::move(asked));
        const auto answer = co_await std::move(watching);
        EXPECT_EQ(answer ? "good" : answer.error().code(), expected.code());
        EXPECT_TRUE(connector.connected.empty());
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job each_with_a_ticket_for(UseFor good_for) {
        credentials.only_for = good_for;
        const auto check = [](const char* what, bool asked_right, const auto& answer) {
            const bool refused = !answer && answer.error().is(MailError::ticket_refused);
            EXPECT_NE(refused, asked_right) << what;
        };
        auto verifying = service->verify({Bytes{1}});
        check("verify", good_for == UseFor::verify, co_await std::move(verifying));
        SendMail mail;
        mail.ticket = {1};
        auto sending = service->send(std::move(mail));
        check("send", good_for == UseFor::send, co_await std::move(sending));
        SaveSent copy;
        copy.ticket = {1};
        copy.message_id = "ptn1.a.1.b" + std::string(k_label);
        auto saving = service->save_sent(std::move(copy));
        check("save_sent", good_for == UseFor::send, co_await std::move(saving));
        auto beginning = begin();
        check("watch", good_for == UseFor::read_replies, co_await std::move(beginning));
    }
    async::Job too_many() {
        co_await start_watching();
        auto asked = watch_request();
        asked.integration = credentials.next.integration = IntegrationId::make(7);
        auto watching = service->watch(std::move(asked));
        const auto answer = co_await std::move(watching);
        EXPECT_TRUE(!answer && answer.error().is(ipc::IpcError::busy));
        EXPECT_EQ(mailbox->connections, 1);
    }
    async::Job probe_beside_a_visit() {
        std::optional<Result<ProbeSearch::Answer>> probed;
        submission->before = [&, this](const std::string& step) {
            if (step == "EHLO" && !probing) scenarios.spawn("probe", probe(&probed));
            if (step != "AUTH") return;
            EXPECT_EQ(mailbox->connections, 1) << "while another visit is on";
        };
        auto verifying = service->verify({Bytes{1}});
        EXPECT_TRUE((co_await std::move(verifying)).has_value());
        co_await until([&probed] { return probed.has_value(); });
        EXPECT_TRUE(probed->has_value());
        EXPECT_EQ(mailbox->connections, 2);
    }
    async::Job probe(std::optional<Result<ProbeSearch::Answer>>* into) {
        probing = true;
        ProbeSearch asked;
        asked.ticket = {1};
        asked.search_label = k_label;
        asked.other_label = "@zzzz99.ptn.brand.example";
        asked.root_id = "ptn1.a.1.b" + std::string(k_label);
        auto going = service->probe_search(std::move(asked));
        into->emplace(co_await std::move(going));
    }
    async::Job sign_in_refused() {
        auto beginning = begin();
        const auto begun = co_await std::move(beginning);
        EXPECT_TRUE(!begun && begun.error().is(MailError::sign_in_refused));
        EXPECT_EQ(mailbox->connections, 1);
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job answer_before_first_report() {
        ipc::Router router;
        service->serve(router);
        mailbox->deliver("INBOX", reply_header("1"));
        auto asked = watch_request();
        asked.cursors = {{"INBOX", 1000, 1}};
        ipc::Encoder encoder;
        encoder.put(asked);
        ipc::Request request{Watch::k_method, std::move(encoder.bytes()), {}};
        auto serving = router.serve(std::move(request));
        const auto reply = co_await std::move(serving);
        EXPECT_EQ(reply.status, 0);
        EXPECT_TRUE(front.searched.empty());
        co_await until([this] { return front.candidates().size() == 1; });
    }

    bool probing = false;
};

TEST_F(CourierServiceTest, end_of_all_uses_closes_within_the_call) {
    play(end_all());
}
TEST_F(CourierServiceTest, end_of_another_use_closes_nothing) {
    play(end_of_another());
}
TEST_F(CourierServiceTest, end_while_front_works_gives_no_body) {
    play(end_while_front_works());
}
TEST_F(CourierServiceTest, end_within_a_fetch_is_no_success) {
    play(end_within_fetch());
}
TEST_F(CourierServiceTest, use_is_closed_when_its_deadline_passes) {
    play(deadline_passes());
}
TEST_F(CourierServiceTest, use_that_ends_while_it_is_redeemed_connects_nowhere) {
    play(ended_while_redeeming());
}
TEST_F(CourierServiceTest, second_watch_replaces_the_first_silently) {
    play(second_watch());
}
TEST_F(CourierServiceTest, stopped_watch_ends_silently) {
    play(stopped());
}
TEST_F(CourierServiceTest, ticket_that_is_refused) {
    auto asked = watch_request();
    asked.ticket = {2};
    play(refused(std::move(asked), Error(MailError::ticket_refused)));
}
TEST_F(CourierServiceTest, ticket_of_another_integration) {
    auto asked = watch_request();
    asked.integration = IntegrationId::make(5);
    play(refused(std::move(asked), Error(MailError::ticket_refused)));
}
TEST_F(CourierServiceTest, ticket_is_good_for_its_own_verb_only) {
    play(each_with_a_ticket_for(UseFor::verify));
}
TEST_F(CourierServiceTest, ticket_to_send_does_not_watch) {
    play(each_with_a_ticket_for(UseFor::send));
}
TEST_F(CourierServiceTest, ticket_to_read_does_not_send) {
    play(each_with_a_ticket_for(UseFor::read_replies));
}
TEST_F(CourierServiceTest, search_text_that_is_no_label) {
    auto asked = watch_request();
    asked.search_label = "@gmail.com";
    play(refused(std::move(asked), Error(MailError::protocol_violation)));
    EXPECT_EQ(credentials.redeemed, 0);
}
TEST_F(CourierServiceTest, more_watches_than_allowed) {
    options.watches_max = 1;
    play(too_many());
}
TEST_F(CourierServiceTest, probe_of_the_search_waits_for_its_turn_at_the_mailbox) {
    play(probe_beside_a_visit());
}
TEST_F(CourierServiceTest, refused_sign_in_is_not_tried_again) {
    mailbox->sign_in_answer = "NO [AUTHENTICATIONFAILED] no";
    play(sign_in_refused());
}
TEST_F(CourierServiceTest, front_has_the_answer_before_the_first_report) {
    play(answer_before_first_report());
}

}  // namespace
}  // namespace postern::mail::courier::test
