#pragma once

#include "features/identity/identity_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/transaction.h"

namespace postern::identity {

/// A person's new password, and the session that changed it under a new token.
struct Rotated {
    rows::Rotation tokens;
    rows::NewPassword password;
    Bytes address;                   ///< whose guesses are forgotten
    own_mail::Enclosed letter = {};  ///< that tells the person
};
/// Ends every other session of the person; this one lasts as long as it had left: its end. Errors:
/// unauthenticated, busy (the password is another one by now).
Result<UnixMs> store_change(store::Transaction& tx, const Rotated& change, UnixMs now_ms);

/// A new password by a link.
struct LinkUsed {
    crypto::Hash link{};
    rows::NewPassword password;
    Bytes address_token;             ///< whose guesses are forgotten
    own_mail::Enclosed letter = {};  ///< that tells the person
    UnixMs now_ms = 0;
};
/// Ends every session of the person, and the link. Errors: reset_invalid, busy (the password is
/// another one by now).
Result<> store_link_used(store::Transaction& tx, const LinkUsed& used);

}  // namespace postern::identity
