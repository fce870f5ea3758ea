#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "features/integrations/receipt_text.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/events/event_log.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/database.h"
#include "platform/store/reserve.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <sys/mount.h>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Re-seal, cut-off and deletion, and their receipts.
namespace postern::integrations::test {
namespace {

using keys::KeyError;
using store::StoreError;

class EndTest : public IntegrationsLab {
protected:
    Result<Receipt> receipt(ReceiptId which) {
        return run(integrations->receipt(workspace, which));
    }
    static std::vector<std::string> names_of(const Receipt& receipt) {
        std::vector<std::string> names;
        for (const auto& step : receipt.steps)
            names.push_back(step.name);
        return names;
    }
    static std::string result_of(const Receipt& receipt, std::string_view name) {
        for (const auto& step : receipt.steps) {
            if (step.name == name) return step.result;
        }
        return "no such step";
    }
    /// Connected with a mailbox at this host.
    IntegrationId connected_at(std::string_view host) {
        auto ask = ask_for();
        ask.destination.imap.host = host;
        return connect(std::move(ask)).value().view->integration.id;
    }
};

TEST_F(EndTest, what_ends_access_waits_for_a_keeper_that_is_started_again) {
    const auto id = connected(true);
    // Each call in turn is the one that keeper dies over.
    for (const auto* name :
         {"Lock", "SealAll", "SignLedger", "CutOff", "Identify", "SignReceipt"}) {
        keeper.hold(name);
        std::optional<Result<>> locked;
        std::optional<Result<Receipt>> ended;
        std::optional<Result<Integrations::SealedAll>> sealed;
        if (name == std::string_view("Lock")) {
            loop.start(integrations->lock(k_by, workspace, id), locked);
        } else if (name == std::string_view("SealAll")) {
            loop.start(integrations->seal_all(k_by, workspace, true), sealed);
        } else {
            loop.start(integrations->cut_off(k_by, workspace, id, false), ended);
        }
        run_until_held(keeper);
        keeper.lose();
        loop.settle();
        EXPECT_FALSE(locked || ended || sealed) << name;
        keeper.release(name);
        keeper.restart();
        loop.run_until([&] { return locked || ended || sealed; });
        EXPECT_TRUE(!locked || *locked) << name;
        EXPECT_TRUE(!sealed || *sealed) << name;
        EXPECT_TRUE(!ended || *ended) << name;
    }
    EXPECT_EQ(state_of(id), State::cut_off);
    EXPECT_TRUE(operations().empty());
}

TEST_F(EndTest, cut_off_destroys_and_says_so) {
    const auto id = connected(true);
    ASSERT_TRUE(grant(id).has_value());
    ASSERT_TRUE(grant(id).has_value());
    const auto done = cut_off(id).value();
    EXPECT_EQ(done.kind, "cut_off");
    EXPECT_EQ(done.state, "pending");
    EXPECT_EQ(done.subject, id.text());
    EXPECT_EQ(done.epoch, 2);
    EXPECT_EQ(done.bound_ms, 12);
    EXPECT_EQ(done.at_ms, clock.now);
    EXPECT_EQ(names_of(done),
              (std::vector<std::string>{"requested", "epoch_raised", "connections_closed",
                                        "shares_destroyed", "grant_keys_destroyed", "seals_deleted",
                                        "provider_revocation", "ledger_copies"}));
    EXPECT_EQ(result_of(done, "requested"), "recorded");
    EXPECT_EQ(result_of(done, "epoch_raised"), "epoch 2");
    EXPECT_EQ(result_of(done, "connections_closed"), "2 closed");
    EXPECT_EQ(result_of(done, "grant_keys_destroyed"), "2");
    EXPECT_EQ(result_of(done, "ledger_copies"), "no_sites");
    EXPECT_EQ(state_of(id), State::cut_off);
    expect_whole(id);
}

TEST_F(EndTest, cut_off_of_what_the_keyring_has_lost_ends_and_says_so) {
    const auto id = connected(true);
    keeper.forget(workspace, id);
    const auto done = cut_off(id).value();
    EXPECT_EQ(names_of(done), (std::vector<std::string>{"requested", "keyring", "seals_deleted",
                                                        "provider_revocation", "ledger_copies"}));
}

TEST_F(EndTest, receipt_is_signed_as_it_is_shown_and_found_by_its_id) {
    const auto id = connected();
    const auto done = cut_off(id).value();
    EXPECT_EQ(done.key, keeper.receipt_key());
    EXPECT_TRUE(keeper.has_signed(done));
    auto other = done;
    other.epoch += 1;
    EXPECT_FALSE(keeper.has_signed(other));
    const auto again = receipt(done.id).value();
    EXPECT_EQ(receipt_json(again, true), receipt_json(done, true));
}

TEST_F(EndTest, receipt_of_another_workspace_or_none_is_not_found) {
    const auto done = cut_off(connected()).value();
    EXPECT_TRUE(fails_with(run(integrations->receipt(other_workspace, done.id)),
                           IntegrationError::not_found));
    EXPECT_TRUE(fails_with(receipt(ReceiptId::make(1)), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(receipt({}), IntegrationError::not_found));
    keeper.fail_named("OpenRecords");
    EXPECT_TRUE(fails_with(receipt(done.id), KeyError::storage_failed));
    keeper.heal();
    change_store(store::EngineText{"UPDATE receipts SET body = x'01'",
                                   "UPDATE receipts SET body = '\\x01'"});
    EXPECT_TRUE(fails_with(receipt(done.id), KeyError::cannot_open));
}

TEST_F(EndTest, receipt_does_not_open_in_the_place_of_another) {
    const auto first = cut_off(connected()).value();
    const auto second = cut_off(connected()).value();
    change_store(
        "UPDATE receipts SET body = (SELECT body FROM receipts ORDER BY receipt_id LIMIT 1)");
    EXPECT_TRUE(receipt(std::min(first.id, second.id)).has_value());
    EXPECT_TRUE(fails_with(receipt(std::max(first.id, second.id)), KeyError::cannot_open));
}

TEST_F(EndTest, receipt_says_what_became_of_the_mail_process) {
    keeper.courier_end = keys::CourierEnd::gone;
    EXPECT_EQ(result_of(cut_off(connected()).value(), "connections_closed"),
              "all ended with the mail process");
    keeper.courier_end = keys::CourierEnd::silent;
    EXPECT_TRUE(
        result_of(cut_off(connected()).value(), "connections_closed").starts_with("not confirmed"));
}

TEST_F(EndTest, receipt_links_to_where_the_password_is_changed_for_hosts_that_are_known) {
    EXPECT_EQ(cut_off(connected_at("imap.gmail.com"))->link,
              "https://myaccount.google.com/apppasswords");
    EXPECT_EQ(cut_off(connected_at("imap.fastmail.com"))->link,
              "https://app.fastmail.com/settings/security");
    EXPECT_EQ(cut_off(connected_at("imap.ionos.de"))->link, "https://password.ionos.com/");
    for (const std::string other : {"imap.notgmail.com", "gmail.com.evil.example", "notionos.de"})
        EXPECT_EQ(cut_off(connected_at(other))->link, "") << other;
    EXPECT_EQ(cut_off(connected_at("imap.brand.example"))->link, "");
    EXPECT_EQ(cut_off(connected_at(""))->link, "");
    EXPECT_FALSE(cut_off(connected())->advice.empty());
}

TEST_F(EndTest, request_and_ledger_entry_are_durable_before_anything_is_destroyed) {
    const auto id = connected();
    bool seen = false;
    keeper.on_call = [&](std::string_view call) {
        if (call != "CutOff") return;
        seen = true;
        EXPECT_EQ(stored(id)->stored_state, StoredState::cut_off);
        ASSERT_EQ(operations().size(), 1);
        EXPECT_EQ(operations()[0].kind, "cut_off");
        const auto entries = ledger();
        ASSERT_EQ(entries.size(), 1);
        EXPECT_TRUE(keeper.has_signed(entries[0]));
        EXPECT_NE(entries[0].text.find(id.text()), std::string::npos);
        EXPECT_NE(entries[0].text.find(operations()[0].receipt.text()), std::string::npos);
        EXPECT_NE(entries[0].text.find(R"("kind":"cut_off")"), std::string::npos);
        EXPECT_EQ(seal_epochs(id).size(), 1) << "not before keeper has destroyed its shares";
    };
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_TRUE(seen);
}

TEST_F(EndTest, request_that_cannot_be_recorded_destroys_nothing) {
    const auto id = connected();
    keeper.fail_named("SignLedger");
    EXPECT_TRUE(fails_with(cut_off(id), KeyError::storage_failed));
    keeper.heal();
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_TRUE(fails_with(cut_off(id), StoreError::row_refused));
    EXPECT_TRUE(fails_with(cut_off(id, true), StoreError::row_refused));
    EXPECT_EQ(keeper.count("CutOff"), 0);
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(ledger().empty());
    expect_whole(id);
}

TEST_F(EndTest, cutting_off_again_is_a_receipt_of_its_own) {
    const auto id = connected();
    const auto first = cut_off(id).value();
    const auto second = cut_off(id).value();
    EXPECT_NE(first.id, second.id);
    EXPECT_EQ(second.epoch, first.epoch);
    EXPECT_EQ(result_of(second, "grant_keys_destroyed"), "0");
    EXPECT_EQ(receipts_of(id).size(), 2);
    EXPECT_EQ(ledger().size(), 2);
    expect_whole(id);
}

TEST_F(EndTest, deletion_is_a_cut_off_that_leaves_every_list) {
    const auto id = connected(true);
    const auto done = cut_off(id, true).value();
    EXPECT_EQ(done.kind, "delete");
    EXPECT_EQ(result_of(done, "shares_destroyed"), "done");
    EXPECT_TRUE(fails_with(get(id), IntegrationError::not_found));
    EXPECT_EQ(receipt_json(receipt(done.id).value(), true), receipt_json(done, true));
    expect_whole(id);
    const auto cut = connected();
    ASSERT_TRUE(cut_off(cut).has_value());
    EXPECT_TRUE(cut_off(cut, true).has_value()) << "what was cut off can be deleted";
    EXPECT_TRUE(fails_with(get(cut), IntegrationError::not_found));
}

TEST_F(EndTest, ending_is_told_with_its_receipt) {
    const auto id = connected();
    listener.changed.clear();
    const auto done = cut_off(id).value();
    EXPECT_EQ(told("integration.state").back().ids_json,
              R"({"integration_id":")" + id.text() + R"(","state":"cut_off","receipt_id":")" +
                  done.id.text() + R"("})");
    EXPECT_EQ(listener.changed, std::vector{id});
}

TEST_F(EndTest, second_cut_off_at_once_is_busy) {
    const auto id = connected();
    keeper.hold("CutOff");
    std::optional<Result<Receipt>> outcome;
    loop.start(integrations->cut_off(k_by, workspace, id, false), outcome);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(cut_off(id), IntegrationError::busy));
    EXPECT_TRUE(fails_with(cut_off(id, true), IntegrationError::busy));
    keeper.release("CutOff");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    expect_whole(id);
}

