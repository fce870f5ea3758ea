#include "app/config/load.h"

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "app/config/document.h"
#include "app/config/reader.h"
#include "app/config/store_settings.h"
#include "app/config/values.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::app::config {
namespace {

constexpr std::int64_t k_hour_s = 3600;
constexpr std::int64_t k_day_s = 86400;

Reader::Check one_of(std::vector<std::string_view> words) {
    return [words = std::move(words)](std::string_view text) -> std::optional<std::string> {
        if (std::ranges::find(words, text) != words.end()) return std::nullopt;
        std::string all;
        for (const auto word : words)
            all += (all.empty() ? "" : ", ") + std::string(word);
        return "must be one of " + all;
    };
}

std::optional<std::string> why_empty(std::string_view text) {
    if (!text.empty() && text.size() <= 200) return std::nullopt;
    return "must have 1 to 200 characters";
}

template <typename T>
void set(T& field, std::optional<std::int64_t> value) {
    if (value) field = static_cast<T>(*value);
}
void set(std::string& field, std::optional<std::string> value) {
    if (value) field = std::move(*value);
}
void set(std::vector<std::string>& field, std::optional<std::vector<std::string>> value) {
    if (value) field = std::move(*value);
}

bool has(const std::vector<Listen>& all, const Listen& one) {
    return one.port != 0 && std::ranges::any_of(all, [&one](const Listen& other) {
               return other.port == one.port && other.address == one.address;
           });
}

std::vector<Listen> read_listen(Reader& reader,
                                const std::string& path,
                                const std::vector<std::string>& texts,
                                bool has_certificate) {
    std::vector<Listen> all;
    for (const auto& text : texts) {
        auto parsed = parse_listen(text, has_certificate);
        if (parsed) {
            if (std::ranges::any_of(*parsed, [&all](const auto& one) { return has(all, one); })) {
                reader.wrong(path, ConfigError::invalid_value, text + " stands there twice");
            }
            all.insert(all.end(), parsed->begin(), parsed->end());
            continue;
        }
        const auto code = parsed.error().as<ConfigError>();
        reader.wrong(path, code.value_or(ConfigError::invalid_value),
                     parsed.error().detail() + ". " + std::string(parsed.error().text()));
    }
    return all;
}

std::optional<std::string> why_no_address(std::string_view text) {
    constexpr std::size_t k_bytes_max = 254;
    const auto at = text.find('@');
    const bool is_plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    const bool is_one = at != text.npos && at > 0 && at + 1 < text.size() && at == text.rfind('@');
    if (is_plain && is_one && text.size() <= k_bytes_max) return std::nullopt;
    return "must be a mail address in ASCII";
}

std::optional<Tls> read_tls(Reader& reader) {
    if (!reader.has_table("tls")) return std::nullopt;
    return Tls{reader.required_text("tls.certificate", why_no_path),
               reader.required_text("tls.key", why_no_path)};
}

std::optional<Smtp> read_smtp(Reader& reader) {
    if (!reader.has_table("smtp")) return std::nullopt;
    Smtp smtp;
    smtp.host = reader.required_text("smtp.host", why_no_host);
    set(smtp.port, reader.integer("smtp.port", 1, 65535));
    set(smtp.tls, reader.text("smtp.tls", one_of({"implicit", "starttls"})));
    set(smtp.username, reader.text("smtp.username", why_empty));
    set(smtp.password_file, reader.text("smtp.password_file", why_no_path));
    set(smtp.ca_file, reader.text("smtp.ca_file", why_no_path));
    smtp.from = reader.required_text("smtp.from", why_no_address);
    if (smtp.username.empty() != smtp.password_file.empty()) {
        reader.wrong("smtp.username", ConfigError::missing_key, "goes with password_file");
    }
    return smtp;
}

BackupSite read_site(Reader& reader, const std::string& at) {
    BackupSite site;
    site.name = reader.required_text(at + ".name", why_empty);
    site.kind = reader.required_text(at + ".kind", one_of({"directory", "sftp", "s3"}));
    set(site.path, reader.text(at + ".path", why_no_path));
    set(site.url, reader.text(at + ".url", why_no_url));
    site.region = reader.required_text(at + ".region", why_no_region);
    set(site.credentials_file, reader.text(at + ".credentials_file", why_no_path));
    const auto& needed = site.kind == "directory" ? site.path : site.url;
    if (!site.kind.empty() && needed.empty()) {
        const std::string name = site.kind == "directory" ? ".path" : ".url";
        reader.wrong(at + name, ConfigError::missing_key, "a " + site.kind + " site needs it");
    }
    return site;
}

void read_sites(Reader& reader, Config& config) {
    const auto count = reader.tables("backup.site");
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = "backup.site[" + std::to_string(i) + "]";
        if (!reader.has_table(at)) continue;
        auto site = read_site(reader, at);
        if (!site.region.empty() &&
            std::ranges::find(config.regions, site.region) == config.regions.end()) {
            reader.wrong(at + ".region", ConfigError::invalid_value, "is none of `regions`");
        }
        const bool twice = std::ranges::any_of(
            config.backup_sites, [&](const BackupSite& other) { return other.name == site.name; });
        if (twice) {
            reader.wrong(at + ".name", ConfigError::invalid_value, "another site has this name");
        }
        config.backup_sites.push_back(std::move(site));
    }
}

