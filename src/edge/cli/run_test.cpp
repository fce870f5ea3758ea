#include "edge/cli/run.h"

#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {
namespace {

Secret secret(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}

class FakeInstallation final : public Installation {
public:
    bool refuses = false;
    Verdict verdict = Verdict::good;

    Outcome<Made> init(const InitCommand& command) override {
        if (refuses) return no();
        return Made{kit(command.kit), secret("setup"), "http://localhost:8080", "/d/root.key"};
    }
    Outcome<Kit> make_kit(const MakeKitCommand& command) override {
        if (refuses) return no();
        return kit(command.kit);
    }
    Outcome<std::string> recover(const RecoverCommand&, Secret) override {
        if (refuses) return no();
        return "0123";
    }
    Outcome<Rotated> rotate(const RotateCommand& command) override {
        if (refuses) return no();
        return Rotated{command.root ? "89ab" : "", 12};
    }
    Outcome<std::string> change_passphrase(const PassphraseCommand&) override {
        if (refuses) return no();
        return "4567";
    }
    Outcome<> serve(const Place&,
                    const std::vector<std::string>&,
                    const std::function<void(const Serving&)>& announce) override {
        if (refuses) return no();
        announce({"http://localhost:1", "http://localhost:2"});
        return {};
    }
    std::vector<std::string> config_problems(const std::string&) override {
        if (!refuses) return {};
        return {"line 1"};
    }
    Outcome<SetupToken> recover_person(const Place&, const std::string& email) override {
        if (refuses) return no();
        return SetupToken{secret("for:" + email), "https://p.example"};
    }
    Outcome<SetupToken> setup_token(const Place&) override {
        if (refuses) return no();
        return SetupToken{secret("again"), "https://p.example"};
    }
    Outcome<Secret> create_token(const CreateTokenCommand&) override {
        if (refuses) return no();
        return secret("pst_x");
    }
    Outcome<SealAll::Answer> seal_all(const SealAllCommand&) override {
        if (refuses) return no();
        return SealAll::Answer{3, 2, 1, 4, verdict == Verdict::good};
    }
    Outcome<VerifyAudit::Answer> verify_audit(const VerifyAuditCommand& command) override {
        if (refuses) return no();
        VerifyAudit::Answer answer;
        answer.chains.push_back({"ws_one", 7, 0, "", "abcd"});
        answer.chains.push_back({"ws_two", 0, 0, "", ""});
        if (verdict == Verdict::bad)
            answer.chains.push_back({"ws_three", 2, 3, "it is missing", ""});
        answer.has_anchors = has_anchors;
        answer.anchors = 5;
        answer.anchor_faults = anchor_faults;
        if (command.log_file == "/log") answer.log.lines = 3;
        return answer;
    }
    bool has_anchors = false;
    std::vector<std::string> anchor_faults;
    Outcome<> accept_anchors(const Place&) override {
        if (refuses) return no();
        return {};
    }
    Outcome<> export_audit(const Place&,
                           const std::string& workspace,
                           const TellLines& tell) override {
        if (refuses) return no();
        tell("{\"of\":\"" + workspace + "\"}\n");
        tell("{}\n");
        return {};
    }
    Outcome<Bytes> receipt_key(const Place&) override { return no(); }
    Outcome<Moved> migrate_store(const Place&, const std::string& to) override {
        if (to == "sqlite") return std::unexpected(Refusal{"store_not_empty", "Words.", "there"});
        return Moved{41};
    }
    std::vector<DoctorCheck> doctor(const Place&) override { return {{"disk", verdict, "words"}}; }
    ProveClaim::Answer first;
    ProveClaim::Answer proof;
    Outcome<> prove_claims(const Place&, const std::string& id, const TellProof& tell) override {
        if (refuses) return no();
        tell({"P1.sealed", "A claim.", "a method", "a planted fault", "nothing"}, first);
        if (id.empty()) tell({"P2.cut-off", "Another.", "a method", "a fault", "nothing"}, proof);
        return {};
    }

private:
    static Kit kit(const KitScheme& scheme) {
        Kit made{{}, scheme, "f1n6e2"};
        for (int i = 1; i <= scheme.shares; ++i)
            made.shares.push_back(secret("postern-recovery-2:share" + std::to_string(i)));
        return made;
    }
    static std::unexpected<Refusal> no() {
        return std::unexpected(Refusal{"some_code", "It is refused.", "detail"});
    }
};

struct Ran {
    int status = 0;
    std::string out;
    std::string err;
};

Ran run(Installation& installation, std::vector<const char*> words) {
    words.insert(words.begin(), "postern");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Ran ran;
    ran.status = cli::run(static_cast<int>(words.size()), words.data(), "0.1.0", installation);
    ran.out = testing::internal::GetCapturedStdout();
    ran.err = testing::internal::GetCapturedStderr();
    return ran;
}

const std::vector<const char*> k_token{"token",       "create", "--data", "/d",
                                       "--workspace", "Brand",  "--role", "owner"};

TEST(Run, a_token_stands_alone_on_standard_output) {
    FakeInstallation installation;
    const auto ran = run(installation, k_token);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out, "pst_x\n");
    EXPECT_EQ(ran.err, "");
}