TEST_F(EndTest, cut_off_does_not_wait_for_a_reconnect_at_its_provider) {
    const auto id = connected();
    courier.hold("VerifyMailbox");
    std::optional<Result<Connected>> outcome;
    loop.start(integrations->reconnect(workspace, id, ask_for()), outcome);
    run_until_held(courier);
    EXPECT_TRUE(cut_off(id).has_value());
    courier.release("VerifyMailbox");
    EXPECT_TRUE(fails_with(outcome_of(outcome), KeyError::stale_epoch));
    recover();
    EXPECT_EQ(state_of(id), State::cut_off);
    expect_whole(id);
}

TEST_F(EndTest, cut_off_does_not_wait_for_a_reseal_at_any_of_its_steps) {
    for (const std::string step :
         {"PrepareSeal", "SignLedger", "CommitSeal", "Identify", "SignReceipt"}) {
        SCOPED_TRACE(step);
        const auto id = connected();
        keeper.hold(step);
        std::optional<Result<Integrations::Resealed>> outcome;
        loop.start(
            integrations->reseal(k_by, workspace, id, typed(k_secret), typed(k_new_secret), false),
            outcome);
        run_until_held(keeper);
        std::optional<Result<Receipt>> ended;
        loop.start(integrations->cut_off(k_by, workspace, id, false), ended);
        loop.settle();
        keeper.release(step);
        EXPECT_TRUE(outcome_of(ended).has_value());
        (void)outcome_of(outcome);
        recover();
        EXPECT_EQ(state_of(id), State::cut_off);
        expect_whole(id);
    }
}

