#include "platform/net/http/head_rules.h"

#include "platform/net/http/headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <expected>
#include <optional>
#include <string_view>

namespace postern::net::http {
namespace {

constexpr std::size_t k_host_characters_max = 261;  // a name of 253, a colon and a port

std::unexpected<Refusal> refuse(Refusal why) {
    return std::unexpected(why);
}

constexpr std::array<bool, 256> make_table(std::string_view extra) {
    std::array<bool, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
        table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    for (const char c : extra)
        table[static_cast<unsigned char>(c)] = true;
    return table;
}

constexpr auto k_token = make_table("!#$%&'*+-.^_`|~");
constexpr auto k_host = make_table(".-_:[]");
// RFC 3986, and what browsers leave unescaped in a query.
constexpr auto k_path = make_table("/-._~!$&'()*+,;=:@%");
constexpr auto k_query = make_table("/-._~!$&'()*+,;=:@%?[]{}|^`\\\"<>");

bool all_in(const std::array<bool, 256>& table, std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_whole_escapes(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
        // %00 means nothing to us and the end of the string to others.
        if (text[at + 1] == '0' && text[at + 2] == '0') return false;
    }
    return true;
}

bool is_target(std::string_view target) {
    if (!target.starts_with('/')) return false;
    const auto path = target.substr(0, target.find('?'));
    return all_in(k_path, path) && all_in(k_query, target.substr(path.size())) &&
           has_whole_escapes(target);
}

bool is_field_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::string_view trimmed(std::string_view value) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
        value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
        value.remove_suffix(1);
    }
    return value;
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (equal_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
    }
    return false;
}

std::optional<Refusal> read_request_line(std::string_view line,
                                         Request& request,
                                         HeadFacts& facts) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return k_malformed;
    const auto method = line.substr(0, first);
    if (method.empty() || method.size() > k_method_characters_max || !all_in(k_token, method)) {
        return k_malformed;
    }
    const auto target = line.substr(first + 1, last - first - 1);
    if (!is_target(target)) return k_malformed;
    request.method = method;
    request.target = target;
    const auto version = line.substr(last + 1);
    facts.is_http_1_0 = version == "HTTP/1.0";
    if (version == "HTTP/1.1" || facts.is_http_1_0) return std::nullopt;
    const bool is_version = version.size() == 8 && version.starts_with("HTTP/");
    return is_version && method != "PRI" ? k_bad_version : k_malformed;
}

// What must not come twice, because readers differ in which one counts.
constexpr std::array<std::string_view, 8> k_single = {
    "host",   "content-length", "transfer-encoding", "authorization",
    "expect", "content-type",   "idempotency-key",   "if-match"};
constexpr unsigned k_host_bit = 1;
constexpr unsigned k_length_bit = 2;
constexpr unsigned k_encoding_bit = 4;

std::optional<Refusal> check_length(std::string_view value, HeadFacts& facts) {
    const bool digits =
        !value.empty() && value.size() <= 18 &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return k_malformed;
    std::from_chars(value.data(), value.data() + value.size(), facts.content_length);
    return std::nullopt;
}

std::optional<Refusal> check_meaning(std::string_view name,
                                     std::string_view value,
                                     HeadFacts& facts) {
    if (equal_ignoring_case(name, "content-length")) return check_length(value, facts);
    if (equal_ignoring_case(name, "transfer-encoding")) {
        facts.is_chunked = equal_ignoring_case(value, "chunked") && !facts.is_http_1_0;
        return facts.is_chunked ? std::nullopt : std::optional(k_malformed);
    }
    if (equal_ignoring_case(name, "host")) {
        return is_host(value) ? std::nullopt : std::optional(k_malformed);
    }
    if (equal_ignoring_case(name, "connection") && has_token(value, "close")) {
        facts.keep_alive = false;
    }
    if (equal_ignoring_case(name, "expect")) {
        if (!equal_ignoring_case(value, "100-continue")) return k_unknown_expectation;
        facts.expects_continue = !facts.is_http_1_0;
    }
    return std::nullopt;
}

std::optional<Refusal> read_field(std::string_view line,
                                  unsigned& seen,
                                  Request& request,
                                  HeadFacts& facts) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return k_malformed;
    const auto name = line.substr(0, colon);
    // A folded line begins with white space, which is no token.
    if (!all_in(k_token, name)) return k_malformed;
    const auto value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) return k_malformed;
    for (unsigned i = 0; i < k_single.size(); ++i) {
        if (!equal_ignoring_case(name, k_single[i])) continue;
        if ((seen & (1U << i)) != 0) return k_malformed;
        seen |= 1U << i;
    }
    request.headers.add(name, value);
    return check_meaning(name, value, facts);
}

}  // namespace

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= k_host_characters_max && all_in(k_host, text);
}

std::expected<std::size_t, Refusal> HeadScanner::scan(std::string_view input) {
    while (seen_ < input.size()) {
        const void* found = std::memchr(input.data() + seen_, '\n', input.size() - seen_);
        if (found == nullptr) break;
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
        const auto size = at + 1 - line_at_;
        if (size < 2 || input[at - 1] != '\r') return refuse(k_malformed);
        if (lines_ == 0 && size > limits_->request_line_bytes_max) return refuse(k_line_too_long);
        line_at_ = seen_ = at + 1;
        if (seen_ > limits_->head_bytes_max) return refuse(k_head_too_large);
        if (size == 2)
            return lines_ == 0 ? refuse(k_malformed) : std::expected<std::size_t, Refusal>(seen_);
        if (++lines_ > limits_->headers_max + 1) return refuse(k_head_too_large);
    }
    seen_ = input.size();
    if (lines_ == 0 && seen_ > limits_->request_line_bytes_max) return refuse(k_line_too_long);
    if (seen_ >= limits_->head_bytes_max) return refuse(k_head_too_large);
    return 0;
}

void HeadScanner::restart() {
    line_at_ = seen_ = lines_ = 0;
}

std::expected<HeadFacts, Refusal> read_head(std::string_view head, Request& request) {
    HeadFacts facts;
    unsigned seen = 0;
    bool is_first = true;
    while (head.size() > 2) {
        const auto end = head.find("\r\n");
        if (end == std::string_view::npos) return refuse(k_malformed);
        const auto line = head.substr(0, end);
        const auto wrong = is_first ? read_request_line(line, request, facts)
                                    : read_field(line, seen, request, facts);
        if (wrong) return refuse(*wrong);
        is_first = false;
        head.remove_prefix(end + 2);
    }
    const bool both = (seen & k_length_bit) != 0 && (seen & k_encoding_bit) != 0;
    const bool hostless = (seen & k_host_bit) == 0 && !facts.is_http_1_0;
    if (is_first || head != "\r\n" || both || hostless) return refuse(k_malformed);
    if (facts.is_http_1_0) facts.keep_alive = false;
    return facts;
}

}  // namespace postern::net::http
