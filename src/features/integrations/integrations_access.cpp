#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/events/event_log.h"
#include "platform/ipc/call_surely.h"
#include "platform/keys/key_error.h"
#include "platform/keys/records.h"
#include "platform/keys/seals.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::integrations {

namespace column = store::data_map::store::integrations;

namespace {

/// Not tried again by itself, as it may lock the mailbox; anything else that broke may pass.
bool is_refused(const Integration& row) {
    return row.broken_code == "sign_in_refused";
}

}  // namespace

std::string_view name_of(State state) {
    switch (state) {
        case State::cut_off: return "cut_off";
        case State::access_removed: return "access_removed";
        case State::broken: return "broken";
        case State::leased: return "leased";
        case State::granted: return "granted";
        case State::sealed: return "sealed";
    }
    return "sealed";
}

audit::Act act_of(PublicText action, audit::By by, IntegrationId id) {
    return {std::move(by), action, {{"integration_id", id.text()}}};
}

void Integrations::changed(WorkspaceId workspace, IntegrationId id) {
    if (listener_ != nullptr) listener_->integration_changed(workspace, id);
}

/// Tells clients what the integration's state is now.
async::Job Integrations::announce(WorkspaceId workspace, IntegrationId id) {
    auto view = co_await get(workspace, id);
    if (!view) co_return;
    events::Event event{
        "integration.state",
        std::nullopt,
        {{"integration_id", id.text()}, {"state", std::string(name_of(view->state))}}};
    auto told = co_await parts_.events.publish(workspace, std::move(event));
    if (!told) log(LogLevel::warning, "state_not_announced", {{"error", told.error()}});
}

async::Task<Integration> Integrations::load(WorkspaceId workspace, IntegrationId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::load(tx, workspace, id);
    };
    co_return co_await parts_.database.read(body);
}

async::Task<Settings> Integrations::open_settings(WorkspaceId workspace,
                                                  IntegrationId id,
                                                  Bytes sealed) {
    auto opened =
        co_await keys::open_record(&parts_.keeper, workspace, column::settings.value,
                                   crypto::row_key(id), std::move(sealed), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return keys::decode_record<Settings>(*opened);
}

async::Task<Bytes> Integrations::seal_settings(WorkspaceId workspace,
                                               IntegrationId id,
                                               Settings settings) {
    co_return co_await keys::seal_record(
        &parts_.keeper, workspace, column::settings.value, crypto::row_key(id),
        keys::encode_record(std::move(settings)), keeper_deadline());
}

async::Task<View> Integrations::view_of(Integration row) {
    View view;
    auto settings = co_await open_settings(row.workspace, row.id, row.sealed_settings);
    if (!settings) co_return fail(std::move(settings.error()));
    view.settings = std::move(*settings);
    keys::GetStatus ask;
    ask.workspace = row.workspace;
    ask.integrations.push_back(row.id);
    auto status = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!status) co_return fail(std::move(status.error()));
    // What keeper says counts: rows of an older copy of the store open nothing.
    const auto known = status->items.empty() ? keys::IntegrationStatus{} : status->items.front();
    view.lease = known.lease;
    std::erase_if(row.grants, [&](const Grant& g) {
        return std::ranges::find(known.grants, g.seal.grant) == known.grants.end();
    });
    const auto now = parts_.clock.now_ms();
    view.granted = std::any_of(row.grants.begin(), row.grants.end(), [&](const Grant& g) {
        return g.seal.expires_at_ms > now && known.epoch == row.epoch;
    });
    if (row.stored_state != StoredState::active || known.cut_off) {
        view.state = State::cut_off;
    } else if (row.broken_code) {
        view.state = is_refused(row) ? State::access_removed : State::broken;
    } else if (view.lease.open) {
        view.state = State::leased;
    } else {
        view.state = view.granted ? State::granted : State::sealed;
    }
    view.integration = std::move(row);
    co_return view;
}

async::Task<View> Integrations::get(WorkspaceId workspace, IntegrationId id) {
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    co_return co_await view_of(std::move(*row));
}

async::Task<View> Integrations::describe(WorkspaceId workspace, IntegrationId id) {
    View view;
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    auto settings = co_await open_settings(workspace, id, row->sealed_settings);
    if (!settings) co_return fail(std::move(settings.error()));
    view.integration = std::move(*row);
    view.settings = std::move(*settings);
    co_return view;
}

