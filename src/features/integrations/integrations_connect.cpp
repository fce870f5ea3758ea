#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/keys/seals.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::integrations {

namespace {

bool all_good(const std::vector<mail::Check>& checks) {
    return !checks.empty() &&
           std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.good; });
}

/// "@{box}.ptn.{domain}": constant per mailbox, random, the one thing that is searched for.
std::string make_search_label(std::string_view address) {
    constexpr std::string_view k_alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
    constexpr std::size_t k_box_characters = 12;
    std::string label = "@";
    for (const auto byte : crypto::random_bytes(k_box_characters)) {
        label += k_alphabet[byte % k_alphabet.size()];
    }
    label += ".ptn.";
    const auto at = address.rfind('@');
    label += address.substr(at == std::string_view::npos ? 0 : at + 1);
    std::transform(label.begin(), label.end(), label.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return label;
}

bool same_account(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
        return low(x) == low(y);
    });
}

keys::PrepareSeal prepare(WorkspaceId workspace, IntegrationId id, ConnectAsk& ask) {
    keys::PrepareSeal prepare;
    prepare.workspace = workspace;
    prepare.integration = id;
    prepare.generate = ask.generate;
    prepare.shares = ask.shares;
    prepare.new_secret = std::move(ask.shared_secret);
    prepare.destination = mail::encode_destination(ask.destination);
    prepare.credential = std::move(ask.credential);
    return prepare;
}

/// One without a region is the operator's to state.
bool is_allowed(const std::string& region, const Policy& policy) {
    return region.empty() || std::ranges::find(policy.regions, region) != policy.regions.end();
}

}  // namespace

