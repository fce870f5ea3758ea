#pragma once

#include "features/identity/client.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/transaction.h"

#include <cstdint>

namespace postern::identity {

/// From then on a device counts as new again.
inline constexpr std::int64_t k_client_known_s = 90LL * 24 * 3600;

/// The network around an address (/24, /48); empty for what is none.
[[nodiscard]] std::string network_of(const std::string& address);
/// By what a device in a network is known again: the program's name without its version, and the
/// network around the address (/24, /48).
async::Task<Bytes> client_token(ipc::Link* keeper, PersonId person, Client client);

/// What a person is told of a sign-in from elsewhere, if it is one. Empty where no mail is sent.
struct ClientNews {
    Bytes client;
    own_mail::Enclosed letter;
};
Result<> tell(store::Transaction& tx, PersonId person, const ClientNews& news, UnixMs now_ms);

namespace rows {

/// Whether this is news to the person: another client than those of before, of which there are
/// some. It is known from then on.
Result<bool> note_client(store::Transaction& tx,
                         PersonId person,
                         const Bytes& token,
                         UnixMs now_ms);
Result<> delete_clients(store::Transaction& tx, PersonId person);

}  // namespace rows
}  // namespace postern::identity
