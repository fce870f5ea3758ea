#include "app/fence/fence.h"

#include "app/config/config.h"
#include "app/fence/system_calls.h"
#include "foundation/base/result.h"
#include "platform/os/landlock.h"
#include "platform/os/system_call_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace postern::app::fence {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool k_sanitized = true;
#elif defined(__has_feature)
constexpr bool k_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool k_sanitized = false;
#endif

/// The folder that the supervisor made a role's own; it is where the role's process stands.
constexpr const char* k_own_folder = ".";
/// OpenSSL's settings, which a host may use to forbid old protocols. A link on Debian.
constexpr const char* k_openssl_settings = "/etc/ssl/openssl.cnf";

os::Violation violation_of(const config::Config& config) {
    return config.isolation.only_log ? os::Violation::log : os::Violation::kill;
}

bool on_servers(const config::Config& config) {
    return config.store.engine == config::StoreEngine::postgresql;
}

std::vector<std::uint16_t> ports_of(const std::vector<config::Listen>& listen) {
    std::vector<std::uint16_t> ports;
    ports.reserve(listen.size());
    for (const auto& entry : listen)
        ports.push_back(entry.port);
    return ports;
}

std::vector<os::SystemCallRule> calls_of(std::span<const os::SystemCallRule> role) {
    const auto every = every_calls();
    std::vector<os::SystemCallRule> calls(every.begin(), every.end());
    calls.insert(calls.end(), role.begin(), role.end());
    return calls;
}

bool is_folder(const config::DatabaseServer::Host& host) {
    return host.name.starts_with('/');
}

bool is_address(const config::DatabaseServer::Host& host) {
    in6_addr bytes{};
    return ::inet_pton(AF_INET, host.name.c_str(), &bytes) == 1 ||
           ::inet_pton(AF_INET6, host.name.c_str(), &bytes) == 1;
}

/// Whom OpenSSL trusts, and where systemd-resolved writes its resolv.conf anew.
constexpr std::array k_trust_and_resolved{"/etc/ssl/certs", "/usr/share/ca-certificates",
                                          "/usr/local/share/ca-certificates", "/usr/lib/ssl",
                                          "/run/systemd/resolve"};

void add_calls(Fence& fence, const config::DatabaseServer& server) {
    const auto add = [&fence](std::span<const os::SystemCallRule> calls) {
        fence.system_calls.insert(fence.system_calls.end(), calls.begin(), calls.end());
    };
    add(postgresql_calls());
    const bool has_folder = std::ranges::any_of(server.hosts, is_folder);
    add(has_folder ? postgresql_by_socket_calls() : postgresql_no_socket_calls());
    const bool has_name =
        !std::ranges::all_of(server.hosts, [](const config::DatabaseServer::Host& host) {
            return is_folder(host) || is_address(host);
        });
    if (has_name) add(postgresql_by_name_calls());
}

/// What a role needs for its stores. Files lie in its own folder; for servers it gets names, and
/// their ports. libpq is loaded before the fence closes.
void add_store(Fence& fence, const config::Config& config, const config::DatabaseServer& server) {
    auto& rules = fence.files_and_ports;
    rules.connect_ports.emplace();
    if (!on_servers(config)) return;
    const auto names = resolver_files();
    rules.readable.insert(rules.readable.end(), names.begin(), names.end());
    rules.readable.insert(rules.readable.end(), k_trust_and_resolved.begin(),
                          k_trust_and_resolved.end());
    for (const auto& host : server.hosts) {
        if (is_folder(host)) rules.writable.push_back(host.name);
        rules.connect_ports->push_back(host.port);
    }
    add_calls(fence, server);
}

}  // namespace

Fence of_front(const config::Config& config) {
    Fence fence{.system_calls = calls_of(front_calls()), .violation = violation_of(config)};
    auto& rules = fence.files_and_ports;
    rules.readable = {k_openssl_settings};
    rules.writable = {k_own_folder};
    rules.listen_ports = ports_of(config.listen);
    const auto metrics = ports_of(config.metrics_listen);
    rules.listen_ports.insert(rules.listen_ports.end(), metrics.begin(), metrics.end());
    add_store(fence, config, config.store.bulk);
    return fence;
}

Fence of_keeper(const config::Config& config) {
    Fence fence{.system_calls = calls_of(keeper_calls()), .violation = violation_of(config)};
    fence.files_and_ports.readable = {k_openssl_settings};
    fence.files_and_ports.writable = {k_own_folder};
    add_store(fence, config, config.store.keyring);
    return fence;
}

Fence of_courier(const config::Config& config) {
    Fence fence{.system_calls = calls_of(courier_calls()), .violation = violation_of(config)};
    // Mail servers listen where they like: which addresses are too near is the egress policy's.
    auto& readable = fence.files_and_ports.readable;
    readable = resolver_files();
    readable.insert(readable.end(), k_trust_and_resolved.begin(), k_trust_and_resolved.end());
    readable.emplace_back(k_openssl_settings);
    return fence;
}

Fence of_reader(os::Violation violation) {
    Fence fence{.system_calls = calls_of(reader_calls()), .violation = violation};
    fence.files_and_ports.connect_ports.emplace();
    return fence;
}

std::vector<std::string> resolver_files() {
    // getaddrinfo(3), resolv.conf(5), nsswitch.conf(5), gai.conf(5)
    return {"/etc/resolv.conf",   "/etc/hosts",    "/etc/host.conf",
            "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"};
}

Result<> enter(const Fence& fence) {
    // A sanitizer opens files and asks the kernel as it likes; the start says not isolated.
    if constexpr (k_sanitized) return {};
    if (auto entered = os::enter_landlock(fence.files_and_ports); !entered) return entered;
    if (!os::has_system_call_filters()) return {};
    return os::enter_system_call_filter(fence.system_calls, fence.violation);
}

std::vector<std::string> missing_parts(const config::Config& config, Host host) {
    constexpr int k_with_ports = 4;
    std::vector<std::string> missing;
    if (host.landlock == 0) {
        missing.emplace_back("this kernel has no Landlock: files and ports are not fenced");
    } else if (host.landlock < k_with_ports && on_servers(config)) {
        // Elsewhere the filters of those that connect to nobody do without the call.
        missing.emplace_back(
            "this kernel's Landlock is too old for ports: with stores on servers, front and keeper "
            "may connect anywhere");
    }
    if (!host.filters) {
        missing.emplace_back("this kernel has no system-call filters");
    } else if (config.isolation.only_log) {
        missing.emplace_back("isolation.system_calls = \"log\": forbidden calls are only logged");
    }
    return missing;
}

std::string missing_isolation(const config::Config& config) {
    if constexpr (k_sanitized) return "this is a build with a sanitizer, which has no fences";
    std::string text;
    for (const auto& one :
         missing_parts(config, {os::landlock_version(), os::has_system_call_filters()})) {
        text.append(text.empty() ? "" : "; ").append(one);
    }
    return text;
}

}  // namespace postern::app::fence
