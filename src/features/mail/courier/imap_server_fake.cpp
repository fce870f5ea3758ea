#include "features/mail/courier/imap_server_fake.h"

#include "foundation/codec/mail/ascii.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

std::string quoted_argument(std::string_view text) {
    const auto first = text.find('"');
    const auto last = text.find('"', first + 1);
    return std::string(text.substr(first + 1, last - first - 1));
}

/// Needles of the thread fields alone.
/// Of a search for replies: each stands behind one of these, too.
std::vector<std::string> quoted_arguments(std::string_view command) {
    std::vector<std::string> out;
    for (const std::string_view key : {"HEADER In-Reply-To ", "HEADER Cc "}) {
        for (auto at = command.find(key); at != std::string_view::npos;
             at = command.find(key, at + 1)) {
            out.push_back(quoted_argument(command.substr(at + key.size())));
        }
    }
    return out;
}

std::uint32_t number_at(std::string_view text) {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

bool contains_but_for_case(std::string_view text, std::string_view part) {
    return codec::lower(text).find(codec::lower(part)) != std::string::npos;
}

/// "3:5,9"
bool is_in(std::string_view set, std::uint32_t uid) {
    while (!set.empty()) {
        const auto part = set.substr(0, set.find(','));
        const auto colon = part.find(':');
        const auto first = number_at(part);
        const auto last = colon == part.npos ? first : number_at(part.substr(colon + 1));
        if (uid >= first && uid <= last) return true;
        set.remove_prefix(std::min(part.size() + 1, set.size()));
    }
    return false;
}

}  // namespace

std::uint32_t FakeMailbox::deliver(const std::string& folder,
                                   std::string header,
                                   std::string body) {
    auto& into = folders.at(folder);
    const auto uid = into.uid_next++;
    into.mails.push_back({uid, std::move(header), std::move(body), ""});
    if (const auto server = connection.lock()) {
        server->notice();
        server->notice_other(folder);
    }
    return uid;
}

void FakeMailbox::expunge(const std::string& folder, std::uint32_t uid) {
    auto& from = folders.at(folder).mails;
    const auto at = std::ranges::find(from, uid, &FakeMail::uid);
    const auto position = static_cast<std::size_t>(at - from.begin()) + 1;
    from.erase(at);
    if (const auto server = connection.lock()) server->notice_expunge(folder, position);
}

std::size_t FakeMailbox::count(std::string_view command_prefix) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        commands, [&](const auto& command) { return command.starts_with(command_prefix); }));
}

void FakeImapServer::greet() {
    ++mailbox_->connections;
    cut_after(mailbox_->cut_after);
    say("* OK [CAPABILITY " + mailbox_->capabilities + (tls ? "" : " STARTTLS") + "] ready");
}

FakeFolder* FakeImapServer::selected() {
    const auto found = mailbox_->folders.find(selected_);
    return found == mailbox_->folders.end() ? nullptr : &found->second;
}

void FakeImapServer::notice() {
    if (idling_) tell_exists();
}

void FakeImapServer::notice_other(const std::string& folder) {
    if (folder == selected_ || !notified_.contains(folder)) return;
    news_.insert(folder);
    if (idling_) tell_news();
}

void FakeImapServer::overflow() {
    notified_.clear();
    say("* OK [NOTIFICATIONOVERFLOW] too much is going on");
}

void FakeImapServer::tell_news() {
    for (const auto& name : std::exchange(news_, {})) {
        const auto& folder = mailbox_->folders.at(name);
        // As Dovecot: INBOX without UIDVALIDITY.
        say("* STATUS " + name + " (MESSAGES " + std::to_string(folder.mails.size()) + " UIDNEXT " +
            std::to_string(folder.uid_next) +
            (name == "INBOX" ? "" : " UIDVALIDITY " + std::to_string(folder.uid_validity)) +
            " UNSEEN 1)");
    }
}

void FakeImapServer::notify(const std::string& command) {
    if (mailbox_->refuses_notify) return say(tag_ + " NO [BADEVENT] not now");
    notified_.clear();
    const auto list = command.substr(command.find("(MAILBOXES"));
    for (const auto& [name, folder] : mailbox_->folders) {
        if (list.find('"' + name + '"') != std::string::npos) notified_.insert(name);
    }
    say(tag_ + " OK notified");
    if (mailbox_->overflows_at_once) overflow();
}

