#pragma once

#include "platform/net/http/server.h"
#include "platform/net/test_loop.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::net::http::test {

using net::test::Loop;
using net::test::soon;

/// A client that sends exactly what it is told to.
class Client {
public:
    Client(Loop& loop, std::uint16_t port, const std::string& address = "127.0.0.1") : loop_(loop) {
        Transport::Socket socket(loop.io);
        socket.connect({to_asio(*IpAddress::parse(address)), port});
        transport_ = std::make_shared<Transport>(std::move(socket));
    }

    void send(std::string_view bytes) { loop_.run(write(transport_, std::string(bytes))).value(); }
    /// Everything until the server closes.
    std::string read_to_end() { return loop_.run(read_while(transport_, {}, 1)).value(); }
    /// Until `mark` has come `times` times, or the server closes.
    std::string read_until(std::string mark, std::size_t times = 1) {
        return loop_.run(read_while(transport_, std::move(mark), times)).value();
    }
    std::string exchange(std::string_view bytes) {
        send(bytes);
        return read_to_end();
    }
    void close() { transport_->close(); }
    [[nodiscard]] const std::shared_ptr<Transport>& transport() const { return transport_; }

    static async::Task<> write(std::shared_ptr<Transport> transport, std::string bytes) {
        const auto sent = co_await transport->write_all(as_bytes(bytes));
        // A server that refuses may close before it has read everything.
        static_cast<void>(sent);
        co_return Result<>{};
    }
    static async::Task<std::string> read_while(std::shared_ptr<Transport> transport,
                                               std::string mark,
                                               std::size_t times) {
        std::string all;
        Bytes bytes(65536);
        std::size_t found = 0;
        std::size_t searched = 0;
        while (mark.empty() || found < times) {
            const auto got = co_await transport->read_some(bytes);
            if (!got || *got == 0) break;
            all += as_text(ByteView(bytes).first(*got));
            while (!mark.empty()) {
                const auto at = all.find(mark, searched);
                if (at == std::string::npos) break;
                searched = at + mark.size();
                ++found;
            }
        }
        co_return all;
    }

private:
    Loop& loop_;
    std::shared_ptr<Transport> transport_;
};

/// A server on 127.0.0.1 in the test's own loop. Its handler answers "METHOD path body".
class TestServer {
public:
    explicit TestServer(ServerOptions options = {}, Handlers handlers = {}) {
        if (options.listen.empty()) options.listen.push_back(loopback());
        if (!handlers.handle) handlers.handle = echo();
        server = std::make_unique<Server>(loop.io.get_executor(), std::move(options),
                                          std::move(handlers));
        server->start().value();
    }
    ~TestServer() { loop.run(server->stop(Deadline::in(std::chrono::milliseconds(0)))).value(); }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    static Listen loopback(bool tls = false) {
        return {
            .address = *IpAddress::parse("127.0.0.1"), .port = 0, .tls = tls, .optional = false};
    }
    Handler echo() {
        return [this](Request request) { return answer(this, std::move(request)); };
    }
    static boost::asio::awaitable<Response> answer(TestServer* self, Request request) {
        ++self->served;
        std::string text = request.method;
        text += ' ';
        text += request.path();
        text += ' ';
        text += as_text({request.body.data(), request.body.size()});
        co_return text_response(200, text);
    }
    [[nodiscard]] std::uint16_t port() const { return server->listening().front().port; }
    Client client() { return {loop, port()}; }
    std::string exchange(std::string_view bytes) { return client().exchange(bytes); }

    Loop loop;
    int served = 0;
    std::unique_ptr<Server> server;
};

inline std::size_t count(std::string_view text, std::string_view mark) {
    std::size_t found = 0;
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
        ++found;
    }
    return found;
}

inline std::string status_of(std::string_view answer) {
    return std::string(answer.substr(0, std::min<std::size_t>(12, answer.size())));
}

}  // namespace postern::net::http::test
