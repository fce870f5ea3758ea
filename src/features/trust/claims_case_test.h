#pragma once

#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/leaky_keeper_fake.h"
#include "features/trust/ports.h"
#include "features/trust/registry.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/manual_clock_test.h"
#include "foundation/base/result.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/anchors.h"
#include "platform/audit/logged_anchors.h"
#include "platform/audit/played_place_test.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/net/test_loop.h"
#include "platform/net/tls_trial.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust::test {

using store::Clear;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;
using store::Value;

template <typename IdType>
IdType id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = number;
    return IdType(bytes);
}

using postern::test::ManualClock;

class PlayedSeals final : public SealDirectory {
public:
    async::Task<std::vector<SealedIntegration>> active() override { co_return integrations; }
    std::vector<SealedIntegration> integrations;
};

class PlayedHistory final : public History {
public:
    async::Task<OpenedThread> open(WorkspaceId, ThreadId) override { co_return opened; }
    OpenedThread opened{2, 0, 0, {"Spring launch with Léa", "lea@creators.example"}};
};

/// What /proc tells of a server whose every child has a filter of its own.
class PlayedFences final : public Fences {
public:
    static std::string status(std::string_view uids, int mode, int filters, int privileges) {
        return "Name:\tpostern\nUid:\t" + std::string(uids) + "\nGid:\t0\t0\t0\t0\nNoNewPrivs:\t" +
               std::to_string(privileges) + "\nSeccomp:\t" + std::to_string(mode) +
               "\nSeccomp_filters:\t" + std::to_string(filters) +
               "\nSpeculation_Store_Bypass:\tvulnerable\n";
    }
    static std::string root(int mode, int filters, int privileges) {
        return status("0\t0\t0\t0", mode, filters, privileges);
    }
    static std::string keeper(int mode, int filters, int privileges) {
        return status("65201\t65201\t65201\t65201", mode, filters, privileges);
    }
    static std::string fenced(std::string_view uid, int filters = 1) {
        std::string four(uid);
        for (int i = 0; i < 3; ++i)
            four.append("\t").append(uid);
        return status(four, 2, filters, 1);
    }
    [[nodiscard]] const std::string& missing() const override { return lacking; }
    async::Task<Processes> processes(std::function<bool(const Processes&)> settled) override {
        waited = !settled(seen);
        co_return seen;
    }
    [[nodiscard]] Result<bool> opens(Place place) const override {
        return place == Place::outside ? reaches : opens_own_folder;
    }

    std::string lacking;
    Processes seen{root(0, 0, 0),
                   {{"front", fenced("65200")},
                    {"keeper", fenced("65201")},
                    {"courier", fenced("65202")},
                    {"reader", fenced("65203")},
                    {"reader", fenced("65203")}},
                   true};
    bool reaches = false;
    bool opens_own_folder = true;
    bool waited = false;
};

/// Stores tokens as it should, or in another way.
class PlayedBearers final : public Bearers {
public:
    enum class As { hash, random_bytes, text };
    /// Lifetime: the database outlives it.
    explicit PlayedBearers(std::unique_ptr<store::Database>& database) : database_(database) {}
    async::Task<Token> create_token() override;
    async::Task<> delete_token(WorkspaceId workspace, TokenId id) override;
    [[nodiscard]] std::vector<Made> make_others() override;

    As tokens = As::hash;
    As others = As::hash;
    bool writes_down = false;  ///< the text, beside what is stored

private:
    std::unique_ptr<store::Database>& database_;
};

/// A gate of a few routes, that keeps to the rules or does not.
class PlayedGate final : public Gate {
public:
    [[nodiscard]] std::vector<std::string> roles() const override;
    async::Task<std::vector<Door>> try_doors(Asker asker) override;
    async::Task<std::vector<Ended>> end_sessions(bool really) override;

    struct Faults {
        std::string opens_to_half;       ///< a route that asks for no second factor
        std::string opens_to_enrolling;  ///< a route that asks for none to be set up
        std::string opens_to_role;       ///< a role that the route below opens to
        std::string route;
        bool is_in_the_table = false;  ///< and the table of roles says so
        bool is_shut = false;          ///< to everybody
        std::string goes_on;           ///< a session that is not ended
        std::string stream_goes_on;
        std::string never_good;
        std::string always_over;  ///< also where nothing was done to it
    };
    Faults faults;
};

class PlayedPrivacy final : public Privacy {
public:
    async::Task<std::vector<Look>> look(bool is_private) override;

    struct Faults {
        std::string seen_by_colleague;  ///< where, although it is private
        std::string seen_by_token;
        std::string missed;         ///< where its own person does not find it
        std::string always_hidden;  ///< where others do not find what is everybody's
    };
    Faults faults;
};

/// The real one, with a fault in our connections, or one that plants less than it is asked to.
class FaultyTrial final : public net::TlsTrial {
public:
    struct Faults {
        std::optional<net::TlsOffer> overlooked;  ///< by our clients
        bool listener_takes_old = false;
        std::optional<net::TlsOffer> unplanted;
        bool listener_unplanted = false;
    };
    async::Task<bool> accepts(net::TriedClient client, net::TlsOffer offer) const override {
        if (!client.overlooks) client.overlooks = faults.overlooked;
        if (client.overlooks == faults.unplanted) client.overlooks.reset();
        return TlsTrial::accepts(client, offer);
    }
    async::Task<bool> listener_accepts(net::TriedListener listener, bool old) const override {
        listener.takes_old_clients |= faults.listener_takes_old;
        if (faults.listener_unplanted) listener.takes_old_clients = false;
        return TlsTrial::listener_accepts(listener, old);
    }

