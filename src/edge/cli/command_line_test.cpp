#include "edge/cli/command_line.h"

#include "edge/cli/installation.h"

#include <gtest/gtest.h>
#include <expected>
#include <string>
#include <variant>
#include <vector>

namespace postern::cli {
namespace {

std::expected<Command, Usage> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "postern");
    return parse_command_line(static_cast<int>(words.size()), words.data(), "0.1.0");
}

TEST(CommandLine, every_command_is_understood) {
    EXPECT_EQ(std::get<InitCommand>(*parse({"init", "--data", "/d"})).place.data, "/d");
    const auto serve = parse({"serve", "--data", "/d", "--listen", "localhost:8080", "--listen",
                              "[::1]:1", "--config", "/c", "--root-key", "/k"});
    ASSERT_TRUE(serve);
    EXPECT_EQ(std::get<ServeCommand>(*serve).listen,
              (std::vector<std::string>{"localhost:8080", "[::1]:1"}));
    EXPECT_EQ(std::get<ServeCommand>(*serve).place.root_key_file, "/k");
    const auto kit = parse({"init", "--data", "/d", "--recovery-shares", "12",
                            "--recovery-threshold", "3", "--print", "/k.svg"});
    ASSERT_TRUE(kit);
    EXPECT_EQ(std::get<InitCommand>(*kit).kit.shares, 12);
    EXPECT_EQ(std::get<InitCommand>(*kit).kit.threshold, 3);
    EXPECT_EQ(std::get<InitCommand>(*kit).print_file, "/k.svg");
    const auto anew = parse({"keyring", "recovery-kit", "--data", "/d"});
    ASSERT_TRUE(anew);
    EXPECT_EQ(std::get<MakeKitCommand>(*anew).kit.shares, 1);
    const auto all = parse({"keyring", "rotate", "--data", "/d"});
    ASSERT_TRUE(all);
    const auto& every = std::get<RotateCommand>(*all);
    EXPECT_TRUE(every.root && every.keyring && every.workspaces);
    const auto one = parse({"keyring", "rotate", "--data", "/d", "--keyring"});
    const auto& only = std::get<RotateCommand>(*one);
    EXPECT_TRUE(only.keyring && !only.root && !only.workspaces);
    EXPECT_FALSE(std::get<SealAllCommand>(*parse({"seal-all", "--data", "/d"})).grants);
    EXPECT_TRUE(std::get<SealAllCommand>(*parse({"seal-all", "--data", "/d", "--grants"})).grants);
    const auto passphrase = parse({"keyring", "passphrase", "--data", "/d", "--passphrase-fd", "3",
                                   "--new-passphrase-fd", "4"});
    ASSERT_TRUE(passphrase);
    EXPECT_EQ(std::get<PassphraseCommand>(*passphrase).place.passphrase_fd, 3);
    EXPECT_EQ(std::get<PassphraseCommand>(*passphrase).new_passphrase_fd, 4);
    EXPECT_TRUE(std::get<InitCommand>(*parse({"init", "--data", "/d", "--root-key-passphrase"}))
                    .under_passphrase);
    EXPECT_TRUE(std::holds_alternative<RecoverCommand>(*parse({"recover", "--data", "/d"})));
    EXPECT_TRUE(std::holds_alternative<SetupLinkCommand>(*parse({"setup-link", "--data", "/d"})));
    const auto token =
        parse({"token", "create", "--data", "/d", "--workspace", "Brand", "--role", "owner"});
    ASSERT_TRUE(token);
    EXPECT_EQ(std::get<CreateTokenCommand>(*token).workspace, "Brand");
    EXPECT_TRUE(
        std::holds_alternative<CheckConfigCommand>(*parse({"check-config", "--config", "/c"})));
    EXPECT_TRUE(std::holds_alternative<DoctorCommand>(*parse({"doctor", "--data", "/d"})));
    EXPECT_TRUE(std::holds_alternative<CheckTrustCommand>(
        *parse({"trust", "check", "--data", "/d", "--json"})));
    const auto move = parse({"migrate-store", "--data", "/d", "--to", "postgresql"});
    ASSERT_TRUE(move && std::holds_alternative<MigrateStoreCommand>(*move));
    EXPECT_EQ(std::get<MigrateStoreCommand>(*move).to, "postgresql");
    EXPECT_FALSE(parse({"migrate-store", "--data", "/d"}));
    EXPECT_FALSE(parse({"migrate-store", "--data", "/d", "--to", "mysql"}));
    const auto verify = parse({"receipt", "verify", "/r.json"});
    ASSERT_TRUE(verify);
    EXPECT_FALSE(std::get<VerifyReceiptCommand>(*verify).place);
    EXPECT_TRUE(
        std::get<VerifyReceiptCommand>(*parse({"receipt", "verify", "/r", "--data", "/d"})).place);
}

TEST(CommandLine, help_and_version_are_no_failure) {
    const auto help = parse({"--help"});
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().exit_code, 0);
    EXPECT_NE(help.error().text.find("serve"), std::string::npos);
    const auto version = parse({"--version"});
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().exit_code, 0);
    EXPECT_NE(version.error().text.find('.'), std::string::npos);
}

TEST(CommandLine, a_word_that_is_no_command_is_named) {
    for (const auto& words : {std::vector<const char*>{"frobnicate", "--data", "/d"},
                              std::vector<const char*>{"keyring", "frobnicate"}}) {
        const auto refused = parse(words);
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().text.find("no command \"frobnicate\""), std::string::npos)
            << refused.error().text;
    }
    EXPECT_EQ(parse({"frob\x1b[2Jnicate"}).error().text.find('\x1b'), std::string::npos);
}

TEST(CommandLine, what_is_wrong_is_said_and_ends_with_2) {
    const std::vector<std::vector<const char*>> all{
        {},
        {"nonsense"},
        {"init"},
        {"serve", "--nonsense"},
        {"token"},
        {"token", "create", "--data", "/d", "--role", "owner"},
        {"token", "create", "--data", "/d", "--workspace", "B", "--role", "king"},
        {"check-config"},
        {"receipt", "verify"},
        {"init", "--data", "/d", "more"},
        {"init", "--data", "/d", "--recovery-shares", "17"},
        {"init", "--data", "/d", "--recovery-shares", "0"},
        {"init", "--data", "/d", "--print", "/kit.pdf"},
        {"keyring"},
        {"serve", "--data", "/d", "--passphrase-fd", "-1"},
        {"serve", "--data", "/d", "--passphrase", "secret"},
    };
    for (const auto& words : all) {
        const auto usage = parse(words);
        ASSERT_FALSE(usage) << words.size();
        EXPECT_EQ(usage.error().exit_code, 2);
        EXPECT_FALSE(usage.error().text.empty());
    }
}

}  // namespace
}  // namespace postern::cli