async::Task<std::vector<View>> Integrations::list(WorkspaceId workspace,
                                                  IntegrationId after,
                                                  std::int64_t limit) {
    const auto body = [workspace, after, limit](store::Transaction& tx) {
        return rows::list(tx, workspace, after, limit);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<View> views;
    for (auto& row : *found) {
        auto view = co_await view_of(std::move(row));
        if (!view) co_return fail(std::move(view.error()));
        views.push_back(std::move(*view));
    }
    co_return views;
}

async::Task<> Integrations::rename(audit::By by,
                                   WorkspaceId workspace,
                                   IntegrationId id,
                                   std::string name,
                                   std::function<bool(const View&)> is_current) {
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    auto view = co_await get(workspace, id);
    if (!view) co_return fail(std::move(view.error()));
    if (!is_current(*view)) co_return fail(IntegrationError::changed_meanwhile);
    view->settings.name = std::move(name);
    auto sealed = co_await seal_settings(workspace, id, std::move(view->settings));
    if (!sealed) co_return fail(std::move(sealed.error()));
    const auto body = [workspace, id, settings = std::move(*sealed)](store::Transaction& tx) {
        return rows::set_settings(tx, workspace, id, settings);
    };
    auto act = act_of("integration.renamed", std::move(by), id);
    co_return co_await parts_.audit.record(workspace, std::move(act), body);
}

async::Task<keys::Lease> Integrations::unlock(audit::By by,
                                              WorkspaceId workspace,
                                              IntegrationId id,
                                              keys::SecretInput secret,
                                              std::int64_t lease_s,
                                              std::optional<HolderId> holder) {
    auto row = co_await load_live(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    auto& seal = row->seal;
    if (!seal) co_return fail(keys::KeyError::integration_cut_off);
    keys::Unlock ask;
    ask.workspace = workspace;
    ask.integration = id;
    ask.seal = std::move(*seal);
    ask.secret = std::move(secret);
    ask.lease_s = lease_s;
    ask.holder = holder;
    auto lease = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!lease) {
        const bool is_wrong = lease.error().is(keys::KeyError::wrong_secret);
        co_await note_refusal(std::move(by), workspace, id, is_wrong);
        co_return fail(std::move(lease.error()));
    }
    auto act = act_of("integration.unlocked", std::move(by), id);
    if (holder) act.about.push_back({"holder_id", holder->text()});
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    auto recorded = co_await parts_.audit.record(workspace, std::move(act), nothing);
    if (!recorded) {
        // Told as not opened, so it must not be open.
        keys::Lock shut{workspace, id};
        (void)co_await ipc::call_surely(&parts_.keeper, shut, keeper_deadline());
        co_await announce(workspace, id);
        co_return fail(std::move(recorded.error()));
    }
    (void)co_await note_use(workspace, id, row->last_used_at_ms);
    co_await announce(workspace, id);
    changed(workspace, id);
    co_return *lease;
}

async::Task<> Integrations::lock(audit::By by, WorkspaceId workspace, IntegrationId id) {
    // It works while the store does not: keeper alone decides then.
    const auto row = co_await load(workspace, id);
    if (row ? is_hidden(*row) : row.error().is(IntegrationError::not_found)) {
        co_return fail(IntegrationError::not_found);
    }
    keys::Lock ask{workspace, id};
    auto done = co_await ipc::call_surely(&parts_.keeper, ask, keeper_deadline());
    if (!done) co_return fail(std::move(done.error()));
    auto act = act_of("integration.locked", std::move(by), id);
    co_await parts_.audit.note(workspace, std::move(act));
    co_await announce(workspace, id);
    // Whose it is was not seen without the store.
    if (row) changed(workspace, id);
    co_return Result<>{};
}

async::Task<> Integrations::touch(WorkspaceId workspace, IntegrationId id) {
    keys::TouchLease ask{workspace, id};
    auto done = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<>{};
}

async::Task<Grant> Integrations::grant(WorkspaceId workspace,
                                       IntegrationId id,
                                       keys::SecretInput secret,
                                       GrantAsk ask) {
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    auto& seal = row->seal;
    if (row->stored_state != StoredState::active || !seal) {
        co_return fail(keys::KeyError::integration_cut_off);
    }
    const auto now = parts_.clock.now_ms();
    keys::MakeGrant make;
    make.workspace = workspace;
    make.integration = id;
    make.grant = ask.id.is_null() ? GrantId::make(now) : ask.id;
    make.seal = std::move(*seal);
    make.secret = std::move(secret);
    make.verbs = ask.verbs;
    make.hourly_ceiling = ask.hourly_ceiling;
    make.expires_at_ms = now + ask.expires_in_s * 1000;
    auto made = co_await parts_.keeper.call(std::move(make), keeper_deadline());
    if (!made) {
        const bool is_wrong = made.error().is(keys::KeyError::wrong_secret);
        co_await note_refusal(std::move(ask.by), workspace, id, is_wrong);
        co_return fail(std::move(made.error()));
    }
    Grant out;
    out.seal = std::move(*made);
    out.created_at_ms = now;
    auto stored = co_await store_grant(std::move(ask.by), workspace, id, out);
    if (!stored) co_return fail(std::move(stored.error()));
    (void)co_await note_use(workspace, id, row->last_used_at_ms);
    co_await announce(workspace, id);
    changed(workspace, id);
    co_return out;
}

async::Task<> Integrations::store_grant(audit::By by,
                                        WorkspaceId workspace,
                                        IntegrationId id,
                                        Grant row) {
    const auto body = [workspace, id, row](store::Transaction& tx) -> Result<> {
        // Left by one of the same id, whose key is gone.
        auto left = rows::delete_grant(tx, workspace, id, row.seal.grant);
        if (!left && !left.error().is(IntegrationError::grant_not_found)) return left;
        return rows::insert_grant(tx, workspace, id, row);
    };
    auto act = act_of("grant.made", std::move(by), id);
    act.about.push_back({"grant_id", row.seal.grant.text()});
    auto written = co_await parts_.audit.record(workspace, std::move(act), body);
    if (!written) {
        // Told as not made: its key is not to stay.
        keys::RevokeGrant revoke{workspace, id, row.seal.grant};
        (void)co_await parts_.keeper.call(std::move(revoke), keeper_deadline());
    }
    co_return written;
}

async::Task<> Integrations::revoke_grant(audit::By by,
                                         WorkspaceId workspace,
                                         IntegrationId id,
                                         GrantId grant) {
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    const bool known = std::any_of(row->grants.begin(), row->grants.end(),
                                   [&](const Grant& g) { return g.seal.grant == grant; });
    if (!known) co_return fail(IntegrationError::grant_not_found);
    // The key first: without it the row is noise.
    keys::RevokeGrant ask{workspace, id, grant};
    auto revoked = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!revoked) co_return fail(std::move(revoked.error()));
    const bool ended = by.kind == audit::By::Kind::server;
    auto act =
        act_of(ended ? PublicText("grant.ended") : PublicText("grant.revoked"), std::move(by), id);
    act.about.push_back({"grant_id", grant.text()});
    const auto body = [workspace, id, grant](store::Transaction& tx) -> Result<> {
        auto gone = rows::delete_grant(tx, workspace, id, grant);
        // Without its key the row may have been dropped meanwhile.
        if (!gone && gone.error().is(IntegrationError::grant_not_found)) return {};
        return gone;
    };
    auto written = co_await parts_.audit.record_or_owe(workspace, act, body);
    if (!written) {
        parts_.audit.owe(workspace, std::move(act));
        co_return written;
    }
    co_await announce(workspace, id);
    changed(workspace, id);
    co_return Result<>{};
}