TEST(Run, a_refusal_is_one_sentence_with_its_code_and_ends_with_1) {
    FakeInstallation installation;
    installation.refuses = true;
    for (const auto& words : {k_token,
                              {"init", "--data", "/d"},
                              {"keyring", "recovery-kit", "--data", "/d"},
                              {"keyring", "passphrase", "--data", "/d"},
                              {"keyring", "rotate", "--data", "/d"},
                              {"seal-all", "--data", "/d"},
                              {"setup-link", "--data", "/d"},
                              {"person", "recover", "--data", "/d", "--email", "a@b.example"},
                              {"serve", "--data", "/d"},
                              {"recover", "--data", "/d"},
                              {"trust", "check", "--data", "/d"}}) {
        const auto ran = run(installation, words);
        EXPECT_EQ(ran.status, 1);
        EXPECT_EQ(ran.out, "");
        EXPECT_EQ(ran.err, "postern: It is refused. detail [some_code]\n");
    }
}

TEST(Run, person_recover_prints_a_link_alone) {
    FakeInstallation installation;
    const auto ran =
        run(installation, {"person", "recover", "--data", "/d", "--email", "a@b.example"});
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out, "https://p.example/reset?token=for:a@b.example\n");
}

TEST(Run, init_prints_link_and_recovery_kit_on_lines_of_their_own) {
    FakeInstallation installation;
    const auto ran = run(installation, {"init", "--data", "/d"});
    EXPECT_NE(ran.out.find("\nhttp://localhost:8080/setup?token=setup\n"), std::string::npos);
    EXPECT_NE(ran.out.find("\npostern-recovery-2:share1\n"), std::string::npos);
    EXPECT_EQ(ran.out.find("share2"), std::string::npos);
}

TEST(Run, a_kit_of_several_shares_says_how_many_restore) {
    FakeInstallation installation;
    for (const auto& words :
         {std::vector{"init", "--data", "/d", "--recovery-shares", "3", "--recovery-threshold",
                      "2"},
          {"keyring", "recovery-kit", "--data", "/d", "--shares", "3", "--threshold", "2"}}) {
        const auto ran = run(installation, words);
        EXPECT_EQ(ran.status, 0);
        EXPECT_NE(ran.out.find("Any 2 of these 3 lines restore"), std::string::npos) << ran.out;
        EXPECT_NE(ran.out.find("\npostern-recovery-2:share3\n"), std::string::npos);
    }
}

