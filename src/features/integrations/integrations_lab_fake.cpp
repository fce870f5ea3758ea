#include "features/integrations/integrations_lab_fake.h"

#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "features/integrations/store_probe_fake.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/events/event_log.h"
#include "platform/keys/seals.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace postern::integrations::test {

void IntegrationsLab::restart() {
    keeper.heal();
    Policy policy;
    policy.regions = {"eu"};
    integrations = std::make_unique<Integrations>(
        Integrations::Parts{*database, reserve, keeper.link, courier.link, events, audit, clock,
                            std::move(policy), std::chrono::milliseconds(0)});
    integrations->listen(listener);
}

std::unique_ptr<store::Database> IntegrationsLab::open_store(const QuickFolder& folder,
                                                             const Clock& clock) {
    store::Database::Options options;
    options.file = folder.file("store.db");
    options.create = true;
    options.readers = 0;
    options.clock = &clock;
    return store::open_or_fail(options);
}

Result<Connected> IntegrationsLab::connect(ConnectAsk ask) {
    return run(integrations->connect(workspace, std::move(ask)));
}

Result<Connected> IntegrationsLab::reconnect(IntegrationId id, ConnectAsk ask) {
    return run(integrations->reconnect(workspace, id, std::move(ask)));
}

IntegrationId IntegrationsLab::connected(bool open) {
    auto made = connect(ask_for());
    EXPECT_TRUE(made.has_value() && made->view.has_value());
    const auto id = made->view->integration.id;
    if (!open) keeper.end_lease(workspace, id);
    return id;
}

Result<View> IntegrationsLab::get(IntegrationId id) {
    return run(integrations->get(workspace, id));
}

void IntegrationsLab::recover() {
    EXPECT_TRUE(run(integrations->recover()).has_value());
}

Result<keys::Lease> IntegrationsLab::unlock(IntegrationId id, std::string_view secret) {
    return run(integrations->unlock(k_by, workspace, id, typed(secret), 3600));
}

Result<Grant> IntegrationsLab::grant(IntegrationId id,
                                     std::int64_t expires_in_s,
                                     keys::Verbs verbs) {
    GrantAsk ask{verbs, 100, expires_in_s};
    return run(integrations->grant(workspace, id, typed(k_secret), ask));
}

Result<Integrations::Resealed> IntegrationsLab::reseal(IntegrationId id,
                                                       std::string_view secret,
                                                       std::string_view new_secret,
                                                       bool generate) {
    return run(
        integrations->reseal(k_by, workspace, id, typed(secret), typed(new_secret), generate));
}

Result<Receipt> IntegrationsLab::cut_off(IntegrationId id, bool erase) {
    return run(integrations->cut_off(k_by, workspace, id, erase));
}

void IntegrationsLab::run_until_held(const PlayedProcess& process) {
    loop.run_until([&] { return process.holding() > 0; });
}

std::vector<Operation> IntegrationsLab::operations() {
    return rows([](store::Transaction& tx) { return rows::list_operations(tx); });
}

Result<Integration> IntegrationsLab::stored(IntegrationId id) {
    return database->read_now(
        [&](store::Transaction& tx) { return rows::load(tx, workspace, id); });
}

std::vector<std::uint64_t> IntegrationsLab::seal_epochs(IntegrationId id) {
    return test::seal_epochs(*database, id);
}

std::vector<std::uint64_t> IntegrationsLab::grant_epochs(IntegrationId id) {
    return test::grant_epochs(*database, id);
}

std::vector<ReceiptId> IntegrationsLab::receipts_of(IntegrationId id) {
    return test::receipts_of(*database, id);
}

void IntegrationsLab::change_store(store::SqlText sql) {
    rows([&](store::Transaction& tx) { return tx.execute(sql); });
}

std::vector<events::StoredEvent> IntegrationsLab::told(std::string_view kind) {
    auto all = run(events.after({workspace, std::nullopt}, 0)).value().events;
    std::erase_if(all, [&](const auto& event) { return event.kind != kind; });
    return all;
}

void IntegrationsLab::expect_whole(IntegrationId id) {
    EXPECT_TRUE(operations().empty());
    expect_rows_whole(id);
}

void IntegrationsLab::expect_rows_whole(IntegrationId id) {
    const auto row = stored(id);
    const auto& known = held(id);
    if (!row || row->stored_state != StoredState::active) {
        EXPECT_FALSE(known.live);
        EXPECT_TRUE(seal_epochs(id).empty());
        EXPECT_TRUE(grant_epochs(id).empty());
        EXPECT_TRUE(known.cut_off || !row);
        // What was prepared and lost: no seal of it was ever stored.
        EXPECT_EQ(known.secrets.size(), known.secrets.count(known.pending));
        return;
    }
    EXPECT_TRUE(known.live && !known.cut_off);
    EXPECT_EQ(known.epoch, row->epoch);
    ASSERT_TRUE(row->seal.has_value());
    EXPECT_EQ(row->seal->epoch, row->epoch);
    EXPECT_EQ(seal_epochs(id), std::vector{row->epoch});
    for (const auto& grant : row->grants)
        EXPECT_TRUE(known.grants.contains(grant.seal.grant));
    EXPECT_EQ(grant_epochs(id).size(), row->grants.size());
    const int open = (unlock(id, k_secret) ? 1 : 0) + (unlock(id, k_new_secret) ? 1 : 0);
    EXPECT_EQ(open, 1) << "exactly one of the two secrets";
    keeper.end_lease(workspace, id);
}

}  // namespace postern::integrations::test
