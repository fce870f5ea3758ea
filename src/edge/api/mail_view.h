#pragma once

#include "features/mail/mail_types.h"
#include "foundation/base/id.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace postern::api {

[[nodiscard]] std::string message_json(const mail::MessageView& message);
[[nodiscard]] std::string outline_json(const mail::MessageOutline& outline);
[[nodiscard]] std::string held_json(const mail::HeldView& held);
/// Of people, by id.
using Addresses = std::map<PersonId, std::string>;
/// `with_messages`: false in lists. `addresses`: of whom it is private to.
[[nodiscard]] std::string thread_json(const mail::ThreadView& thread,
                                      const Addresses& addresses,
                                      bool with_messages);

/// "att_3": the place of an attachment within its message.
[[nodiscard]] std::string attachment_id(std::size_t index);
[[nodiscard]] std::optional<std::uint32_t> parse_attachment_id(std::string_view text);

}  // namespace postern::api