TEST(Run, a_printed_kit_is_in_its_file_and_not_on_the_terminal) {
    FakeInstallation installation;
    const auto file = testing::TempDir() + "kit-" + std::to_string(::getpid()) + ".html";
    std::filesystem::remove(file);
    const std::vector<const char*> words{"keyring", "recovery-kit", "--data",
                                         "/d",      "--print",      file.c_str()};
    const auto ran = run(installation, words);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out.find("postern-recovery-2"), std::string::npos);
    EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::mask,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    // A second time the file is there: no kit is made, which would make the one before void.
    const auto again = run(installation, words);
    EXPECT_EQ(again.status, 1);
    EXPECT_EQ(again.out, "");
    std::filesystem::remove(file);
}

TEST(Run, seal_all_tells_what_it_ended_and_fails_where_that_is_not_certain) {
    FakeInstallation installation;
    const auto ran = run(installation, {"seal-all", "--data", "/d"});
    EXPECT_EQ(ran.status, 0);
    EXPECT_NE(ran.out.find("3 integrations, 2 leases, 1 grants, 4 connections"), std::string::npos);
    EXPECT_NE(ran.out.find("Grants were kept"), std::string::npos);
    installation.verdict = Verdict::bad;
    const auto silent = run(installation, {"seal-all", "--data", "/d", "--grants"});
    EXPECT_EQ(silent.status, 1);
    EXPECT_NE(silent.err.find("not_confirmed"), std::string::npos);
}

TEST(Run, audit_verify_is_good_only_when_every_chain_is_whole) {
    FakeInstallation installation;
    const auto good = run(installation, {"audit", "verify", "--data", "/d"});
    EXPECT_EQ(good.status, 0);
    EXPECT_TRUE(good.out.starts_with(
        "ws_one: 7 records, whole; head abcd\nws_two: 0 records, whole; head -\n"));
    EXPECT_NE(good.out.find("second place: none"), std::string::npos);
    installation.verdict = Verdict::bad;
    const auto bad = run(installation, {"audit", "verify", "--data", "/d"});
    EXPECT_EQ(bad.status, 1);
    EXPECT_NE(bad.out.find("ws_three: 2 records are whole; number 3: it is missing"),
              std::string::npos);
    EXPECT_NE(bad.err.find("audit_broken"), std::string::npos);
}

TEST(Run, audit_verify_tells_what_the_second_place_says) {
    FakeInstallation installation;
    installation.has_anchors = true;
    const auto good = run(installation, {"audit", "verify", "--data", "/d"});
    EXPECT_EQ(good.status, 0);
    EXPECT_NE(good.out.find("second place: 5 anchors\n"), std::string::npos);
    installation.anchor_faults = {"ws_one: the record ends\x1b[2J"};
    const auto bad = run(installation, {"audit", "verify", "--data", "/d"});
    EXPECT_EQ(bad.status, 1);
    EXPECT_NE(bad.out.find("second place: ws_one: the record ends"), std::string::npos);
    EXPECT_EQ(bad.out.find('\x1b'), std::string::npos);
    EXPECT_NE(bad.err.find("audit_broken"), std::string::npos);
}

TEST(Run, audit_verify_takes_a_log_too) {
    FakeInstallation installation;
    const auto with = run(installation, {"audit", "verify", "--data", "/d", "--anchors", "/log"});
    EXPECT_EQ(with.status, 0);
    EXPECT_NE(with.out.find("log: 3 lines\n"), std::string::npos);
    const auto without = run(installation, {"audit", "verify", "--data", "/d"});
    EXPECT_EQ(without.out.find("log:"), std::string::npos);
}

TEST(Run, audit_is_exported_and_its_second_place_accepted) {
    FakeInstallation installation;
    const auto lines =
        run(installation, {"audit", "export", "--data", "/d", "--workspace", "Brand"});
    EXPECT_EQ(lines.out, "{\"of\":\"Brand\"}\n{}\n");
    EXPECT_EQ(run(installation, {"audit", "accept", "--data", "/d"}).status, 0);
    installation.refuses = true;
    EXPECT_EQ(run(installation, {"audit", "accept", "--data", "/d"}).status, 1);
    EXPECT_EQ(run(installation, {"audit", "export", "--data", "/d", "--workspace", "Brand"}).status,
              1);
    EXPECT_EQ(run(installation, {"audit", "export", "--data", "/d"}).status, 2);
}

