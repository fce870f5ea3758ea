#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "features/integrations/receipt_text.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/place.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/events/event_log.h"
#include "platform/ipc/call_surely.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/receipts.h"
#include "platform/keys/records.h"
#include "platform/keys/seals.h"
#include "platform/store/data_map.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::integrations {
namespace {

constexpr std::string_view k_change_password =
    "Whoever copied this host earlier and knows the old secret could still use the old password. "
    "Change the mailbox password at the provider now.";

/// Where the people of a mailbox change its password, for the hosts we know; else nothing.
std::string password_link(std::string_view host) {
    constexpr std::pair<std::string_view, std::string_view> k_links[] = {
        {"gmail.com", "https://myaccount.google.com/apppasswords"},
        {"office365.com", "https://mysignins.microsoft.com/security-info"},
        {"outlook.com", "https://account.live.com/password/change"},
        {"yahoo.com", "https://login.yahoo.com/account/security"},
        {"icloud.com", "https://account.apple.com/account/manage"},
        {"fastmail.com", "https://app.fastmail.com/settings/security"},
        {"ionos.", "https://password.ionos.com/"},
        {"ovh.net", "https://www.ovh.com/manager/"},
    };
    for (const auto& [part, link] : k_links) {
        const auto at = host.find(part);
        if (at == std::string_view::npos) continue;
        const bool begins = at == 0 || host[at - 1] == '.';
        const bool ends = part.ends_with('.') || at + part.size() == host.size();
        if (begins && ends) return std::string(link);
    }
    return {};
}

std::string connections_closed(const keys::CutOff::Answer& done) {
    switch (done.courier) {
        case keys::CourierEnd::closed: return std::to_string(done.connections) + " closed";
        case keys::CourierEnd::gone: return "all ended with the mail process";
        case keys::CourierEnd::silent: break;
    }
    return "not confirmed: the mail process did not answer and could not be ended";
}

}  // namespace

Operation Integrations::make_operation(WorkspaceId workspace,
                                       IntegrationId id,
                                       std::string kind,
                                       std::uint64_t epoch,
                                       audit::By by) const {
    return {workspace,    ReceiptId::make(parts_.clock.now_ms()), id, std::move(kind), epoch,
            std::move(by)};
}

template <typename F>
async::Task<> Integrations::write_surely(F body) {
    auto written = co_await parts_.database.write(body);
    if (written || !written.error().is(store::StoreError::disk_full)) co_return written;
    auto released = parts_.reserve.release();
    if (!released) co_return fail(std::move(released.error()));
    log(LogLevel::warning, "disk_reserve_used");
    co_return co_await parts_.database.write(body);
}

template <typename F>
async::Task<> Integrations::end_surely(WorkspaceId workspace, audit::Act act, F body) {
    auto written = co_await parts_.audit.record(workspace, act, body);
    if (written) co_return written;
    if (written.error().is(store::StoreError::disk_full)) {
        auto released = parts_.reserve.release();
        if (released) log(LogLevel::warning, "disk_reserve_used");
    }
    co_return co_await parts_.audit.record_or_owe(workspace, std::move(act), std::move(body));
}

async::Task<LedgerEntry> Integrations::sign_entry(Operation operation) {
    codec::JsonWriter json;
    json.begin_object()
        .field("workspace", operation.workspace.text())
        .field("receipt", operation.receipt.text())
        .field("kind", operation.kind)
        .field("subject", operation.integration.text())
        .field("epoch", static_cast<std::int64_t>(operation.epoch))
        .field("at", rfc3339(parts_.clock.now_ms()))
        .end_object();
    LedgerEntry entry;
    entry.text = json.take();
    keys::SignLedger sign{to_bytes(entry.text)};
    auto signature = co_await ipc::call_surely(&parts_.keeper, std::move(sign), keeper_deadline());
    if (!signature) co_return fail(std::move(signature.error()));
    entry.signature = std::move(signature->signature);
    co_return entry;
}

