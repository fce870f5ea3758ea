#pragma once

#include <string_view>

namespace postern::imap {

/// What a server offers, as far as Postern cares. Unknown until it said so, and again unknown
/// after TLS started and after sign-in, unless it repeated them.
struct Capabilities {
    bool known = false;
    bool start_tls = false;
    bool login_disabled = false;
    bool auth_plain = false;
    bool auth_oauth = false;  ///< XOAUTH2 or OAUTHBEARER
    bool sasl_ir = false;
    bool idle = false;
    bool list_extended = false;
    bool special_use = false;
    bool uid_plus = false;
    bool literal_plus = false;
    bool literal_minus = false;
    bool notify = false;
    bool gmail = false;

    /// `words` is what stands behind CAPABILITY.
    [[nodiscard]] static Capabilities parse(std::string_view words);
};

}  // namespace postern::imap
