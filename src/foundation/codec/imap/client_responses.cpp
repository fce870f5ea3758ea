#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/fetch_data.h"
#include "foundation/codec/imap/folder_data.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/response_code.h"
#include "foundation/codec/imap/response_reader.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/text_match.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::imap {

namespace {

std::unexpected<Error> violation(const char* what) {
    return fail(ImapError::protocol_violation, what);
}

bool is_status_word(std::string_view word) {
    return equals_no_case(word, "OK") || equals_no_case(word, "NO") ||
           equals_no_case(word, "BAD") || equals_no_case(word, "BYE") ||
           equals_no_case(word, "PREAUTH");
}

/// RFC 3501 section 5.1: INBOX alone is the same in any case.
bool is_same_folder(const FolderName& one, const FolderName& other) {
    const bool inbox = equals_no_case(one.wire(), "INBOX");
    return one == other || (inbox && equals_no_case(other.wire(), "INBOX"));
}

/// The parse of `* n FETCH (...`, or nothing for any other response.
std::optional<FetchData> fetch_so_far(const Response& prefix) {
    Cursor cursor(prefix);
    if (!cursor.take('*') || !cursor.take(' ') || !cursor.number() || !cursor.take(' ')) {
        return std::nullopt;
    }
    const auto word = cursor.word();
    if (!word || !equals_no_case(*word, "FETCH")) return std::nullopt;
    return parse_fetch(cursor);
}

}  // namespace

Result<LiteralPlan> Client::on_literal(const Response& prefix, std::uint64_t size) {
    const auto fetch = fetch_so_far(prefix);
    switch (fetch ? fetch->awaited : FetchData::Section::none) {
        case FetchData::Section::none:
            if (size > options_.limits.string_bytes_max) return fail(ImapError::literal_too_large);
            return LiteralPlan::keep;
        case FetchData::Section::header_fields:
            if (pending_.command != Command::fetch_headers)
                return violation("headers not asked for");
            if (size > options_.limits.header_bytes_max - pending_.header_bytes) {
                return fail(ImapError::literal_too_large);
            }
            return LiteralPlan::keep;
        case FetchData::Section::whole_body: break;
    }
    if (pending_.command != Command::fetch_body || pending_.body_seen) {
        return violation("body not asked for");
    }
    if (fetch && fetch->uid && *fetch->uid != pending_.body.uid)
        return violation("body of another mail");
    if (size > pending_.body.bytes_max) return fail(ImapError::literal_too_large);
    pending_.body_seen = true;
    return LiteralPlan::stream;
}

Result<> Client::on_literal_bytes(ByteView bytes) {
    std::get<FetchedBody>(pending_.answer).bytes += bytes.size();
    return pending_.body.sink(bytes);
}

Result<> Client::on_search_uid(Uid uid) {
    if (!pending_.query) return violation("search result not asked for");
    if (!pending_.query->admits(uid)) return {};
    auto& uids = std::get<SearchResult>(pending_.answer).uids;
    if (uids.size() >= options_.limits.search_results_max) {
        return fail(ImapError::too_many_results);
    }
    uids.push_back(uid);
    return {};
}

Result<> Client::on_response(const Response& response) {
    if (!greeted_) return on_greeting(response);
    // An answer to what is not sent yet was made up before: by an injector, or by guessing.
    const bool answers = !response.text.starts_with("* ");
    if (answers && !output_.empty()) return violation("answer before the command");
    if (!answers) return on_untagged(response);
    if (response.text.starts_with('+')) return on_continuation();
    return on_tagged(response);
}

Result<> Client::on_greeting(const Response& response) {
    Cursor cursor(response);
    const auto word = cursor.take('*') && cursor.take(' ') ? cursor.word() : std::nullopt;
    if (!word) return violation("greeting");
    cursor.take(' ');
    if (equals_no_case(*word, "BYE")) return on_status_line(*word, cursor.rest());
    // PREAUTH would sign us in as somebody else's choice, and forbids STARTTLS.
    if (!equals_no_case(*word, "OK")) return violation("greeting");
    greeted_ = true;
    note_code(parse_status_text(cursor.rest()).code);
    return {};
}

Result<> Client::on_continuation() {
    if (!pending_.later.empty()) {
        output_ = std::move(pending_.later.front());
        pending_.later.pop_front();
        return {};
    }
    if (pending_.command == Command::append && pending_.source_left > 0 && !pending_.source_runs) {
        pending_.source_runs = true;
        return {};
    }
    if (pending_.command != Command::idle || pending_.idle_confirmed) {
        return violation("continuation not asked for");
    }
    pending_.idle_confirmed = true;
    if (pending_.idle_stops) output_.append("DONE\r\n");
    return {};
}

Result<> Client::on_untagged(const Response& response) {
    Cursor cursor(response);
    cursor.take('*');
    cursor.take(' ');
    if (const auto number = cursor.number()) {
        if (!cursor.take(' ')) return violation("untagged response");
        return on_number(static_cast<std::uint32_t>(*number), cursor);
    }
    const auto word = cursor.word();
    const bool is_number_too_large = word && word->front() >= '0' && word->front() <= '9';
    if (!word || is_number_too_large) return violation("untagged response");
    if (!is_status_word(*word)) return on_data(*word, cursor);
    cursor.take(' ');
    return on_status_line(*word, cursor.rest());
}

