#include "platform/net/http_client/http_client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/http/response_reader.h"
#include "platform/async/task.h"
#include "platform/net/connector.h"
#include "platform/net/net_error.h"
#include "platform/net/stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

using codec::http::ResponseReader;

constexpr std::size_t k_piece_bytes = 16UL * 1024;

bool is_field_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x20 && static_cast<unsigned char>(c) < 0x7F; });
}

void add_field(WipedBytes& out, std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    out.append(value);
    out.append("\r\n");
}

/// Nothing of it may end a line but what we put there. Errors: invalid_host.
Result<WipedBytes> request_of(const HttpAsk& ask) {
    const bool is_post = ask.method == HttpAsk::Method::post;
    const bool has_clean_secret =
        ask.authorization.with_bytes([](ByteView bytes) { return is_field_value(as_text(bytes)); });
    if (!has_clean_secret || !is_field_value(ask.accept) || !is_field_value(ask.content_type)) {
        return fail(NetError::invalid_host, "a field's value");
    }
    WipedBytes out;
    out.append(is_post ? "POST " : "GET ");
    out.append(ask.url.target());
    out.append(" HTTP/1.1\r\n");
    add_field(out, "Host", ask.url.authority());
    add_field(out, "Connection", "close");
    add_field(out, "Accept", ask.accept);
    add_field(out, "Accept-Encoding", "identity");
    add_field(out, "User-Agent", "Postern");
    ask.authorization.with_bytes([&out](ByteView bytes) {
        if (!bytes.empty()) add_field(out, "Authorization", as_text(bytes));
    });
    if (is_post) {
        add_field(out, "Content-Type", ask.content_type);
        add_field(out, "Content-Length", std::to_string(ask.body.size()));
    }
    out.append("\r\n");
    if (is_post) out.append(ByteView(ask.body.data(), ask.body.size()));
    return out;
}

Destination destination_of(HttpAsk& ask) {
    Destination to;
    to.host = ask.url.host();
    to.port = ask.url.port();
    to.tls = TlsMode::implicit;
    if (!ask.ca_pem.empty()) to.tls_options.ca_pem = std::move(ask.ca_pem);
    return to;
}

}  // namespace

async::Task<HttpAnswer> HttpClient::exchange(HttpAsk ask, Deadline deadline) {
    const auto request = request_of(ask);
    if (!request) co_return fail(request.error());
    auto to = destination_of(ask);
    auto connecting = connector_.connect(std::move(to), deadline);
    const auto stream = co_await std::move(connecting);
    if (!stream) co_return fail(stream.error());
    const ByteView bytes(request->data(), request->size());
    auto writing = (*stream)->write_all(bytes, deadline);
    const auto written = co_await std::move(writing);
    if (!written) co_return fail(written.error());

    ResponseReader reader(ask.limits);
    WipedBytes piece(k_piece_bytes);
    while (!reader.is_done()) {
        const std::span<std::uint8_t> into(piece.data(), piece.size());
        auto reading = (*stream)->read_some(into, deadline);
        const auto count = co_await std::move(reading);
        if (!count) co_return fail(count.error());
        auto taken = *count == 0 ? reader.end() : reader.take(ByteView(piece.data(), *count));
        if (!taken) co_return fail(std::move(taken.error()));
    }
    (*stream)->close();
    HttpAnswer answer;
    answer.status = reader.head().status;
    answer.content_type = reader.head().field("content-type");
    answer.body = std::move(reader.body());
    co_return answer;
}

}  // namespace postern::net