TEST_F(EndTest, cut_off_between_a_commit_and_what_follows_it_is_not_undone) {
    const auto id = connected();
    keeper.hold_answer("CommitSeal");
    std::optional<Result<Connected>> reconnected;
    loop.start(integrations->reconnect(workspace, id, ask_for()), reconnected);
    run_until_held(keeper);
    EXPECT_TRUE(cut_off(id).has_value());
    keeper.release("CommitSeal");
    EXPECT_TRUE(fails_with(outcome_of(reconnected), IntegrationError::superseded));
    EXPECT_EQ(stored(id)->stored_state, StoredState::cut_off);
    EXPECT_EQ(state_of(id), State::cut_off);
    expect_whole(id);
}

TEST_F(EndTest, reseal_that_a_cut_off_overtook_is_told_as_such_and_has_no_receipt) {
    const auto id = connected();
    keeper.hold_answer("CommitSeal");
    std::optional<Result<Integrations::Resealed>> resealed;
    loop.start(
        integrations->reseal(k_by, workspace, id, typed(k_secret), typed(k_new_secret), false),
        resealed);
    run_until_held(keeper);
    const auto ended = cut_off(id, true).value();
    keeper.release("CommitSeal");
    EXPECT_TRUE(fails_with(outcome_of(resealed), IntegrationError::superseded));
    EXPECT_EQ(receipts_of(id), std::vector{ended.id});
    EXPECT_EQ(told("integration.state").back().ids_json.find("\"sealed\""), std::string::npos);
    expect_whole(id);
}

