#include "app/courier/fetches.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/destined.h"
#include "platform/keys/records.h"
#include "platform/net/http_client/http_client.h"
#include "platform/net/net_error.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::app::courier {
namespace {

using codec::http::HttpsUrl;
using fetch::FetchError;

constexpr std::chrono::seconds k_exchange_time{10};
constexpr std::chrono::seconds k_keeper_time{10};
constexpr std::size_t k_id_token_bytes_max = 16UL * 1024;
constexpr std::size_t k_error_bytes_max = 64;

FetchError outward(net::NetError error) {
    switch (error) {
        case net::NetError::invalid_host: return FetchError::invalid_url;
        case net::NetError::refused_private_address: return FetchError::address_refused;
        case net::NetError::name_not_found: return FetchError::name_not_found;
        case net::NetError::timed_out: return FetchError::timed_out;
        case net::NetError::invalid_certificate_file:
        case net::NetError::certificate_untrusted: return FetchError::certificate_untrusted;
        case net::NetError::certificate_wrong_name: return FetchError::certificate_wrong_name;
        case net::NetError::certificate_expired: return FetchError::certificate_expired;
        case net::NetError::plaintext_before_tls:
        case net::NetError::tls_failed: return FetchError::tls_failed;
        case net::NetError::resolver_failed:
        case net::NetError::connection_refused:
        case net::NetError::unreachable:
        case net::NetError::closed_by_peer:
        case net::NetError::truncated:
        case net::NetError::address_in_use:
        case net::NetError::address_unavailable: return FetchError::connection_failed;
    }
    return FetchError::connection_failed;
}

/// Counts one exchange while it runs.
class Slot {
public:
    explicit Slot(std::size_t& count) : count_(count) { ++count_; }
    ~Slot() { --count_; }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

private:
    std::size_t& count_;
};

void add(WipedBytes& form, std::string_view name, std::string_view value) {
    if (!form.empty()) form.append("&");
    form.append(name);
    form.append("=");
    form.append(codec::http::percent_encoded(value));
}

/// RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
Secret basic(std::string_view client_id, const Secret& secret) {
    auto plain = codec::http::percent_encoded(client_id) + ":";
    secret.with_bytes(
        [&](ByteView bytes) { plain += codec::http::percent_encoded(as_text(bytes)); });
    auto coded = "Basic " + codec::base64(as_bytes(plain));
    wipe(plain.data(), plain.size());
    return Secret::take(coded);
}

net::HttpAsk token_request(const fetch::ExchangeCode& asked,
                           const fetch::TokenEndpoint& endpoint,
                           const Secret& secret) {
    net::HttpAsk request;
    request.method = net::HttpAsk::Method::post;
    request.ca_pem = endpoint.ca_pem;
    request.content_type = "application/x-www-form-urlencoded";
    add(request.body, "grant_type", "authorization_code");
    add(request.body, "code", asked.code);
    add(request.body, "redirect_uri", asked.redirect_uri);
    add(request.body, "code_verifier", asked.verifier);
    if (endpoint.auth == fetch::ClientAuth::basic) {
        request.authorization = basic(endpoint.client_id, secret);
        return request;
    }
    add(request.body, "client_id", endpoint.client_id);
    if (endpoint.auth == fetch::ClientAuth::post) {
        secret.with_bytes(
            [&](ByteView bytes) { add(request.body, "client_secret", as_text(bytes)); });
    }
    return request;
}

/// A text of the answer's JSON; empty where it is absent or too long.
std::string text_of(const codec::Json& json, std::string_view name, std::size_t bytes_max) {
    if (json.fields() == nullptr) return {};
    for (const auto& [field, value] : *json.fields()) {
        if (field != name) continue;
        const auto text = value.text().value_or(std::string_view{});
        return text.size() <= bytes_max ? std::string(text) : std::string();
    }
    return {};
}

std::string word(std::string text) {
    const bool is_word = std::all_of(text.begin(), text.end(),
                                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return is_word ? text : std::string();
}

}  // namespace

void Fetches::serve(ipc::Router& router) {
    router.on<fetch::FetchDocument>(
        [this](fetch::FetchDocument asked) { return document(std::move(asked)); });
    router.on<fetch::ExchangeCode>(
        [this](fetch::ExchangeCode asked) { return exchange(std::move(asked)); });
}

async::Task<net::HttpAnswer> Fetches::ask(net::HttpAsk request) {
    if (under_way_ >= k_at_once_max) co_return fail(ipc::IpcError::busy);
    const Slot slot(under_way_);
    const auto host = request.url.host();
    auto asking = client_.exchange(std::move(request), Deadline::in(k_exchange_time));
    auto answer = co_await std::move(asking);
    if (answer) co_return std::move(*answer);
    const auto& error = answer.error();
    log(LogLevel::info, "fetch_failed",
        {LogField::sanitised("host", host),
         {"error", error},
         LogField::sanitised("detail", error.detail())});
    if (const auto net_error = error.as<net::NetError>()) co_return fail(outward(*net_error));
    if (error.is(async::AsyncError::cancelled)) co_return fail(answer.error());
    co_return fail(FetchError::protocol_violation);
}

async::Task<fetch::FetchDocument::Answer> Fetches::document(fetch::FetchDocument asked) {
    auto url = HttpsUrl::parse(asked.url);
    if (!url) co_return fail(FetchError::invalid_url);
    net::HttpAsk request;
    request.url = std::move(*url);
    request.ca_pem = std::move(asked.ca_pem);
    request.limits.body_bytes = fetch::k_document_bytes_max;
    auto asking = ask(std::move(request));
    auto answer = co_await std::move(asking);
    if (!answer) co_return fail(std::move(answer.error()));
    fetch::FetchDocument::Answer out;
    out.status = static_cast<std::uint16_t>(answer->status);
    out.body = to_bytes(ByteView(answer->body.data(), answer->body.size()));
    co_return out;
}

async::Task<fetch::ExchangeCode::Answer> Fetches::exchange(fetch::ExchangeCode asked) {
    keys::OpenDestined opening{asked.workspace, asked.column, std::move(asked.row),
                               std::move(asked.client)};
    const auto deadline = Deadline::in(k_keeper_time);
    auto opened = co_await keeper_.call(std::move(opening), deadline);
    if (!opened) {
        if (opened.error().is(keys::KeyError::cannot_open)) {
            co_return fail(FetchError::client_unreadable);
        }
        co_return fail(std::move(opened.error()));
    }
    const auto endpoint = keys::decode_record<fetch::TokenEndpoint>(opened->destination);
    if (!endpoint) co_return fail(FetchError::client_unreadable);
    auto url = HttpsUrl::parse(endpoint->url);
    if (!url) co_return fail(FetchError::invalid_url);
    auto request = token_request(asked, *endpoint, opened->secret);
    request.url = std::move(*url);
    auto asking = ask(std::move(request));
    auto answer = co_await std::move(asking);
    if (!answer) co_return fail(std::move(answer.error()));
    fetch::ExchangeCode::Answer out;
    out.status = static_cast<std::uint16_t>(answer->status);
    const auto json = codec::Json::parse(ByteView(answer->body.data(), answer->body.size()));
    if (!json) co_return out;
    out.id_token = text_of(*json, "id_token", k_id_token_bytes_max);
    out.error = word(text_of(*json, "error", k_error_bytes_max));
    co_return out;
}

}  // namespace postern::app::courier
