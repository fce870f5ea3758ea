#include "features/identity/provider_sign_in.h"

#include "features/identity/audited.h"
#include "features/identity/bearer.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "features/identity/provider_error.h"
#include "features/identity/provider_store.h"
#include "features/identity/providers.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/jose/id_token.h"
#include "foundation/codec/jose/jose_error.h"
#include "foundation/codec/jose/jws.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::identity {

namespace {

constexpr auto k_client_column = store::data_map::store::identity_providers::client.value;
constexpr int k_good_status = 200;

std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}

/// Only who has both finds the row.
crypto::Hash row_hash(std::string_view state, std::string_view browser) {
    std::string both(state);
    both.append(".").append(browser);
    const auto hash = crypto::sha256(as_bytes(both));
    wipe(both.data(), both.size());
    return hash;
}

/// 43 characters: as a PKCE verifier (RFC 7636 section 4.1) may be.
std::string derived(std::string_view job, std::string_view browser, std::string_view state) {
    const auto key = Secret::copy_of(as_bytes(browser));
    std::string input(job);
    input.append(" ").append(state);
    return codec::base64url(crypto::hmac(key, as_bytes(input)));
}
std::string verifier_of(std::string_view browser, std::string_view state) {
    return derived("postern oidc verifier", browser, state);
}
std::string nonce_of(std::string_view browser, std::string_view state) {
    return derived("postern oidc nonce", browser, state);
}

class Query {
public:
    explicit Query(const std::string& url) : text_(url) {
        is_first_ = url.find('?') == std::string::npos;
    }
    Query& add(std::string_view name, std::string_view value) {
        text_.append(is_first_ ? "?" : "&").append(name).append("=");
        text_.append(codec::http::percent_encoded(value));
        is_first_ = false;
        return *this;
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
    bool is_first_ = true;
};

}  // namespace

async::Task<SentAway> ProviderSignIn::send_away(Provider provider,
                                                SignInPurpose purpose,
                                                std::optional<crypto::Hash> session,
                                                std::string redirect_uri) {
    SentAway out;
    out.browser = make_bearer(k_setup_prefix).text;
    const auto browser = text_of(out.browser);
    const auto state = text_of(make_bearer(k_setup_prefix).text);
    const auto now = parts_.clock.now_ms();
    ProviderSignInRow row{row_hash(state, browser), provider.row.id, purpose, session, now};
    const auto body = [row](store::Transaction& tx) -> Result<> {
        const auto oldest = row.created_at_ms - k_away_s * 1000;
        if (auto done = rows::delete_old_provider_sign_ins(tx, oldest); !done) return done;
        return rows::insert_provider_sign_in(tx, row);
    };
    auto stored = co_await parts_.database.write(body);
    if (!stored) co_return fail(std::move(stored.error()));
    const auto challenge = crypto::sha256(as_bytes(verifier_of(browser, state)));
    Query query(provider.settings.authorization_url);
    query.add("response_type", "code")
        .add("client_id", provider.settings.client_id)
        .add("redirect_uri", redirect_uri)
        .add("scope", "openid email")
        .add("state", state)
        .add("nonce", nonce_of(browser, state))
        .add("code_challenge", codec::base64url(challenge))
        .add("code_challenge_method", "S256");
    if (purpose == SignInPurpose::proof) query.add("prompt", "login").add("max_age", "0");
    out.url = query.take();
    co_return out;
}

async::Task<SentAway> ProviderSignIn::begin(ProviderId id, std::string redirect_uri) {
    auto provider = co_await parts_.providers.find(id);
    if (!provider) co_return fail(std::move(provider.error()));
    if (!provider->row.is_on) co_return fail(ProviderError::not_found);
    co_return co_await send_away(std::move(*provider), SignInPurpose::sign_in, std::nullopt,
                                 std::move(redirect_uri));
}

async::Task<SentAway> ProviderSignIn::begin_link(Mine who,
                                                 ProviderId id,
                                                 std::string redirect_uri) {
    const auto actor = who.actor();
    auto provider = co_await parts_.providers.find(id);
    if (!provider) co_return fail(std::move(provider.error()));
    const bool is_ours = provider->row.workspace == actor.workspace && provider->row.is_on;
    if (!is_ours) co_return fail(ProviderError::not_found);
    co_return co_await send_away(std::move(*provider), SignInPurpose::link, actor.proof,
                                 std::move(redirect_uri));
}