TEST_F(EndTest, reseal_opens_with_the_new_secret_only_and_ends_lease_and_grants) {
    const auto id = connected(true);
    ASSERT_TRUE(grant(id).has_value());
    const auto done = reseal(id).value();
    EXPECT_TRUE(done.generated.empty());
    EXPECT_EQ(done.receipt.kind, "reseal");
    EXPECT_EQ(done.receipt.epoch, 2);
    EXPECT_EQ(names_of(done.receipt),
              (std::vector<std::string>{"requested", "epoch_raised", "old_shares_destroyed",
                                        "leases_and_grants_ended", "old_seal_deleted",
                                        "provider_rotation", "ledger_copies"}));
    EXPECT_TRUE(keeper.has_signed(done.receipt));
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(get(id)->integration.grants.empty());
    EXPECT_EQ(get(id)->settings.name, "Brand mail");
    EXPECT_TRUE(fails_with(unlock(id, k_secret), KeyError::wrong_secret));
    EXPECT_TRUE(unlock(id, k_new_secret).has_value());
    EXPECT_EQ(told("integration.state").back().kind, "integration.state");
    expect_whole(id);
}

TEST_F(EndTest, reseal_returns_a_generated_secret_once) {
    const auto id = connected();
    const auto done = reseal(id, k_secret, "", true).value();
    EXPECT_EQ(text_of(done.generated), keeper.last_generated);
    EXPECT_TRUE(unlock(id, keeper.last_generated).has_value());
    EXPECT_FALSE(unlock(id, k_secret).has_value());
    EXPECT_EQ(store::raw_hits(folder.file("store.db"), keeper.last_generated), 0);
}

// A generated secret is in this answer or nowhere: it is not given up for what passes.
TEST_F(EndTest, generated_secret_is_told_although_keeper_fails_for_a_moment) {
    for (const std::string call : {"CommitSeal", "Identify", "SignReceipt"}) {
        for (const auto fault : {Fault::refused, Fault::answer_lost}) {
            const auto id = connected();
            keeper.failed = 0;
            keeper.fail_named(call, fault);
            keeper.on_call = [&](std::string_view) {
                if (keeper.failed > 0) keeper.heal();
            };
            const auto done = reseal(id, k_secret, "", true);
            ASSERT_TRUE(done.has_value()) << call;
            EXPECT_EQ(text_of(done->generated), keeper.last_generated);
            EXPECT_TRUE(unlock(id, keeper.last_generated).has_value());
            EXPECT_EQ(receipts_of(id).size(), 1);
            EXPECT_TRUE(operations().empty());
        }
    }
}

TEST_F(EndTest, reseal_that_is_refused_leaves_the_old_one) {
    const auto id = connected();
    EXPECT_TRUE(fails_with(reseal(id, k_new_secret), KeyError::wrong_secret));
    EXPECT_TRUE(fails_with(reseal(id, k_secret, "short"), KeyError::weak_secret));
    keeper.fail_named("SignLedger");
    EXPECT_TRUE(fails_with(reseal(id), KeyError::storage_failed));
    keeper.heal();
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON operations BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION "
        "refuse()"});
    EXPECT_TRUE(fails_with(reseal(id), StoreError::row_refused));
    EXPECT_EQ(held(id).pending, 0);
    EXPECT_EQ(held(id).secrets.size(), 1);
    EXPECT_TRUE(ledger().empty());
    EXPECT_TRUE(unlock(id, k_secret).has_value());
    expect_whole(id);
}