void FakeImapServer::notice_expunge(const std::string& folder, std::size_t position) {
    if (folder != selected_ || position > told_exists_) return;
    // Not during FETCH and SEARCH (RFC 3501 section 7.4.1); the tests expunge before them.
    say("* " + std::to_string(position) + " EXPUNGE");
    --told_exists_;
}

void FakeImapServer::tell_exists() {
    const auto* folder = selected();
    if (folder == nullptr || folder->mails.size() == told_exists_) return;
    told_exists_ = folder->mails.size();
    say("* " + std::to_string(told_exists_) + " EXISTS");
}

void FakeImapServer::on_line(const std::string& line) {
    if (mailbox_->mute) return;
    if (idling_ && line == "DONE") {
        idling_ = false;
        tell_exists();
        say(tag_ + " OK Idle completed.");
        if (mailbox_->after) mailbox_->after("DONE");
        return;
    }
    const auto space = line.find(' ');
    if (space == std::string::npos) return;
    tag_ = line.substr(0, space);
    const std::string command = line.substr(space + 1);
    const bool secret = command.starts_with("AUTHENTICATE");
    mailbox_->commands.push_back(secret ? "AUTHENTICATE" : command);
    if (mailbox_->before) mailbox_->before(command);
    if (!command.starts_with("EXAMINE")) tell_news();
    answer(command);
    if (mailbox_->after) mailbox_->after(command);
}

void FakeImapServer::answer(const std::string& command) {
    if (command.starts_with("AUTHENTICATE")) return say(tag_ + " " + mailbox_->sign_in_answer);
    if (command.starts_with("CAPABILITY")) {
        say("* CAPABILITY " + mailbox_->capabilities + (tls ? "" : " STARTTLS"));
    }
    if (command.starts_with("LIST")) {
        for (const auto& [name, folder] : mailbox_->folders)
            say("* LIST (" + folder.attributes + ") \"/\" \"" + name + "\"");
    }
    if (command.starts_with("STATUS")) return status(quoted_argument(command));
    if (command.starts_with("EXAMINE")) return examine(quoted_argument(command));
    if (command.starts_with("UID SEARCH")) return search(command);
    if (command.starts_with("UID FETCH")) return fetch(command);
    if (command.starts_with("APPEND")) {
        append_to_ = quoted_argument(command);
        awaits_bytes = number_at(std::string_view(command).substr(command.find('{') + 1)) + 2;
        return say("+ go ahead");
    }
    if (command.starts_with("NOTIFY")) return notify(command);
    if (command == "IDLE") {
        idling_ = true;
        tell_news();
        if (mailbox_->exists_before_plus) tell_exists();
        say("+ idling");
        return tell_exists();
    }
    tell_exists();
    say(tag_ + " OK done");
}

void FakeImapServer::on_bytes(std::string literal) {
    literal.resize(literal.size() - 2);
    const auto end = literal.find("\r\n\r\n");
    mailbox_->deliver(append_to_, literal.substr(0, end + 2), literal.substr(end + 4));
    say(tag_ + " OK appended");
}

void FakeImapServer::status(const std::string& folder) {
    const auto found = mailbox_->folders.find(folder);
    if (found == mailbox_->folders.end()) return say(tag_ + " NO [NONEXISTENT] no such folder");
    say("* STATUS \"" + folder + "\" (MESSAGES " + std::to_string(found->second.mails.size()) +
        " UIDNEXT " + std::to_string(found->second.uid_next) + " UIDVALIDITY " +
        std::to_string(found->second.uid_validity) + ")");
    tell_exists();
    say(tag_ + " OK status");
}

void FakeImapServer::examine(const std::string& folder) {
    const auto found = mailbox_->folders.find(folder);
    if (found == mailbox_->folders.end()) return say(tag_ + " NO [NONEXISTENT] no such folder");
    selected_ = folder;
    told_exists_ = found->second.mails.size();
    say("* " + std::to_string(told_exists_) + " EXISTS");
    say("* OK [UIDVALIDITY " + std::to_string(found->second.uid_validity) + "] valid");
    say("* OK [UIDNEXT " + std::to_string(found->second.uid_next) + "] next");
    say(tag_ + " OK [READ-ONLY] examined");
}

