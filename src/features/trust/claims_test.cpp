#include "features/trust/claims.h"  // IWYU pragma: keep

#include "features/trust/claim.h"
#include "features/trust/claims_case_test.h"
#include "features/trust/ports.h"
#include "features/trust/registry.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "platform/async/task.h"
#include "platform/net/tls_trial.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::trust {
namespace {

using store::Clear;
using store::SqlText;
using store::Transaction;
using test::id;
using test::PlayedFences;

class ClaimsTest : public test::ClaimsCase {};

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
                              "P7.at-rest", "P7.rotated", "P7.audited", "P9.deletion"})
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

constexpr net::TlsOffer k_lacking[] = {net::TlsOffer::in_clear, net::TlsOffer::tls_1_1,
                                       net::TlsOffer::other_authority, net::TlsOffer::other_name,
                                       net::TlsOffer::expired};

TEST_F(ClaimsTest, p3_fails_when_our_connections_overlook_anything) {
    for (const auto overlooked : k_lacking) {
        wire.overlooked = overlooked;
        const auto proof = prove("P3.wire");
        EXPECT_EQ(proof.verdict, Verdict::failing) << name_of(overlooked);
        const auto wanted = "taken: " + std::string(name_of(overlooked)) + ", by a client";
        int told = 0;
        for (const auto& fault : proof.finding.faults)
            told += fault.starts_with(wanted) ? 1 : 0;
        EXPECT_EQ(told, 2) << name_of(overlooked);
    }
    // Who speaks in clear speaks no TLS to good servers, either.
    wire.overlooked = net::TlsOffer::in_clear;
    EXPECT_EQ(prove("P3.wire").finding.faults.size(), 6U);
    expect_failing("P3.wire");
}

TEST_F(ClaimsTest, p3_fails_when_our_listener_takes_old_clients) {
    wire.listener_takes_old = true;
    expect_failing("P3.wire");
    EXPECT_EQ(prove("P3.wire").finding.faults,
              std::vector<std::string>{"our listener takes TLS 1.1"});
}

TEST_F(ClaimsTest, p3_is_unknown_unless_each_careless_client_is_seen) {
    for (const auto unplanted : k_lacking) {
        wire.unplanted = unplanted;
        EXPECT_EQ(prove("P3.wire").verdict, Verdict::unknown) << name_of(unplanted);
    }
    wire = {.overlooked = {}, .unplanted = {}, .listener_unplanted = true};
    EXPECT_EQ(prove("P3.wire").verdict, Verdict::unknown);
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

TEST_F(ClaimsTest, p1_is_unknown_where_front_can_open_nothing_at_all) {
    fences.opens_own_folder = false;
    EXPECT_EQ(prove("P1.isolated").verdict, Verdict::unknown);
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

}  // namespace
}  // namespace postern::trust
