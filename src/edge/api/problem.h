#pragma once

#include "foundation/base/error.h"
#include "foundation/codec/json.h"
#include "platform/net/http/response.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

/// One entry of `errors`. Codes and texts are ours; field names are bounded by the reader.
struct ProblemItem {
    std::string field;
    std::string code;
    std::string detail;  ///< empty: none
};

/// What a problem document (RFC 9457) says.
struct Problem {
    int status = 500;
    std::string code;
    std::string detail;
    std::string instance;
    std::int64_t retry_after_s = 0;
    std::vector<ProblemItem> errors;
};

/// The status that a code answers with; 0 for a code that no client may see.
[[nodiscard]] int status_of_code(std::string_view code);

[[nodiscard]] net::http::Response problem_response(const Problem& problem);
/// Logs what is no client's business. An error that is not in the table becomes internal_error.
[[nodiscard]] net::http::Response problem_of(const Error& error, std::uint64_t request_id);
/// The same with the one field that the error is about, and why in a word for programs.
[[nodiscard]] net::http::Response problem_of_field(const Error& error,
                                                   const codec::FieldError& field,
                                                   std::uint64_t request_id);
/// 422 invalid_request with one entry per field.
[[nodiscard]] net::http::Response problem_of_fields(const std::vector<codec::FieldError>& errors,
                                                    std::uint64_t request_id);

}  // namespace postern::api
