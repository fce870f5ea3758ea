#pragma once

#include "features/mail/courier/mail_link.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"
#include "platform/net/net_error.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {

/// A mail server without a socket: gets lines, says bytes. One object per connection.
class FakeServer {
public:
    explicit FakeServer(const boost::asio::any_io_executor& executor) : changed_(executor) {}
    virtual ~FakeServer() = default;
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    virtual void greet() = 0;
    virtual void on_line(const std::string& line) = 0;
    /// A literal or a mail's body, when `awaits_bytes` was set.
    virtual void on_bytes(std::string) {}

    void say(const std::string& line) {
        if (closed_) return;
        if (lines_left_ == 0) return close();
        if (lines_left_ > 0) --lines_left_;
        ++lines_said;
        to_client_ += line + "\r\n";
        changed_.set();
    }
    void say_raw(const std::string& bytes) {
        if (closed_) return;
        to_client_ += bytes;
        changed_.set();
    }
    void close() {
        closed_ = true;
        changed_.set();
    }
    /// The connection breaks instead of the line after these.
    void cut_after(long lines) { lines_left_ = lines; }

    void receive(std::string_view bytes) {
        from_client += bytes;
        pending_ += bytes;
        while (!closed_) {
            if (awaits_bytes > 0) {
                if (pending_.size() < awaits_bytes) return;
                const auto count = std::exchange(awaits_bytes, 0);
                on_bytes(pending_.substr(0, count));
                pending_.erase(0, count);
                continue;
            }
            const auto end = pending_.find("\r\n");
            if (end == std::string::npos) return;
            const std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 2);
            on_line(line);
        }
    }

    std::string from_client;
    std::size_t awaits_bytes = 0;
    long lines_said = 0;
    bool closed_by_client = false;
    bool tls = false;
    std::optional<Error> tls_error;

private:
    friend class FakeLink;
    async::Signal changed_;
    std::string to_client_;
    std::string pending_;
    bool closed_ = false;
    bool interrupted_ = false;
    long lines_left_ = -1;
};

class FakeLink final : public MailLink {
public:
    explicit FakeLink(std::shared_ptr<FakeServer> server) : server_(std::move(server)) {}
    ~FakeLink() override { close(); }

    async::Task<std::size_t> read_some(std::span<std::uint8_t> into, Deadline deadline) override {
        const auto server = server_;
        while (true) {
            if (server->closed_by_client || std::exchange(server->interrupted_, false)) {
                co_return fail(async::AsyncError::cancelled);
            }
            const auto count = std::min(into.size(), server->to_client_.size());
            if (count != 0) {
                std::memcpy(into.data(), server->to_client_.data(), count);
                server->to_client_.erase(0, count);
                co_return count;
            }
            if (server->closed_) co_return std::size_t{0};
            const auto waited = co_await server->changed_.wait(deadline);
            if (!waited && waited.error().is(async::AsyncError::deadline_passed)) {
                co_return fail(net::NetError::timed_out);
            }
            if (!waited) co_return fail(waited.error());
        }
    }
    async::Task<> write_all(WipedBytes data, Deadline) override {
        if (server_->closed_by_client || server_->closed_) {
            co_return fail(net::NetError::closed_by_peer);
        }
        server_->receive(as_text(ByteView(data.data(), data.size())));
        co_return Result<>{};
    }
    async::Task<> start_tls(Deadline) override {
        if (server_->tls_error) co_return fail(*server_->tls_error);
        server_->tls = true;
        co_return Result<>{};
    }
    void interrupt() override {
        server_->interrupted_ = true;
        server_->changed_.set();
    }
    void close() override {
        server_->closed_by_client = true;
        server_->changed_.set();
    }
    std::string tls_version() const override { return server_->tls ? "TLSv1.3" : ""; }

private:
    std::shared_ptr<FakeServer> server_;
};

/// Answers each connection to a host with what was put there for it; the last one stays.
class FakeConnector final : public MailConnector {
public:
    using Make = std::function<Result<std::shared_ptr<FakeServer>>()>;
    std::map<std::string, Make> hosts;
    std::vector<std::string> connected;

    async::Task<std::unique_ptr<MailLink>> connect(MailHost host, std::string, Deadline) override {
        connected.push_back(host.host);
        auto server = hosts.at(host.host)();
        if (!server) co_return fail(server.error());
        (*server)->tls = host.tls == TlsUse::implicit;
        (*server)->greet();
        std::unique_ptr<MailLink> link = std::make_unique<FakeLink>(*server);
        co_return link;
    }
};

}  // namespace postern::mail::courier::test
