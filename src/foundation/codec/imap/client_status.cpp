#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/response_code.h"
#include "foundation/codec/imap/response_reader.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/server_text.h"
#include "foundation/codec/imap/text_match.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::imap {

namespace {

using Kind = ResponseCode::Kind;

ImapError error_of(Kind kind, ImapError otherwise) {
    switch (kind) {
        case Kind::authentication_failed:
        case Kind::authorization_failed:
        case Kind::expired: return ImapError::refused_sign_in;
        case Kind::in_use:
        case Kind::unavailable: return ImapError::server_unavailable;
        case Kind::limit: return ImapError::limit_reached;
        case Kind::nonexistent:
        case Kind::try_create: return ImapError::no_such_folder;
        case Kind::over_quota: return ImapError::over_quota;
        case Kind::privacy_required: return ImapError::tls_required;
        case Kind::none:
        case Kind::other:
        case Kind::already_exists:
        case Kind::capability:
        case Kind::notification_overflow:
        case Kind::read_only:
        case Kind::uid_next:
        case Kind::uid_validity:
        case Kind::append_uid: break;
    }
    return otherwise;
}

/// The words of a refused sign-in are left out: servers repeat the command in them.
std::string detail_of(const StatusText& status, bool signing_in) {
    return signing_in ? std::string(name_of(status.code.kind)) : server_text(status.text);
}

void sort_and_unite(std::vector<Uid>& uids) {
    std::ranges::sort(uids);
    const auto doubles = std::ranges::unique(uids);
    uids.erase(doubles.begin(), doubles.end());
}

bool sort_without_doubles(std::vector<FetchedHeaders>& mails) {
    std::ranges::sort(mails, {}, &FetchedHeaders::uid);
    return std::ranges::adjacent_find(mails, {}, &FetchedHeaders::uid) == mails.end();
}

}  // namespace

Result<> Client::on_status_line(std::string_view word, std::string_view text) {
    const StatusText status = parse_status_text(text);
    if (equals_no_case(word, "PREAUTH")) {
        return fail(ImapError::protocol_violation, "PREAUTH after the greeting");
    }
    if (!equals_no_case(word, "BYE")) {
        note_code(status.code);
        return {};
    }
    if (pending_.command == Command::sign_out) return {};
    return fail(error_of(status.code.kind, ImapError::connection_closed_by_server),
                detail_of(status, pending_.command == Command::sign_in));
}

Result<> Client::on_tagged(const Response& response) {
    Cursor cursor(response);
    const auto tag = cursor.word();
    const bool ours = pending_.command != Command::none && tag == pending_.tag;
    const auto word = ours && cursor.take(' ') ? cursor.word() : std::nullopt;
    if (!word) return fail(ImapError::protocol_violation, "tag");
    cursor.take(' ');
    const StatusText status = parse_status_text(cursor.rest());
    // The server would read the rest of the mail as commands.
    if (pending_.source_runs) return fail(ImapError::protocol_violation, "answer within a literal");

    if (equals_no_case(*word, "OK")) return on_ok(status);
    const bool bad = equals_no_case(*word, "BAD");
    if (!bad && !equals_no_case(*word, "NO")) {
        return fail(ImapError::protocol_violation, "tagged response");
    }
    const bool signing_in = pending_.command == Command::sign_in;
    if (pending_.command == Command::examine) folder_open_ = false;
    if (pending_.command == Command::notify) notified_.clear();
    const auto otherwise =
        signing_in && !bad ? ImapError::refused_sign_in : ImapError::command_refused;
    finish(fail(error_of(status.code.kind, otherwise), detail_of(status, signing_in)));
    return {};
}

Result<> Client::on_ok(const StatusText& status) {
    const bool unsent = !pending_.later.empty() || pending_.source_left > 0;
    if (unsent) return fail(ImapError::protocol_violation, "OK before the whole command");
    note_code(status.code);
    const Command command = pending_.command;
    switch (command) {
        case Command::start_tls: tls_handshake_ = true; break;
        case Command::sign_in:
            signed_in_ = true;
            if (!pending_.capabilities_seen) capabilities_ = {};
            break;
        case Command::examine:
            folder_open_ = true;
            mailbox_changed_ = false;
            exists_ = std::get<FolderState>(pending_.answer).exists.value_or(0);
            break;
        case Command::search: sort_and_unite(std::get<SearchResult>(pending_.answer).uids); break;
        case Command::fetch_headers:
            if (sort_without_doubles(std::get<HeaderBatch>(pending_.answer).mails)) break;
            return fail(ImapError::protocol_violation, "headers sent twice");
        case Command::fetch_body:
            if (pending_.body_seen) break;
            finish(fail(ImapError::message_gone));
            return {};
        case Command::sign_out: closed_ = true; break;
        case Command::none:
        case Command::capability:
        case Command::list:
        case Command::status:
        case Command::append:
        case Command::notify:
        case Command::noop:
        case Command::idle: break;
    }
    finish(std::move(pending_.answer));
    return {};
}

}  // namespace postern::imap
