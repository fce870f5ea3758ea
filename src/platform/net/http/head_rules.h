#pragma once

#include "platform/net/http/limits.h"
#include "platform/net/http/request.h"

#include <cstdint>
#include <expected>
#include <string_view>

namespace postern::net::http {

/// Why the server itself answers, and with what.
struct Refusal {
    int status;
    std::string_view code;  ///< a literal: stable, snake_case
};

inline constexpr Refusal k_malformed{400, "malformed_request"};
inline constexpr Refusal k_timed_out{408, "request_timed_out"};
inline constexpr Refusal k_body_too_large{413, "body_too_large"};
inline constexpr Refusal k_line_too_long{414, "target_too_long"};
inline constexpr Refusal k_unknown_expectation{417, "expectation_failed"};
inline constexpr Refusal k_head_too_large{431, "headers_too_large"};
inline constexpr Refusal k_internal{500, "internal_error"};
inline constexpr Refusal k_busy{503, "server_busy"};
inline constexpr Refusal k_bad_version{505, "http_version_not_supported"};

/// Finds the end of a head in input that grows, without looking at a byte twice.
class HeadScanner {
public:
    explicit HeadScanner(const Limits& limits) : limits_(&limits) {}

    /// The size of the head with its empty line, or 0 while that is not there yet. `input` is what
    /// the last call saw and more.
    [[nodiscard]] std::expected<std::size_t, Refusal> scan(std::string_view input);
    void restart();

private:
    const Limits* limits_;
    std::size_t line_at_ = 0;
    std::size_t seen_ = 0;
    std::size_t lines_ = 0;
};

struct HeadFacts {
    bool is_http_1_0 = false;
    bool keep_alive = true;
    bool is_chunked = false;
    bool expects_continue = false;
    std::uint64_t content_length = 0;
};

/// Reads a complete head by RFC 9112 into method, target and headers of `request`, which come
/// empty. Refuses whatever two readers could understand in two ways: folded lines, space before a
/// colon, repeated or odd framing fields, other target forms.
[[nodiscard]] std::expected<HeadFacts, Refusal> read_head(std::string_view head, Request& request);

/// Letters, digits, dot, hyphen, underscore, colon and brackets: nothing that could become more
/// than a host in a URL.
[[nodiscard]] bool is_host(std::string_view text);

}  // namespace postern::net::http
