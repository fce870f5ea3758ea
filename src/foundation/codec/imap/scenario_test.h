#pragma once

#include "foundation/codec/imap/client.h"

#include <gtest/gtest.h>
#include <functional>
#include <string>
#include <vector>

namespace postern::imap {

inline std::string describe_answer(const Result<Done>& answer) {
    return answer ? "done" : "error " + std::string(answer.error().code());
}
template <typename T, typename F>
std::string describe_answer(const Result<T>& answer, F text_of) {
    return answer ? text_of(*answer) : "error " + std::string(answer.error().code());
}

/// A scripted exchange: what the server says, what the client must say, which command starts and
/// what its answer looks like. Run whole, byte by byte, and cut off at every byte.
class Scenario {
public:
    explicit Scenario(ClientOptions options = {.tls = true,
                                               .allow_plaintext_sign_in = false,
                                               .limits = {}})
        : options_(options) {}

    Scenario& server(std::string text) { return add({Kind::server, std::move(text), {}, {}}); }
    Scenario& client(std::string text) { return add({Kind::client, std::move(text), {}, {}}); }
    Scenario& start(std::function<Result<>(Client&)> action) {
        return add({Kind::start, {}, std::move(action), {}});
    }
    /// Everything a server step led to; must be an error where that step was cut short.
    Scenario& answer(std::string expected, std::function<std::string(Client&)> look) {
        return add({Kind::answer, std::move(expected), {}, std::move(look)});
    }
    Scenario& done() {
        return answer("done", [](Client& c) { return describe_answer(c.take<Done>()); });
    }
    Scenario& status(Client::Status expected) {
        return add({Kind::start,
                    {},
                    [expected](Client& c) -> Result<> {
                        EXPECT_EQ(c.status(), expected);
                        return {};
                    },
                    {}});
    }
    /// Greeting, sign-in and EXAMINE of a folder with 3 mails; tags A and B are used up.
    Scenario& open_folder(const std::string& capabilities) {
        server("* OK [CAPABILITY " + capabilities + "] ready\r\n");
        start([](Client& c) { return c.sign_in("ada", Secret::copy_of(as_bytes("pw"))); });
        client("A AUTHENTICATE PLAIN AGFkYQBwdw==\r\n");
        server("A OK [CAPABILITY " + capabilities + "] in\r\n").done();
        start([](Client& c) { return c.examine(*FolderName::from_utf8("INBOX")); });
        client("B EXAMINE \"INBOX\"\r\n");
        server(
            "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 44] n\r\n"
            "B OK [READ-ONLY] done\r\n");
        return answer("3 7 44", [](Client& c) {
            return describe_answer(c.take<FolderState>(), [](const FolderState& s) {
                return std::to_string(s.exists.value_or(0)) + ' ' +
                       std::to_string(s.uid_validity.value_or(0)) + ' ' +
                       std::to_string(s.uid_next.value_or(0));
            });
        });
    }

    /// Whole, in chunks of 1, 2 and 7 bytes, and cut off at every byte.
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
    enum class Kind { server, client, start, answer };
    struct Step {
        Kind kind;
        std::string text;
        std::function<Result<>(Client&)> action;
        std::function<std::string(Client&)> look;
    };
    static constexpr std::size_t k_never = static_cast<std::size_t>(-1);

    Scenario& add(Step step) {
        steps_.push_back(std::move(step));
        return *this;
    }
    static void feed(Client& client, std::string_view text, std::size_t chunk) {
        while (!text.empty()) {
            const std::string_view part = chunk == 0 ? text : text.substr(0, chunk);
            if (!client.receive(as_bytes(part))) return;
            text.remove_prefix(part.size());
        }
    }
    static std::string all_output(Client& client) {
        std::string out;
        for (WipedBytes part = client.take_output(); !part.empty(); part = client.take_output()) {
            out += as_text(part);
        }
        return out;
    }
    /// Cuts the connection off after `cut` bytes of the server.
    void play(std::size_t chunk, std::size_t cut) const {
        SCOPED_TRACE("chunk " + std::to_string(chunk) + " cut " + std::to_string(cut));
        Client client(options_);
        bool lost = false;
        for (const Step& step : steps_) {
            if (step.kind == Kind::server) {
                const std::string_view said = std::string_view(step.text).substr(0, cut);
                lost = said.size() < step.text.size();
                if (cut != k_never) cut -= said.size();
                feed(client, said, chunk);
                if (lost) client.connection_lost();
            } else if (step.kind == Kind::client) {
                if (!lost) {
                    EXPECT_EQ(all_output(client), step.text);
                }
            } else if (step.kind == Kind::start) {
                if (lost) break;
                const auto started = step.action(client);
                EXPECT_TRUE(started) << (started ? "" : started.error().detail());
            } else if (lost) {
                EXPECT_TRUE(step.look(client).starts_with("error"));
                break;
            } else {
                EXPECT_EQ(step.look(client), step.text);
            }
        }
        if (lost) {
            EXPECT_EQ(client.status(), Client::Status::closed);
        }
    }

    ClientOptions options_;
    std::vector<Step> steps_;
};

}  // namespace postern::imap
