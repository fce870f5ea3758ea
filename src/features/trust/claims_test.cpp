#include "features/trust/claims.h"

#include "features/trust/claim.h"
#include "features/trust/file_search.h"
#include "features/trust/leaky_keeper_fake.h"
#include "features/trust/ports.h"
#include "features/trust/registry.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/net/test_loop.h"
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
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using store::Clear;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;
using store::Value;

namespace column = store::data_map::store::people;

template <typename IdType>
IdType id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = number;
    return IdType(bytes);
}

class ManualClock final : public Clock {
public:
    [[nodiscard]] UnixMs now_ms() const override { return 1'800'000'000'000; }
};

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
    [[nodiscard]] Result<bool> reaches_outside() const override { return reaches; }

    std::string lacking;
    Processes seen{root(0, 0, 0),
                   {{"front", fenced("65200")},
                    {"keeper", fenced("65201")},
                    {"courier", fenced("65202")},
                    {"reader", fenced("65203")},
                    {"reader", fenced("65203")}},
                   true};
    bool reaches = false;
    bool waited = false;
};

/// One thread with a mail and its reply, an account, a cut-off and a deleted integration: nothing
/// that a claim could find fault with.
class ClaimsTest : public testing::Test {
protected:
    ClaimsTest() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
        options.kind = store::StoreKind::index;
        options.file = folder.file("index.db");
        index = store::open_or_fail(options);
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
            {id<WorkspaceId>(1), id<IntegrationId>(1), 1, test::LeakyKeeper::seal_of(1), 0});
    }

    std::vector<Claim> claims_about(std::vector<std::string> files) {
        return all_claims(
            {*database, *index, keeper.link, seals, history, fences, std::move(files)});
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

    void run_sql(SqlText sql, std::initializer_list<Value> values) {
        const auto done = database->write_now([&](Transaction& tx) -> Result<> {
            auto changed = tx.execute(sql, values);
            if (!changed) return fail(std::move(changed.error()));
            return {};
        });
        ASSERT_TRUE(done) << done.error().detail();
    }
    void add_integration(std::uint8_t number, std::string_view state) {
        run_sql(
            "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, "
            "epoch, settings, search_label, broken_code, created_at_ms) "
            "VALUES ($1, $2, 'imap', 'replies', $3, 1, $4, 'label', NULL, 0)",
            {id<WorkspaceId>(1), id<IntegrationId>(number), Clear::text(state), noise()});
    }
    void add_thread(std::uint8_t number, std::uint8_t integration) {
        run_sql(
            "INSERT INTO threads (workspace_id, thread_id, integration_id, token, next_number, "
            "head, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, 2, $5, 0, 0)",
            {id<WorkspaceId>(1), id<ThreadId>(number), id<IntegrationId>(integration),
             Clear::bytes(id<ThreadId>(number).bytes()), noise()});
    }
    void add_message(std::uint8_t number,
                     std::uint8_t thread,
                     std::int64_t own_number,
                     std::string_view direction) {
        const auto message = id<MessageId>(number);
        run_sql(
            "INSERT INTO messages (workspace_id, message_id, thread_id, number, direction, "
            "state, failure_code, origin_mac, body, created_at_ms) "
            "VALUES ($1, $2, $3, $4, $5, 'sent', NULL, $6, $7, 0)",
            {id<WorkspaceId>(1), message, id<ThreadId>(thread), own_number, Clear::text(direction),
             Clear::bytes(message.bytes()), noise()});
        run_sql(
            "INSERT INTO message_wraps (workspace_id, message_id, creator_id, body_wrap) "
            "VALUES ($1, $2, $3, $4)",
            {id<WorkspaceId>(1), message, id<CreatorId>(1), noise()});
        run_sql(
            "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
            "VALUES ($1, $2, $3, $4, $4)",
            {id<WorkspaceId>(1), message, Clear::bytes(message.bytes()), noise()});
    }
    void add_ledger(std::int64_t number_base, std::string_view command, std::string_view reason) {
        run_sql(
            "INSERT INTO read_ledger (workspace_id, integration_id, number, at_ms, command, "
            "folder_mac, first_uid, next_uid, bytes, reason) "
            "VALUES ($1, $2, $3, 0, $4, $5, 1, 2, 3, $6)",
            {id<WorkspaceId>(1), id<IntegrationId>(1), number_base + ++ledger_lines_,
             Clear::text(command), noise(), Clear::text(reason)});
    }
    void add_person(std::uint8_t number, const std::string& password) {
        const auto person = id<PersonId>(number);
        keys::SealRecords ask;
        ask.workspace = k_installation;
        ask.records.push_back(
            {column::address.value, crypto::row_key(person), to_bytes("olga@brand.example")});
        ask.records.push_back(
            {column::password.value, crypto::row_key(person), to_bytes(password)});
        auto sealed = loop.run(keeper.link.call(std::move(ask), net::test::soon()));
        ASSERT_TRUE(sealed);
        run_sql(
            "INSERT INTO people (workspace_id, person_id, address_token, address, password, "
            "created_at_ms) VALUES ($1, $2, $3, $4, $5, 0)",
            {k_installation, person, Clear::bytes(person.bytes()), SealedBytes(sealed->contents[0]),
             SealedBytes(sealed->contents[1])});
    }
    void add_workspace(std::uint8_t number, std::string_view name) {
        const auto workspace = id<WorkspaceId>(number);
        keys::SealRecords ask;
        ask.workspace = workspace;
        ask.records.push_back({store::data_map::store::workspaces::name.value,
                               crypto::row_key(workspace), to_bytes(name)});
        auto sealed = loop.run(keeper.link.call(std::move(ask), net::test::soon()));
        ASSERT_TRUE(sealed);
        run_sql(
            "INSERT INTO workspaces (workspace_id, name, is_demo, created_at_ms) "
            "VALUES ($1, $2, 0, 0)",
            {workspace, SealedBytes(sealed->contents[0])});
    }
    static SealedBytes noise() { return SealedBytes(to_bytes("noise")); }

    store::TestFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    test::LeakyKeeper keeper{loop};
    std::unique_ptr<store::Database> database;
    std::unique_ptr<store::Database> index;
    PlayedSeals seals;
    PlayedHistory history;
    PlayedFences fences;

private:
    std::int64_t ledger_lines_ = 0;
};

