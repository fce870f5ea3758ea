#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What the claims about data count in the store, and the faults that their controls plant in a
/// transaction that is rolled back. Each function is part of the caller's transaction; it reads the
/// rows themselves, not through the feature that wrote them.
namespace postern::trust::rows {

struct Ended {
    WorkspaceId workspace;
    IntegrationId id;
};
/// Integrations in state `cut_off` or `deleted`; at most `limit`, newest first.
Result<std::vector<Ended>> ended(store::Transaction& tx,
                                 std::string_view state,
                                 std::int64_t limit);
/// Seals and grants that outlived the integration they belong to.
Result<std::int64_t> access_left(store::Transaction& tx, std::string_view state);
/// Grants of an epoch that is not the integration's.
Result<std::int64_t> stale_grants(store::Transaction& tx);
/// An integration in that state which still has a grant.
Result<> plant_access_left(store::Transaction& tx, std::string_view state);

/// One sealed value of an account.
struct OfPerson {
    PersonId person;
    Bytes sealed;
};
Result<std::vector<OfPerson>> passwords(store::Transaction& tx, std::int64_t limit);
/// The same of their addresses.
Result<std::vector<OfPerson>> addresses(store::Transaction& tx, std::int64_t limit);
/// The sealed name of a workspace.
struct OfWorkspace {
    WorkspaceId workspace;
    Bytes sealed;
};
Result<std::vector<OfWorkspace>> workspace_names(store::Transaction& tx, std::int64_t limit);
/// Of a store in a file: what stands in it in clear whatever is stored, the text of its schema.
Result<std::string> schema_text(store::Transaction& tx);
struct TokenHashes {
    std::int64_t total = 0;
    std::int64_t malformed = 0;  ///< not 32 bytes long: not the hash that they should be
};
/// Of sessions and API tokens.
Result<TokenHashes> token_hashes(store::Transaction& tx);
Result<> plant_person(store::Transaction& tx, PersonId person, const Bytes& sealed_password);
Result<> plant_token(store::Transaction& tx, ByteView clear_token);
/// What is stored of one. Errors: out_of_sight.
Result<Bytes> stored_token(store::Transaction& tx, TokenId id);
/// As if it were stored like that.
Result<> plant_stored_token(store::Transaction& tx, TokenId id, ByteView stored);

struct Reading {
    std::int64_t received = 0;        ///< mails in the history that others wrote
    std::int64_t bodies_fetched = 0;  ///< lines of the read ledger, but for bounces
    std::int64_t by_fields = 0;       ///< searches of a server that has none that works
    std::int64_t without_thread = 0;  ///< received in a thread that no mail of ours began
    std::int64_t raw_of_none = 0;     ///< raw mails that are no message's
    std::int64_t other_commands = 0;  ///< lines that are none of the kinds we know
    std::int64_t kept_unread = 0;     ///< integrations with more mails than fetched bodies
    std::int64_t read_unkept = 0;     ///< integrations with more fetched bodies than mails
};
Result<Reading> reading(store::Transaction& tx);
/// A received mail in a thread of nobody's, which no line of the read ledger tells of, a raw mail
/// of no message, and beside them one line for a body that is nowhere and one of another kind.
Result<> plant_foreign_mail(store::Transaction& tx);

struct Completeness {
    std::int64_t threads = 0;
    std::int64_t messages = 0;
    std::int64_t numbers_missing = 0;  ///< threads with a number of ours that no message has
    std::int64_t without_key = 0;      ///< messages that nobody's key opens
    std::int64_t without_raw = 0;      ///< mails of ours without the bytes that were sent
    std::int64_t lost_in_queue = 0;    ///< queued sends without their message
};
Result<Completeness> completeness(store::Transaction& tx);
/// One for each of those counts and for Reading::read_unkept: a thread in which a mail that was
/// sent is missing and another has neither keys nor bytes, a queued send, a body that was read.
Result<> plant_gaps(store::Transaction& tx);

struct ThreadRef {
    WorkspaceId workspace;
    ThreadId thread;
};
/// The threads that changed last.
Result<std::vector<ThreadRef>> newest_threads(store::Transaction& tx, std::int64_t limit);
/// Those of integrations that are cut off or deleted.
Result<std::vector<ThreadRef>> threads_of_ended(store::Transaction& tx, std::int64_t limit);

/// A value in clear that is committed, to be found in the files, and taken away again.
Result<> put_marker(store::Transaction& tx, ByteView value);
Result<> take_marker(store::Transaction& tx);

}  // namespace postern::trust::rows
