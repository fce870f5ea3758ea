#pragma once

#include "features/mail/courier/link_fake.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::courier::test {

struct FakeMail {
    std::uint32_t uid = 0;
    std::string header;
    std::string body;
    std::string original;  ///< header of the mail that its third part is; empty: it is none
};
struct FakeFolder {
    std::string attributes;
    std::uint32_t uid_validity = 1000;
    std::uint32_t uid_next = 1;
    std::vector<FakeMail> mails;
};

class FakeImapServer;

/// What lies at the server; connections come and go.
struct FakeMailbox {
    std::map<std::string, FakeFolder> folders{
        {"INBOX", {}}, {"Junk", {"\\Junk", 2000, 1, {}}}, {"Sent", {"\\Sent", 3000, 1, {}}}};
    std::string capabilities = "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED SPECIAL-USE";
    std::string sign_in_answer = "OK signed in";
    std::string search_answer;  ///< instead of searching: "NO ..."
    bool search_finds_all = false;
    std::vector<std::uint32_t> since_finds;
    bool exists_before_plus = false;
    bool refuses_notify = false;
    bool overflows_at_once = false;
    bool refuses_missing_parts = false;
    std::set<std::uint32_t> refuses_headers_of;
    std::set<std::uint32_t> refuses_bodies_of;
    std::string refusal = "NO [SERVERBUG] Internal error occurred";
    bool mute = false;  ///< half-open: nothing comes back
    long cut_after = -1;
    std::weak_ptr<FakeImapServer> connection;  ///< the newest

    /// Called with each command before it is answered, and after.
    std::function<void(const std::string& command)> before;
    std::function<void(const std::string& command)> after;

    std::vector<std::string> commands;  ///< of all connections, without tags
    std::set<std::uint32_t> headers_fetched;
    std::set<std::uint32_t> bodies_fetched;
    int connections = 0;

    std::uint32_t deliver(const std::string& folder, std::string header, std::string body = "b");
    void expunge(const std::string& folder, std::uint32_t uid);
    [[nodiscard]] std::size_t count(std::string_view command_prefix) const;
};

/// As much of an IMAP server as courier talks to. New mail is told at once in IDLE, else at the end
/// of the next command, as real ones do.
class FakeImapServer final : public FakeServer {
public:
    FakeImapServer(const boost::asio::any_io_executor& executor,
                   std::shared_ptr<FakeMailbox> mailbox)
        : FakeServer(executor), mailbox_(std::move(mailbox)) {}

    void greet() override;
    void on_line(const std::string& line) override;
    void on_bytes(std::string literal) override;
    /// Something changed in the mailbox.
    void notice();
    void notice_other(const std::string& folder);
    /// RFC 5465: it stops to tell.
    void overflow();
    void notice_expunge(const std::string& folder, std::size_t position);

private:
    void answer(const std::string& command);
    void status(const std::string& folder);
    void examine(const std::string& folder);
    void search(const std::string& command);
    [[nodiscard]] bool refuses(const std::string& set, bool whole, bool nested);
    void fetch(const std::string& command);
    void tell_exists();
    void tell_news();
    void notify(const std::string& command);
    FakeFolder* selected();

    std::shared_ptr<FakeMailbox> mailbox_;
    std::string selected_;
    std::size_t told_exists_ = 0;
    std::string tag_;
    bool idling_ = false;
    std::string append_to_;
    std::set<std::string> notified_;
    std::set<std::string> news_;
};

}  // namespace postern::mail::courier::test
