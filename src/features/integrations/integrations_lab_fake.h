#pragma once

#include "features/integrations/integration_store.h"
#include "features/integrations/integrations.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/store_probe_fake.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::integrations::test {

using store::fails_with;

inline constexpr std::string_view k_secret = "maple otter violin";
inline const audit::By k_by{audit::By::Kind::person, "per_olga", {}};
inline constexpr std::string_view k_new_secret = "zebra under lamplight";
inline constexpr keys::Verbs k_send = static_cast<keys::Verbs>(keys::Verb::send);
inline constexpr keys::Verbs k_read = static_cast<keys::Verbs>(keys::Verb::read_replies);

class CountingListener final : public StateListener {
public:
    void integration_changed(WorkspaceId, IntegrationId integration) override {
        changed.push_back(integration);
    }
    std::vector<IntegrationId> changed;
};

inline ConnectAsk ask_for(std::string_view address = "olga@brand.example") {
    ConnectAsk ask;
    ask.name = "Brand mail";
    ask.level = "sealed";
    ask.region = "eu";
    ask.destination.address = address;
    ask.destination.username = address;
    ask.destination.imap = {"imap.brand.example", 993, mail::TlsUse::implicit};
    ask.destination.smtp = {"smtp.brand.example", 465, mail::TlsUse::implicit};
    ask.credential = typed("the mailbox's own password");
    ask.shared_secret = typed(k_secret);
    return ask;
}

/// In memory where the system has such a place: what a crash of the machine leaves is not what
/// these tests are about, and they commit thousands of times.
class QuickFolder {
public:
    QuickFolder() {
        std::string name = (base() / "postern-integrations-XXXXXX");
        POSTERN_CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~QuickFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    QuickFolder(const QuickFolder&) = delete;
    QuickFolder& operator=(const QuickFolder&) = delete;

    [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }

private:
    static std::filesystem::path base() {
        std::filesystem::path memory = "/dev/shm";
        if (::access(memory.c_str(), W_OK | X_OK) == 0) return memory;
        return std::filesystem::temp_directory_path();
    }
    std::filesystem::path path_;
};

/// Integrations over a real SQLite store, with keeper, courier and the clock played.
class IntegrationsLab : public ::testing::Test {
protected:
    IntegrationsLab() { restart(); }

    /// As after a restart of front: only what is stored is left, and keeper is well.
    void restart();
    static std::unique_ptr<store::Database> open_store(const QuickFolder& folder,
                                                       const Clock& clock);

    template <typename T>
    Result<T> run(async::Task<T> task) {
        return loop.run(std::move(task));
    }
    Result<Connected> connect(ConnectAsk ask);
    Result<Connected> reconnect(IntegrationId id, ConnectAsk ask);
    /// Connected under k_secret; its lease is over unless it is to be open.
    IntegrationId connected(bool open = false);
    Result<View> get(IntegrationId id);
    State state_of(IntegrationId id) { return get(id).value().state; }
    Result<keys::Lease> unlock(IntegrationId id, std::string_view secret = k_secret);
    Result<Grant> grant(IntegrationId id,
                        std::int64_t expires_in_s = 30 * 86'400,
                        keys::Verbs verbs = k_send);
    Result<Integrations::Resealed> reseal(IntegrationId id,
                                          std::string_view secret = k_secret,
                                          std::string_view new_secret = k_new_secret,
                                          bool generate = false);
    Result<Receipt> cut_off(IntegrationId id, bool erase = false);
    void recover();

    /// Runs until a coroutine that was begun waits at the held call.
    void run_until_held(const PlayedProcess& process);
    template <typename T>
    Result<T> outcome_of(std::optional<Result<T>>& outcome) {
        loop.run_until([&] { return outcome.has_value(); });
        return std::move(*outcome);
    }

    template <typename F>
    auto rows(F body) {
        auto done = database->write_now(std::move(body));
        EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().detail());
        return std::move(done.value());
    }
    std::vector<Operation> operations();
    Result<Integration> stored(IntegrationId id);
    PlayedKeeper::Held& held(IntegrationId id) { return keeper.of(workspace, id); }

    std::vector<std::uint64_t> seal_epochs(IntegrationId id);
    std::vector<std::uint64_t> grant_epochs(IntegrationId id);
    std::vector<ReceiptId> receipts_of(IntegrationId id);
    std::vector<LedgerEntry> ledger() { return ledger_of(*database); }
    /// Runs one statement of the test's own: a trigger, a change that a crash could have left.
    void change_store(store::SqlText sql);
    std::vector<events::StoredEvent> told(std::string_view kind);

    /// Old or new, never half; after recover(), when nothing is under way.
    void expect_whole(IntegrationId id);
    void expect_rows_whole(IntegrationId id);

    QuickFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    PlayedKeeper keeper{loop, clock};
    PlayedCourier courier{loop};
    std::unique_ptr<store::Database> database = open_store(folder, clock);
    store::Reserve reserve{{folder.file("reserve"), 4096}};
    events::EventLog events{loop.io.get_executor(), *database, clock};
    audit::AuditLog audit{{*database, keeper.link, clock}};
    CountingListener listener;
    std::unique_ptr<Integrations> integrations;
    WorkspaceId workspace = WorkspaceId::make(1);
    WorkspaceId other_workspace = WorkspaceId::make(2);
};

}  // namespace postern::integrations::test