async::Task<> Integrations::check_open(WorkspaceId workspace, IntegrationId id, keys::Verb verb) {
    auto view = co_await get(workspace, id);
    if (!view) co_return fail(std::move(view.error()));
    const auto& row = view->integration;
    if (view->state == State::cut_off) co_return fail(keys::KeyError::integration_cut_off);
    if (is_refused(row)) co_return fail(IntegrationError::access_removed, *row.broken_code);
    const auto now = parts_.clock.now_ms();
    const bool granted =
        view->granted && std::any_of(row.grants.begin(), row.grants.end(), [&](const Grant& g) {
            return g.seal.expires_at_ms > now &&
                   (g.seal.verbs & static_cast<keys::Verbs>(verb)) != 0;
        });
    if (!view->lease.open && !granted) co_return fail(keys::KeyError::integration_sealed);
    (void)co_await note_use(workspace, id, row.last_used_at_ms);
    co_return co_await touch(workspace, id);
}

async::Task<Ticket> Integrations::ticket(WorkspaceId workspace, IntegrationId id, keys::Verb verb) {
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    auto& seal = row->seal;
    if (row->stored_state != StoredState::active || !seal) {
        co_return fail(keys::KeyError::integration_cut_off);
    }
    // A person verifies or reconnects.
    if (is_refused(*row) && verb != keys::Verb::verify) {
        co_return fail(IntegrationError::access_removed, row->broken_code.value_or(""));
    }
    keys::MintTicket mint;
    mint.workspace = workspace;
    mint.integration = id;
    mint.verb = verb;
    mint.seal = std::move(*seal);
    for (auto& grant : row->grants)
        mint.grants.push_back(std::move(grant.seal));
    auto minted = co_await parts_.keeper.call(std::move(mint), keeper_deadline());
    if (!minted) co_return fail(std::move(minted.error()));
    co_return Ticket{std::move(minted->ticket), minted->until_ms, minted->by_grant};
}