async::Task<std::vector<mail::Check>> Integrations::verify_pending(WorkspaceId workspace,
                                                                   IntegrationId id,
                                                                   keys::Seal seal) {
    keys::MintTicket mint;
    mint.workspace = workspace;
    mint.integration = id;
    mint.verb = keys::Verb::verify;
    mint.seal = std::move(seal);
    mint.pending = true;
    auto ticket = co_await parts_.keeper.call(std::move(mint), keeper_deadline());
    if (!ticket) co_return fail(std::move(ticket.error()));
    mail::VerifyMailbox verify;
    verify.ticket = std::move(ticket->ticket);
    auto answer = co_await parts_.courier.call(std::move(verify), provider_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    co_return std::move(answer->checks);
}

async::Task<> Integrations::abandon(WorkspaceId workspace, IntegrationId id, std::uint64_t epoch) {
    keys::AbandonSeal abandon_seal{workspace, id, epoch};
    auto done = co_await parts_.keeper.call(std::move(abandon_seal), keeper_deadline());
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<>{};
}

async::Task<> Integrations::store_new(Integration row, Operation operation, keys::Seal seal) {
    const auto body = [this, row = std::move(row), operation,
                       seal = std::move(seal)](store::Transaction& tx) -> Result<> {
        if (auto done = rows::insert_integration(tx, row); !done) return done;
        if (auto done = rows::insert_seal(tx, row.workspace, row.id, seal); !done) return done;
        return rows::insert_operation(tx, operation, parts_.clock.now_ms());
    };
    co_return co_await parts_.database.write(body);
}

async::Task<Grant> Integrations::store_grant_with_lease(WorkspaceId workspace,
                                                        IntegrationId id,
                                                        keys::Seal seal,
                                                        GrantAsk ask) {
    const auto now = parts_.clock.now_ms();
    keys::MakeGrant make;
    make.workspace = workspace;
    make.integration = id;
    make.grant = GrantId::make(now);
    make.seal = std::move(seal);
    make.with_lease = true;
    make.verbs = ask.verbs;
    make.hourly_ceiling = ask.hourly_ceiling;
    make.expires_at_ms = now + ask.expires_in_s * 1000;
    auto made = co_await parts_.keeper.call(std::move(make), keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    Grant row;
    row.seal = std::move(*made);
    row.created_at_ms = now;
    auto written = co_await store_grant(std::move(ask.by), workspace, id, row);
    if (!written) co_return fail(std::move(written.error()));
    co_return row;
}

async::Task<> Integrations::present(View made,
                                    std::optional<GrantAsk> keep_working,
                                    Connected* out) {
    const auto workspace = made.integration.workspace;
    const auto id = made.integration.id;
    made.state = made.lease.open ? State::leased : State::sealed;
    // It stands, and its secret is shown only now: what fails from here on shows in its absence.
    if (keep_working && made.integration.seal) {
        auto granted =
            co_await store_grant_with_lease(workspace, id, *made.integration.seal, *keep_working);
        if (granted) made.integration.grants.push_back(std::move(*granted));
        if (!granted) {
            log(LogLevel::warning, "grant_not_made", {{"error", granted.error()}});
            out->not_granted = std::move(granted.error());
        }
    }
    changed(workspace, id);
    co_await announce(workspace, id);
    auto view = co_await get(workspace, id);
    if (!view && view.error().is(IntegrationError::not_found)) {
        co_return fail(std::move(view.error()));
    }
    if (!view) log(LogLevel::warning, "view_not_fresh", {{"error", view.error()}});
    out->view = view ? std::move(*view) : std::move(made);
    co_return Result<>{};
}

async::Task<Connected> Integrations::connect(WorkspaceId workspace, ConnectAsk ask) {
    if (!is_allowed(ask.region, parts_.policy))
        co_return fail(IntegrationError::region_not_allowed);
    const auto now = parts_.clock.now_ms();
    const auto id = ask.id.value_or(IntegrationId::make(now));
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    const auto undone = co_await undo_left_connects(workspace, id);
    if (!undone) co_return fail(undone.error());
    auto prepared = co_await parts_.keeper.call(prepare(workspace, id, ask), keeper_deadline());
    if (!prepared) co_return fail(std::move(prepared.error()));
    const auto epoch = prepared->seal.epoch;

    Connected out;
    auto checks = co_await verify_pending(workspace, id, prepared->seal);
    if (!checks || !all_good(*checks)) {
        auto abandoned = co_await abandon(workspace, id, epoch);
        if (!checks) co_return fail(std::move(checks.error()));
        if (!abandoned) log(LogLevel::warning, "seal_not_abandoned", {{"integration", id}});
        out.checks = std::move(*checks);
        co_return out;
    }
    out.checks = std::move(*checks);

    View made;
    made.settings = {ask.name, ask.region, ask.destination};
    auto sealed = co_await seal_settings(workspace, id, made.settings);
    if (!sealed) {
        (void)co_await abandon(workspace, id, epoch);
        co_return fail(std::move(sealed.error()));
    }
    auto& row = made.integration;
    row.workspace = workspace;
    row.id = id;
    row.kind = "imap";
    row.stored_state = StoredState::connecting;
    row.level = ask.level;
    row.epoch = epoch;
    row.sealed_settings = std::move(*sealed);
    row.search_label = make_search_label(ask.destination.address);
    row.created_at_ms = now;
    const auto operation = make_operation(workspace, id, "connect", epoch, std::move(ask.by));
    auto stored = co_await store_new(row, operation, prepared->seal);
    if (!stored) {
        (void)co_await abandon(workspace, id, epoch);
        co_return fail(std::move(stored.error()));
    }

    auto confirmed = co_await confirm_new(operation);
    if (!confirmed) {
        // Told as not made, so it must not be there.
        (void)co_await undo_connect(operation);
        co_return fail(std::move(confirmed.error()));
    }
    row.stored_state = StoredState::active;
    row.seal = std::move(prepared->seal);
    made.lease = *confirmed;
    auto shown = co_await present(std::move(made), ask.keep_working, &out);
    if (!shown) co_return fail(std::move(shown.error()));
    out.generated = std::move(prepared->generated);
    out.generated_shares = std::move(prepared->generated_shares);
    co_return out;
}

async::Task<keys::Lease> Integrations::confirm_new(Operation operation) {
    keys::CommitSeal commit{operation.workspace, operation.integration, operation.epoch,
                            parts_.policy.lease_default_s};
    auto lease = co_await parts_.keeper.call(std::move(commit), keeper_deadline());
    if (!lease) co_return fail(std::move(lease.error()));
    const auto body = [operation](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto set = rows::set_state(tx, o.workspace, o.integration, StoredState::active); !set) {
            return set;
        }
        return rows::delete_operation(tx, o.workspace, o.receipt);
    };
    auto act = act_of("integration.connected", operation.by, operation.integration);
    auto written = co_await parts_.audit.record(operation.workspace, std::move(act), body);
    if (!written) co_return fail(std::move(written.error()));
    co_return *lease;
}

async::Task<> Integrations::store_replacement(Replacement replacement) {
    const auto workspace = replacement.operation.workspace;
    auto act = std::move(replacement.act);
    const auto body = [this, replacement](store::Transaction& tx) -> Result<> {
        const auto& operation = replacement.operation;
        // A cut-off that is still to be finished would destroy the replacement, too.
        POSTERN_TRY(const auto ending,
                    rows::is_ending(tx, operation.workspace, operation.integration));
        if (ending) return fail(IntegrationError::busy);
        // One that is left would be dropped as overtaken, though what it did is not in this one.
        POSTERN_TRY(const auto left,
                    rows::left_replacements(tx, operation.workspace, operation.integration));
        if (!left.empty()) return fail(IntegrationError::busy);
        if (auto done =
                rows::insert_seal(tx, operation.workspace, operation.integration, replacement.seal);
            !done) {
            return done;
        }
        if (replacement.sealed_settings) {
            auto done = rows::set_settings(tx, operation.workspace, operation.integration,
                                           *replacement.sealed_settings);
            if (!done) return done;
        }
        if (replacement.ledger) {
            auto done = rows::append_ledger(tx, operation.workspace, *replacement.ledger);
            if (!done) return done;
        }
        return rows::insert_operation(tx, operation, parts_.clock.now_ms());
    };
    co_return co_await parts_.audit.record(workspace, std::move(act), body);
}

async::Task<> Integrations::finish_replacement(Operation operation) {
    const auto body = [operation](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto done = rows::set_epoch(tx, o.workspace, o.integration, o.epoch); !done) {
            return done;
        }
        if (auto done = rows::set_state(tx, o.workspace, o.integration, StoredState::active);
            !done) {
            return done;
        }
        if (auto done = rows::set_broken(tx, o.workspace, o.integration, std::nullopt); !done) {
            return done;
        }
        return rows::delete_operation(tx, o.workspace, o.receipt);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<keys::Lease> Integrations::finish_reconnect(Operation operation) {
    keys::CommitSeal commit{operation.workspace, operation.integration, operation.epoch,
                            parts_.policy.lease_default_s};
    auto lease = co_await parts_.keeper.call(std::move(commit), keeper_deadline());
    if (!lease) co_return fail(std::move(lease.error()));
    auto finished = co_await finish_replacement(std::move(operation));
    if (!finished) co_return fail(std::move(finished.error()));
    co_return lease;
}

async::Task<Connected> Integrations::reconnect(WorkspaceId workspace,
                                               IntegrationId id,
                                               ConnectAsk ask) {
    if (!is_allowed(ask.region, parts_.policy))
        co_return fail(IntegrationError::region_not_allowed);
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    const auto left = co_await finish_left(workspace, id);
    if (!left) co_return fail(left.error());
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    auto settings = co_await open_settings(workspace, id, row->sealed_settings);
    if (!settings) co_return fail(std::move(settings.error()));
    // Without a new configuration the account stays where it was.
    if (ask.destination.address.empty()) ask.destination = settings->destination;
    if (!same_account(ask.destination.address, settings->destination.address)) {
        co_return fail(IntegrationError::other_account);
    }
    auto prepared = co_await parts_.keeper.call(prepare(workspace, id, ask), keeper_deadline());
    if (!prepared) co_return fail(std::move(prepared.error()));
    const auto epoch = prepared->seal.epoch;

    Connected out;
    auto checks = co_await verify_pending(workspace, id, prepared->seal);
    if (!checks || !all_good(*checks)) {
        (void)co_await abandon(workspace, id, epoch);
        if (!checks) co_return fail(std::move(checks.error()));
        out.checks = std::move(*checks);
        co_return out;
    }
    out.checks = std::move(*checks);
    settings->destination = ask.destination;
    if (!ask.region.empty()) settings->region = ask.region;
    auto sealed = co_await seal_settings(workspace, id, *settings);
    if (!sealed) {
        (void)co_await abandon(workspace, id, epoch);
        co_return fail(std::move(sealed.error()));
    }
    row->sealed_settings = *sealed;
    Replacement replacement{make_operation(workspace, id, "reconnect", epoch), prepared->seal,
                            std::move(*sealed), std::nullopt,
                            act_of("integration.reconnected", std::move(ask.by), id)};
    const auto operation = replacement.operation;
    auto stored = co_await store_replacement(std::move(replacement));
    if (!stored) {
        (void)co_await abandon(workspace, id, epoch);
        co_return fail(std::move(stored.error()));
    }
    auto lease = co_await finish_reconnect(operation);
    for (int tries = 1; !lease; ++tries) {
        if (!co_await may_try_again(lease.error(), tries)) break;
        lease = co_await finish_reconnect(operation);
    }
    if (!lease) co_return fail(std::move(lease.error()));
    row->stored_state = StoredState::active;
    row->epoch = epoch;
    row->seal = std::move(prepared->seal);
    row->grants.clear();
    row->broken_code.reset();
    View made{std::move(*row), std::move(*settings), State::sealed, *lease};
    auto shown = co_await present(std::move(made), ask.keep_working, &out);
    if (!shown) co_return fail(std::move(shown.error()));
    out.generated = std::move(prepared->generated);
    out.generated_shares = std::move(prepared->generated_shares);
    co_return out;
}

}  // namespace postern::integrations
