#pragma once

#include "features/mail/mail_service.h"
#include "foundation/codec/json.h"

namespace postern::api {

/// The parts of a mail that a client writes: subject, text, html, to, basis. The caller calls
/// finish(). `is_first`: a thread's first mail, which needs recipients and a subject.
[[nodiscard]] mail::NewMail read_mail(codec::ObjectReader& body,
                                      bool is_first,
                                      std::vector<codec::FieldError>& errors);

}  // namespace postern::api
