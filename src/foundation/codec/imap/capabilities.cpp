#include "foundation/codec/imap/capabilities.h"

#include "foundation/codec/imap/text_match.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace postern::imap {

namespace {

constexpr std::array<std::pair<std::string_view, bool Capabilities::*>, 14> k_flags{{
    {"STARTTLS", &Capabilities::start_tls},
    {"LOGINDISABLED", &Capabilities::login_disabled},
    {"AUTH=PLAIN", &Capabilities::auth_plain},
    {"AUTH=XOAUTH2", &Capabilities::auth_oauth},
    {"AUTH=OAUTHBEARER", &Capabilities::auth_oauth},
    {"SASL-IR", &Capabilities::sasl_ir},
    {"IDLE", &Capabilities::idle},
    {"LIST-EXTENDED", &Capabilities::list_extended},
    {"SPECIAL-USE", &Capabilities::special_use},
    {"UIDPLUS", &Capabilities::uid_plus},
    {"LITERAL+", &Capabilities::literal_plus},
    {"LITERAL-", &Capabilities::literal_minus},
    {"NOTIFY", &Capabilities::notify},
    {"X-GM-EXT-1", &Capabilities::gmail},
}};

void add_word(Capabilities& out, std::string_view word) {
    for (const auto& [name, flag] : k_flags) {
        if (equals_no_case(word, name)) out.*flag = true;
    }
    // RFC 9051 appendix E: these extensions are part of IMAP4rev2.
    if (equals_no_case(word, "IMAP4rev2")) {
        out.sasl_ir = out.idle = out.list_extended = true;
        out.special_use = out.uid_plus = out.literal_minus = true;
    }
}

}  // namespace

Capabilities Capabilities::parse(std::string_view words) {
    Capabilities out;
    out.known = true;
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        add_word(out, words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return out;
}

}  // namespace postern::imap
