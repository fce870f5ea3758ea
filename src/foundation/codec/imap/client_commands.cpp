#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/command_writer.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::imap {

namespace {

bool is_field_name(std::string_view name) {
    const auto is_name_char = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    };
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_name_char);
}

}  // namespace

Result<> Client::can_start(bool needs_folder) const {
    if (status() != Status::ready || !output_.empty()) return fail(ImapError::wrong_state);
    if (!signed_in_ || (needs_folder && !folder_open_)) return fail(ImapError::wrong_state);
    return {};
}

bool Client::non_sync_literals() const noexcept {
    return capabilities_.literal_plus || capabilities_.literal_minus;
}

CommandWriter Client::begin(Command command, Answer answer) {
    pending_ = Pending{};
    pending_.command = command;
    // One command at a time: a letter tells its answer from the one before. The server repeats it
    // with every answer, so a longer one would cost bytes with each new mail of a mailbox.
    pending_.tag = std::string(1, static_cast<char>('A' + tag_number_));
    tag_number_ = (tag_number_ + 1) % 26;
    pending_.answer = std::move(answer);
    answer_.reset();
    return CommandWriter(pending_.tag);
}

Result<> Client::send(CommandWriter& writer) {
    pending_.later = writer.finish();
    output_ = std::move(pending_.later.front());
    pending_.later.pop_front();
    return {};
}

Result<> Client::simple(Command command, std::string_view text, Answer answer) {
    CommandWriter writer = begin(command, std::move(answer));
    writer.text(text);
    return send(writer);
}

Result<> Client::with_folder(Command command, std::string_view verb, const FolderName& folder) {
    if (auto r = can_start(false); !r) return r;
    CommandWriter writer = begin(command, FolderState{});
    writer.text(verb).text(" ").string(as_bytes(folder.wire()), non_sync_literals());
    pending_.folder = folder;
    if (command == Command::status) writer.text(" (MESSAGES UIDNEXT UIDVALIDITY)");
    return send(writer);
}

Result<> Client::ask_capabilities() {
    if (status() != Status::ready) return fail(ImapError::wrong_state);
    return simple(Command::capability, "CAPABILITY");
}

Result<> Client::start_tls() {
    if (status() != Status::ready || tls_ || signed_in_) return fail(ImapError::wrong_state);
    if (!capabilities_.start_tls) return fail(ImapError::capability_missing, "STARTTLS");
    return simple(Command::start_tls, "STARTTLS");
}

Result<> Client::sign_in(std::string_view user, const Secret& password) {
    if (status() != Status::ready || signed_in_) return fail(ImapError::wrong_state);
    if (!tls_ && !options_.allow_plaintext_sign_in) return fail(ImapError::tls_required);
    const bool sendable = !user.empty() && !password.empty() && is_sendable(as_bytes(user)) &&
                          password.with_bytes(is_sendable);
    if (!sendable) return fail(ImapError::bad_argument, "user name or password");
    if (!capabilities_.known) return fail(ImapError::wrong_state, "capabilities unknown");
    if (!capabilities_.auth_plain && capabilities_.login_disabled) {
        return fail(ImapError::no_sign_in_method);
    }
    CommandWriter writer = begin(Command::sign_in);
    if (capabilities_.auth_plain) {
        writer.text("AUTHENTICATE PLAIN");
        if (capabilities_.sasl_ir) {
            writer.text(" ");
        } else {
            writer.text("\r\n").wait_for_continuation();
        }
        writer.sasl_plain(user, password);
    } else {
        writer.text("LOGIN ").string(as_bytes(user), non_sync_literals()).text(" ");
        password.with_bytes([&](ByteView bytes) { writer.string(bytes, non_sync_literals()); });
    }
    return send(writer);
}

Result<> Client::list_folders() {
    if (auto r = can_start(false); !r) return r;
    const bool asks_use = capabilities_.list_extended && capabilities_.special_use;
    return simple(Command::list,
                  asks_use ? R"(LIST "" "*" RETURN (SPECIAL-USE))" : R"(LIST "" "*")",
                  FolderList{});
}

Result<> Client::ask_folder_state(const FolderName& folder) {
    return with_folder(Command::status, "STATUS", folder);
}

Result<> Client::examine(const FolderName& folder) {
    return with_folder(Command::examine, "EXAMINE", folder);
}