void read_network(Reader& reader, Config& config, const LoadOptions& options) {
    set(config.public_url, reader.text("public_url", why_no_public_url));
    set(config.trusted_proxies, reader.texts("trusted_proxies", why_no_block));
    if (const auto header = reader.text("proxy_header", one_of({"x_forwarded", "forwarded"}))) {
        config.proxy_header =
            *header == "forwarded" ? ProxyHeader::forwarded : ProxyHeader::x_forwarded;
    }
    config.tls = read_tls(reader);
    auto listen = reader.texts("listen").value_or(std::vector<std::string>{"localhost:8080"});
    if (!options.listen.empty()) listen = options.listen;
    const auto* from = options.listen.empty() ? "listen" : "--listen";
    config.listen = read_listen(reader, from, listen, config.tls.has_value());
    if (listen.empty()) reader.wrong("listen", ConfigError::invalid_value, "must name an address");
    if (const auto metrics = reader.text("metrics.listen")) {
        config.metrics_listen =
            read_listen(reader, "metrics.listen", {*metrics}, config.tls.has_value());
    }
    set(config.allow_private, reader.texts("egress.allow_private", why_no_block));
    const auto servers = reader.texts("egress.name_servers", why_no_name_server);
    for (const auto& text : servers.value_or(std::vector<std::string>())) {
        if (auto server = parse_name_server(text)) config.name_servers.push_back(*server);
    }
}

void read_sign_in(Reader& reader, SignIn& sign_in) {
    // OWASP, Password Storage: 19 MiB with two passes, or 46 MiB with one.
    constexpr std::uint32_t k_memory_kib_of_one_pass = 46 * 1024;
    set(sign_in.argon2_memory_kib,
        reader.integer("sign_in.argon2_memory_kib", std::int64_t{19} * 1024,
                       std::int64_t{256} * 1024));
    set(sign_in.argon2_passes, reader.integer("sign_in.argon2_passes", 1, 10));
    if (sign_in.argon2_passes < 2 && sign_in.argon2_memory_kib < k_memory_kib_of_one_pass) {
        reader.wrong("sign_in.argon2_passes", ConfigError::out_of_range,
                     "must be 2 or more where argon2_memory_kib is less than 47104");
    }
}

void read_audit(Reader& reader, Audit& audit) {
    set(audit.anchor_file, reader.text("audit.anchor_file", why_no_path));
    set(audit.keep_days, reader.integer("audit.keep_days", 30, 36'500));
    LogServer files;
    set(files.ca_file, reader.text("audit.anchor_syslog_ca_file", why_no_path));
    set(files.certificate_file, reader.text("audit.anchor_syslog_certificate_file", why_no_path));
    set(files.key_file, reader.text("audit.anchor_syslog_key_file", why_no_path));
    if (files.certificate_file.empty() != files.key_file.empty()) {
        reader.wrong("audit.anchor_syslog_certificate_file", ConfigError::missing_key,
                     "goes with anchor_syslog_key_file");
    }
    const auto text = reader.text("audit.anchor_syslog", why_no_log_server);
    auto server = text ? parse_log_server(*text) : std::nullopt;
    if (!text && !(files.ca_file.empty() && files.certificate_file.empty())) {
        reader.wrong("audit.anchor_syslog", ConfigError::missing_key,
                     "must be set where its files are");
    }
    if (!server) return;
    files.host = std::move(server->host);
    files.port = server->port;
    audit.anchor_syslog = std::move(files);
}

void read_limits(Reader& reader, Config& config) {
    set(config.mail.poll_interval_s, reader.integer("mail.poll_interval_s", 15, k_day_s));
    set(config.mail.ehlo_name, reader.text("mail.ehlo_name", why_no_host));
    // RFC 9106 and OWASP: below 19 MiB guessing gets cheap.
    set(config.seal.argon2_memory_kib,
        reader.integer("seal.argon2_memory_kib", std::int64_t{19} * 1024,
                       std::int64_t{256} * 1024));
    set(config.seal.argon2_passes, reader.integer("seal.argon2_passes", 1, 10));
    read_sign_in(reader, config.sign_in);
    set(config.lease.default_s, reader.integer("lease.default_s", 60, 30 * k_day_s));
    set(config.lease.longest_s, reader.integer("lease.longest_s", k_hour_s, 30 * k_day_s));
    if (config.lease.default_s > config.lease.longest_s) {
        reader.wrong("lease.default_s", ConfigError::out_of_range,
                     "must not be longer than lease.longest_s");
    }
    read_audit(reader, config.audit);
    const auto calls = reader.text("isolation.system_calls", one_of({"kill", "log"}));
    config.isolation.only_log = calls == "log";
    set(config.log_level, reader.text("log_level", why_no_log_level));
    set(config.root_key_file, reader.text("root_key", why_no_path));
}

std::vector<std::string> not_acted_on(const Config& config) {
    std::vector<std::string> names;
    if (!config.backup_sites.empty()) names.emplace_back("backup.site");
    return names;
}

}  // namespace

std::expected<Loaded, Problems> load(std::string_view toml, const LoadOptions& options) {
    auto document = parse_document(toml);
    if (!document) return std::unexpected(Problems{std::move(document.error())});
    Reader reader(std::move(*document));
    Loaded loaded;
    auto& config = loaded.config;
    set(config.regions, reader.texts("regions", why_no_region));
    if (config.regions.empty()) {
        reader.wrong("regions", ConfigError::invalid_value, "must name a region");
    }
    read_network(reader, config, options);
    read_limits(reader, config);
    config.smtp = read_smtp(reader);
    config.store = read_store(reader);
    read_sites(reader, config);
    if (auto problems = reader.finish(); !problems.empty()) {
        return std::unexpected(std::move(problems));
    }
    loaded.not_acted_on = not_acted_on(config);
    return loaded;
}

std::expected<Loaded, Problems> load_file(const std::string& path, const LoadOptions& options) {
    if (path.empty()) return load("", options);
    const auto text = os::read_file(path, k_file_bytes_max);
    if (text) return load(*text, options);
    return std::unexpected(Problems{{ConfigError::unreadable, "", 0, text.error().detail()}});
}

}  // namespace postern::app::config