async::Task<std::vector<mail::Check>> Integrations::verify(audit::By by,
                                                           WorkspaceId workspace,
                                                           IntegrationId id) {
    auto minted = co_await ticket(workspace, id, keys::Verb::verify);
    if (!minted) co_return fail(std::move(minted.error()));
    auto act = act_of("integration.verified", std::move(by), id);
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    auto recorded = co_await parts_.audit.record(workspace, std::move(act), nothing);
    if (!recorded) co_return fail(std::move(recorded.error()));
    mail::VerifyMailbox ask;
    ask.ticket = std::move(minted->ticket);
    auto answer = co_await parts_.courier.call(std::move(ask), provider_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    const auto& checks = answer->checks;
    const bool good = !checks.empty() && std::all_of(checks.begin(), checks.end(),
                                                     [](const auto& check) { return check.good; });
    if (good) (void)co_await set_broken(workspace, id, std::nullopt);
    co_return std::move(answer->checks);
}

async::Task<> Integrations::set_broken(WorkspaceId workspace,
                                       IntegrationId id,
                                       std::optional<std::string> code) {
    const auto body = [workspace, id, code](store::Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row, rows::load(tx, workspace, id));
        if (row.broken_code == code) return false;
        const auto value = code ? std::optional<std::string_view>(*code) : std::nullopt;
        auto set = rows::set_broken(tx, workspace, id, value);
        if (!set) return fail(std::move(set.error()));
        return true;
    };
    auto written = co_await parts_.database.write(body);
    if (!written) co_return fail(std::move(written.error()));
    if (*written) co_await announce(workspace, id);
    if (!code) changed(workspace, id);
    co_return Result<>{};
}

async::Task<> Integrations::mend(WorkspaceId workspace, IntegrationId id) {
    const auto body = [workspace, id](store::Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row, rows::load(tx, workspace, id));
        if (!row.broken_code || is_refused(row)) return false;
        auto set = rows::set_broken(tx, workspace, id, std::nullopt);
        if (!set) return fail(std::move(set.error()));
        return true;
    };
    auto mended = co_await parts_.database.write(body);
    if (!mended) co_return fail(std::move(mended.error()));
    if (!*mended) co_return Result<>{};
    co_await announce(workspace, id);
    changed(workspace, id);
    co_return Result<>{};
}

async::Task<std::vector<Integration>> Integrations::list_active() {
    const auto body = [](store::Transaction& tx) { return rows::list_active(tx); };
    co_return co_await parts_.database.read(body);
}

async::Task<Receipt> Integrations::receipt(WorkspaceId workspace, ReceiptId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::load_receipt(tx, workspace, id);
    };
    auto sealed = co_await parts_.database.read(body);
    if (!sealed) co_return fail(std::move(sealed.error()));
    auto opened = co_await keys::open_record(
        &parts_.keeper, workspace, store::data_map::store::receipts::body.value,
        crypto::row_key(id), std::move(*sealed), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return keys::decode_record<Receipt>(*opened);
}

}  // namespace postern::integrations
