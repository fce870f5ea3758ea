#pragma once

#include "foundation/codec/smtp/client.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::smtp {

inline std::string describe_outcome(const std::optional<Outcome>& outcome) {
    if (!outcome) return "none";
    std::string out = std::string(name_of(outcome->verdict)) + ' ' + name_of(outcome->stage) + ' ' +
                      std::to_string(outcome->reply.code);
    if (outcome->reply.enhanced) {
        const EnhancedCode& e = *outcome->reply.enhanced;
        out += ' ' + std::to_string(e.status_class) + '.' + std::to_string(e.subject) + '.' +
               std::to_string(e.detail);
    }
    for (const RefusedRecipient& refused : outcome->refused) {
        out +=
            " [" + std::to_string(refused.index) + ' ' + std::to_string(refused.reply.code) + ']';
    }
    return out;
}

inline std::string all_output(Client& client) {
    std::string out;
    for (WipedBytes part = client.take_output(); !part.empty(); part = client.take_output()) {
        out += as_text(part);
    }
    return out;
}

/// Gives `text` out in pieces of at most `step` bytes.
inline MailSource mail_of(std::string text, std::size_t step = 5) {
    auto left = std::make_shared<std::string>(std::move(text));
    return [left, step](std::span<std::uint8_t> room) -> Result<std::size_t> {
        const std::size_t n = std::min({room.size(), left->size(), step});
        std::memcpy(room.data(), left->data(), n);
        left->erase(0, n);
        return n;
    };
}

inline Envelope envelope_to(const std::vector<std::string>& recipients) {
    Envelope out{.from = *Address::parse("ada@example.org"), .recipients = {}, .mail_bytes = 8};
    for (const std::string& text : recipients) {
        out.recipients.push_back(*Address::parse(text));
    }
    return out;
}

/// A scripted exchange, run whole, in small pieces, and cut off at every byte of the server: then
/// a mail is never delivered, and unknown exactly when its final dot was on its way.
class Scenario {
public:
    explicit Scenario(ClientOptions options = {.tls = true}) : options_(std::move(options)) {}

    Scenario& server(std::string text) { return add({Kind::server, std::move(text), {}}); }
    Scenario& client(std::string text) { return add({Kind::client, std::move(text), {}}); }
    Scenario& outcome(std::string text) { return add({Kind::outcome, std::move(text), {}}); }
    Scenario& start(std::function<Result<>(Client&)> action) {
        return add({Kind::start, {}, std::move(action)});
    }
    Scenario& status(Client::Status expected) {
        return start([expected](Client& c) -> Result<> {
            EXPECT_EQ(c.status(), expected);
            return {};
        });
    }
    Scenario& dot() {
        status(Client::Status::before_final_dot);
        add({Kind::dot, {}, [](Client& c) { return c.send_final_dot(); }});
        return client(".\r\n");
    }
    Scenario& greet(const std::string& extensions) {
        server("220 mx.example.org ESMTP\r\n").client("EHLO localhost\r\n");
        return server("250-mx.example.org\r\n" + extensions).status(Client::Status::ready);
    }
    Scenario& send(const std::vector<std::string>& to, const std::string& mail, bool all = true) {
        return start([to, mail, all](Client& c) {
            Envelope envelope = envelope_to(to);
            envelope.all_recipients_or_none = all;
            return c.send(std::move(envelope), mail_of(mail));
        });
    }

    void run() const {
        play(0, k_never);
        for (const std::size_t chunk : {1, 2, 7}) {
            play(chunk, k_never);
        }
        std::size_t total = 0;
        for (const Step& step : steps_) {
            if (step.kind == Kind::server) total += step.text.size();
        }
        for (std::size_t cut = 0; cut < total && !testing::Test::HasFailure(); ++cut) {
            play(0, cut);
            play(1, cut);
        }
    }

private:
    enum class Kind { server, client, start, dot, outcome };
    struct Step {
        Kind kind;
        std::string text;
        std::function<Result<>(Client&)> action;
    };
    static constexpr std::size_t k_never = static_cast<std::size_t>(-1);

    Scenario& add(Step step) {
        steps_.push_back(std::move(step));
        return *this;
    }
    static void feed(Client& client, std::string_view text, std::size_t chunk) {
        while (!text.empty()) {
            const std::string_view part = chunk == 0 ? text : text.substr(0, chunk);
            client.receive(as_bytes(part));
            text.remove_prefix(part.size());
        }
    }
    static void expect_lost(Client& client, bool dot_sent) {
        client.connection_lost();
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_TRUE(client.take_output().empty());
        const auto outcome = client.take_outcome();
        ASSERT_TRUE(outcome);
        EXPECT_EQ(outcome->verdict, dot_sent ? Verdict::unknown : Verdict::broken);
        EXPECT_EQ(outcome->stage == Stage::final_dot, dot_sent);
        EXPECT_TRUE(outcome->error->is(SmtpError::connection_closed_by_server));
    }
    /// Cuts the connection off after `cut` bytes of the server.
    void play(std::size_t chunk, std::size_t cut) const {
        SCOPED_TRACE("chunk " + std::to_string(chunk) + " cut " + std::to_string(cut));
        Client client(options_);
        bool dot_sent = false;
        for (const Step& step : steps_) {
            SCOPED_TRACE(step.text);
            if (step.kind == Kind::server) {
                const std::string_view said = std::string_view(step.text).substr(0, cut);
                if (cut != k_never) cut -= said.size();
                feed(client, said, chunk);
                if (said.size() < step.text.size()) return expect_lost(client, dot_sent);
            } else if (step.kind == Kind::client) {
                EXPECT_EQ(all_output(client), step.text);
            } else if (step.kind == Kind::outcome) {
                EXPECT_EQ(describe_outcome(client.take_outcome()), step.text);
                dot_sent = false;
            } else {
                EXPECT_TRUE(step.action(client));
                dot_sent = step.kind == Kind::dot;
            }
        }
    }

    ClientOptions options_;
    std::vector<Step> steps_;
};

}  // namespace postern::smtp
