#pragma once

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {

/// Mails that the server does not hand out, or whose header is larger than we take. The latter ends
/// the connection, so without a memory that outlives it the next one would stumble over the mail
/// again. Each part has at most k_entries_max.
struct HeaderTrouble {
    static constexpr std::size_t k_entries_max = 1000;
    /// So often a mail is asked for, each time after a pause, before it is passed over.
    static constexpr unsigned k_refusals_max = 3;
    /// The same where the server says that it cannot at the moment: most likely that is so.
    static constexpr unsigned k_refusals_for_now_max = 60;
    struct Mail {
        std::string folder;
        std::uint32_t uid_validity = 0;
        imap::Uid uid = 0;
        auto operator<=>(const Mail&) const = default;
    };
    struct Refusals {
        unsigned plain = 0;
        unsigned for_now = 0;
    };
    std::set<Mail> doubtful;    ///< one of a batch that failed: asked for one by one
    std::set<Mail> unreadable;  ///< reported without header
    std::map<Mail, Refusals> refusals;

    /// A header that is too large is one of these.
    void note(const std::vector<Mail>& batch);
    /// True when it need not be asked for any more.
    bool refused(const Mail& mail, bool for_now);
};

/// The folders of one watch and their cursors, on a signed-in session that outlives this. Searches
/// for ids of ours and reads headers of what it hits; tells nobody.
///
/// A cursor is a uid below which everything was searched. EXAMINE tells where the folder ends; what
/// arrives later is searched for "up to the newest", whose uid nobody tells, so that the cursor
/// then only moves behind hits. Such a range is searched again when more arrives, until resync().
class WatchedFolders {
public:
    static constexpr std::size_t k_batch_max = 8;
    /// Searches "up to the newest" before a resync() is worth its bytes.
    static constexpr unsigned k_open_searches_max = 200;

    /// Mails whose two fields are fetched with one command, and in one round.
    static constexpr std::size_t k_headers_batch = 200;
    static constexpr imap::Uid k_headers_round = 2000;
    /// Mails refused in one look at a folder before the rest waits for the next one.
    static constexpr unsigned k_refused_at_once_max = 16;

    struct Round {
        bool is_due = false;  ///< else there was nothing to search for
        bool by_headers = false;
        imap::Uid first = 0;
        imap::Uid next = 0;
        bool validity_changed = false;
        std::vector<imap::Uid> hits;
    };

    /// `rest`: how long a folder beside INBOX is left alone after it was looked at, so that a
    /// stream of unrelated mail there costs few bytes for each.
    WatchedFolders(ImapSession& session,
                   const KnownIds& known,
                   std::shared_ptr<HeaderTrouble> trouble,
                   std::chrono::milliseconds rest)
        : session_(session), known_(known), trouble_(std::move(trouble)), rest_(rest) {}

    /// Lists, chooses and gives every folder a cursor: a known one, else its present end. INBOX is
    /// open then, and 0.
    async::Task<> begin(std::vector<FolderCursor> known);
    [[nodiscard]] std::size_t size() const noexcept { return folders_.size(); }
    [[nodiscard]] std::vector<FolderCursor> cursors() const;
    [[nodiscard]] const FolderCursor& cursor(std::size_t at) const { return folders_[at].cursor; }
    [[nodiscard]] std::optional<std::size_t> find(const std::string& folder) const;

    /// Has the server tell of all folders by itself (NOTIFY), where it can. What it tells comes
    /// while idle and with any answer; take_news() takes it in.
    async::Task<> notify();
    [[nodiscard]] bool is_notified() const noexcept { return notified_; }
    /// True when the server stopped to tell: ask for everything, and notify() again later.
    bool take_news();
    [[nodiscard]] bool wants_notify() const noexcept { return wants_notify_ && !notified_; }
    /// One beside INBOX that is due and has rested.
    [[nodiscard]] std::optional<std::size_t> next_other() const;
    /// When next_other() may have more than now.
    [[nodiscard]] std::optional<Deadline> next_rested() const;

    /// Opens it, unless it is open.
    async::Task<> open(std::size_t at);
    /// Asks by STATUS whether there is more.
    async::Task<> poll(std::size_t at);
    /// Opens it anew, which tells its end.
    async::Task<> resync(std::size_t at);
    /// The open folder may have got mail.
    void note_change();
    [[nodiscard]] bool is_due(std::size_t at) const;
    [[nodiscard]] bool wants_resync(std::size_t at) const;
    [[nodiscard]] bool is_postponed(std::size_t at) const { return folders_[at].postponed; }

    /// From now on the two fields of every new mail are fetched, looked at and wiped, because the
    /// server's search does not find our mails; or no longer.
    void look_by_headers(bool by_headers) noexcept { by_headers_ = by_headers; }
    /// When the cursors were true, for folders whose numbers are others now; 0: not known.
    void seen_at(UnixMs at_ms) noexcept { seen_at_ms_ = at_ms; }

    /// Commit what was reported.
    async::Task<Round> search(std::size_t at);
    /// Mails that are gone are missing; one that is refused for good, or is not about ours, has
    /// nothing but its uid.
    /// Errors: mail_refused, when some are to be asked for again after a pause.
    async::Task<std::vector<Candidate>> headers(std::size_t at, std::vector<imap::Uid> uids);
    /// Whether the open folder's mail is a bounce of one of ours.
    async::Task<bool> is_bounce_of_ours(imap::Uid uid);
    /// Whether the mail was refused so often that it counts as one that cannot be had.
    bool note_refusal(std::size_t at, imap::Uid uid);
    void commit(std::size_t at, imap::Uid next);
    /// Not due any more until poll() or resync(), which it then wants: front could not take it.
    void postpone(std::size_t at);

private:
    struct Folder {
        imap::FolderName name;
        FolderCursor cursor;
        imap::Uid end = 0;  ///< UIDNEXT as last told
        bool validity_changed = false;
        bool renumbered = false;  ///< its numbers do not go on where the cursor stands
        bool changed = false;     ///< there may be more than `end` tells
        bool postponed = false;
        unsigned open_searches = 0;
        std::optional<Deadline> rests_until = std::nullopt;
    };

    async::Task<std::vector<imap::Uid>> choose(std::size_t at,
                                               std::vector<imap::Uid> uids,
                                               std::vector<Candidate>* others);
    async::Task<imap::HeaderBatch> fetch_fields(std::size_t at,
                                                std::vector<imap::Uid> uids,
                                                std::vector<std::string> fields);
    async::Task<std::vector<Candidate>> fetch_headers(std::size_t at, std::vector<imap::Uid> uids);
    async::Task<std::vector<imap::Uid>> ask_server(std::vector<imap::SearchQuery> queries);
    async::Task<Round> look_at_headers(std::size_t at);
    async::Task<> add_hits(std::size_t at,
                           std::vector<imap::Uid> uids,
                           std::vector<imap::Uid>* hits);
    async::Task<> name_originals(std::size_t at, std::vector<Candidate>* candidates);
    [[nodiscard]] HeaderTrouble::Mail mail_at(std::size_t at, imap::Uid uid) const;
    void note_too_large(std::size_t at, const std::vector<imap::Uid>& batch);
    async::Task<> find_start(std::size_t at);
    static Result<> note_state(Folder& folder, const imap::FolderState& state);

    ImapSession& session_;
    const KnownIds& known_;
    std::shared_ptr<HeaderTrouble> trouble_;
    std::chrono::milliseconds rest_;
    bool notified_ = false;
    bool wants_notify_ = false;
    bool by_headers_ = false;
    UnixMs seen_at_ms_ = 0;
    std::vector<Folder> folders_;
    static constexpr std::size_t k_none = static_cast<std::size_t>(-1);
    std::size_t open_ = k_none;
};

}  // namespace postern::mail::courier
