#pragma once

#include <cstddef>

namespace postern::dns {

/// What we offer to take over UDP (EDNS0): fits one packet on any usual path.
inline constexpr std::size_t k_udp_bytes_max = 1232;
/// Over TCP; answers about mail servers are far smaller.
inline constexpr std::size_t k_tcp_bytes_max = 16 * 1024;
inline constexpr std::size_t k_records_max = 64;      ///< of one answer that are read
inline constexpr std::size_t k_aliases_max = 8;       ///< CNAMEs one after the other
inline constexpr std::size_t k_name_bytes_max = 255;  ///< on the wire (RFC 1035 section 3.1)
inline constexpr std::size_t k_label_bytes_max = 63;

}  // namespace postern::dns
