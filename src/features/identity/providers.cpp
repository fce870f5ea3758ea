#include "features/identity/providers.h"

#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_metadata.h"
#include "features/identity/provider_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/keys/destined.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace {

namespace columns = store::data_map::store::identity_providers;

constexpr int k_good_status = 200;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}
/// Longer than courier takes for one exchange.
Deadline courier_deadline() {
    return Deadline::in(std::chrono::seconds(15));
}

bool has_secret(const keys::SecretInput& secret) {
    return !secret.clear.empty() || !secret.boxed.empty();
}

void take_over(ProviderSettings& settings, const ProviderMetadata& metadata) {
    settings.authorization_url = metadata.authorization_url;
    settings.token_url = metadata.token_url;
    settings.keys_url = metadata.keys_url;
    settings.says_issuer = metadata.says_issuer;
}

audit::Act act_of(const Actor& actor, PublicText action, ProviderId id) {
    audit::Act act{by(actor), action, {}};
    act.about = {{"provider_id", id.text()}};
    return act;
}

}  // namespace

async::Task<ProviderMetadata> Providers::look(std::string issuer,
                                              std::string ca_pem,
                                              bool with_secret) {
    fetch::FetchDocument ask{metadata_url(issuer), std::move(ca_pem)};
    auto answer = co_await parts_.courier.call(std::move(ask), courier_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->status != k_good_status) co_return fail(ProviderError::unsuitable, "status");
    co_return parse_provider_metadata(answer->body, issuer, with_secret);
}

