#include "app/front/reader_pool.h"

#include "app/control/control_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/net/test_loop.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/os/process.h"

#include <gtest/gtest.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::app::front {
namespace {

using mail::MailError;

/// Readers that fall over a mail with the word "deadly", as their processes would.
class ReaderPoolTest : public ::testing::Test {
protected:
    ~ReaderPoolTest() override {
        for (const auto& reader : readers)
            reader->peer->close();
        loop.settle();
    }

    struct Reader {
        ipc::Router router;
        std::unique_ptr<ipc::Peer> peer;
        std::vector<std::string> read;
    };

    async::Task<control::StartReader::Answer> start(Deadline) {
        if (refusals > 0) {
            --refusals;
            co_return fail(control::ControlError::too_many_readers);
        }
        auto ends = os::socket_pair();
        if (!ends) co_return fail(std::move(ends.error()));
        auto& reader = *readers.emplace_back(std::make_unique<Reader>());
        reader.router.on<mail::ParseMail>(
            [this, &reader](mail::ParseMail ask) { return parse(&reader, std::move(ask)); });
        reader.peer = std::make_unique<ipc::Peer>(loop.io.get_executor(), std::move(ends->first),
                                                  reader.router.handler());
        loop.tasks.spawn("reader", reader.peer->run());
        control::StartReader::Answer answer{std::move(ends->second), readers.size()};
        co_return std::move(answer);
    }
    async::Task<mail::ReadMail> parse(Reader* reader, mail::ParseMail ask) {
        const auto mapped = os::Mapping::of_sealed(ask.raw.get(), 1000);
        const std::string text(as_text(mapped->bytes()));
        reader->read.push_back(text);
        if (holding) {
            const auto gate = std::make_shared<async::Signal>(loop.io.get_executor());
            gates.push_back(gate);
            (void)co_await gate->wait(net::test::soon());
        }
        if (text.find("deadly") != std::string::npos) reader->peer->close();
        if (reader->peer->closed()) co_return fail(MailError::mail_unreadable);
        mail::ReadMail answer;
        answer.text = text;
        co_return answer;
    }
    async::Task<mail::ReadMail> read(std::string_view text, std::uint8_t workspace = 1) {
        std::array<std::uint8_t, 16> bytes{};
        bytes[0] = workspace;
        return pool.parse(WorkspaceId(bytes), std::move(*os::make_memory_file(as_bytes(text))));
    }
    using Outcome = std::optional<Result<mail::ReadMail>>;
    static std::string told(const Outcome& outcome) {
        if (!outcome) return "nothing";
        return *outcome ? (*outcome)->text : std::string(outcome->error().code());
    }

    net::test::Loop loop;
    /// Lets the readers go on with what they hold, in the order in which it came.
    void release() {
        holding = false;
        for (const auto& gate : gates)
            gate->set();
    }

    bool holding = false;  ///< readers wait before they read
    std::vector<std::shared_ptr<async::Signal>> gates;
    int refusals = 0;
    std::vector<std::unique_ptr<Reader>> readers;
    std::vector<std::uint64_t> over;  ///< numbers of readers
    ReaderPool pool{loop.tasks, [this](Deadline deadline) { return start(deadline); },
                    [this](std::uint64_t number) { over.push_back(number); }};
};

TEST_F(ReaderPoolTest, batch_shares_a_reader_and_the_next_one_has_its_own) {
    holding = true;
    Outcome first;
    Outcome second;
    loop.start(read("a"), first);
    loop.run_until([&] { return gates.size() == 1; });
    loop.start(read("b"), second);
    loop.run_until([&] { return gates.size() == 2; });
    release();
    loop.run_until([&] { return first && second; });
    EXPECT_EQ(readers.size(), 1U);
    EXPECT_EQ(loop.run(read("c"))->text, "c");
    EXPECT_EQ(readers.size(), 2U);
    EXPECT_EQ(over, (std::vector<std::uint64_t>{1, 2})) << "whoever started them is told";
}

TEST_F(ReaderPoolTest, no_reader_sees_two_workspaces) {
    holding = true;
    Outcome first;
    Outcome second;
    loop.start(read("a", 1), first);
    loop.start(read("b", 2), second);
    loop.run_until([&] { return gates.size() == 2; });
    release();
    loop.run_until([&] { return first && second; });
    ASSERT_EQ(readers.size(), 2U);
    EXPECT_EQ(readers[0]->read, std::vector<std::string>{"a"});
    EXPECT_EQ(readers[1]->read, std::vector<std::string>{"b"});
}

TEST_F(ReaderPoolTest, mail_that_its_reader_falls_over_takes_no_other_with_it) {
    holding = true;
    std::array<Outcome, 3> outcomes;
    const std::array<std::string_view, 3> mails = {"deadly", "good one", "good two"};
    for (std::size_t i = 0; i < mails.size(); ++i) {
        loop.start(read(mails[i]), outcomes[i]);
        loop.run_until([&] { return gates.size() == i + 1; });
    }
    release();
    loop.run_until([&] { return outcomes[0] && outcomes[1] && outcomes[2]; });
    EXPECT_EQ(told(outcomes[0]), "mail_unreadable");
    EXPECT_EQ(told(outcomes[1]), "good one");
    EXPECT_EQ(told(outcomes[2]), "good two");
    ASSERT_EQ(readers.size(), 4U) << "each of them once more";
    for (std::size_t i = 1; i < readers.size(); ++i)
        EXPECT_EQ(readers[i]->read.size(), 1U) << "alone";
}

TEST_F(ReaderPoolTest, mail_that_was_alone_is_not_tried_again) {
    EXPECT_EQ(loop.run(read("deadly")).error().code(), "mail_unreadable");
    EXPECT_EQ(readers.size(), 1U);
    EXPECT_EQ(over, std::vector<std::uint64_t>{1});
}

TEST_F(ReaderPoolTest, waits_until_another_reader_has_ended) {
    holding = true;
    Outcome first;
    loop.start(read("a", 1), first);
    loop.run_until([&] { return gates.size() == 1; });
    refusals = 1;
    Outcome second;
    loop.start(read("b", 2), second);
    loop.run_until([&] { return refusals == 0; });
    loop.settle();
    EXPECT_FALSE(second);
    release();
    loop.run_until([&] { return first && second; });
    EXPECT_EQ(told(second), "b");
}

TEST_F(ReaderPoolTest, everybody_who_waits_has_a_turn) {
    holding = true;
    Outcome first;
    loop.start(read("a", 1), first);
    loop.run_until([&] { return gates.size() == 1; });
    refusals = 3;
    std::array<Outcome, 3> outcomes;
    const std::array<std::string_view, 3> mails = {"b", "c", "d"};
    for (std::size_t i = 0; i < mails.size(); ++i)
        loop.start(read(mails[i], static_cast<std::uint8_t>(i + 2)), outcomes[i]);
    loop.run_until([&] { return refusals == 0; });
    loop.settle();
    for (const auto& outcome : outcomes)
        EXPECT_FALSE(outcome);
    release();
    loop.run_until([&] { return outcomes[0] && outcomes[1] && outcomes[2]; });
    for (std::size_t i = 0; i < mails.size(); ++i)
        EXPECT_EQ(told(outcomes[i]), mails[i]);
}

}  // namespace
}  // namespace postern::app::front