TEST_F(EndTest, reseal_of_what_is_cut_off_is_refused) {
    const auto id = connected();
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_TRUE(fails_with(reseal(id), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(reseal(IntegrationId::make(1)), IntegrationError::not_found));
}

TEST_F(EndTest, second_reseal_at_once_is_busy) {
    const auto id = connected();
    keeper.hold("CommitSeal");
    std::optional<Result<Integrations::Resealed>> outcome;
    loop.start(
        integrations->reseal(k_by, workspace, id, typed(k_secret), typed(k_new_secret), false),
        outcome);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(reseal(id), IntegrationError::busy));
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    expect_whole(id);
}

TEST_F(EndTest, reseal_is_durable_with_its_ledger_entry_before_keeper_commits) {
    const auto id = connected();
    bool seen = false;
    keeper.on_call = [&](std::string_view call) {
        if (call != "CommitSeal") return;
        seen = true;
        EXPECT_EQ(seal_epochs(id), (std::vector<std::uint64_t>{1, 2}));
        ASSERT_EQ(operations().size(), 1);
        EXPECT_EQ(operations()[0].kind, "reseal");
        ASSERT_EQ(ledger().size(), 1);
        EXPECT_NE(ledger()[0].text.find(R"("kind":"reseal")"), std::string::npos);
    };
    ASSERT_TRUE(reseal(id).has_value());
    EXPECT_TRUE(seen);
}

/// On a small disk of its own, where the system lets us have one.
class FullDiskTest : public EndTest {
protected:
    void SetUp() override {
        disk = folder.file("disk");
        std::filesystem::create_directory(disk);
        if (store::tests_on_postgres()) GTEST_SKIP() << "of stores in files";
        if (::mount("postern-test", disk.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=8m") != 0) {
            GTEST_SKIP() << "cannot mount a tmpfs: " << ::strerrordesc_np(errno);
        }
        mounted = true;
        store::Database::Options options;
        options.file = disk + "/store.db";
        options.create = true;
        options.readers = 0;
        integrations.reset();
        database->close();
        small = store::open_or_fail(options);
        integrations = std::make_unique<Integrations>(
            Integrations::Parts{*small, small_reserve(), keeper.link, courier.link, small_events(),
                                small_audit(), clock, Policy{}});
    }
    void TearDown() override {
        integrations.reset();
        small.reset();
        if (mounted) ::umount2(disk.c_str(), MNT_DETACH);
    }
    store::Reserve& small_reserve() {
        room =
            std::make_unique<store::Reserve>(store::Reserve::Options{disk + "/reserve", 1 << 20});
        EXPECT_TRUE(room->restore().has_value());
        return *room;
    }
    audit::AuditLog& small_audit() {
        record =
            std::make_unique<audit::AuditLog>(audit::AuditLog::Parts{*small, keeper.link, clock});
        return *record;
    }
    events::EventLog& small_events() {
        log = std::make_unique<events::EventLog>(loop.io.get_executor(), *small, clock);
        return *log;
    }
    /// To the last byte.
    void fill() const {
        std::ofstream out(disk + "/filler", std::ios::binary);
        const std::string block(4096, 'x');
        while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
    }
    std::string disk;
    bool mounted = false;
    std::unique_ptr<store::Database> small;
    std::unique_ptr<store::Reserve> room;
    std::unique_ptr<audit::AuditLog> record;
    std::unique_ptr<events::EventLog> log;
};

TEST_F(FullDiskTest, cut_off_works_with_the_room_of_the_reserve_and_other_changes_do_not_take_it) {
    auto ask = ask_for();
    ask.region.clear();
    const auto id = connect(std::move(ask)).value().view->integration.id;
    fill();
    EXPECT_TRUE(fails_with(reseal(id), StoreError::disk_full));
    EXPECT_TRUE(fails_with(grant(id), StoreError::disk_full));
    EXPECT_TRUE(room->held());
    EXPECT_TRUE(fails_with(unlock(id, k_secret), StoreError::disk_full)) << "no record, no change";
    EXPECT_FALSE(held(id).lease.open);
    EXPECT_TRUE(run(integrations->lock(k_by, workspace, id)).has_value());
    EXPECT_EQ(record->owed(), 1U);
    EXPECT_TRUE(room->held());
    const auto done = cut_off(id);
    ASSERT_TRUE(done.has_value()) << done.error().code();
    EXPECT_EQ(record->owed(), 0U) << "written as soon as there was room";
    EXPECT_FALSE(room->held());
    EXPECT_EQ(state_of(id), State::cut_off);
    EXPECT_TRUE(receipt(done->id).has_value());
}

}  // namespace
}  // namespace postern::integrations::test