async::Task<SentAway> ProviderSignIn::begin_proof(See who, std::string redirect_uri) {
    const auto actor = who.actor();
    struct Facts {
        std::optional<ProviderId> provider;
        bool has_factor = false;
    };
    const auto body = [actor](store::Transaction& tx) -> Result<Facts> {
        Facts facts;
        POSTERN_TRY(const auto session, rows::find_session(tx, actor.proof));
        if (!session) return fail(IdentityError::unauthenticated);
        facts.provider = session->provider;
        POSTERN_TRY(facts.has_factor, rows::has_factor(tx, *actor.person));
        return facts;
    };
    auto facts = co_await parts_.database.read(body);
    if (!facts) co_return fail(std::move(facts.error()));
    if (!facts->provider) co_return fail(ProviderError::not_by_provider);
    if (facts->has_factor) co_return fail(IdentityError::second_factor_needed);
    auto provider = co_await parts_.providers.find(*facts->provider);
    if (!provider) co_return fail(std::move(provider.error()));
    co_return co_await send_away(std::move(*provider), SignInPurpose::proof, actor.proof,
                                 std::move(redirect_uri));
}

async::Task<ProviderSignInRow> ProviderSignIn::take(const CameBack* back) {
    const bool is_formed = hash_of_bearer(k_setup_prefix, back->browser).has_value() &&
                           hash_of_bearer(k_setup_prefix, back->state).has_value();
    if (!is_formed) co_return fail(ProviderError::sign_in_unknown);
    const auto hash = row_hash(back->state, back->browser);
    const auto body = [hash](store::Transaction& tx) {
        return rows::take_provider_sign_in(tx, hash);
    };
    auto taken = co_await parts_.database.write(body);
    if (!taken) co_return fail(std::move(taken.error()));
    const auto row = std::move(*taken);
    const auto age_ms = row ? parts_.clock.now_ms() - row->created_at_ms : 0;
    const bool is_good = row && age_ms >= 0 && age_ms <= k_away_s * 1000;
    if (!is_good) co_return fail(ProviderError::sign_in_unknown);
    co_return *row;
}

async::Task<jose::IdToken> ProviderSignIn::exchange(const Arrival* arrival, const CameBack* back) {
    const auto& provider = arrival->provider;
    fetch::ExchangeCode ask;
    ask.workspace = provider.row.workspace;
    ask.column = k_client_column;
    ask.row = crypto::row_key(provider.row.id);
    ask.client = to_bytes(provider.row.client.view());
    ask.code = back->code;
    ask.verifier = verifier_of(back->browser, back->state);
    ask.redirect_uri = back->redirect_uri;
    const auto deadline = Deadline::in(std::chrono::seconds(25));
    auto answer = co_await parts_.courier.call(std::move(ask), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->status != k_good_status || answer->id_token.empty()) {
        co_return fail(ProviderError::code_refused, answer->error);
    }
    const auto jws = jose::parse_jws(answer->id_token);
    if (!jws) co_return fail(jws.error());
    auto checking = keys_.check(&provider, &*jws);
    auto checked = co_await std::move(checking);
    if (!checked) co_return fail(std::move(checked.error()));
    auto token = jose::parse_id_token(jws->payload);
    if (!token) co_return fail(std::move(token.error()));
    jose::Expected expected;
    expected.issuer = provider.settings.issuer;
    expected.client_id = provider.settings.client_id;
    expected.nonce = nonce_of(back->browser, back->state);
    expected.now_s = parts_.clock.now_ms() / 1000;
    if (arrival->row.purpose == SignInPurpose::proof) {
        expected.signed_in_after_s = arrival->row.created_at_ms / 1000;
    }
    auto judged = jose::judge(*token, expected);
    if (!judged) co_return fail(std::move(judged.error()));
    co_return std::move(*token);
}

async::Task<SignedIn> ProviderSignIn::finish(CameBack back) {
    const auto place = network_of(back.client.address);
    const auto now = parts_.clock.now_ms();
    // What is refused leaves a record, and anybody may come.
    if (const auto wait_s = refused_.take(place, now); wait_s > 0) {
        co_return fail(Error(IdentityError::too_many_attempts).with_retry_after(wait_s));
    }
    auto finishing = try_finish(std::move(back));
    auto done = co_await std::move(finishing);
    if (done) refused_.give_back(place, now);
    co_return std::move(done);
}