void FakeImapServer::search(const std::string& command) {
    if (!mailbox_->search_answer.empty()) return say(tag_ + " " + mailbox_->search_answer);
    if (command.starts_with("UID SEARCH SINCE ")) {
        std::string found = "* SEARCH";
        for (const auto uid : mailbox_->since_finds)
            found += " " + std::to_string(uid);
        say(found);
        return say(tag_ + " OK searched");
    }
    constexpr std::string_view k_start = "UID SEARCH UID ";
    const auto range = std::string_view(command).substr(k_start.size());
    const auto first = number_at(range);
    const auto last_text = range.substr(range.find(':') + 1);
    const std::string needle = quoted_argument(command);
    const bool by_hint = command.find("HEADER Thread-Index") != std::string::npos;
    const bool by_id = command.find("HEADER Message-ID") != std::string::npos;
    const bool text_alone = command.find("HEADER") == std::string::npos;
    const bool bounces = command.find("MAILER-DAEMON") != std::string::npos;
    // Only what this session was told of (`*` is the last of that, even when it lies below n).
    const auto& mails = selected()->mails;
    const auto seen = std::min(told_exists_, mails.size());
    const auto newest = seen == 0 ? 0 : mails[seen - 1].uid;
    const auto last = last_text.starts_with('*') ? std::max(newest, 1U)
                      : text_alone               ? first
                                                 : number_at(last_text);
    const auto is_bounce = [](const std::string& header) {
        return contains_but_for_case(header, "delivery-status") ||
               contains_but_for_case(header, "mailer-daemon");
    };
    std::string out = "* SEARCH";
    for (std::size_t i = 0; i < seen; ++i) {
        const auto uid = mails[i].uid;
        const bool in_range = uid >= std::min(first, last) && uid <= std::max(first, last);
        const auto& header = mails[i].header;
        const bool hit =
            by_hint ? contains_but_for_case(header, "Thread-Index: " + needle) &&
                          !contains_but_for_case(header, quoted_arguments(command).at(0))
            : by_id ? contains_but_for_case(header, "Message-ID: <" + needle) ||
                          contains_but_for_case(header, needle)
                    : !text_alone &&
                          std::ranges::any_of(quoted_arguments(command), [&](const auto& one) {
                              return contains_but_for_case(header, one);
                          });
        const auto text = header + mails[i].original + mails[i].body;
        const bool text_counts = text_alone || (bounces && is_bounce(header));
        const bool text_hit = text_counts && contains_but_for_case(text, needle);
        if (in_range && (hit || text_hit || mailbox_->search_finds_all))
            out += " " + std::to_string(uid);
    }
    say(out);
    tell_exists();
    say(tag_ + " OK searched");
}

bool FakeImapServer::refuses(const std::string& set, bool whole, bool nested) {
    const auto& named = whole ? mailbox_->refuses_bodies_of : mailbox_->refuses_headers_of;
    return std::ranges::any_of(selected()->mails, [&](const FakeMail& mail) {
        if (!is_in(set, mail.uid)) return false;
        return named.contains(mail.uid) ||
               (nested && mail.original.empty() && mailbox_->refuses_missing_parts);
    });
}

void FakeImapServer::fetch(const std::string& command) {
    constexpr std::string_view k_start = "UID FETCH ";
    const auto set = std::string_view(command).substr(
        k_start.size(), command.find(' ', k_start.size()) - k_start.size());
    const bool whole = command.find("BODY.PEEK[]") != std::string::npos;
    const bool sized = command.find("RFC822.SIZE") != std::string::npos;
    const bool nested = command.find("[3.HEADER") != std::string::npos;
    if (refuses(std::string(set), whole, nested)) return say(tag_ + " " + mailbox_->refusal);
    const auto open = command.find('(', command.find("HEADER.FIELDS"));
    const auto fields = whole ? "" : command.substr(open, command.find(')', open) - open + 1);
    std::size_t number = 0;
    for (const auto& mail : selected()->mails) {
        ++number;
        if (!is_in(set, mail.uid)) continue;
        (whole ? mailbox_->bodies_fetched : mailbox_->headers_fetched).insert(mail.uid);
        const std::string text = mail.header + "\r\n" + mail.body;
        const std::string literal = whole    ? text
                                    : nested ? mail.original + "\r\n"
                                             : mail.header + "\r\n";
        std::string line =
            "* " + std::to_string(number) + " FETCH (UID " + std::to_string(mail.uid);
        if (sized) line += " RFC822.SIZE " + std::to_string(text.size());
        line += whole ? " BODY[]" : nested ? " BODY[3." : " BODY[";
        if (!whole) line += "HEADER.FIELDS " + fields + "]";
        if (nested && mail.original.empty()) {
            say(line + " NIL)");
            continue;
        }
        say(line + " {" + std::to_string(literal.size()) + "}");
        say_raw(literal);
        say(")");
    }
    tell_exists();
    say(tag_ + " OK fetched");
}

}  // namespace postern::mail::courier::test
