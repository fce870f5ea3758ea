#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::smtp {

/// What EHLO told, as far as Postern cares.
struct Extensions {
    bool start_tls = false;
    bool auth_plain = false;
    bool auth_login = false;
    bool auth_oauth = false;  ///< XOAUTH2 or OAUTHBEARER
    bool eight_bit_mime = false;
    bool smtp_utf8 = false;
    bool enhanced_status_codes = false;
    bool size = false;
    std::uint64_t size_max = 0;  ///< 0: the server names no limit

    /// The lines of the answer without their codes; the first is the server's name.
    [[nodiscard]] static Extensions parse(const std::vector<std::string>& lines);
};

}  // namespace postern::smtp
