#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/capabilities.h"
#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/response_code.h"
#include "foundation/codec/imap/response_reader.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

class CommandWriter;

/// Gets a mail's bytes in order, in pieces as they arrive.
using MailSink = std::function<Result<>(ByteView)>;
/// Fills the span from its start and returns how much; 0 at the end.
using MailSource = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

struct ClientOptions {
    bool tls = false;                      ///< the connection is inside TLS from its first byte
    bool allow_plaintext_sign_in = false;  ///< only for a server on loopback
    Limits limits;
};

struct HeaderRequest {
    UidSet uids;
    std::vector<std::string> fields;
    bool with_mail_size = false;
    unsigned part = 0;  ///< not 0: of the mail within this part, as a bounce holds what it is about
};
struct BodyRequest {
    Uid uid = 0;
    std::uint64_t bytes_max = 0;  ///< a larger mail ends the connection: ask for its size before
    MailSink sink;
};
struct AppendRequest {
    FolderName folder;
    bool seen = true;
    std::uint64_t bytes = 0;
    MailSource source;
};

/// One IMAP connection that reads without leaving a trace: folders are opened with EXAMINE, parts
/// with BODY.PEEK; no command that changes a mail can be expressed.
///
/// Lifecycle: write take_output() until it is empty, then receive() what arrives, until status()
/// is ready; take<T>() the answer of the command; start the next. After an error from receive()
/// the connection is closed(). Not thread-safe.
class Client final : private ResponseEvents {
public:
    enum class Status { greeting_wait, ready, busy, idling, tls_handshake, closed };

    explicit Client(ClientOptions options);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Errors: what ended the connection.
    Result<> receive(ByteView bytes);
    /// Secret: may hold a password. At most about 64 KiB while a mail is appended.
    [[nodiscard]] WipedBytes take_output();
    /// The transport ended.
    void connection_lost();
    /// The caller finished the TLS handshake after start_tls().
    Result<> tls_started();

    [[nodiscard]] Status status() const noexcept;
    [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }
    [[nodiscard]] bool signed_in() const noexcept { return signed_in_; }
    /// True once after the open folder may have got new mail, in whatever state that was told.
    [[nodiscard]] bool take_mailbox_changed() noexcept;
    /// What was told of other folders since the last call, each once, in whatever state. Only of
    /// those that notify() named.
    [[nodiscard]] std::vector<FolderNews> take_folder_news();
    [[nodiscard]] bool has_folder_news() const noexcept { return !news_.empty() || news_lost_; }
    /// True once after the server stopped to tell (RFC 5465 section 5.8): ask for the state of
    /// every folder, and notify() again.
    [[nodiscard]] bool take_news_lost() noexcept;
    /// The error or answer of the last command, once.
    template <typename T>
    [[nodiscard]] Result<T> take();

    // Each starts one command. Errors: wrong_state, bad_argument and the like; nothing was sent.
    Result<> ask_capabilities();                                      ///< Done
    Result<> start_tls();                                             ///< Done
    Result<> sign_in(std::string_view user, const Secret& password);  ///< Done
    Result<> list_folders();                                          ///< FolderList
    Result<> ask_folder_state(const FolderName& folder);              ///< FolderState
    Result<> examine(const FolderName& folder);                       ///< FolderState
    Result<> search(const SearchQuery& query);                        ///< SearchResult
    Result<> fetch_headers(const HeaderRequest& request);             ///< HeaderBatch
    Result<> fetch_body(BodyRequest request);                         ///< FetchedBody
    Result<> append(AppendRequest request);                           ///< Appended
    /// Told of from now on, in IDLE and at the end of commands: that mails came or went, and the
    /// numbers of STATUS; no fields of any mail. Done
    Result<> notify(const std::vector<FolderName>& folders);
    Result<> noop();  ///< Done
    Result<> idle();  ///< Done, after stop_idle()
    Result<> stop_idle();
    Result<> sign_out();  ///< Done

private:
    enum class Command {
        none,
        capability,
        start_tls,
        sign_in,
        list,
        status,
        examine,
        search,
        fetch_headers,
        fetch_body,
        append,
        notify,
        noop,
        idle,
        sign_out,
    };
    struct Pending {
        Command command = Command::none;
        std::string tag;
        Answer answer;
        std::deque<WipedBytes> later;  ///< pieces that each wait for "+"
        std::optional<FolderName> folder;
        std::optional<UidSet> uids;
        std::optional<SearchQuery> query;
        std::size_t header_bytes = 0;
        BodyRequest body;
        bool body_seen = false;
        MailSource source;
        std::uint64_t source_left = 0;
        bool source_runs = false;
        bool capabilities_seen = false;
        bool idle_confirmed = false;
        bool idle_stops = false;
    };

    Result<LiteralPlan> on_literal(const Response& prefix, std::uint64_t size) override;
    Result<> on_literal_bytes(ByteView bytes) override;
    Result<> on_search_uid(Uid uid) override;
    Result<> on_response(const Response& response) override;

    Result<> on_greeting(const Response& response);
    Result<> on_continuation();
    Result<> on_untagged(const Response& response);
    Result<> on_number(std::uint32_t number, Cursor& cursor);
    Result<> on_fetch(Cursor& cursor);
    Result<> on_fetched_headers(std::optional<Uid> uid,
                                std::optional<std::uint64_t> mail_bytes,
                                Cursor::Text headers);
    Result<> on_fetched_body(std::optional<Uid> uid, const Cursor::Text& body);
    Result<> on_status_line(std::string_view word, std::string_view text);
    Result<> on_data(std::string_view word, Cursor& cursor);
    Result<> on_tagged(const Response& response);
    Result<> on_ok(const StatusText& text);
    void on_exists(std::uint32_t count);
    void on_folder_status(FolderNews told);
    void note_code(const ResponseCode& code);
    void finish(Result<Answer> answer);

    Result<> can_start(bool needs_folder) const;
    CommandWriter begin(Command command, Answer answer = Done{});
    Result<> send(CommandWriter& writer);
    Result<> simple(Command command, std::string_view text, Answer answer = Done{});
    Result<> with_folder(Command command, std::string_view verb, const FolderName& folder);
    [[nodiscard]] bool non_sync_literals() const noexcept;
    WipedBytes pull_source();
    Result<> close(Error error);
    Result<Answer> take_answer();

    ClientOptions options_;
    ResponseReader reader_;
    Capabilities capabilities_;
    Pending pending_;
    std::optional<Result<Answer>> answer_;
    std::optional<Error> failure_;
    WipedBytes output_;
    std::vector<FolderName> notified_;
    std::vector<FolderNews> news_;
    std::uint32_t exists_ = 0;
    unsigned tag_number_ = 0;
    bool greeted_ = false;
    bool tls_ = false;
    bool tls_handshake_ = false;
    bool signed_in_ = false;
    bool folder_open_ = false;
    bool mailbox_changed_ = false;
    bool news_lost_ = false;
    bool closed_ = false;
};

template <typename T>
Result<T> Client::take() {
    POSTERN_TRY(Answer answer, take_answer());
    if (T* wanted = std::get_if<T>(&answer)) return std::move(*wanted);
    return fail(ImapError::wrong_state, "another command's answer");
}

}  // namespace postern::imap
