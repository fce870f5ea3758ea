#include "app/config/store_settings.h"

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "app/config/reader.h"
#include "app/config/values.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::app::config {
namespace {

constexpr std::size_t k_hosts_max = 8;

Reader::Check either(std::string_view one, std::string_view other) {
    return [one, other](std::string_view text) -> std::optional<std::string> {
        if (text == one || text == other) return std::nullopt;
        return "must be " + std::string(one) + " or " + std::string(other);
    };
}

void read_hosts(Reader& reader, const std::string& at, DatabaseServer& server) {
    const auto texts = reader.texts(at + ".hosts").value_or(std::vector<std::string>{});
    if (texts.size() > k_hosts_max)
        reader.wrong(at + ".hosts", ConfigError::out_of_range, "must be at most 8");
    for (const auto& text : texts) {
        auto host = parse_database_host(text);
        if (host) {
            server.hosts.push_back(std::move(*host));
        } else {
            reader.wrong(at + ".hosts", ConfigError::invalid_value, host.error().detail());
        }
    }
}

DatabaseServer read_server(Reader& reader, const std::string& at) {
    DatabaseServer server;
    read_hosts(reader, at, server);
    if (auto name = reader.text(at + ".database", why_no_database_name))
        server.database = std::move(*name);
    if (auto name = reader.text(at + ".user", why_no_database_name)) server.user = std::move(*name);
    if (auto path = reader.text(at + ".password_file", why_no_path))
        server.password_file = std::move(*path);
    if (auto path = reader.text(at + ".ca_file", why_no_path)) server.ca_file = std::move(*path);
    const bool all_here = std::ranges::all_of(server.hosts, is_on_this_machine);
    if (!all_here && server.ca_file.empty()) {
        reader.wrong(at + ".ca_file", ConfigError::missing_key,
                     "a server beyond this machine is reached with a verified certificate only");
    }
    return server;
}

std::string canonical(const DatabaseServer::Host& host) {
    const bool loopback = is_on_this_machine(host) && !host.name.starts_with('/');
    return (loopback ? "localhost" : host.name) + ":" + std::to_string(host.port);
}

bool share_a_host(const DatabaseServer& one, const DatabaseServer& other) {
    return std::ranges::any_of(one.hosts, [&other](const auto& host) {
        return std::ranges::any_of(other.hosts, [&host](const auto& there) {
            return canonical(host) == canonical(there);
        });
    });
}

}  // namespace

Store read_store(Reader& reader) {
    Store store;
    if (!reader.has_table("store")) return store;
    const auto kind = reader.text("store.kind", either("sqlite", "postgresql"));
    if (kind == "postgresql") store.engine = StoreEngine::postgresql;
    const auto cluster = reader.text("store.keyring_cluster", either("apart", "shared"));
    store.keyring_beside_bulk = cluster == "shared";
    store.bulk = read_server(reader, "store");
    if (reader.has_table("store.keyring")) store.keyring = read_server(reader, "store.keyring");
    if (store.engine == StoreEngine::postgresql) {
        if (store.bulk.hosts.empty())
            reader.wrong("store.hosts", ConfigError::missing_key, "must be set");
        if (store.keyring.hosts.empty())
            reader.wrong("store.keyring.hosts", ConfigError::missing_key, "must be set");
    }
    if (!store.keyring_beside_bulk && share_a_host(store.bulk, store.keyring)) {
        reader.wrong("store.keyring.hosts", ConfigError::invalid_value,
                     "the keyring lies in the bulk's own cluster, whose write-ahead log, replicas "
                     "and backups would keep what a cut-off destroys; give it a cluster of its "
                     "own, or say keyring_cluster = \"shared\" to give that up");
    }
    return store;
}

}  // namespace postern::app::config
