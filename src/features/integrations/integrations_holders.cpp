#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/records.h"
#include "platform/keys/seals.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::integrations {
namespace {

constexpr auto k_name_column = store::data_map::store::holders::name.value;
constexpr UnixMs k_use_grain_ms = 3'600'000;

}  // namespace

async::Task<std::string> Integrations::open_name(WorkspaceId workspace,
                                                 IntegrationId id,
                                                 Bytes sealed) {
    auto opened =
        co_await keys::open_record(&parts_.keeper, workspace, k_name_column, crypto::row_key(id),
                                   std::move(sealed), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<std::vector<Holder>> Integrations::holders(WorkspaceId workspace, IntegrationId id) {
    auto row = co_await load_live(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::list_holders(tx, workspace, id);
    };
    auto named = co_await parts_.database.read(body);
    if (!named) co_return fail(std::move(named.error()));
    const auto& seal = row->seal;
    if (!seal) co_return fail(keys::KeyError::integration_cut_off);
    // The seal says who there is; a name without a holder is left from somebody who was one.
    std::vector<Holder> out;
    for (const auto& share : seal->holders) {
        Holder holder{share.holder, {}, row->created_at_ms};
        const auto found = std::ranges::find(*named, share.holder, &rows::HolderRow::holder);
        if (found != named->end()) {
            holder.created_at_ms = found->created_at_ms;
            auto name = co_await open_name(workspace, id, std::move(found->sealed_name));
            if (!name) co_return fail(std::move(name.error()));
            holder.name = std::move(*name);
        }
        out.push_back(std::move(holder));
    }
    std::ranges::sort(out, {}, &Holder::created_at_ms);
    co_return out;
}

async::Task<Integrations::HolderAdded> Integrations::add_holder(WorkspaceId workspace,
                                                                IntegrationId id,
                                                                HolderAsk ask) {
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    const auto left = co_await finish_left(workspace, id);
    if (!left) co_return fail(left.error());
    auto row = co_await load_live(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    auto& sealed = row->seal;
    if (!sealed) co_return fail(keys::KeyError::integration_cut_off);
    auto seal = std::move(*sealed);
    const auto& present = seal.holders;
    // Made by a request of before: whoever asks again finds them in the list.
    if (ask.id && std::ranges::find(present, *ask.id, &keys::HolderSeal::holder) != present.end()) {
        co_return fail(IntegrationError::superseded);
    }
    auto name =
        co_await keys::seal_record(&parts_.keeper, workspace, k_name_column, crypto::row_key(id),
                                   to_bytes(ask.name), keeper_deadline());
    if (!name) co_return fail(std::move(name.error()));
    keys::AddHolder add;
    add.workspace = workspace;
    add.integration = id;
    add.seal = seal;
    add.secret = std::move(ask.secret);
    add.generate = ask.generate;
    add.shares = ask.shares;
    add.new_secret = std::move(ask.new_secret);
    add.holder = ask.id;
    auto added = co_await parts_.keeper.call(std::move(add), keeper_deadline());
    if (!added) {
        const bool is_wrong = added.error().is(keys::KeyError::wrong_secret);
        co_await note_refusal(std::move(ask.by), workspace, id, is_wrong);
        co_return fail(std::move(added.error()));
    }
    HolderAdded out;
    out.holder = {added->holder.holder, std::move(ask.name), parts_.clock.now_ms()};
    out.generated = std::move(added->generated);
    out.generated_shares = std::move(added->generated_shares);
    seal.holders.push_back(std::move(added->holder));
    const auto body = [workspace, id, seal = std::move(seal), holder = out.holder,
                       sealed = std::move(*name)](store::Transaction& tx) -> Result<> {
        // A cut-off does not wait for us: what it has deleted does not come back.
        POSTERN_TRY(const auto now, rows::load(tx, workspace, id));
        if (now.stored_state != StoredState::active || now.epoch != seal.epoch) {
            return fail(IntegrationError::superseded);
        }
        if (auto put = rows::insert_seal(tx, workspace, id, seal); !put) return put;
        return rows::insert_holder(tx, workspace, id, {holder.id, sealed, holder.created_at_ms});
    };
    auto act = act_of("holder.added", std::move(ask.by), id);
    act.about.push_back({"holder_id", out.holder.id.text()});
    auto stored = co_await parts_.audit.record(workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_await announce(workspace, id);
    co_return out;
}

async::Task<Receipt> Integrations::remove_holder(audit::By by,
                                                 WorkspaceId workspace,
                                                 IntegrationId id,
                                                 HolderId holder,
                                                 std::optional<keys::SecretInput> secret) {
    const Change change(busy_, id);
    if (!change.mine()) co_return fail(IntegrationError::busy);
    const auto left = co_await finish_left(workspace, id);
    if (!left) co_return fail(left.error());
    auto row = co_await load_live(workspace, id);
    if (!row) co_return fail(std::move(row.error()));
    keys::PrepareSeal ask;
    ask.workspace = workspace;
    ask.integration = id;
    ask.current = std::move(row->seal);
    ask.leaving = holder;
    ask.with_lease = !secret.has_value();
    if (secret) ask.secret = std::move(*secret);
    auto prepared = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!prepared) co_return fail(std::move(prepared.error()));
    auto act = act_of("holder.deleted", std::move(by), id);
    act.about.push_back({"holder_id", holder.text()});
    auto receipt = co_await replace_seal(std::move(act), workspace, id, std::move(prepared->seal));
    if (!receipt) co_return fail(std::move(receipt.error()));
    const auto body = [workspace, id, holder](store::Transaction& tx) {
        return rows::delete_holder(tx, workspace, id, holder);
    };
    auto forgotten = co_await parts_.database.write(body);
    if (!forgotten) log(LogLevel::warning, "holder_name_kept", {{"error", forgotten.error()}});
    co_return receipt;
}

async::Task<std::vector<View>> Integrations::list_idle(WorkspaceId workspace,
                                                       IntegrationId after,
                                                       std::int64_t idle_s,
                                                       std::int64_t limit) {
    const auto cutoff = parts_.clock.now_ms() - idle_s * 1000;
    const auto body = [workspace, after, cutoff, limit](store::Transaction& tx) {
        return rows::list_idle(tx, workspace, after, cutoff, limit);
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

async::Task<std::int64_t> Integrations::count_idle(std::int64_t idle_s) {
    const auto cutoff = parts_.clock.now_ms() - idle_s * 1000;
    const auto body = [cutoff](store::Transaction& tx) { return rows::count_idle(tx, cutoff); };
    co_return co_await parts_.database.read(body);
}

async::Job Integrations::note_refusal(audit::By by,
                                      WorkspaceId workspace,
                                      IntegrationId id,
                                      bool is_wrong) {
    if (!is_wrong) co_return;
    auto act = act_of("secret.refused", std::move(by), id);
    co_await parts_.audit.note(workspace, std::move(act));
}

/// Looking for replies by itself is no use; a person's act is.
async::Task<> Integrations::note_use(WorkspaceId workspace,
                                     IntegrationId id,
                                     UnixMs last_used_at_ms) {
    const auto now = parts_.clock.now_ms();
    if (now - last_used_at_ms < k_use_grain_ms) co_return Result<>{};
    const auto body = [workspace, id, now](store::Transaction& tx) {
        return rows::set_used(tx, workspace, id, now);
    };
    auto noted = co_await parts_.database.write(body);
    // What was asked for does not fail for it.
    if (!noted) log(LogLevel::warning, "use_not_noted", {{"error", noted.error()}});
    co_return Result<>{};
}

}  // namespace postern::integrations