async::Task<SignedIn> ProviderSignIn::try_finish(CameBack back) {
    auto taken = co_await take(&back);
    if (!taken) co_return fail(std::move(taken.error()));
    Arrival arrival;
    arrival.row = *taken;
    auto provider = co_await parts_.providers.find(arrival.row.provider);
    if (!provider && provider.error().is(ProviderError::not_found)) {
        co_return fail(ProviderError::sign_in_unknown);
    }
    if (!provider) co_return fail(std::move(provider.error()));
    arrival.provider = std::move(*provider);
    const auto from = back.client.address;
    auto arriving = arrive(&arrival, std::move(back));
    auto done = co_await std::move(arriving);
    if (done) co_return std::move(*done);
    const bool is_judged = done.error().as<ProviderError>() || done.error().as<jose::JoseError>() ||
                           done.error().as<fetch::FetchError>();
    if (!is_judged) co_return fail(std::move(done.error()));
    auto noted = co_await note_refused(&arrival, std::string(done.error().code()), from);
    if (!noted) co_return fail(std::move(noted.error()));
    if (done.error().as<jose::JoseError>()) co_return fail(ProviderError::token_refused);
    co_return fail(std::move(done.error()));
}

/// The order matters: whose answer it is comes before anything that it says.
async::Task<SignedIn> ProviderSignIn::arrive(Arrival* arrival, CameBack back) {
    const auto& settings = arrival->provider.settings;
    if (!arrival->provider.row.is_on) co_return fail(ProviderError::turned_off);
    const bool is_named = !back.issuer.empty();
    if (is_named ? back.issuer != settings.issuer : settings.says_issuer) {
        co_return fail(ProviderError::wrong_issuer);
    }
    if (back.has_error || back.code.empty()) co_return fail(ProviderError::refused_there);
    auto exchanging = exchange(arrival, &back);
    auto token = co_await std::move(exchanging);
    if (!token) co_return fail(std::move(token.error()));
    arrival->token = std::move(*token);
    auto subject = co_await subject_token(arrival);
    if (!subject) co_return fail(std::move(subject.error()));
    arrival->subject = std::move(*subject);
    SignedIn out;
    out.purpose = arrival->row.purpose;
    auto from = back.client.address;
    if (out.purpose == SignInPurpose::link) {
        auto linked = co_await link(arrival, std::move(from));
        if (!linked) co_return fail(std::move(linked.error()));
        co_return out;
    }
    if (out.purpose == SignInPurpose::proof) {
        auto proven = co_await prove(arrival, std::move(from));
        if (!proven) co_return fail(std::move(proven.error()));
        co_return out;
    }
    auto person = co_await known_or_new(arrival, std::move(from));
    if (!person) co_return fail(std::move(person.error()));
    auto session = co_await start_session(arrival, *person, std::move(back.client));
    if (!session) co_return fail(std::move(session.error()));
    out.session = std::move(*session);
    co_return out;
}

async::Task<std::vector<ProviderSignIn::Link>> ProviderSignIn::links(See who) {
    const auto actor = who.actor();
    const auto body = [actor](store::Transaction& tx) {
        return rows::list_links(tx, actor.workspace, *actor.person);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<Link> out;
    for (auto& row : *found) {
        Link link;
        auto provider = co_await parts_.providers.find(row.provider);
        if (provider) link.provider = std::move(provider->settings.name);
        link.row = std::move(row);
        out.push_back(std::move(link));
    }
    co_return out;
}

async::Task<> ProviderSignIn::remove_link(Mine who, LinkId id) {
    const auto actor = who.actor();
    const auto body = [actor, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto links, rows::list_links(tx, actor.workspace, *actor.person));
        const auto link = std::ranges::find(links, id, &LinkRow::id);
        if (link == links.end()) return fail(ProviderError::link_not_found);
        POSTERN_TRY(const auto person, rows::find_person(tx, *actor.person));
        const bool is_last = links.size() == 1;
        if (is_last && person && person->managed_in) return fail(ProviderError::last_way_in);
        POSTERN_TRY([[maybe_unused]] const auto deleted,
                    rows::delete_link(tx, actor.workspace, *actor.person, id));
        return rows::delete_link_sessions(tx, *link, actor.proof);
    };
    audit::Act act{by(actor), "provider.unlinked", {}};
    act.about = {{"link_id", id.text()}};
    auto stored = co_await parts_.audit.record(actor.workspace, std::move(act), body);
    if (stored) parts_.identity.note_ending();
    co_return stored;
}

}  // namespace postern::identity