/// The request and the ledger's entry are durable before anything is destroyed.
async::Task<> Integrations::record_ending(Operation operation, StoredState state) {
    auto entry = co_await sign_entry(operation);
    if (!entry) co_return fail(std::move(entry.error()));
    const auto body = [this, operation, state,
                       entry = std::move(*entry)](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto done = rows::set_state(tx, o.workspace, o.integration, state); !done) return done;
        auto superseded = rows::delete_operations_of(tx, o.workspace, o.integration);
        if (!superseded) return superseded;
        if (auto done = rows::append_ledger(tx, o.workspace, entry); !done) return done;
        return rows::insert_operation(tx, o, parts_.clock.now_ms());
    };
    co_return co_await write_surely(body);
}

async::Task<Receipt> Integrations::cut_off(audit::By by,
                                           WorkspaceId workspace,
                                           IntegrationId id,
                                           bool erase) {
    // Never behind a re-seal or reconnect, which may wait for a provider: those find out.
    const Change change(ending_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    const auto operation =
        make_operation(workspace, id, erase ? "delete" : "cut_off", row->epoch, std::move(by));
    auto recorded =
        co_await record_ending(operation, erase ? StoredState::deleted : StoredState::cut_off);
    if (!recorded) co_return fail(std::move(recorded.error()));
    co_return co_await finish_ending(operation);
}

async::Task<Receipt> Integrations::finish_ending(Operation operation) {
    Receipt receipt;
    const auto step = [this, &receipt](std::string name, std::string result) {
        receipt.steps.push_back({std::move(name), std::move(result), parts_.clock.now_ms()});
    };
    step("requested", "recorded");
    keys::CutOff ask{operation.workspace, operation.integration};
    auto done = co_await ipc::call_surely(&parts_.keeper, ask, keeper_deadline());
    if (done) {
        receipt.epoch = done->epoch;
        receipt.bound_ms = done->uses_ended_ms;
        step("epoch_raised", "epoch " + std::to_string(done->epoch));
        step("connections_closed", connections_closed(*done));
        step("shares_destroyed", "done");
        step("grant_keys_destroyed", std::to_string(done->grants));
    } else if (done.error().is(keys::KeyError::unknown_integration)) {
        // The keyring was lost, or an older one was put in its place.
        receipt.epoch = operation.epoch;
        step("keyring", "knows nothing of this integration: no key is left that opens it");
    } else {
        co_return fail(std::move(done.error()));
    }
    const auto body = [operation, epoch = receipt.epoch](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto set = rows::set_epoch(tx, o.workspace, o.integration, epoch); !set) return set;
        return rows::delete_seals_and_grants(tx, o.workspace, o.integration);
    };
    auto gone = co_await write_surely(body);
    if (!gone) co_return fail(std::move(gone.error()));
    step("seals_deleted", "done");
    step("provider_revocation", "the provider of a mailbox password has no way to end it");
    co_return co_await store_receipt(std::move(operation), std::move(receipt));
}

