#include "features/trust/claim.h"
#include "features/trust/claims_case_test.h"
#include "features/trust/file_search.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/compress.h"
#include "foundation/crypto/hash.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace postern::trust {
namespace {

using store::Clear;
using store::SealedBytes;
using store::SqlText;
using test::id;

class StoredClaimsTest : public test::ClaimsCase {};

TEST_F(StoredClaimsTest, p7_fails_for_a_password_that_is_no_hash) {
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

TEST_F(StoredClaimsTest, p7_fails_for_an_audit_record_that_is_not_as_it_was_written) {
    for (int i = 0; i < 3; ++i)
        add_audit_record();
    const auto whole = prove("P7.audited");
    EXPECT_EQ(whole.verdict, Verdict::proven);
    EXPECT_EQ(whole.finding.evidence.at(0),
              "3 records in 1 chains: each as it was written, and none missing between");
    EXPECT_TRUE(whole.finding.evidence.at(1).starts_with("no second place is set"));
    run_sql("UPDATE audit_records SET facts = '{}' WHERE number = $1", {2});
    expect_failing("P7.audited");
    EXPECT_NE(prove("P7.audited").finding.faults.at(0).find("record 2 of "), std::string::npos);
    run_sql("DELETE FROM audit_records WHERE number = $1", {2});
    expect_failing("P7.audited");
}

TEST_F(StoredClaimsTest, p7_fails_for_an_audit_record_whose_tail_was_cut) {
    second_place = audit::test::PlayedPlace(true);
    for (int i = 0; i < 3; ++i)
        add_audit_record();
    ASSERT_TRUE(loop.run(anchors->write()));
    const auto whole = prove("P7.audited");
    EXPECT_EQ(whole.verdict, Verdict::proven);
    EXPECT_TRUE(whole.finding.evidence.at(1).starts_with("1 anchors at the second place"));
    run_sql("DELETE FROM audit_records WHERE number = $1", {3});
    expect_failing("P7.audited");
}

TEST_F(StoredClaimsTest, p7_of_audit_says_what_a_log_server_alone_does_not_show) {
    add_audit_record();
    const auto none = prove("P7.audited");
    EXPECT_TRUE(none.finding.evidence.at(1).starts_with("no second place is set"));
    log_server.is_there = true;
    const auto unsaid = prove("P7.audited");
    EXPECT_EQ(unsaid.verdict, Verdict::proven);
    EXPECT_TRUE(unsaid.finding.evidence.at(1).starts_with(
        "anchors are sent to a log server (not since the start), which acknowledges none"));
    ASSERT_TRUE(loop.run(logged_anchors->say()));
    const auto said = prove("P7.audited").finding.evidence.at(1);
    EXPECT_NE(said.find("(last at "), std::string::npos) << said;
    EXPECT_NE(said.find("--anchors FILE"), std::string::npos) << said;
    second_place = audit::test::PlayedPlace(true);
    EXPECT_TRUE(prove("P7.audited").finding.evidence.at(1).ends_with("as far as each says"));
}

TEST_F(StoredClaimsTest, p7_of_audit_is_unknown_where_no_change_is_seen) {
    add_audit_record();
    keeper.leaks.knows_every_record = true;
    EXPECT_EQ(prove("P7.audited").verdict, Verdict::unknown);
}

TEST_F(StoredClaimsTest, p7_fails_for_a_token_that_is_no_hash) {
    run_sql(
        "INSERT INTO sessions (workspace_id, token_hash, person_id, created_at_ms, "
        "expires_at_ms) VALUES ($1, $2, $3, 0, 0)",
        {k_installation, Clear::bytes(as_bytes("a token in clear")), id<PersonId>(1)});
    expect_failing("P7.hashed");
}

TEST_F(StoredClaimsTest, p7_fails_for_tokens_that_are_stored_in_clear) {
    const auto good = prove("P7.hashed").finding.evidence;
    ASSERT_EQ(good.size(), 5U);
    EXPECT_TRUE(good.at(1).starts_with("0 sessions and API tokens of others")) << good.at(1);
    using As = test::PlayedBearers::As;
    for (const auto as : {As::random_bytes, As::text}) {
        bearers.tokens = as;
        const auto proof = prove("P7.hashed");
        EXPECT_EQ(proof.verdict, Verdict::failing);
        const auto& faults = proof.finding.faults;
        EXPECT_NE(std::ranges::find(faults, "an API token made for this is not stored as its hash"),
                  faults.end());
    }
    bearers.tokens = As::random_bytes;
    expect_failing("P7.hashed");
    bearers.tokens = As::hash;
    bearers.writes_down = true;
    EXPECT_EQ(prove("P7.hashed").finding.faults,
              std::vector<std::string>{"an API token made for this stands in clear in 1 tables"});
    bearers.writes_down = false;
    bearers.others = As::random_bytes;
    EXPECT_EQ(
        prove("P7.hashed").finding.faults,
        std::vector<std::string>{"2 of a session and a set-up link would not be stored as a hash"});
}

TEST_F(StoredClaimsTest, p7_is_unknown_while_anything_that_it_plants_is_not_seen) {
    const Blinded all[] = {
        {"CREATE TRIGGER blind BEFORE INSERT ON people BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON people FOR EACH ROW "
         "EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON people"},
        {"CREATE TRIGGER blind BEFORE UPDATE ON api_tokens BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE UPDATE ON api_tokens FOR EACH ROW "
         "EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON api_tokens"},
        {"CREATE TRIGGER blind BEFORE INSERT ON api_tokens WHEN LENGTH(NEW.token_hash) <> 32 "
         "BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON api_tokens FOR EACH ROW "
         "WHEN (LENGTH(NEW.token_hash) <> 32) EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON api_tokens"},
    };
    for (const auto& each : all) {
        blind(each);
        EXPECT_EQ(prove("P7.hashed").verdict, Verdict::unknown) << each.on_sqlite.view();
        see_again(each);
        const auto again = prove("P7.hashed");
        EXPECT_EQ(again.verdict, Verdict::proven) << again.reason;
    }
    const Blinded marker{
        "CREATE TRIGGER blind BEFORE INSERT ON meta WHEN NEW.name = 'trust_marker' "
        "BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER blind BEFORE INSERT ON meta FOR EACH ROW "
        "EXECUTE FUNCTION postern_store.ignored()",
        "DROP TRIGGER blind ON meta"};
    blind(marker);
    EXPECT_EQ(prove("P7.at-rest").verdict, Verdict::unknown);
    see_again(marker);
    EXPECT_EQ(prove("P7.at-rest").verdict, Verdict::proven);
}

TEST_F(StoredClaimsTest, p7_fails_for_what_is_readable_in_another_form) {
    const std::string mail = "From: Lea <lea@creators.example>\r\nTo: Maya\r\n\r\nWith pleasure";
    std::string wide;
    for (const char unit : mail)
        wide.append({unit, '\0'});
    // Of many pages of a file, and with the word where no single page shows it.
    std::string lines;
    for (int line = 0; lines.size() < 200'000; ++line)
        lines += codec::hex(crypto::sha256(as_bytes(std::to_string(line)))) + "\r\n";
    const auto large = codec::compress(as_bytes(lines + mail));
    ASSERT_GT(large.size(), 50'000U);
    ASSERT_EQ(large.front(), 1) << "a frame";
    const auto small = codec::compress(as_bytes(lines.substr(0, 500) + mail));
    ASSERT_EQ(small.front(), 1) << "a frame";
    const FileSearch as_it_is({"lea@creators.example"});
    for (const auto& form : {to_bytes(codec::base64(as_bytes(mail))), to_bytes(wide), small, large,
                             to_bytes("x" + codec::base64url(as_bytes("12" + mail)))}) {
        EXPECT_EQ(as_it_is.hits(form), 0U) << form.size();
        run_sql("UPDATE raw_mails SET raw = $1", {SealedBytes(form)});
        const auto proof = prove("P7.at-rest");
        EXPECT_EQ(proof.verdict, Verdict::failing) << form.size();
        ASSERT_FALSE(proof.finding.faults.empty());
        EXPECT_EQ(proof.finding.faults.front(), "personal data stands in clear in table raw_mails");
    }
    expect_failing("P7.at-rest");
}

TEST_F(StoredClaimsTest, p7_fails_when_an_address_a_name_or_a_subject_stands_in_a_file) {
    for (const char* text : {"to lea@creators.example", "Spring launch with Léa",
                             "olga@brand.example", "by Orchid Studios"}) {
        run_sql("UPDATE integrations SET broken_code = $1", {Clear::text(text)});
        expect_failing("P7.at-rest");
    }
}

TEST_F(StoredClaimsTest, p7_fails_for_what_stands_in_a_copy_from_before_a_migration) {
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

TEST_F(StoredClaimsTest, p7_is_no_alarm_for_whoever_is_called_like_a_table) {
    history.opened.words.emplace_back("integrations");
    history.opened.words.emplace_back("message_wraps");
    const auto proof = prove("P7.at-rest");
    EXPECT_EQ(proof.verdict, Verdict::proven);
    if (store::tests_on_postgres()) return;
    EXPECT_NE(proof.finding.evidence.back().find("2 of them are left out"), std::string::npos);
}

TEST_F(StoredClaimsTest, p7_tells_how_many_values_it_left_out) {
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

TEST_F(StoredClaimsTest, p7_is_unknown_without_files) {
    const auto proof = prove("P7.at-rest", claims_about({folder.file("elsewhere")}));
    EXPECT_EQ(proof.verdict, Verdict::unknown);
}

TEST_F(StoredClaimsTest, p7_looks_at_rows_where_the_store_has_no_files) {
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

TEST_F(StoredClaimsTest, p7_finds_a_blob_behind_many_rows) {
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

TEST_F(StoredClaimsTest, p10_fails_for_a_mail_that_answers_nothing_of_ours) {
    add_thread(2, 1);
    add_message(3, 2, 0, "in");
    add_ledger(1, "fetch_body", "verified_reply");
    EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::failing);
}

TEST_F(StoredClaimsTest, p10_fails_for_a_mail_that_is_called_neither_ours_nor_received) {
    add_thread(2, 1);
    add_message(3, 2, 0, "IN");
    add_ledger(1, "fetch_body", "verified_reply");
    EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::failing);
}

TEST_F(StoredClaimsTest, p10_fails_for_a_raw_mail_of_no_message) {
    run_sql(
        "INSERT INTO raw_mails (workspace_id, message_id, people, raw, raw_wrap) "
        "VALUES ($1, $2, $3, $4, $5)",
        {id<WorkspaceId>(1), id<MessageId>(99), Clear::bytes(as_bytes("people")), noise(),
         noise()});
    expect_failing("P10.own-threads");
}

TEST_F(StoredClaimsTest, p10_fails_for_a_mail_that_the_ledger_does_not_know) {
    add_message(3, 1, 0, "in");
    expect_failing("P10.own-threads");
}

TEST_F(StoredClaimsTest, p10_fails_for_a_read_of_another_kind) {
    add_ledger(1, "fetch_envelopes", "new_mail");
    expect_failing("P10.own-threads");
}

TEST_F(StoredClaimsTest, p10_is_unknown_while_anything_that_it_plants_is_not_seen) {
    const Blinded all[] = {
        {"CREATE TRIGGER blind BEFORE INSERT ON messages BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON messages FOR EACH ROW "
         "EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON messages"},
        {"CREATE TRIGGER blind BEFORE INSERT ON raw_mails BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON raw_mails FOR EACH ROW "
         "EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON raw_mails"},
        {"CREATE TRIGGER blind BEFORE INSERT ON read_ledger WHEN NEW.command = 'fetch_body' "
         "BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON read_ledger FOR EACH ROW "
         "WHEN (NEW.command = 'fetch_body') EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON read_ledger"},
        {"CREATE TRIGGER blind BEFORE INSERT ON read_ledger WHEN NEW.command <> 'fetch_body' "
         "BEGIN SELECT RAISE(IGNORE); END",
         "CREATE TRIGGER blind BEFORE INSERT ON read_ledger FOR EACH ROW "
         "WHEN (NEW.command <> 'fetch_body') EXECUTE FUNCTION postern_store.ignored()",
         "DROP TRIGGER blind ON read_ledger"},
    };
    for (const auto& each : all) {
        blind(each);
        EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::unknown) << each.on_sqlite.view();
        see_again(each);
        EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::proven);
    }
}

TEST_F(StoredClaimsTest, p10_is_proven_with_a_probe_a_bounce_and_a_server_that_cannot_search) {
    add_ledger(1, "probe", "search_fails");
    add_ledger(1, "look_in_sent", "our_copy");
    add_ledger(1, "fetch_thread_fields", "new_mail");
    add_ledger(1, "fetch_body", "bounce_of_ours");
    expect_failing("none");
    EXPECT_NE(prove("P10.own-threads").finding.evidence.back().find("1 times"), std::string::npos);
}

TEST_F(StoredClaimsTest, p10_and_p11_fail_for_a_body_that_was_read_and_not_kept) {
    add_ledger(1, "fetch_body", "verified_reply");
    EXPECT_EQ(prove("P10.own-threads").verdict, Verdict::failing);
    EXPECT_EQ(prove("P11.complete").verdict, Verdict::failing);
}

TEST_F(StoredClaimsTest, p11_fails_for_what_is_missing) {
    for (const SqlText sql :
         {SqlText("UPDATE threads SET next_number = 3"), SqlText("DELETE FROM message_wraps"),
          SqlText("DELETE FROM raw_mails")}) {
        run_sql(sql, {});
        expect_failing("P11.complete");
    }
}

TEST_F(StoredClaimsTest, p11_fails_for_a_queued_mail_without_its_message) {
    run_sql(
        "INSERT INTO outbox (workspace_id, message_id, integration_id, stage, attempts, fence, "
        "next_at_ms) VALUES ($1, $2, $3, 'queued', 0, 0, 0)",
        {id<WorkspaceId>(1), id<MessageId>(9), id<IntegrationId>(1)});
    expect_failing("P11.complete");
}

/// A trigger that mends what the control plants, so that one count alone does not see it.
TEST_F(StoredClaimsTest, p11_is_unknown_while_any_of_its_counts_is_blind) {
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

TEST_F(StoredClaimsTest, p11_fails_when_a_raw_mail_does_not_open) {
    history.opened.raw_unreadable = 1;
    expect_failing("P11.complete");
}

}  // namespace
}  // namespace postern::trust