Result<> Client::search(const SearchQuery& query) {
    if (auto r = can_start(true); !r) return r;
    CommandWriter writer = begin(Command::search, SearchResult{});
    pending_.query = query;
    writer.text(query.text());
    return send(writer);
}

Result<> Client::fetch_headers(const HeaderRequest& request) {
    constexpr std::size_t k_fields_max = 32;
    if (auto r = can_start(true); !r) return r;
    const bool fields_ok = !request.fields.empty() && request.fields.size() <= k_fields_max &&
                           std::ranges::all_of(request.fields, is_field_name);
    if (!fields_ok) return fail(ImapError::bad_argument, "header field names");
    CommandWriter writer = begin(Command::fetch_headers, HeaderBatch{});
    pending_.uids = request.uids;
    writer.text("UID FETCH ").text(request.uids.text()).text(" (UID ");
    if (request.with_mail_size) writer.text("RFC822.SIZE ");
    writer.text("BODY.PEEK[");
    if (request.part != 0) writer.text(std::to_string(request.part)).text(".");
    writer.text("HEADER.FIELDS (");
    for (std::size_t i = 0; i < request.fields.size(); ++i) {
        writer.text(i == 0 ? "" : " ").text(request.fields[i]);
    }
    writer.text(")])");
    return send(writer);
}

Result<> Client::fetch_body(BodyRequest request) {
    if (auto r = can_start(true); !r) return r;
    if (request.uid == 0 || !request.sink) return fail(ImapError::bad_argument, "body request");
    CommandWriter writer = begin(Command::fetch_body, FetchedBody{.uid = request.uid, .bytes = 0});
    writer.text("UID FETCH ").text(std::to_string(request.uid)).text(" (UID BODY.PEEK[])");
    pending_.body = std::move(request);
    return send(writer);
}

Result<> Client::append(AppendRequest request) {
    if (auto r = can_start(false); !r) return r;
    if (request.bytes == 0 || !request.source) return fail(ImapError::bad_argument, "mail");
    CommandWriter writer = begin(Command::append, Appended{});
    pending_.source = std::move(request.source);
    pending_.source_left = request.bytes;
    writer.text("APPEND ").string(as_bytes(request.folder.wire()), non_sync_literals());
    // Always a synchronising literal: a refusal comes before the mail is sent, not in its middle.
    writer.text(request.seen ? " (\\Seen) {" : " {").text(std::to_string(request.bytes)).text("}");
    return send(writer);
}

Result<> Client::notify(const std::vector<FolderName>& folders) {
    if (auto r = can_start(false); !r) return r;
    if (!capabilities_.notify) return fail(ImapError::capability_missing, "NOTIFY");
    if (folders.empty() || folders.size() > options_.limits.folder_news_max) {
        return fail(ImapError::bad_argument, "folders to be told of");
    }
    CommandWriter writer = begin(Command::notify);
    notified_ = folders;
    // Without attributes behind MessageNew no part of a mail is sent along. DELAYED: no mail goes
    // while it is being fetched.
    writer.text("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge)) (MAILBOXES (");
    for (std::size_t i = 0; i < folders.size(); ++i) {
        writer.text(i == 0 ? "" : " ").string(as_bytes(folders[i].wire()), non_sync_literals());
    }
    writer.text(") (MessageNew MessageExpunge))");
    return send(writer);
}

Result<> Client::noop() {
    if (status() != Status::ready) return fail(ImapError::wrong_state);
    return simple(Command::noop, "NOOP");
}

Result<> Client::idle() {
    if (auto r = can_start(true); !r) return r;
    if (!capabilities_.idle) return fail(ImapError::capability_missing, "IDLE");
    return simple(Command::idle, "IDLE");
}

Result<> Client::stop_idle() {
    if (pending_.command != Command::idle || pending_.idle_stops) {
        return fail(ImapError::wrong_state);
    }
    pending_.idle_stops = true;
    // Before the "+" the server takes a line for a new command: DONE follows it.
    if (pending_.idle_confirmed) output_.append("DONE\r\n");
    return {};
}

Result<> Client::sign_out() {
    if (status() != Status::ready) return fail(ImapError::wrong_state);
    return simple(Command::sign_out, "LOGOUT");
}

}  // namespace postern::imap