    Faults faults;
};

/// One thread with a mail and its reply, an account, a cut-off and a deleted integration: nothing
/// that a claim could find fault with.
class ClaimsCase : public testing::Test {
protected:
    /// One for all cases: to read whom the system trusts takes longer than the rest of a proof.
    static const std::shared_ptr<FaultyTrial>& trial() {
        static const auto one = std::make_shared<FaultyTrial>();
        return one;
    }
    ClaimsCase() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
        options.kind = store::StoreKind::index;
        options.file = folder.file("index.db");
        index = store::open_or_fail(options);
        audit_log = std::make_unique<audit::AuditLog>(
            audit::AuditLog::Parts{*database, keeper.link, clock});
        anchors = std::make_unique<audit::Anchors>(
            audit::Anchors::Parts{*database, keeper.link, clock, *audit_log, second_place});
        logged_anchors = std::make_unique<audit::LoggedAnchors>(
            audit::LoggedAnchors::Parts{*database, keeper.link, clock, *audit_log, log_server});
        add_integration(1, "active");
        add_integration(2, "cut_off");
        add_integration(3, "deleted");
        add_thread(1, 1);
        add_message(1, 1, 1, "out");
        add_message(2, 1, 0, "in");
        add_ledger(1, "search", "new_mail");
        add_ledger(1, "fetch_body", "verified_reply");
        const crypto::Argon2Cost cost{.passes = 1, .memory_kib = 19 * 1024};
        add_workspace(1, "Orchid Studios");
        add_person(1, crypto::hash_password(Secret::copy_of(as_bytes("pelican")), cost).value());
        seals.integrations.push_back(
            {id<WorkspaceId>(1), id<IntegrationId>(1), 1, LeakyKeeper::seal_of(1), 0});
    }

    std::vector<Claim> claims_about(std::vector<std::string> files) {
        return all_claims({*database, *index, keeper.link, seals, history, fences, bearers, gate,
                           privacy, *audit_log, *anchors, *logged_anchors, std::move(files),
                           [] { return trial(); }});
    }
    /// Of the engine that this run of the tests is on.
    std::vector<Claim> claims() {
        if (store::tests_on_postgres()) return claims_about({});
        return claims_about({folder.file("store.db"), folder.file("store.db-wal"),
                             folder.file("index.db"), folder.file("index.db-wal")});
    }
    Proof prove(std::string_view claim_id) { return prove(claim_id, claims()); }
    Proof prove(std::string_view claim_id, std::vector<Claim> of) {
        Registry registry(std::move(of), clock, std::chrono::milliseconds(1));
        auto proof = loop.run(registry.prove(std::string(claim_id)));
        EXPECT_TRUE(proof);
        return proof ? std::move(*proof) : Proof{};
    }
    /// Every claim but that one is proven, and that one fails.
    void expect_failing(std::string_view failing) {
        for (const auto& claim : claims()) {
            const auto proof = prove(claim.id);
            const auto wanted = claim.id == failing ? Verdict::failing : Verdict::proven;
            EXPECT_EQ(proof.verdict, wanted)
                << claim.id << " " << proof.reason
                << (proof.finding.faults.empty() ? "" : proof.finding.faults.front());
        }
    }

    void run_sql(SqlText sql, std::initializer_list<Value> values);
    void add_integration(std::uint8_t number, std::string_view state);
    void add_thread(std::uint8_t number, std::uint8_t integration);
    void add_message(std::uint8_t number,
                     std::uint8_t thread,
                     std::int64_t own_number,
                     std::string_view direction);
    void add_ledger(std::int64_t number_base, std::string_view command, std::string_view reason);
    void add_person(std::uint8_t number, const std::string& password);
    /// In the chain of the first workspace.
    void add_audit_record();
    void add_workspace(std::uint8_t number, std::string_view name);
    /// What that table is told to take goes nowhere.
    struct Blinded {
        SqlText on_sqlite;
        SqlText on_postgresql;
        SqlText no_more_on_postgresql;
    };
    void blind(const Blinded& what);
    void see_again(const Blinded& what);
    static SealedBytes noise() { return SealedBytes(to_bytes("noise")); }

    store::TestFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    LeakyKeeper keeper{loop};
    std::unique_ptr<store::Database> database;
    std::unique_ptr<store::Database> index;
    PlayedSeals seals;
    PlayedHistory history;
    PlayedFences fences;
    PlayedBearers bearers{database};
    PlayedGate gate;
    PlayedPrivacy privacy;
    std::unique_ptr<audit::AuditLog> audit_log;
    audit::test::PlayedPlace second_place{false};
    std::unique_ptr<audit::Anchors> anchors;
    audit::test::PlayedLogServer log_server{false};
    std::unique_ptr<audit::LoggedAnchors> logged_anchors;
    FaultyTrial::Faults& wire = trial()->faults = {};

private:
    std::int64_t ledger_lines_ = 0;
};

}  // namespace postern::trust::test
