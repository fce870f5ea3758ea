#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/outcome.h"
#include "platform/os/files.h"

#include <memory>
#include <string>
#include <vector>

namespace postern::mail::courier {

using MappedMail = std::shared_ptr<const os::Mapping>;

/// All recipients or none. Errors: those of smtp::Address.
[[nodiscard]] Result<smtp::Envelope> envelope_of(const std::string& sender,
                                                 const std::vector<std::string>& recipients,
                                                 ByteView mail);
[[nodiscard]] smtp::MailSource source_of(MappedMail mail);

/// What ended a submission that no reply decided.
[[nodiscard]] SendMail::Answer broken(SendStage stage, const Error& error);
[[nodiscard]] SendMail::Answer to_answer(const smtp::Outcome& outcome,
                                         const std::vector<std::string>& recipients);

}  // namespace postern::mail::courier