TEST(Run, serve_announces_where) {
    FakeInstallation installation;
    const auto ran = run(installation, {"serve", "--data", "/d"});
    EXPECT_EQ(ran.out, "ready http://localhost:1\nmetrics http://localhost:2\n");
}

TEST(Run, moving_the_stores_says_how_much_or_why_not) {
    FakeInstallation installation;
    const auto moved = run(installation, {"migrate-store", "--data", "/d", "--to", "postgresql"});
    EXPECT_EQ(moved.status, 0);
    EXPECT_NE(moved.out.find("41 rows"), std::string::npos);
    const auto refused = run(installation, {"migrate-store", "--data", "/d", "--to", "sqlite"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("[store_not_empty]"), std::string::npos);
}

TEST(Run, doctor_and_check_config_say_by_their_status_what_they_found) {
    FakeInstallation installation;
    EXPECT_EQ(run(installation, {"check-config", "--config", "/c"}).status, 0);
    EXPECT_EQ(run(installation, {"doctor", "--data", "/d"}).status, 0);
    installation.verdict = Verdict::warning;
    EXPECT_EQ(run(installation, {"doctor", "--data", "/d"}).status, 0);
    installation.verdict = Verdict::bad;
    installation.refuses = true;
    EXPECT_EQ(run(installation, {"doctor", "--data", "/d"}).status, 1);
    EXPECT_EQ(run(installation, {"check-config", "--config", "/c"}).status, 1);
}

TEST(Run, trust_check_is_good_only_when_every_claim_is_proven) {
    FakeInstallation installation;
    const std::vector<const char*> all{"trust", "check", "--data", "/d"};
    installation.first.verdict = installation.proof.verdict = ClaimVerdict::proven;
    EXPECT_EQ(run(installation, all).status, 0);
    for (const auto verdict : {ClaimVerdict::failing, ClaimVerdict::unknown}) {
        installation.proof.verdict = verdict;
        EXPECT_EQ(run(installation, all).status, 1);
        EXPECT_EQ(
            run(installation, {"trust", "check", "--data", "/d", "--claim", "P1.sealed"}).status,
            0);
    }
}

TEST(Run, trust_check_says_what_was_seen_and_escapes_it) {
    FakeInstallation installation;
    installation.first.verdict = ClaimVerdict::failing;
    installation.first.faults = {"a fault\x1b[2J"};
    installation.first.evidence = {"12 things"};
    const auto ran = run(installation, {"trust", "check", "--data", "/d"});
    EXPECT_TRUE(ran.out.starts_with("FAILING  P1.sealed: A claim.\n         ! a fault"));
    EXPECT_NE(ran.out.find("         - 12 things\n"), std::string::npos);
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
    const auto json = run(installation, {"trust", "check", "--data", "/d", "--json"});
    EXPECT_TRUE(json.out.starts_with(
        R"({"id":"P1.sealed","verdict":"failing","text":"A claim.","method":"a method",)"
        R"("control":"a planted fault","cost":"nothing","faults":["a fault\u001b[2J"],)"
        R"("evidence":["12 things"])"))
        << json.out;
}

TEST(Run, a_wrong_command_line_ends_with_2) {
    FakeInstallation installation;
    const auto ran = run(installation, {"nonsense"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err, "");
    EXPECT_EQ(run(installation, {"--help"}).status, 0);
}

TEST(Run, a_receipt_that_cannot_be_read_is_refused) {
    FakeInstallation installation;
    const auto ran = run(installation, {"receipt", "verify", "/nonexistent"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace postern::cli
