#include "foundation/codec/mail/authentication_results.h"

#include "foundation/codec/mail/ascii.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

/// The value without comments (nested ones, too) and with quoted strings blanked out: what matters
/// here stands in neither. Lower case.
std::string structure_of(std::string_view value) {
    std::string out;
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        const bool quiet = depth > 0 || quoted;
        if (quiet && c == '\\') {
            ++i;
        } else if (depth == 0 && c == '"') {
            quoted = !quoted;
            out += ' ';
        } else if (!quoted && c == '(') {
            ++depth;
        } else if (!quoted && c == ')' && depth > 0) {
            --depth;
        } else if (!quiet) {
            out += to_lower(c);
        }
    }
    return out;
}

std::string_view take_part(std::string_view& text) {
    const auto end = std::min(text.find(';'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return trim(part);
}

std::string_view first_word(std::string_view text) {
    return text.substr(0, std::min(text.find_first_of(" \t\r\n"), text.size()));
}

/// "spf=pass ...": the field starts with what was found, not with who says so.
bool is_result(std::string_view part) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return false;
    const auto method = trim(part.substr(0, equals));
    return method == "spf" || method == "dkim" || method == "dmarc" || method == "compauth";
}

bool is_decided(AuthVerdict verdict) {
    return verdict == AuthVerdict::pass || verdict == AuthVerdict::fail;
}

/// "dkim=pass header.d=example.org" or "dkim/1 = pass".
void note(std::string_view result, AuthenticationResults& out) {
    const auto equals = result.find('=');
    if (equals == std::string_view::npos) return;
    auto method = trim(result.substr(0, equals));
    method = trim(method.substr(0, method.find('/')));
    const auto word = first_word(trim(result.substr(equals + 1)));
    const auto found = word == "pass"                         ? AuthVerdict::pass
                       : word == "fail" || word == "hardfail" ? AuthVerdict::fail
                                                              : AuthVerdict::undecided;
    if (method == "spf" && !is_decided(out.spf)) out.spf = found;
    if (method == "dmarc" && !is_decided(out.dmarc)) out.dmarc = found;
    // A mail may be signed by several: one good signature is enough.
    const bool is_news = !is_decided(out.dkim) || found == AuthVerdict::pass;
    if (method == "dkim" && is_news) out.dkim = found;
}

}  // namespace

AuthenticationResults AuthenticationResults::parse(std::string_view value) {
    AuthenticationResults out;
    const auto text = structure_of(value.substr(0, k_authentication_field_bytes_max));
    std::string_view rest = text;
    out.nameless = is_result(text.substr(0, text.find(';')));
    if (!out.nameless) {
        const auto server = first_word(take_part(rest));
        const bool named = !server.empty() && server.size() <= k_authentication_server_bytes_max &&
                           server.find('=') == std::string_view::npos &&
                           std::ranges::all_of(server, [](char c) { return c > 0x20 && c < 0x7f; });
        if (!named) return out;
        out.server = server;
    }
    for (std::size_t i = 0; i < k_authentication_results_max && !rest.empty(); ++i)
        note(take_part(rest), out);
    const auto is = [&](AuthVerdict what) { return out.spf == what || out.dkim == what; };
    const bool decided = is_decided(out.dmarc);
    out.passed = decided ? out.dmarc == AuthVerdict::pass : is(AuthVerdict::pass);
    out.failed =
        decided ? out.dmarc == AuthVerdict::fail : is(AuthVerdict::fail) && !is(AuthVerdict::pass);
    return out;
}

}  // namespace postern::codec
