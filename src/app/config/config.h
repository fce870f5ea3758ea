#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace postern::app::config {

/// Where to listen: one address in text form, without brackets.
struct Listen {
    std::string address;
    std::uint16_t port = 0;  ///< 0: the system picks one; later entries with 0 get the same
    bool tls = false;        ///< everywhere but on loopback
    bool optional = false;   ///< "localhost" stands for ::1 too, which a machine may not have
    auto wire() { return std::tie(address, port, tls, optional); }
};

struct Tls {
    std::string certificate_file;  ///< PEM, the whole chain
    std::string key_file;
    auto wire() { return std::tie(certificate_file, key_file); }
};

enum class ProxyHeader : std::uint8_t { x_forwarded, forwarded };

struct BackupSite {
    std::string name;
    std::string kind;  ///< directory, sftp, s3
    std::string path;
    std::string url;
    std::string region;
    std::string credentials_file;
    auto wire() { return std::tie(name, kind, path, url, region, credentials_file); }
};

/// The server's own mail.
struct Smtp {
    std::string host;
    std::uint16_t port = 587;
    std::string tls = "starttls";  ///< or implicit
    std::string username;
    std::string password_file;
    std::string ca_file;  ///< empty: the system's certificate authorities
    std::string from;
    auto wire() { return std::tie(host, port, tls, username, password_file, ca_file, from); }
};

/// Whom to ask for the mail servers of a domain.
struct NameServer {
    std::string address;
    std::uint16_t port = 53;
    auto wire() { return std::tie(address, port); }
};

struct Mail {
    std::uint32_t poll_interval_s = 60;  ///< of folders that IDLE does not cover
    std::string ehlo_name = "localhost";
    auto wire() { return std::tie(poll_interval_s, ehlo_name); }
};

/// Cost of Argon2id for new shared secrets.
struct Seal {
    std::uint32_t argon2_memory_kib = 64 * 1024;
    std::uint32_t argon2_passes = 3;
    auto wire() { return std::tie(argon2_memory_kib, argon2_passes); }
};

/// Cost of Argon2id for passwords. A hash that cost less is raised at its person's next sign-in.
struct SignIn {
    std::uint32_t argon2_memory_kib = 64 * 1024;
    std::uint32_t argon2_passes = 3;
    auto wire() { return std::tie(argon2_memory_kib, argon2_passes); }
};

struct Lease {
    std::int64_t default_s = 12 * 3600;
    std::int64_t longest_s = 7 * 86400;
    auto wire() { return std::tie(default_s, longest_s); }
};

/// A PostgreSQL database; several hosts are tried in their order.
struct DatabaseServer {
    struct Host {
        std::string name;  ///< or an address, or the absolute folder of a socket
        std::uint16_t port = 5432;
        auto wire() { return std::tie(name, port); }
    };
    std::vector<Host> hosts;
    std::string database = "postern";
    std::string user = "postern";
    std::string password_file;  ///< empty: none is sent
    std::string ca_file;        ///< PEM; needed beyond this machine
    auto wire() { return std::tie(hosts, database, user, password_file, ca_file); }
};

enum class StoreEngine : std::uint8_t { sqlite, postgresql };

/// Where the stores lie: in files of the data directory, or in two clusters of PostgreSQL.
struct Store {
    StoreEngine engine = StoreEngine::sqlite;
    DatabaseServer bulk;  ///< servers may be named before the engine is theirs: for migrate-store
    DatabaseServer keyring;
    bool keyring_beside_bulk = false;
    auto wire() { return std::tie(engine, bulk, keyring, keyring_beside_bulk); }
};

/// A log server that takes syslog over TLS.
struct LogServer {
    std::string host;  ///< name or address, which its certificate has to be for
    std::uint16_t port = 6514;
    std::string ca_file;           ///< empty: the system's certificate authorities
    std::string certificate_file;  ///< PEM, shown to the server; empty: none
    std::string key_file;
    auto wire() { return std::tie(host, port, ca_file, certificate_file, key_file); }
};

/// The record of who did what, and its second places.
struct Audit {
    std::string anchor_file;                 ///< empty: none
    std::optional<LogServer> anchor_syslog;  ///< nothing: none
    std::uint32_t keep_days = 400;
    auto wire() { return std::tie(anchor_file, anchor_syslog, keep_days); }
};

/// How the processes are fenced.
struct Isolation {
    bool only_log = false;  ///< a forbidden system call is logged, and does not end its process
    auto wire() { return std::tie(only_log); }
};

/// The operator's settings, validated; nothing changes them after the start. Block and address
/// texts are well formed.
struct Config {
    std::string public_url;  ///< "https://host[:port]", no slash at the end; empty: not set
    std::vector<Listen> listen;
    std::optional<Tls> tls;
    std::vector<std::string> trusted_proxies;
    ProxyHeader proxy_header = ProxyHeader::x_forwarded;
    std::vector<std::string> regions{"us"};
    std::string root_key_file;  ///< empty: root.key in the data directory
    std::string log_level = "info";
    std::vector<std::string> allow_private;
    std::vector<NameServer> name_servers;  ///< empty: those of the system
    std::vector<Listen> metrics_listen;    ///< empty: no metrics
    std::vector<BackupSite> backup_sites;
    std::optional<Smtp> smtp;
    Mail mail;
    Seal seal;
    SignIn sign_in;
    Lease lease;
    Store store;
    Audit audit;
    Isolation isolation;
    auto wire() {
        return std::tie(public_url, listen, tls, trusted_proxies, proxy_header, regions,
                        root_key_file, log_level, allow_private, name_servers, metrics_listen,
                        backup_sites, smtp, mail, seal, sign_in, lease, store, audit, isolation);
    }
};

}  // namespace postern::app::config
