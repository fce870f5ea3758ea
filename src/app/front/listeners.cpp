#include "app/front/listeners.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/front/front.h"
#include "edge/api/api.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/http/server.h"
#include "platform/net/ip_address.h"
#include "platform/net/net_error.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::front {

using namespace std::chrono_literals;

namespace {

Result<std::vector<net::http::Listen>> addresses(const std::vector<config::Listen>& listen) {
    std::vector<net::http::Listen> out;
    for (const auto& entry : listen) {
        const auto address = net::IpAddress::parse(entry.address);
        if (!address) return fail(net::NetError::address_unavailable, entry.address);
        out.push_back({*address, entry.port, entry.tls, entry.optional});
    }
    return out;
}

Result<net::http::ServerOptions> options_of(const child::Runtime& runtime,
                                            const std::vector<config::Listen>& listen) {
    const auto& config = runtime.config();
    net::http::ServerOptions options;
    POSTERN_TRY(options.listen, addresses(listen));
    if (const auto tls = runtime.tls()) {
        options.tls = net::http::TlsFiles{tls->certificate_file, tls->key_file};
    }
    for (const auto& text : config.trusted_proxies) {
        const auto block = net::Cidr::parse(text);
        if (!block) return fail(net::NetError::address_unavailable, text);
        options.proxies.blocks.push_back(*block);
    }
    options.proxies.style = config.proxy_header == config::ProxyHeader::forwarded
                                ? net::http::ForwardedStyle::forwarded
                                : net::http::ForwardedStyle::x_forwarded;
    return options;
}

/// Why it does not serve, with the setting that is to be changed.
Result<> explained(Result<> started,
                   const std::vector<config::Listen>& listen,
                   const std::string& setting) {
    const auto code = started ? std::nullopt : started.error().as<net::NetError>();
    const bool taken = code == net::NetError::address_in_use;
    if (!code || (!taken && code != net::NetError::address_unavailable)) return started;
    std::string named;
    for (const auto& at : listen) {
        named += named.empty() ? "" : ", ";
        named += at.address + ":" + std::to_string(at.port);
    }
    return fail(*code, named + ": " + started.error().detail() + "; " +
                           (taken ? "stop that program, or change " : "change ") + setting);
}

}  // namespace

// Runtime and front outlive it: run() waits for it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> serve(child::Runtime& runtime, Front& front) {
    auto options = options_of(runtime, runtime.config().listen);
    if (!options) co_return fail(std::move(options.error()));
    auto handlers = api::make_handlers(front.services());
    net::http::Server server(runtime.executor(), std::move(*options), handlers);
    auto started = explained(server.start(), runtime.config().listen, "`listen`");
    if (!started) co_return started;
    for (const auto& listening : server.listening()) {
        front.site().ports.push_back(listening.port);
    }

    std::unique_ptr<net::http::Server> metrics;
    if (!runtime.config().metrics_listen.empty()) {
        auto metrics_options = options_of(runtime, runtime.config().metrics_listen);
        if (!metrics_options) co_return fail(std::move(metrics_options.error()));
        metrics = std::make_unique<net::http::Server>(
            runtime.executor(), std::move(*metrics_options), std::move(handlers));
        auto metrics_started =
            explained(metrics->start(), runtime.config().metrics_listen, "[metrics] `listen`");
        if (!metrics_started) co_return metrics_started;
        for (const auto& listening : metrics->listening())
            front.site().ports.push_back(listening.port);
    }
    control::Ready ready;
    ready.port = server.listening().empty() ? std::uint16_t{0} : server.listening().front().port;
    if (metrics) ready.metrics_port = metrics->listening().front().port;
    runtime.ready(ready);

    co_await runtime.stop_requested();
    auto stopped = co_await server.stop(runtime.stop_deadline().at_most(3s));
    if (metrics) (void)co_await metrics->stop(runtime.stop_deadline().at_most(3s));
    co_return stopped;
}

}  // namespace postern::app::front
