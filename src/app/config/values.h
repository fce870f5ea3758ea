#pragma once

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "foundation/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Texts of single settings. The supervisor links no network code, so addresses are judged here by
/// their form only; whoever uses one parses it again.
namespace postern::app::config {

/// Why it is none, else nothing.
[[nodiscard]] std::optional<std::string> why_no_block(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_public_url(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_region(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_host(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_path(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_log_level(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_url(std::string_view text);

/// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353".
[[nodiscard]] std::optional<NameServer> parse_name_server(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_name_server(std::string_view text);

/// "db.example", "db.example:5433", "[::1]:5432", "/run/postgresql", "/run/postgresql:5433";
/// without a number it is 5432. Errors: invalid_value.
[[nodiscard]] Result<DatabaseServer::Host> parse_database_host(std::string_view text);
/// "logs.example", "logs.example:6514", "[2001:db8::7]:6514"; without a number it is 6514.
[[nodiscard]] std::optional<LogServer> parse_log_server(std::string_view text);
[[nodiscard]] std::optional<std::string> why_no_log_server(std::string_view text);
/// A socket's folder or a loopback address: no TLS is asked for.
[[nodiscard]] bool is_on_this_machine(const DatabaseServer::Host& host);
/// Lower-case letters, digits and _, as PostgreSQL takes them without quotes.
[[nodiscard]] std::optional<std::string> why_no_database_name(std::string_view text);

/// "127.0.0.1:8080", "[::1]:8080"; "localhost:8080" is both loopback addresses.
/// Errors: invalid_value; certificate_needed for any but loopback when there is no certificate.
[[nodiscard]] Result<std::vector<Listen>> parse_listen(std::string_view text, bool has_certificate);

}  // namespace postern::app::config
