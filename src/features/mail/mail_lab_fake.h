#pragma once

#include "features/mail/mail_store.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/played_processes_fake.h"
#include "foundation/base/manual_clock_test.h"
#include "platform/events/event_log.h"
#include "platform/net/test_loop.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {

inline constexpr std::string_view k_label = "@box7.ptn.brand.example";
inline const audit::By k_by{audit::By::Kind::person, "per_olga", {}};
inline const MailAddress k_maya{"Maya", "maya@brand.example"};
inline const MailAddress k_lea{"Lea", "lea@creators.example"};
inline const MailAddress k_bo{"Bo", "bo@creators.example"};

using postern::test::ManualClock;

/// A token of the host's looks.
[[nodiscard]] inline Viewer host(WorkspaceId workspace) {
    return {workspace, std::nullopt};
}

enum class LabError { access_removed, ceiling_reached };
constexpr ErrorInfo describe(LabError error) {
    switch (error) {
        case LabError::access_removed: return {"access_removed", "Refused."};
        case LabError::ceiling_reached: return {"ceiling_reached", "Too many."};
    }
    return {"access_removed", "Refused."};
}

class PlayedMailboxes final : public Mailboxes {
public:
    explicit PlayedMailboxes(Steps& steps) : steps_(steps) {}

    std::map<IntegrationId, Mailbox> all;
    std::map<IntegrationId, Error> closed;  ///< answer of ticket() and check_open()
    std::function<void()> on_ticket;
    std::vector<std::pair<IntegrationId, MailVerb>> tickets;
    std::vector<std::pair<IntegrationId, MailError>> reports;
    std::vector<IntegrationId> mended;

    async::Task<Mailbox> find(WorkspaceId workspace, IntegrationId id) override;
    async::Task<std::vector<MailboxRef>> active() override;
    async::Task<> check_open(WorkspaceId workspace, IntegrationId id, MailVerb verb) override;
    async::Task<Bytes> ticket(WorkspaceId workspace, IntegrationId id, MailVerb verb) override;
    [[nodiscard]] bool waits_for_person(const Error& error) const override;
    [[nodiscard]] bool is_cut_off(const Error& error) const override;
    async::Task<> report(WorkspaceId workspace,
                         IntegrationId id,
                         std::optional<MailError> refusal) override;

private:
    Steps& steps_;
};

class PlayedCreators final : public CreatorDirectory {
public:
    PlayedCreators(PlayedKeeper& keeper, Steps& steps) : keeper_(keeper), steps_(steps) {}

    std::map<std::pair<WorkspaceId, std::string>, CreatorId> all;
    async::Task<CreatorId> ensure(WorkspaceId workspace,
                                  std::string name,
                                  std::string address) override;

private:
    PlayedKeeper& keeper_;
    Steps& steps_;
};

/// Reads "SUBJECT\nTEXT" and finds one attachment, the mail itself.
class PlayedReaders final : public Readers {
public:
    explicit PlayedReaders(Steps& steps) : steps_(steps) {}

    std::optional<Error> fails;
    BounceReport bounce;  ///< what every bounce says
    int parsed = 0;
    async::Task<ReadMail> parse(WorkspaceId workspace, os::Fd raw) override;
    async::Task<BounceReport> parse_bounce(WorkspaceId workspace, os::Fd raw) override;
    async::Task<ExtractAttachment::Answer> extract(WorkspaceId workspace,
                                                   os::Fd raw,
                                                   std::uint32_t index) override;

private:
    Steps& steps_;
};

/// One mailbox of one workspace over a real SQLite store, with keeper, courier, readers and the
/// other features played. Without threads all that can happen has happened after settle().
class MailLab : public ::testing::Test {
protected:
    explicit MailLab(std::size_t readers = 0);
    ~MailLab() override;

    [[nodiscard]] Parts parts();
    void open_store();
    /// Ends every job; what is stored stays.
    void stop();
    void settle() { loop.settle(); }
    template <typename F>
    void until(F holds) {
        const auto end = net::test::soon();
        while (!holds() && !end.passed()) {
            loop.io.restart();
            loop.io.run_one_for(std::chrono::milliseconds(10));
        }
        EXPECT_TRUE(holds());
    }
    template <typename T>
    Result<T> run(async::Task<T> task) {
        return loop.run(std::move(task));
    }
    template <store::Body F>
    auto read(F body) {
        auto got = database->read_now(std::move(body));
        EXPECT_TRUE(got.has_value());
        return std::move(got).value();
    }
    template <store::Body F>
    void write(F body) {
        const auto done = database->write_now(std::move(body));
        EXPECT_TRUE(done.has_value()) << done.error().code();
    }

    struct Thread {
        WorkspaceId workspace;
        IntegrationId integration;
        ThreadId id;
        std::array<std::uint8_t, 16> token{};
        std::vector<MailAddress> people;
    };
    void add_mailbox(IntegrationId id, WorkspaceId owner);
    std::vector<CreatorId> ensure(WorkspaceId owner, const std::vector<MailAddress>& people);
    Thread add_thread(std::vector<MailAddress> people,
                      std::optional<IntegrationId> owner = std::nullopt);
    /// A mail of ours that waits to be sent.
    MessageId queue_mail(const Thread& thread, const std::string& text = "Hi");
    std::string our_id(const Thread& thread, std::uint32_t number = 1);

    std::vector<rows::OutboxRow> outbox();
    std::optional<UnixMs> next_due();
    rows::MessageRow message(MessageId id);
    std::vector<rows::MessageRow> messages(const Thread& thread);
    std::vector<rows::CursorRow> cursors(std::optional<IntegrationId> owner = std::nullopt);
    /// "COMMAND REASON", oldest first.
    std::vector<std::string> ledger(std::optional<IntegrationId> owner = std::nullopt);
    /// "KIND" or "KIND STATE", oldest first.
    std::vector<std::string> told();

    store::TestFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    Steps steps;
    PlayedKeeper keeper{loop, steps};
    PlayedCourier courier{loop, steps};
    PlayedMailboxes mailboxes{steps};
    PlayedCreators creators{keeper, steps};
    PlayedReaders readers{steps};
    std::size_t store_readers;
    std::unique_ptr<store::Database> database;
    std::unique_ptr<events::EventLog> events;
    std::unique_ptr<audit::AuditLog> audit;
    std::unique_ptr<async::TaskGroup> jobs;
    WorkspaceId workspace = WorkspaceId::make(1);
    WorkspaceId other_workspace = WorkspaceId::make(2);
    // Their last byte is 0: the shortest pauses.
    IntegrationId integration{std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 1}};
    IntegrationId other_integration{std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 2}};
};

}  // namespace postern::mail::test