async::Task<store::SealedBytes> Providers::seal_settings(const ProviderRow* row,
                                                         ProviderSettings settings) {
    auto plain = keys::encode_record(std::move(settings));
    auto sealed =
        co_await keys::seal_record(&parts_.keeper, row->workspace, columns::settings.value,
                                   crypto::row_key(row->id), std::move(plain), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    co_return store::SealedBytes(std::move(*sealed));
}

async::Task<store::SealedBytes> Providers::seal_client(const ProviderRow* row,
                                                       const ProviderSettings* settings,
                                                       fetch::ClientAuth auth,
                                                       keys::SecretInput secret) {
    fetch::TokenEndpoint endpoint{settings->token_url, settings->ca_pem, settings->client_id, auth};
    keys::SealDestined ask;
    ask.workspace = row->workspace;
    ask.column = columns::client.value;
    ask.row = crypto::row_key(row->id);
    ask.destination = keys::encode_record(std::move(endpoint));
    ask.secret = std::move(secret);
    auto sealed = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    co_return store::SealedBytes(std::move(sealed->sealed));
}

async::Task<Provider> Providers::open(ProviderRow row) {
    auto sealed = row.settings;
    auto opened = co_await keys::open_record(&parts_.keeper, row.workspace, columns::settings.value,
                                             crypto::row_key(row.id), std::move(sealed).take(),
                                             keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    auto settings = keys::decode_record<ProviderSettings>(*opened);
    if (!settings) co_return fail(std::move(settings.error()));
    co_return Provider{std::move(row), std::move(*settings)};
}

async::Task<Provider> Providers::add(Manage who, Wish wish) {
    const auto& actor = who.actor();
    Provider made;
    auto& settings = made.settings;
    settings.has_secret = has_secret(wish.secret);
    auto metadata = co_await look(wish.issuer, wish.ca_pem, settings.has_secret);
    if (!metadata) co_return fail(std::move(metadata.error()));
    settings.name = std::move(wish.name);
    settings.issuer = std::move(wish.issuer);
    settings.client_id = std::move(wish.client_id);
    settings.domains = std::move(wish.domains);
    settings.ca_pem = std::move(wish.ca_pem);
    take_over(settings, *metadata);

    auto& row = made.row;
    row.workspace = actor.workspace;
    row.id = ProviderId::make(parts_.clock.now_ms());
    row.default_role = wish.default_role == Role::owner ? Role::reader : wish.default_role;
    row.is_on = wish.is_on;
    auto client = co_await seal_client(&row, &settings, metadata->auth, std::move(wish.secret));
    if (!client) co_return fail(std::move(client.error()));
    row.client = std::move(*client);
    auto sealed = co_await seal_settings(&row, settings);
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.settings = std::move(*sealed);
    const auto body = [row](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto present, rows::list_providers(tx, row.workspace));
        if (std::cmp_greater_equal(present.size(), k_providers_max)) {
            return fail(ProviderError::too_many_providers);
        }
        return rows::insert_provider(tx, row);
    };
    auto act = act_of(actor, "provider.added", row.id);
    act.about.push_back({"role", std::string(name_of(row.default_role))});
    auto stored = co_await parts_.audit.record(row.workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return made;
}

async::Task<> Providers::renew(Provider* provider, std::optional<keys::SecretInput> secret) {
    auto& settings = provider->settings;
    const bool will_have = secret ? has_secret(*secret) : settings.has_secret;
    auto metadata = co_await look(settings.issuer, settings.ca_pem, will_have);
    if (!metadata) co_return fail(std::move(metadata.error()));
    const bool is_moved = settings.token_url != metadata->token_url;
    take_over(settings, *metadata);
    // The secret that lies sealed goes to the old address only.
    if (!secret && is_moved && settings.has_secret) co_return fail(ProviderError::secret_needed);
    if (!secret && settings.has_secret) co_return Result<>{};
    settings.has_secret = will_have;
    auto input = secret ? std::move(*secret) : keys::SecretInput{};
    auto client = co_await seal_client(&provider->row, &settings, metadata->auth, std::move(input));
    if (!client) co_return fail(std::move(client.error()));
    provider->row.client = std::move(*client);
    co_return Result<>{};
}

async::Task<Provider> Providers::change(Manage who, ProviderId id, Change change) {
    const auto& actor = who.actor();
    auto found = co_await find(id);
    if (!found) co_return fail(std::move(found.error()));
    auto provider = std::move(*found);
    if (provider.row.workspace != actor.workspace) co_return fail(ProviderError::not_found);
    if (change.secret || change.look_again) {
        auto renewed = co_await renew(&provider, std::move(change.secret));
        if (!renewed) co_return fail(std::move(renewed.error()));
    }
    if (change.name) provider.settings.name = std::move(*change.name);
    if (change.domains) provider.settings.domains = std::move(*change.domains);
    auto& row = provider.row;
    if (change.default_role && *change.default_role != Role::owner) {
        row.default_role = *change.default_role;
    }
    if (change.is_on) row.is_on = *change.is_on;
    auto sealed = co_await seal_settings(&row, provider.settings);
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.settings = std::move(*sealed);
    const auto body = [row](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const bool is_there, rows::update_provider(tx, row));
        if (!is_there) return fail(ProviderError::not_found);
        return {};
    };
    auto act = act_of(actor, "provider.changed", id);
    act.about.push_back({"role", std::string(name_of(row.default_role))});
    act.about.push_back({"is_on", row.is_on ? "yes" : "no"});
    auto stored = co_await parts_.audit.record(row.workspace, std::move(act), body);
    if (!stored) co_return fail(std::move(stored.error()));
    if (!row.is_on) parts_.identity.note_ending();
    co_return provider;
}

async::Task<> Providers::remove(Manage who, ProviderId id) {
    const auto workspace = who.actor().workspace;
    const auto body = [workspace, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto deleted, rows::delete_provider(tx, workspace, id));
        if (deleted == 0) return fail(ProviderError::not_found);
        return {};
    };
    auto act = act_of(who.actor(), "provider.deleted", id);
    auto stored = co_await parts_.audit.record(workspace, std::move(act), body);
    if (stored) parts_.identity.note_ending();
    co_return stored;
}

async::Task<std::vector<Provider>> Providers::list(WorkspaceId workspace) {
    const auto body = [workspace](store::Transaction& tx) {
        return rows::list_providers(tx, workspace);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<Provider> out;
    for (auto& row : *found) {
        auto opened = co_await open(std::move(row));
        if (!opened) co_return fail(std::move(opened.error()));
        out.push_back(std::move(*opened));
    }
    co_return out;
}

async::Task<Provider> Providers::find(ProviderId id) {
    const auto body = [id](store::Transaction& tx) { return rows::find_provider(tx, id); };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    auto row = std::move(*found);
    if (!row) co_return fail(ProviderError::not_found);
    co_return co_await open(std::move(*row));
}

}  // namespace postern::identity
