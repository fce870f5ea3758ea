#include "edge/api/mail_body.h"

#include "edge/api/limits.h"
#include "features/mail/mail_service.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/codec/json.h"
#include "foundation/codec/mail/address.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {
namespace {

using codec::FieldError;
using codec::Json;
using codec::ObjectReader;

/// Line breaks in what becomes a header would begin another header.
bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

mail::MailAddress read_recipient(const Json& json,
                                 const std::string& path,
                                 std::vector<FieldError>& errors) {
    ObjectReader body(json, path, errors);
    mail::MailAddress out;
    out.name = body.optional_text("name", k_person_name_bytes_max).value_or("");
    if (has_control(out.name)) body.wrong("name", "invalid");
    const bool is_there = body.value("address", true) != nullptr;
    const auto given = body.optional_text("address", k_address_bytes_max);
    if (is_there && given) {
        const auto address = codec::EmailAddress::parse(*given);
        if (address) {
            out.address = address->text();
        } else {
            body.wrong("address", "invalid");
        }
    }
    body.finish();
    return out;
}

}  // namespace

mail::NewMail read_mail(ObjectReader& body, bool is_first, std::vector<FieldError>& errors) {
    mail::NewMail out;
    body.items("to", k_recipients_max, is_first, [&](const Json& item, const std::string& path) {
        out.to.push_back(read_recipient(item, path, errors));
    });
    if (out.to.empty()) {
        const auto* to = body.value("to", false);
        if (to != nullptr && to->items() != nullptr && to->items()->empty()) {
            body.wrong("to", "missing");
        }
    }
    if (is_first) {
        const bool is_there = body.value("subject", true) != nullptr;
        const auto subject = body.optional_text("subject", k_subject_bytes_max);
        if (is_there && subject && subject->empty()) body.wrong("subject", "invalid");
        out.subject = subject.value_or("");
    } else {
        out.subject = body.optional_text("subject", k_subject_bytes_max).value_or("");
    }
    if (has_control(out.subject)) body.wrong("subject", "invalid");
    out.text = body.text("text", k_mail_text_bytes_max);
    out.html = body.optional_text("html", k_mail_html_bytes_max).value_or("");
    out.basis = body.optional_text("basis", k_basis_bytes_max).value_or("");
    return out;
}

}  // namespace postern::api
