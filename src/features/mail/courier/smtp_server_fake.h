#pragma once

#include "features/mail/courier/link_fake.h"

#include <map>
#include <memory>
#include <string>

namespace postern::mail::courier::test {

/// What SMTP connections say and saw.
struct FakeSubmission {
    /// By the start of the client's line ("greeting", "EHLO", "MAIL", ..., "DOT" for the end of the
    /// mail); "" breaks the connection.
    std::map<std::string, std::string> replies{
        {"greeting", "220 ready"}, {"EHLO", "250-fake\r\n250-STARTTLS\r\n250 AUTH PLAIN"},
        {"STARTTLS", "220 go"},    {"AUTH", "235 2.7.0 in"},
        {"MAIL", "250 2.1.0 ok"},  {"RCPT", "250 2.1.5 ok"},
        {"DATA", "354 go on"},     {"DOT", "250 2.0.0 queued as <abc>"},
        {"QUIT", "221 bye"},
    };
    std::string mail;
    int dots = 0;
    int connections = 0;
    std::function<void(const std::string& step)> before;
};

class FakeSmtpServer final : public FakeServer {
public:
    FakeSmtpServer(const boost::asio::any_io_executor& executor,
                   std::shared_ptr<FakeSubmission> submission)
        : FakeServer(executor), submission_(std::move(submission)) {}

    void greet() override {
        ++submission_->connections;
        reply("greeting");
    }
    void on_line(const std::string& line) override {
        if (in_data_) return on_data(line);
        const auto step = line.substr(0, std::min(line.find_first_of(" :"), line.size()));
        in_data_ = step == "DATA" && submission_->replies["DATA"].starts_with("354");
        reply(step);
    }

private:
    void on_data(const std::string& line) {
        if (line != ".") {
            submission_->mail += line + "\r\n";
            return;
        }
        in_data_ = false;
        ++submission_->dots;
        reply("DOT");
    }
    void reply(const std::string& step) {
        if (submission_->before) submission_->before(step);
        const auto& text = submission_->replies[step];
        if (text.empty()) return close();
        say(text);
    }

    std::shared_ptr<FakeSubmission> submission_;
    bool in_data_ = false;
};

}  // namespace postern::mail::courier::test