TEST_F(ClaimsTest, every_claim_is_proven_where_nothing_is_wrong) {
    expect_failing("none");
    std::set<std::string_view> promises;
    for (const auto& claim : claims()) {
        promises.insert(claim.id.substr(0, claim.id.find('.')));
        for (const auto text : {claim.text, claim.method, claim.planted, claim.cost})
            EXPECT_GT(text.size(), 10U) << claim.id;
    }
    EXPECT_EQ(promises, (std::set<std::string_view>{"P1", "P2", "P3", "P7", "P9", "P10", "P11"}));
}

TEST_F(ClaimsTest, an_empty_installation_is_proven_too) {
    seals.integrations.clear();
    for (const SqlText sql :
         {SqlText("DELETE FROM people"), SqlText("DELETE FROM workspaces"),
          SqlText("DELETE FROM messages"), SqlText("DELETE FROM message_wraps"),
          SqlText("DELETE FROM raw_mails"), SqlText("DELETE FROM threads"),
          SqlText("DELETE FROM read_ledger"), SqlText("DELETE FROM integrations")}) {
        run_sql(sql, {});
    }
    expect_failing("none");
}

TEST_F(ClaimsTest, without_its_control_each_claim_is_unknown) {
    for (const auto& claim : claims()) {
        auto bare = claim;
        bare.control = {};
        auto blind = claim;
        blind.control = []() -> async::Task<Finding> { co_return Finding{}; };
        for (const auto& without : {bare, blind}) {
            Registry registry({without}, clock, std::chrono::milliseconds(1));
            const auto proof = loop.run(registry.prove(std::string(claim.id)));
            ASSERT_TRUE(proof);
            EXPECT_EQ(proof->verdict, Verdict::unknown) << claim.id;
        }
    }
}

