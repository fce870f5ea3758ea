#pragma once

#include "features/identity/identity.h"
#include "features/identity/passkeys.h"
#include "features/identity/password_resets.h"
#include "features/identity/people.h"
#include "features/identity/played_courier_test.h"
#include "features/identity/played_keeper_test.h"
#include "features/identity/provider_sign_in.h"
#include "features/identity/providers.h"
#include "features/identity/second_factors.h"
#include "foundation/codec/base32.h"
#include "foundation/crypto/one_time_code.h"
#include "foundation/crypto/password.h"
#include "platform/async/blocking_pool.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

namespace postern::identity::test {

inline constexpr std::string_view k_email = "olga@brand.example";
inline constexpr std::string_view k_password = "correct horse battery staple";

inline std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}
inline Secret secret_of(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}

/// Takes letters, unless it is away.
struct Postman final : own_mail::Carrier {
    async::Task<> carry(own_mail::Letter letter) override {
        if (is_away) co_return fail(own_mail::CarryError::not_now);
        letters.push_back(std::move(letter));
        co_return Result<>{};
    }
    bool is_away = false;
    std::vector<own_mail::Letter> letters;
};

/// Identity over a real SQLite store and a played keeper.
class IdentityLab : public ::testing::Test {
protected:
    IdentityLab() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        options.clock = &clock;
        database = store::open_or_fail(options);
        restart();
    }
    /// As after a restart: only what is stored is left.
    void restart() {
        audit_log = std::make_unique<audit::AuditLog>(
            audit::AuditLog::Parts{*database, keeper.link, clock});
        own_mail = std::make_unique<own_mail::OwnMail>(
            own_mail::OwnMail::Parts{*database, keeper.link, clock,
                                     sends_mail ? &postman : nullptr},
            loop.io.get_executor());
        identity = std::make_unique<Identity>(Identity::Parts{
            *database, keeper.link, clock, *audit_log, *own_mail, passwords, todays_cost});
        factors = std::make_unique<SecondFactors>(
            SecondFactors::Parts{*database, keeper.link, clock, *audit_log, *identity});
        people = std::make_unique<People>(
            People::Parts{*database, keeper.link, clock, *audit_log, *own_mail, *identity});
        resets = std::make_unique<PasswordResets>(
            PasswordResets::Parts{*database, keeper.link, clock, *audit_log, *own_mail, *identity});
        passkeys = std::make_unique<Passkeys>(
            Passkeys::Parts{*database, keeper.link, clock, *audit_log, *identity});
        providers = std::make_unique<Providers>(Providers::Parts{
            *database, keeper.link, provider_side.link, clock, *audit_log, *identity});
        provider_sign_in = std::make_unique<ProviderSignIn>(ProviderSignIn::Parts{
            *database, keeper.link, provider_side.link, clock, *audit_log, *identity, *providers});
    }

    /// What was sent since the last look.
    std::vector<own_mail::Letter> letters() {
        EXPECT_TRUE(run(own_mail->hand_over_due()));
        return std::exchange(postman.letters, {});
    }
    template <typename T>
    Result<T> run(async::Task<T> task) {
        return loop.run(std::move(task));
    }
    Result<NewToken> set_up(std::string token,
                            std::string_view email = k_email,
                            std::string_view password = k_password,
                            std::string workspace = "Brand") {
        Identity::SetUp ask{std::move(token), std::move(workspace), std::string(email),
                            secret_of(password)};
        return run(identity->set_up(std::move(ask)));
    }
    std::string setup_token() { return text_of(run(identity->create_setup_token()).value()); }
    /// Sets up with the usual names.
    NewToken owner() {
        auto made = set_up(setup_token());
        EXPECT_TRUE(made.has_value());
        return std::move(made.value());
    }
    Result<NewSession> sign_in(std::string_view email = k_email,
                               std::string_view password = k_password,
                               std::string_view from = "192.0.2.7") {
        return run(identity->sign_in(std::string(email), secret_of(password),
                                     {std::string(from), "Firefox on a Mac"}));
    }
    Result<NewToken> create_token(std::string workspace, Role role = Role::owner) {
        return run(identity->create_token(Identity::TokenAsk{std::move(workspace), role, false}));
    }

    /// Of an authenticator app that has this key.
    std::string code_of(const Secret& key, std::int64_t steps_later = 0) {
        const auto bytes = codec::parse_base32(text_of(key)).value();
        const auto step = crypto::time_step_at(clock.now) + steps_later;
        return crypto::one_time_code(Secret::copy_of(bytes), static_cast<std::uint64_t>(step));
    }

    store::TestFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    TestKeeper keeper{loop};
    TestCourier provider_side{loop};
    std::unique_ptr<store::Database> database;
    crypto::Argon2Cost todays_cost{.passes = 1, .memory_kib = 64};  ///< from the next restart() on
    async::BlockingPool passwords{{.threads = 1, .queue_max = k_sign_ins_waiting_max}};
    std::unique_ptr<audit::AuditLog> audit_log;
    bool sends_mail = false;  ///< from the next restart() on
    Postman postman;
    std::unique_ptr<own_mail::OwnMail> own_mail;
    std::unique_ptr<Identity> identity;
    std::unique_ptr<SecondFactors> factors;
    std::unique_ptr<People> people;
    std::unique_ptr<PasswordResets> resets;
    std::unique_ptr<Passkeys> passkeys;
    std::unique_ptr<Providers> providers;
    std::unique_ptr<ProviderSignIn> provider_sign_in;
};

}  // namespace postern::identity::test
