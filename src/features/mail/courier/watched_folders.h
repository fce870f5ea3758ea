#pragma once

#include "features/mail/courier/header_trouble.h"
#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {

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
    /// A search for hints that finds more than so many is one of a server that cannot do it.
    static constexpr std::size_t k_hints_max = 200;
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

    /// Lists, chooses and gives every folder a cursor: a known one, else the first mail of the day
    /// before seen_at(), or its present end. INBOX is open then, and 0.
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
    /// Ids that were learnt after answers may have named them: each folder is searched for them
    /// once from where this watch began. Where thread fields are looked at, nothing is: that would
    /// be other people's mail.
    void look_back_for(const std::vector<std::string>& ids);
    /// Each folder is searched once more, from where this watch began or the last such search
    /// ended, for mails whose Thread-Index alone is ours. Where thread fields are looked at,
    /// nothing is.
    void look_for_hints();
    /// Since when answers may have come, for folders without a cursor or whose numbers are others
    /// now; 0: not before begin().
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
        imap::Uid end = 0;                   ///< UIDNEXT as last told
        imap::Uid began = 0;                 ///< the cursor when the watch, or the numbering, began
        std::vector<std::string> late = {};  ///< ids to search what is before the cursor for
        bool wants_hints = false;
        imap::Uid hinted = 0;            ///< what is below it was searched for hints
        imap::Uid hinting = 0;           ///< the same once what was found is committed; 0: nothing
        std::set<imap::Uid> hints = {};  ///< of these the Thread-Index is ours
        bool validity_changed = false;
        bool is_new = false;      ///< it had no cursor
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
    async::Task<std::vector<imap::Uid>> search_back(std::size_t at);
    async::Task<std::vector<imap::Uid>> search_for_hints(std::size_t at, imap::Uid end);
    async::Task<Round> look_at_headers(std::size_t at);
    async::Task<> add_hits(std::size_t at,
                           std::vector<imap::Uid> uids,
                           std::vector<imap::Uid>* hits);
    async::Task<> name_originals(std::size_t at, std::vector<Candidate>* candidates);
    [[nodiscard]] HeaderTrouble::Mail mail_at(std::size_t at, imap::Uid uid) const;
    void note_too_large(std::size_t at, const std::vector<imap::Uid>& batch);
    [[nodiscard]] bool wants_start(std::size_t at) const;
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
