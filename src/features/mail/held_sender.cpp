#include "features/mail/held_sender.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/keys/records.h"

#include <utility>

namespace postern::mail {
namespace {

AuthorKind kind_of(const HeldSenderV1& old) {
    if (old.is_list) return AuthorKind::machine;
    const bool automatic = !old.auto_submitted.empty() && !old.auto_submitted.starts_with("no");
    return automatic ? AuthorKind::auto_reply : AuthorKind::person;
}

template <typename Old>
HeldSender from_old(Old old, AuthorKind kind) {
    HeldSender out;
    out.candidate.author_kind = kind;
    out.candidate.uid = old.uid;
    out.candidate.message_id = std::move(old.message_id);
    out.candidate.our_ids = std::move(old.our_ids);
    out.candidate.from = std::move(old.from);
    out.candidate.recipients = std::move(old.recipients);
    out.folder = std::move(old.folder);
    return out;
}

}  // namespace

Result<HeldSender> decode_held_sender(ByteView record) {
    const auto version = record.empty() ? HeldSender::k_version : record[0];
    if (version == HeldSenderV1::k_version) {
        POSTERN_TRY(auto old, keys::decode_record<HeldSenderV1>(record));
        const auto kind = kind_of(old);
        return from_old(std::move(old), kind);
    }
    if (version == HeldSenderV2::k_version) {
        POSTERN_TRY(auto old, keys::decode_record<HeldSenderV2>(record));
        const auto kind = old.author_kind;
        return from_old(std::move(old), kind);
    }
    if (version == HeldSenderV3::k_version) {
        POSTERN_TRY(auto old, keys::decode_record<HeldSenderV3>(record));
        const auto kind = old.author_kind;
        return from_old(std::move(old), kind);
    }
    return keys::decode_record<HeldSender>(record);
}

}  // namespace postern::mail
