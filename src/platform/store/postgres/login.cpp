#include "platform/store/postgres/login.h"

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/server_words.h"
#include "platform/store/server.h"
#include "platform/store/store_error.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::store::postgres {

namespace {

constexpr int k_oldest_version = 150000;

void discard_notice(void*, const PGresult*) {}

struct Lists {
    std::string hosts;
    std::string ports;
    bool all_local = true;
};

Lists lists_of(const Server& server) {
    Lists lists;
    for (const auto& address : server.addresses) {
        const auto* comma = lists.hosts.empty() ? "" : ",";
        lists.hosts += comma + address.host;
        lists.ports += comma + std::to_string(address.port);
        lists.all_local = lists.all_local && is_local(address);
    }
    return lists;
}

/// libpq tells no code of a login that failed, only words; those of another language are still
/// shown to the operator, as the detail of unreachable.
Error refusal(std::string_view message) {
    const auto has = [message](std::string_view part) {
        return message.find(part) != std::string_view::npos;
    };
    auto detail = server_words(message);
    const bool no_role = has("role \"") && has("does not exist");
    if (has("authentication failed") || has("no password supplied") || has("pg_hba.conf") ||
        no_role) {
        return {StoreError::login_refused, std::move(detail)};
    }
    if (has("database \"") && has("does not exist"))
        return {StoreError::not_found, std::move(detail)};
    return {StoreError::unreachable, std::move(detail)};
}

ConnectionHandle connect(const Libpq& pq,
                         const Server& server,
                         const std::string& application,
                         const char* password) {
    const auto lists = lists_of(server);
    const bool plain = lists.all_local && server.ca_file.empty();
    // Every setting that libpq would else take from its environment or the home folder, which it
    // then looks up, in a list of users that a fenced process has no calls for.
    const std::string none = "/dev/null/none";
    const std::vector<std::pair<const char*, std::string>> settings = {
        {"host", lists.hosts},
        {"port", lists.ports},
        {"dbname", server.database},
        {"user", server.user},
        {"passfile", none},
        {"application_name", application},
        {"client_encoding", "UTF8"},
        {"options", "-c standard_conforming_strings=on"},
        {"target_session_attrs", "read-write"},
        {"sslmode", plain ? "disable" : "verify-full"},
        {"sslrootcert", plain ? none : server.ca_file},
        {"sslcert", none},
        {"sslkey", none},
        {"sslcrl", none},
        {"ssl_min_protocol_version", "TLSv1.2"},
        {"sslcompression", "0"},
        {"gssencmode", "disable"},
        {"connect_timeout", "5"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "15000"},
    };
    std::vector<const char*> keys;
    std::vector<const char*> values;
    for (const auto& [key, value] : settings) {
        keys.push_back(key);
        values.push_back(value.c_str());
    }
    keys.push_back("password");
    values.push_back(password);
    keys.push_back(nullptr);
    values.push_back(nullptr);
    return {pq.connect(keys.data(), values.data(), 0), FinishConnection{&pq}};
}

}  // namespace

Result<ConnectionHandle> log_in(const Libpq& pq,
                                const Server& server,
                                const std::string& application) {
    std::string password;
    if (server.password) {
        server.password->with_bytes([&](ByteView bytes) { password = as_text(bytes); });
    }
    auto connection = connect(pq, server, application, password.c_str());
    wipe(password.data(), password.size());
    if (!connection) return fail(StoreError::unreachable, "out of memory");
    if (pq.status(connection.get()) != CONNECTION_OK) {
        return fail(refusal(pq.error_message(connection.get())));
    }
    pq.set_notice_receiver(connection.get(), discard_notice, nullptr);
    if (pq.server_version(connection.get()) < k_oldest_version) {
        return fail(StoreError::unsuitable, "PostgreSQL 15 or later is needed");
    }
    const char* const encoding = pq.parameter_status(connection.get(), "server_encoding");
    if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
        return fail(StoreError::unsuitable, "the database's encoding must be UTF8");
    }
    return connection;
}

}  // namespace postern::store::postgres
