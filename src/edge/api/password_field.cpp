#include "edge/api/password_field.h"

#include "edge/api/call.h"
#include "edge/api/problem.h"
#include "features/identity/identity_error.h"
#include "features/identity/password_rules.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "foundation/codec/json.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {

Secret read_password(codec::ObjectReader& body, std::string_view name) {
    auto read = body.secret(name, identity::k_password_bytes_max, true);
    if (!read) return {};
    if (!read->boxed.empty()) {
        body.wrong(name, "wrong_type");
        return {};
    }
    return std::move(read->clear);
}

Response refuse_password(const Error& error, std::string_view field, std::uint64_t request_id) {
    const auto code = error.as<identity::IdentityError>();
    const auto reason = code ? identity::weakness_of(*code) : std::string_view{};
    if (reason.empty()) return problem_of(error, request_id);
    return problem_of_field(error, {std::string(field), reason}, request_id);
}

}  // namespace postern::api