TEST_F(ClaimsTest, nothing_is_known_while_keeper_is_away) {
    keeper.link.close();
    for (const char* claim : {"P1.sealed", "P2.cut-off", "P2.holder-left", "P7.hashed",
                              "P7.at-rest", "P7.rotated", "P9.deletion"})
        EXPECT_EQ(prove(claim).verdict, Verdict::unknown) << claim;
}

TEST_F(ClaimsTest, what_is_planted_for_a_control_is_gone_afterwards) {
    for (const auto& claim : claims())
        (void)prove(claim.id);
    const auto rows = database->read_now([](Transaction& tx) -> Result<std::int64_t> {
        POSTERN_TRY(
            const auto row,
            tx.query_one("SELECT (SELECT COUNT(*) FROM integrations) + (SELECT COUNT(*) "
                         "FROM grants) + (SELECT COUNT(*) FROM threads) + (SELECT COUNT(*) "
                         "FROM messages) + (SELECT COUNT(*) FROM people) + (SELECT COUNT(*) "
                         "FROM api_tokens) + (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) "
                         "FROM read_ledger) + (SELECT COUNT(*) FROM meta WHERE "
                         "name = 'trust_marker')"));
        return row->integer(0);
    });
    EXPECT_EQ(rows.value(), 3 + 0 + 1 + 2 + 1 + 0 + 0 + 2 + 0);
}

TEST_F(ClaimsTest, p1_fails_when_any_secret_opens) {
    keeper.leaks.opens_with_any_secret = true;
    expect_failing("P1.sealed");
}