Result<> Client::on_number(std::uint32_t number, Cursor& cursor) {
    const auto word = cursor.word();
    if (!word) return violation("untagged response");
    if (equals_no_case(*word, "FETCH")) return on_fetch(cursor);
    if (equals_no_case(*word, "EXISTS")) on_exists(number);
    if (equals_no_case(*word, "EXPUNGE") && folder_open_ && exists_ > 0) --exists_;
    return {};
}

void Client::on_exists(std::uint32_t count) {
    if (pending_.command == Command::examine) {
        std::get<FolderState>(pending_.answer).exists = count;
        return;
    }
    if (!folder_open_) return;
    // Compared, because some servers repeat the same count after every command.
    if (count != exists_) mailbox_changed_ = true;
    exists_ = count;
}

Result<> Client::on_fetch(Cursor& cursor) {
    auto data = parse_fetch(cursor);
    if (!data || !data->complete) return violation("FETCH");
    if (data->headers) {
        return on_fetched_headers(data->uid, data->size, *std::move(data->headers));
    }
    if (data->body) return on_fetched_body(data->uid, *data->body);
    return {};
}

Result<> Client::on_fetched_headers(std::optional<Uid> uid,
                                    std::optional<std::uint64_t> mail_bytes,
                                    Cursor::Text headers) {
    if (!pending_.uids) return violation("headers not asked for");
    if (!uid || !pending_.uids->contains(*uid)) return violation("headers without UID");
    auto& mails = std::get<HeaderBatch>(pending_.answer).mails;
    if (mails.size() >= pending_.uids->size()) return violation("headers sent twice");
    // NIL: the mail is gone.
    if (headers.nil) return {};
    pending_.header_bytes += headers.value.size();
    if (pending_.header_bytes > options_.limits.header_bytes_max) {
        return fail(ImapError::literal_too_large);
    }
    mails.push_back({.uid = *uid, .mail_bytes = mail_bytes, .block = std::move(headers.value)});
    return {};
}

Result<> Client::on_fetched_body(std::optional<Uid> uid, const Cursor::Text& body) {
    if (pending_.command != Command::fetch_body) return violation("body not asked for");
    if (uid != pending_.body.uid) return violation("body of another mail");
    if (body.nil || body.streamed) return {};
    // A short body may come as a quoted string.
    if (pending_.body_seen) return violation("body sent twice");
    if (body.value.size() > pending_.body.bytes_max) return fail(ImapError::literal_too_large);
    pending_.body_seen = true;
    return on_literal_bytes(ByteView(body.value.data(), body.value.size()));
}

Result<> Client::on_data(std::string_view word, Cursor& cursor) {
    if (equals_no_case(word, "CAPABILITY")) {
        capabilities_ = Capabilities::parse(cursor.rest());
        pending_.capabilities_seen = true;
        return {};
    }
    if (equals_no_case(word, "LIST") && pending_.command == Command::list) {
        auto folder = parse_list(cursor);
        if (!folder) return violation("LIST");
        auto& folders = std::get<FolderList>(pending_.answer).folders;
        if (folders.size() >= options_.limits.folders_max) {
            return fail(ImapError::too_many_results);
        }
        folders.push_back(*std::move(folder));
        return {};
    }
    const bool wants_status = pending_.command == Command::status || !notified_.empty();
    if (equals_no_case(word, "STATUS") && wants_status) {
        auto status = parse_status(cursor);
        if (!status) return violation("STATUS");
        on_folder_status(*std::move(status));
        return {};
    }
    // FLAGS, ENABLED, NAMESPACE, what extensions add: nothing we act on.
    return {};
}

void Client::on_folder_status(FolderNews told) {
    // Servers may spell a name in another way than we do; unasked ones come under NOTIFY only.
    const auto& asked = pending_.folder;
    if (pending_.command == Command::status &&
        (notified_.empty() || (asked && is_same_folder(told.folder, *asked)))) {
        std::get<FolderState>(pending_.answer) = told.state;
        return;
    }
    const auto same = [&](const FolderName& name) { return is_same_folder(name, told.folder); };
    if (std::ranges::none_of(notified_, same)) return;
    const auto known = std::ranges::find_if(news_, same, &FolderNews::folder);
    if (known != news_.end()) {
        *known = std::move(told);
    } else {
        news_.push_back(std::move(told));
    }
}

void Client::note_code(const ResponseCode& code) {
    if (code.kind == ResponseCode::Kind::capability) {
        capabilities_ = Capabilities::parse(code.arguments);
        pending_.capabilities_seen = true;
    }
    if (code.kind == ResponseCode::Kind::notification_overflow) news_lost_ = true;
    if (pending_.command == Command::examine) {
        auto& state = std::get<FolderState>(pending_.answer);
        if (code.kind == ResponseCode::Kind::uid_validity) state.uid_validity = code.first;
        if (code.kind == ResponseCode::Kind::uid_next) state.uid_next = code.first;
    }
    if (pending_.command == Command::append && code.kind == ResponseCode::Kind::append_uid) {
        pending_.answer = Appended{.uid_validity = code.first, .uid = code.second};
    }
}

}  // namespace postern::imap