async::Task<Receipt> Integrations::store_receipt(Operation operation, Receipt receipt) {
    receipt.id = operation.receipt;
    receipt.kind = operation.kind;
    // Final when two backup sites hold the ledger's entry; with no sites there is nothing to wait
    // for and the receipt says so.
    receipt.state = "pending";
    receipt.steps.push_back({"ledger_copies", "no_sites", parts_.clock.now_ms()});
    receipt.at_ms = parts_.clock.now_ms();
    receipt.subject = operation.integration.text();
    receipt.advice = k_change_password;
    auto row = co_await load(operation.workspace, operation.integration);
    if (row) {
        auto settings = co_await open_settings(operation.workspace, row->id, row->sealed_settings);
        if (settings) receipt.link = password_link(settings->destination.imap.host);
    }
    auto known = co_await ipc::call_surely(&parts_.keeper, keys::Identify{}, keeper_deadline());
    if (!known) co_return fail(std::move(known.error()));
    receipt.key = std::move(known->receipt_key);
    const auto ending = operation.kind == "reseal" ? keys::Ending::reseal : keys::Ending::cut_off;
    keys::SignReceipt sign{
        operation.workspace, operation.integration, ending,
        receipt.epoch,       receipt.at_ms,         to_bytes(receipt_json(receipt, false))};
    auto signature = co_await ipc::call_surely(&parts_.keeper, std::move(sign), keeper_deadline());
    if (!signature) {
        // Somebody changed the seal once more since: that ending has a receipt of its own.
        if (signature.error().is(keys::KeyError::not_ended)) {
            co_return fail(IntegrationError::superseded);
        }
        co_return fail(std::move(signature.error()));
    }
    receipt.signature = std::move(signature->signature);
    auto sealed = co_await keys::seal_record(
        &parts_.keeper, operation.workspace, store::data_map::store::receipts::body.value,
        crypto::row_key(receipt.id), keys::encode_record(receipt), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    const auto body = [this, operation, receipt,
                       bytes = std::move(*sealed)](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto done = rows::insert_receipt(tx, o.workspace, receipt, o.integration, bytes);
            !done) {
            return done;
        }
        events::Event event{"integration.state",
                            std::nullopt,
                            {{"integration_id", o.integration.text()},
                             {"state", o.kind == "reseal" ? "sealed" : "cut_off"},
                             {"receipt_id", receipt.id.text()}}};
        if (auto done = parts_.events.append(tx, o.workspace, event); !done) return done;
        return rows::delete_operation(tx, o.workspace, o.receipt);
    };
    Result<> written;
    if (operation.kind == "reseal") {
        written = co_await write_surely(body);  // its record was written with the request
    } else {
        auto act = act_of(operation.kind == "delete" ? PublicText("integration.deleted")
                                                     : PublicText("integration.cut_off"),
                          operation.by, operation.integration);
        act.about.push_back({"receipt_id", operation.receipt.text()});
        written = co_await end_surely(operation.workspace, std::move(act), body);
    }
    if (!written) co_return fail(std::move(written.error()));
    parts_.events.published(operation.workspace);
    changed(operation.workspace, operation.integration);
    co_return receipt;
}

