#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace postern::api {

inline constexpr std::uint64_t k_body_bytes_max = 256UL * 1024;
/// Of requests that carry a mail.
inline constexpr std::uint64_t k_mail_body_bytes_max = 4UL * 1024 * 1024;
inline constexpr std::size_t k_mail_text_bytes_max = 1024UL * 1024;
inline constexpr std::size_t k_mail_html_bytes_max = 1024UL * 1024;
inline constexpr std::size_t k_subject_bytes_max = 900;
inline constexpr std::size_t k_person_name_bytes_max = 200;
inline constexpr std::size_t k_address_bytes_max = 254;
inline constexpr std::size_t k_recipients_max = 50;
inline constexpr std::size_t k_basis_bytes_max = 1000;

inline constexpr std::size_t k_name_bytes_max = 200;
inline constexpr std::size_t k_username_bytes_max = 320;
inline constexpr std::size_t k_host_bytes_max = 253;
inline constexpr std::size_t k_ca_pem_bytes_max = 64UL * 1024;
inline constexpr std::size_t k_secret_bytes_max = 1000;
inline constexpr std::size_t k_region_bytes_max = 32;
inline constexpr std::int64_t k_hourly_ceiling_max = 100'000;

inline constexpr std::int64_t k_page_default = 50;
inline constexpr std::int64_t k_page_max = 100;
inline constexpr std::size_t k_query_bytes_max = 4096;

inline constexpr std::size_t k_idempotency_key_bytes_max = 255;
inline constexpr std::int64_t k_idempotency_s = 24 * 3600;

inline constexpr std::size_t k_streams_max = 500;
/// Of one workspace.
inline constexpr std::size_t k_workspace_streams_max = 100;
inline constexpr std::chrono::seconds k_heartbeat{15};
/// A stream ends at most this long after its token or session.
inline constexpr std::chrono::seconds k_stream_recheck{4};

/// Raw mails and attachments.
inline constexpr std::size_t k_download_bytes_max = 128UL * 1024 * 1024;
inline constexpr std::size_t k_download_chunk_bytes = 64UL * 1024;

}  // namespace postern::api