TEST_F(ClaimsTest, p1_fails_when_keeper_needs_no_lease) {
    keeper.leaks.mints_without_a_lease = true;
    EXPECT_EQ(prove("P1.sealed").verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p1_fails_for_a_seal_that_holds_its_credential_in_clear) {
    using Show = std::function<std::string(ByteView)>;
    const auto behind = [](std::string_view begin, ByteView bytes) {
        Bytes all = to_bytes(begin);
        all.insert(all.end(), bytes.begin(), bytes.end());
        return all;
    };
    const std::vector<Show> all{
        [](ByteView bytes) { return std::string(as_text(bytes)); },
        [](ByteView bytes) { return codec::hex(bytes); },
        [](ByteView bytes) { return codec::base64(bytes); },
        [](ByteView bytes) { return codec::base64url(bytes); },
        [&](ByteView bytes) { return codec::base64(behind("1", bytes)); },
        [&](ByteView bytes) { return codec::base64url(behind("22", bytes)); },
        [](ByteView bytes) {
            auto digits = codec::hex(bytes);
            for (auto& digit : digits)
                digit = digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
            return digits;
        },
    };
    for (const auto& show : all) {
        keeper.leaks.shows_credential = show;
        const auto proof = prove("P1.sealed");
        EXPECT_EQ(proof.verdict, Verdict::failing);
        ASSERT_EQ(proof.finding.faults.size(), 1U);
        EXPECT_EQ(proof.finding.faults.at(0), "a credential stands in its seal in clear");
    }
    expect_failing("P1.sealed");
}

TEST_F(ClaimsTest, p1_fails_when_the_right_secret_does_not_open) {
    keeper.leaks.refuses_the_right_secret = true;
    seals.integrations.clear();
    // Its control hands the right secret to an outsider, whom this keeper refuses, too.
    EXPECT_NE(prove("P1.sealed").verdict, Verdict::proven);
}

TEST_F(ClaimsTest, p1_fails_for_a_seal_that_is_none) {
    using Change = std::function<void(SealedIntegration&)>;
    const std::vector<Change> changes{
        [](SealedIntegration& each) { each.seal.reset(); },
        [](SealedIntegration& each) { each.seal->epoch = 2; },
        [](SealedIntegration& each) { each.seal->holders.clear(); },
        [](SealedIntegration& each) { each.seal->credential.clear(); },
        [](SealedIntegration& each) { each.seal->credential_key.clear(); },
        [](SealedIntegration& each) { each.seal->holders[0].memory_kib = 19 * 1024 - 1; },
        [](SealedIntegration& each) { each.seal->holders[0].passes = 0; },
        [](SealedIntegration& each) { each.seal->holders[0].sealed_private.clear(); },
        [](SealedIntegration& each) { each.seal->holders[0].boxed_key.clear(); },
    };
    const auto good = seals.integrations;
    for (const auto& change : changes) {
        seals.integrations = good;
        change(seals.integrations.front());
        EXPECT_EQ(prove("P1.sealed").verdict, Verdict::failing);
    }
}

TEST_F(ClaimsTest, p2_fails_when_a_cut_off_ends_nothing) {
    keeper.leaks.opens_after_a_cut_off = true;
    expect_failing("P2.cut-off");
}

TEST_F(ClaimsTest, p2_and_p9_fail_when_the_keyring_keeps_keys) {
    keeper.leaks.forgets_a_cut_off = true;
    EXPECT_EQ(prove("P2.cut-off").verdict, Verdict::failing);
    EXPECT_EQ(prove("P9.deletion").verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p2_and_p9_fail_for_keys_that_outlived_the_row) {
    keeper.leaks.keys_after_a_cut_off = 1;
    for (const char* claim : {"P2.cut-off", "P9.deletion"}) {
        const auto proof = prove(claim);
        EXPECT_EQ(proof.verdict, Verdict::failing) << claim;
        EXPECT_EQ(proof.finding.faults.size(), 1U) << claim;
        EXPECT_TRUE(proof.finding.faults.at(0).starts_with("1 of 1 integration")) << claim;
    }
}

TEST_F(ClaimsTest, p9_alone_fails_for_a_connection_made_anew) {
    keeper.leaks.pending_after_a_cut_off = 2;
    expect_failing("P9.deletion");
}

TEST_F(ClaimsTest, p2_and_p9_are_unknown_unless_a_key_of_each_kind_is_counted) {
    for (const std::uint64_t seen : {0U, 1U, 2U}) {
        keeper.leaks.planted_keys_seen = seen;
        EXPECT_EQ(prove("P2.cut-off").verdict, Verdict::unknown) << seen;
        EXPECT_EQ(prove("P9.deletion").verdict, Verdict::unknown) << seen;
    }
}

TEST_F(ClaimsTest, p2_fails_when_a_seal_is_left) {
    run_sql("INSERT INTO seals (workspace_id, integration_id, epoch, seal) VALUES ($1, $2, 1, $3)",
            {id<WorkspaceId>(1), id<IntegrationId>(2), noise()});
    expect_failing("P2.cut-off");
}

TEST_F(ClaimsTest, p9_fails_when_a_grant_is_left) {
    run_sql(
        "INSERT INTO grants (workspace_id, grant_id, integration_id, epoch, verbs, "
        "hourly_ceiling, expires_at_ms, warned_days, credential, created_at_ms) "
        "VALUES ($1, $2, $3, 1, 1, 1, 0, 0, $4, 0)",
        {id<WorkspaceId>(1), id<GrantId>(1), id<IntegrationId>(3), noise()});
    expect_failing("P9.deletion");
}

TEST_F(ClaimsTest, p9_and_p11_fail_when_history_of_an_ended_integration_does_not_open) {
    run_sql("UPDATE threads SET integration_id = $1", {id<IntegrationId>(3)});
    run_sql("UPDATE read_ledger SET integration_id = $1", {id<IntegrationId>(3)});
    expect_failing("none");
    history.opened.unreadable = 1;
    EXPECT_EQ(prove("P9.deletion").verdict, Verdict::failing);
    EXPECT_EQ(prove("P11.complete").verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p7_fails_for_a_password_that_is_no_hash) {
    for (const char* stored : {"pelican", "", "5f4dcc3b5aa765d61d8327deb882cf99",
                               "$argon2i$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                               "$argon2id$v=19$m=1024,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
        run_sql("DELETE FROM people", {});
        add_person(2, stored);
        EXPECT_EQ(prove("P7.hashed").verdict, Verdict::failing) << stored;
    }
    expect_failing("P7.hashed");
}

TEST_F(ClaimsTest, p7_fails_for_a_token_that_is_no_hash) {
    run_sql(
        "INSERT INTO sessions (workspace_id, token_hash, person_id, created_at_ms, "
        "expires_at_ms) VALUES ($1, $2, $3, 0, 0)",
        {k_installation, Clear::bytes(as_bytes("a token in clear")), id<PersonId>(1)});
    expect_failing("P7.hashed");
}

TEST_F(ClaimsTest, p7_fails_when_an_address_a_name_or_a_subject_stands_in_a_file) {
    for (const char* text : {"to lea@creators.example", "Spring launch with Léa",
                             "olga@brand.example", "by Orchid Studios"}) {
        run_sql("UPDATE integrations SET broken_code = $1", {Clear::text(text)});
        expect_failing("P7.at-rest");
    }
}

TEST_F(ClaimsTest, p7_fails_for_what_stands_in_a_copy_from_before_a_migration) {
    if (store::tests_on_postgres()) GTEST_SKIP() << "of a store in a file";
    const std::vector<std::string> files{folder.file("store.db"), folder.file("store.db-wal"),
                                         folder.file("store.db.before-*")};
    EXPECT_EQ(prove("P7.at-rest", claims_about(files)).verdict, Verdict::proven);
    std::ofstream(folder.file("store.db.before-7")) << "to lea@creators.example";
    const auto proof = prove("P7.at-rest", claims_about(files));
    EXPECT_EQ(proof.verdict, Verdict::failing);
    ASSERT_EQ(proof.finding.faults.size(), 1U);
    EXPECT_TRUE(proof.finding.faults.at(0).ends_with("store.db.before-7"));
}

TEST_F(ClaimsTest, p7_is_no_alarm_for_whoever_is_called_like_a_table) {
    history.opened.words.emplace_back("integrations");
    history.opened.words.emplace_back("message_wraps");
    const auto proof = prove("P7.at-rest");
    EXPECT_EQ(proof.verdict, Verdict::proven);
    if (store::tests_on_postgres()) return;
    EXPECT_NE(proof.finding.evidence.back().find("2 of them are left out"), std::string::npos);
}

TEST_F(ClaimsTest, p7_tells_how_many_values_it_left_out) {
    for (std::size_t i = 0; i < FileSearch::k_words_max; ++i)
        history.opened.words.push_back("no such word " + std::to_string(i));
    history.opened.words.emplace_back("Léa");
    const auto proof = prove("P7.at-rest");
    EXPECT_EQ(proof.verdict, Verdict::proven);
    // A subject, two addresses and the name of a workspace came on top.
    EXPECT_TRUE(proof.finding.evidence.at(0).starts_with(
        "10000 values searched for (left out: 4 above the limit of 10000, 1 shorter than 6 bytes"))
        << proof.finding.evidence.at(0);
}

TEST_F(ClaimsTest, p7_is_unknown_without_files) {
    const auto proof = prove("P7.at-rest", claims_about({folder.file("elsewhere")}));
    EXPECT_EQ(proof.verdict, Verdict::unknown);
}

TEST_F(ClaimsTest, p7_looks_at_rows_where_the_store_has_no_files) {
    const auto good = prove("P7.at-rest", claims_about({}));
    EXPECT_EQ(good.verdict, Verdict::proven) << good.reason;
    // What was not looked at is said.
    EXPECT_NE(good.finding.evidence.at(1).find("not looked at"), std::string::npos);
    for (const char* text :
         {"to lea@creators.example", "Spring launch with Léa", "Orchid Studios & Co"}) {
        run_sql("UPDATE integrations SET broken_code = $1", {Clear::text(text)});
        const auto bad = prove("P7.at-rest", claims_about({}));
        EXPECT_EQ(bad.verdict, Verdict::failing) << text;
        EXPECT_EQ(bad.finding.faults.size(), 1U);
        EXPECT_NE(bad.finding.faults.at(0).find("integrations"), std::string::npos);
    }
}

TEST_F(ClaimsTest, p7_finds_a_blob_behind_many_rows) {
    for (int i = 0; i < 12; ++i) {
        run_sql(
            "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
            "VALUES ($1, $2, $3, $4, $5)",
            {id<WorkspaceId>(9), id<MessageId>(static_cast<std::uint8_t>(100 + i)),
             Clear::bytes(as_bytes("people")), noise(), noise()});
    }
    EXPECT_EQ(prove("P7.at-rest", claims_about({})).verdict, Verdict::proven);
    const SealedBytes clear(to_bytes("From: lea@creators.example"));
    run_sql("UPDATE raw_mails SET raw = $1 WHERE message_id = $2", {clear, id<MessageId>(111)});
    EXPECT_EQ(prove("P7.at-rest", claims_about({})).verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p2_fails_when_who_left_still_opens) {
    keeper.leaks.opens_for_who_left = true;
    expect_failing("P2.holder-left");
}

TEST_F(ClaimsTest, p2_fails_when_the_seal_before_still_opens) {
    keeper.leaks.opens_with_the_seal_before = true;
    expect_failing("P2.holder-left");
}

TEST_F(ClaimsTest, p2_fails_when_who_stays_is_shut_out) {
    keeper.leaks.shuts_out_who_stays = true;
    // Its control wants both tries of the one who left to be seen, and they are.
    expect_failing("P2.holder-left");
}

TEST_F(ClaimsTest, p2_is_unknown_when_nobody_opens_anything) {
    keeper.leaks.refuses_the_right_secret = true;
    EXPECT_EQ(prove("P2.holder-left").verdict, Verdict::unknown);
}

TEST_F(ClaimsTest, p7_fails_for_a_wrap_under_an_ended_key) {
    keeper.wraps.orphaned = 1;
    expect_failing("P7.rotated");
}

TEST_F(ClaimsTest, p7_fails_for_a_key_of_before_that_no_rotation_explains) {
    keeper.wraps.old_keys = 1;
    expect_failing("P7.rotated");
    keeper.wraps = {.rotating = false, .wraps = 12, .waiting = 3, .orphaned = 0, .old_keys = 0};
    expect_failing("P7.rotated");
}

TEST_F(ClaimsTest, p7_says_that_a_rotation_is_under_way) {
    keeper.wraps = {.rotating = true, .wraps = 12, .waiting = 3, .orphaned = 0, .old_keys = 2};
    const auto proof = prove("P7.rotated");
    EXPECT_EQ(proof.verdict, Verdict::proven);
    EXPECT_NE(proof.finding.evidence.at(1).find("under way: 3 wraps"), std::string::npos);
}

TEST_F(ClaimsTest, p7_is_unknown_when_a_planted_wrap_is_not_counted) {
    keeper.leaks.counts_no_planted_wrap = true;
    EXPECT_EQ(prove("P7.rotated").verdict, Verdict::unknown);
}

TEST_F(ClaimsTest, p1_fails_for_a_process_without_a_fence_of_its_own) {
    // No filter, the parent's alone, one that is none, new privileges to be had.
    struct Open {
        std::string parent;
        std::string child;
    };
    const std::vector<Open> open{
        {PlayedFences::root(0, 0, 0), PlayedFences::keeper(0, 0, 1)},
        {PlayedFences::root(2, 1, 1), PlayedFences::keeper(2, 1, 1)},
        {PlayedFences::root(0, 0, 0), PlayedFences::keeper(1, 1, 1)},
        {PlayedFences::root(0, 0, 0), PlayedFences::keeper(2, 1, 0)},
    };
    const auto good = fences.seen;
    for (const auto& each : open) {
        fences.seen = good;
        fences.seen.supervisor = each.parent;
        fences.seen.children.at(1).status = each.child;
        const auto proof = prove("P1.isolated");
        EXPECT_EQ(proof.verdict, Verdict::failing) << each.child;
        EXPECT_NE(proof.finding.faults.at(0).find("not isolated"), std::string::npos);
        EXPECT_TRUE(fences.waited);
    }
}

TEST_F(ClaimsTest, p1_fails_for_a_process_that_has_no_user_of_its_own) {
    struct Shared {
        const char* uids;
        const char* fault;
    };
    // Of each of the four ids one is enough.
    const std::vector<Shared> all{
        {"0\t0\t0\t0", "keeper runs as root"},
        {"65201\t65201\t0\t65201", "keeper runs as root"},
        {"65201\t65201\t65201\t0", "keeper runs as root"},
        {"65200\t65200\t65200\t65200", "keeper runs as the same user as front"},
        {"65201\t65200\t65201\t65201", "keeper runs as the same user as front"},
        {"65201\t65201\t65202\t65201", "courier runs as the same user as keeper"},
        {"65203\t65201\t65201\t65201", "reader runs as the same user as keeper"},
    };
    for (const auto& each : all) {
        fences.seen.children.at(1).status = PlayedFences::status(each.uids, 2, 1, 1);
        const auto proof = prove("P1.isolated");
        EXPECT_EQ(proof.verdict, Verdict::failing) << each.uids;
        EXPECT_EQ(proof.finding.faults.at(0), std::string("not isolated: ") + each.fault);
        EXPECT_TRUE(fences.waited);
    }
}

TEST_F(ClaimsTest, p1_fails_where_the_server_runs_without_root) {
    // What front's own start finds out in that case is not needed for it.
    const auto& all_one = PlayedFences::fenced("1000");
    for (auto& child : fences.seen.children)
        child.status = all_one;
    fences.seen.supervisor = PlayedFences::status("1000\t1000\t1000\t1000", 0, 0, 0);
    const auto proof = prove("P1.isolated");
    EXPECT_EQ(proof.verdict, Verdict::failing);
    EXPECT_EQ(proof.finding.faults.at(0), "not isolated: front runs as the user of its parent");
}

TEST_F(ClaimsTest, p1_is_unknown_for_a_running_server_without_courier) {
    const auto courier = fences.seen.children.begin() + 2;
    ASSERT_EQ(courier->role, "courier");
    fences.seen.children.erase(courier);
    EXPECT_EQ(prove("P1.isolated").verdict, Verdict::unknown);
    EXPECT_TRUE(fences.waited);
    fences.seen.serving = false;
    EXPECT_EQ(prove("P1.isolated").verdict, Verdict::proven);
}

TEST_F(ClaimsTest, p1_is_proven_below_a_service_manager_with_filters) {
    fences.seen.supervisor = PlayedFences::root(2, 3, 1);
    int uid = 65200;
    for (auto& child : fences.seen.children) {
        const auto one = std::to_string(child.role == "reader" ? 65203 : uid++);
        child.status = PlayedFences::fenced(one, 4);
    }
    expect_failing("none");
}

TEST_F(ClaimsTest, p1_fails_with_the_words_of_readyz_on_a_host_that_cannot) {
    fences.lacking = "this kernel has no Landlock: files and ports are not fenced";
    expect_failing("P1.isolated");
    const auto proof = prove("P1.isolated");
    EXPECT_EQ(proof.finding.faults.at(0), "not isolated: " + fences.lacking);
    // Nobody waits for what cannot be.
    fences.seen.children.at(1).status = PlayedFences::keeper(0, 0, 1);
    EXPECT_EQ(prove("P1.isolated").verdict, Verdict::failing);
    EXPECT_FALSE(fences.waited);
}

TEST_F(ClaimsTest, p1_fails_when_front_reaches_outside) {
    fences.reaches = true;
    expect_failing("P1.isolated");
}

TEST_F(ClaimsTest, p1_is_unknown_for_what_the_kernel_does_not_show) {
    const auto good = fences.seen;
    using Change = std::function<void(Processes&)>;
    const std::vector<Change> changes{
        [](Processes& seen) { seen.supervisor.clear(); },
        [](Processes& seen) { seen.children.at(2).status.clear(); },
        [](Processes& seen) { seen.children.at(0).status = "Name:\tx\nSeccomp:\t2\n"; },
        [](Processes& seen) { seen.children.at(0).status = PlayedFences::status("1\t1", 2, 1, 1); },
        [](Processes& seen) { seen.children.at(0).status = PlayedFences::status("", 2, 1, 1); },
        [](Processes& seen) {  // no reader
            seen.children.pop_back();
            seen.children.pop_back();
        },
        [](Processes& seen) { seen.children.clear(); },
    };
    for (const auto& change : changes) {
        fences.seen = good;
        change(fences.seen);
        EXPECT_EQ(prove("P1.isolated").verdict, Verdict::unknown);
    }
}

TEST_F(ClaimsTest, p10_fails_for_a_mail_that_answers_nothing_of_ours) {
    add_thread(2, 1);
    add_message(3, 2, 0, "in");
    add_ledger(1, "fetch_body", "verified_reply");
    EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p10_fails_for_a_mail_that_the_ledger_does_not_know) {
    add_message(3, 1, 0, "in");
    expect_failing("P10.own-threads");
}

TEST_F(ClaimsTest, p10_fails_for_a_read_of_another_kind) {
    add_ledger(1, "fetch_envelopes", "new_mail");
    expect_failing("P10.own-threads");
}

TEST_F(ClaimsTest, p10_is_proven_with_a_probe_a_bounce_and_a_server_that_cannot_search) {
    add_ledger(1, "probe", "search_fails");
    add_ledger(1, "look_in_sent", "our_copy");
    add_ledger(1, "fetch_thread_fields", "new_mail");
    add_ledger(1, "fetch_body", "bounce_of_ours");
    expect_failing("none");
    EXPECT_NE(prove("P10.own-threads").finding.evidence.back().find("1 times"), std::string::npos);
}

TEST_F(ClaimsTest, p10_and_p11_fail_for_a_body_that_was_read_and_not_kept) {
    add_ledger(1, "fetch_body", "verified_reply");
    EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::failing);
    EXPECT_EQ(prove("P11.complete").verdict, Verdict::failing);
}

TEST_F(ClaimsTest, p11_fails_for_what_is_missing) {
    for (const SqlText sql :
         {SqlText("UPDATE threads SET next_number = 3"), SqlText("DELETE FROM message_wraps"),
          SqlText("DELETE FROM raw_mails")}) {
        run_sql(sql, {});
        expect_failing("P11.complete");
    }
}

TEST_F(ClaimsTest, p11_fails_for_a_queued_mail_without_its_message) {
    run_sql(
        "INSERT INTO outbox (workspace_id, message_id, integration_id, stage, attempts, fence, "
        "next_at_ms) VALUES ($1, $2, $3, 'queued', 0, 0, 0)",
        {id<WorkspaceId>(1), id<MessageId>(9), id<IntegrationId>(1)});
    expect_failing("P11.complete");
}

/// A trigger that mends what the control plants, so that one count alone does not see it.
TEST_F(ClaimsTest, p11_is_unknown_while_any_of_its_counts_is_blind) {
    if (store::tests_on_postgres()) GTEST_SKIP() << "of triggers as SQLite has them";
    const SqlText all[] = {
        "CREATE TRIGGER blind AFTER INSERT ON messages BEGIN UPDATE threads SET next_number = 2 "
        "WHERE thread_id = NEW.thread_id; END",
        "CREATE TRIGGER blind AFTER INSERT ON messages BEGIN INSERT INTO message_wraps "
        "(workspace_id, message_id, creator_id, body_wrap) VALUES (NEW.workspace_id, "
        "NEW.message_id, NEW.message_id, x'00'); END",
        "CREATE TRIGGER blind AFTER INSERT ON messages BEGIN INSERT INTO raw_mails "
        "(workspace_id, message_id, people, raw, raw_wrap) VALUES (NEW.workspace_id, "
        "NEW.message_id, x'00', x'00', x'00'); END",
        "CREATE TRIGGER blind AFTER INSERT ON outbox BEGIN DELETE FROM outbox WHERE "
        "message_id = NEW.message_id; END",
        "CREATE TRIGGER blind AFTER INSERT ON read_ledger BEGIN DELETE FROM read_ledger WHERE "
        "integration_id = NEW.integration_id; END",
    };
    for (const auto& each : all) {
        run_sql(each, {});
        EXPECT_EQ(prove("P11.complete").verdict, Verdict::unknown);
        run_sql("DROP TRIGGER blind", {});
        EXPECT_EQ(prove("P11.complete").verdict, Verdict::proven);
    }
}

TEST_F(ClaimsTest, p11_fails_when_a_raw_mail_does_not_open) {
    history.opened.raw_unreadable = 1;
    expect_failing("P11.complete");
}

}  // namespace
}  // namespace postern::trust