async::Task<Integration> Integrations::load_live(WorkspaceId workspace, IntegrationId id) {
    auto row = co_await load(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    if (is_hidden(*row)) co_return fail(IntegrationError::not_found);
    if (row->stored_state != StoredState::active || !row->seal) {
        co_return fail(keys::KeyError::integration_cut_off);
    }
    co_return std::move(*row);
}

async::Task<Integrations::Resealed> Integrations::reseal(audit::By by,
                                                         WorkspaceId workspace,
                                                         IntegrationId id,
                                                         keys::SecretInput secret,
                                                         keys::SecretInput new_secret,
                                                         bool generate,
                                                         keys::ShareScheme shares) {
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    const auto left = co_await finish_left(workspace, id);
    if (!left) co_return fail(left.error());
    auto row = co_await load_live(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    keys::PrepareSeal ask;
    ask.workspace = workspace;
    ask.integration = id;
    ask.generate = generate;
    ask.shares = shares;
    ask.new_secret = std::move(new_secret);
    ask.current = std::move(row->seal);
    ask.secret = std::move(secret);
    auto prepared = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!prepared) {
        const bool is_wrong = prepared.error().is(keys::KeyError::wrong_secret);
        co_await note_refusal(std::move(by), workspace, id, is_wrong);
        co_return fail(std::move(prepared.error()));
    }
    auto act = act_of("integration.resealed", std::move(by), id);
    auto receipt = co_await replace_seal(std::move(act), workspace, id, std::move(prepared->seal));
    if (!receipt) co_return fail(std::move(receipt.error()));
    co_return Resealed{std::move(*receipt), std::move(prepared->generated),
                       std::move(prepared->generated_shares)};
}

async::Task<Receipt> Integrations::replace_seal(audit::Act act,
                                                WorkspaceId workspace,
                                                IntegrationId id,
                                                keys::Seal seal) {
    const auto operation = make_operation(workspace, id, "reseal", seal.epoch);
    auto entry = co_await sign_entry(operation);
    if (!entry) {
        (void)co_await abandon(workspace, id, operation.epoch);
        co_return fail(std::move(entry.error()));
    }
    act.about.push_back({"receipt_id", operation.receipt.text()});
    Replacement replacement{operation, std::move(seal), std::nullopt, std::move(*entry),
                            std::move(act)};
    auto stored = co_await store_replacement(std::move(replacement));
    if (!stored) {
        (void)co_await abandon(workspace, id, operation.epoch);
        co_return fail(std::move(stored.error()));
    }
    auto receipt = co_await finish_reseal(operation);
    for (int tries = 1; !receipt; ++tries) {
        if (!co_await may_try_again(receipt.error(), tries)) break;
        receipt = co_await finish_reseal(operation);
    }
    co_return receipt;
}

/// What is decided comes to be in the end, by recover() if need be. But a generated secret is told
/// in this answer or never: a keeper that is being restarted is waited for.
boost::asio::awaitable<bool> Integrations::may_try_again(Error error, int tries) {
    const bool is_overtaken = error.is(IntegrationError::superseded) ||
                              error.is(keys::KeyError::stale_epoch) ||
                              error.is(keys::KeyError::unknown_integration) ||
                              error.is(keys::KeyError::integration_cut_off);
    if (is_overtaken || tries >= k_finish_tries) co_return false;
    const auto waited = co_await async::wait_until(Deadline::in(parts_.finish_pause));
    co_return waited.has_value();
}

async::Task<Receipt> Integrations::finish_reseal(Operation operation) {
    Receipt receipt;
    receipt.epoch = operation.epoch;
    const auto step = [this, &receipt](std::string name, std::string result) {
        receipt.steps.push_back({std::move(name), std::move(result), parts_.clock.now_ms()});
    };
    step("requested", "recorded");
    const auto started = parts_.clock.now_ms();
    keys::CommitSeal commit{operation.workspace, operation.integration, operation.epoch, 0};
    auto done = co_await parts_.keeper.call(std::move(commit), keeper_deadline());
    if (!done) co_return fail(std::move(done.error()));
    receipt.bound_ms = parts_.clock.now_ms() - started;
    step("epoch_raised", "epoch " + std::to_string(operation.epoch));
    step("old_shares_destroyed", "done");
    step("leases_and_grants_ended", "done");
    const auto body = [operation](store::Transaction& tx) {
        return rows::set_epoch(tx, operation.workspace, operation.integration, operation.epoch);
    };
    auto replaced = co_await write_surely(body);
    if (!replaced) co_return fail(std::move(replaced.error()));
    step("old_seal_deleted", "done");
    step("provider_rotation", "a mailbox password stays valid until it is changed there");
    co_return co_await store_receipt(std::move(operation), std::move(receipt));
}

async::Task<> Integrations::tell_sealed(audit::By by,
                                        WorkspaceId workspace,
                                        std::uint32_t ended,
                                        bool grants) {
    audit::Act act{
        std::move(by),
        "integrations.sealed",
        {{"integrations", std::to_string(ended)}, {"grants", grants ? "ended" : "kept"}}};
    const auto body = [this, workspace, ended, grants](store::Transaction& tx) -> Result<> {
        events::Event event{
            "integrations.sealed",
            std::nullopt,
            {{"integrations", std::to_string(ended)}, {"grants", grants ? "ended" : "kept"}}};
        return parts_.events.append(tx, workspace, event);
    };
    auto written = co_await end_surely(workspace, act, body);
    if (!written) {
        parts_.audit.owe(workspace, std::move(act));
        co_return fail(std::move(written.error()));
    }
    parts_.events.published(workspace);
    co_return Result<>{};
}

async::Task<std::vector<rows::GrantRow>> Integrations::dead_of(std::vector<rows::GrantRow> page) {
    std::map<WorkspaceId, std::set<IntegrationId>> asked;
    for (const auto& row : page)
        asked[row.workspace].insert(row.integration);
    std::set<std::pair<WorkspaceId, GrantId>> alive;
    for (const auto& [workspace, ids] : asked) {
        keys::GetStatus ask;
        ask.workspace = workspace;
        ask.integrations.assign(ids.begin(), ids.end());
        auto status = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
        if (!status) co_return fail(std::move(status.error()));
        for (const auto& item : status->items) {
            for (const auto& grant : item.grants)
                alive.emplace(workspace, grant);
        }
    }
    std::erase_if(page, [&](const rows::GrantRow& row) {
        return alive.contains({row.workspace, row.grant});
    });
    co_return page;
}

async::Task<Integrations::Touched> Integrations::drop_dead_grants() {
    Touched touched;
    rows::GrantRow last;
    while (true) {
        const auto look = [last](store::Transaction& tx) {
            return rows::list_grants(tx, last, k_grants_page);
        };
        auto page = co_await parts_.database.read(look);
        if (!page) co_return fail(std::move(page.error()));
        if (page->empty()) co_return touched;
        last = page->back();
        // Asked after the rows were read: a key is made before its row.
        auto dead = co_await dead_of(std::move(*page));
        if (!dead) co_return fail(std::move(dead.error()));
        if (dead->empty()) continue;
        const auto drop = [dead = *dead](store::Transaction& tx) -> Result<> {
            for (const auto& row : dead) {
                if (auto gone = rows::delete_made_grant(tx, row); !gone) return gone;
            }
            return {};
        };
        auto dropped = co_await write_surely(drop);
        if (!dropped) co_return fail(std::move(dropped.error()));
        for (const auto& row : *dead)
            touched.emplace(row.workspace, row.integration);
    }
}

async::Job Integrations::announce_all(Touched touched) {
    for (const auto& [workspace, id] : touched) {
        co_await announce(workspace, id);
        changed(workspace, id);
    }
}

async::Task<Integrations::SealedAll> Integrations::seal_all(audit::By by,
                                                            std::optional<WorkspaceId> workspace,
                                                            bool grants) {
    keys::SealAll ask{workspace, grants};
    auto done = co_await ipc::call_surely(&parts_.keeper, ask, provider_deadline());
    if (!done) co_return fail(std::move(done.error()));
    SealedAll sealed{{}, done->leases, done->grants, done->connections, done->confirmed};
    std::map<WorkspaceId, std::uint32_t> counts;
    Touched touched;
    if (workspace) counts[*workspace] = 0;
    for (const auto& each : done->ended) {
        ++counts[each.workspace];
        touched.emplace(each.workspace, each.integration);
        sealed.ended.push_back(each.integration);
    }
    if (grants) {
        auto dropped = co_await drop_dead_grants();
        if (dropped) touched.merge(*dropped);
        // Without their keys they are none; recover() drops them then.
        if (!dropped) log(LogLevel::error, "grants_not_dropped", {{"error", dropped.error()}});
    }
    for (const auto& [whose, count] : counts) {
        auto told = co_await tell_sealed(by, whose, count, grants);
        // It is done, whether it can be written down or not.
        if (!told) log(LogLevel::error, "sealing_not_recorded", {{"error", told.error()}});
    }
    if (!workspace) {
        audit::Act act{std::move(by), "installation.sealed", {}};
        act.about.push_back({"integrations", std::to_string(sealed.ended.size())});
        act.about.push_back({"grants", grants ? "ended" : "kept"});
        co_await parts_.audit.note(k_installation, std::move(act));
    }
    co_await announce_all(std::move(touched));
    co_return sealed;
}

async::Task<> Integrations::warn_of_ending_grants() {
    auto active = co_await list_active();
    if (!active) co_return fail(std::move(active.error()));
    const auto now = parts_.clock.now_ms();
    constexpr std::int64_t k_day_ms = 86'400'000;
    for (const auto& row : *active) {
        for (const auto& grant : row.grants) {
            const auto left_ms = grant.seal.expires_at_ms - now;
            if (left_ms <= 0) {
                auto by = audit::by_server();
                (void)co_await revoke_grant(std::move(by), row.workspace, row.id, grant.seal.grant);
                continue;
            }
            const std::int64_t days = left_ms <= k_day_ms ? 1 : left_ms <= 7 * k_day_ms ? 7 : 0;
            if (days == 0 || (grant.warned_days != 0 && grant.warned_days <= days)) continue;
            const auto id = grant.seal.grant;
            const auto body = [this, &row, id, days](store::Transaction& tx) -> Result<> {
                if (auto done = rows::set_warned(tx, row.workspace, id, days); !done) return done;
                events::Event event{"grant.expiring",
                                    std::nullopt,
                                    {{"integration_id", row.id.text()},
                                     {"grant_id", id.text()},
                                     {"days", std::to_string(days)}}};
                return parts_.events.append(tx, row.workspace, event);
            };
            auto written = co_await parts_.database.write(body);
            if (!written) co_return fail(std::move(written.error()));
            parts_.events.published(row.workspace);
        }
    }
    co_return Result<>{};
}

}  // namespace postern::integrations
