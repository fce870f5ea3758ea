#include "foundation/base/bytes.h"
#include "platform/async/task.h"
#include "platform/net/http/response_writer.h"
#include "platform/net/http/session.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net::http {
namespace {

std::string_view hexadecimal(std::size_t number, std::array<char, 16>& into) {
    const auto end = std::to_chars(into.data(), into.data() + into.size(), number, 16).ptr;
    return {into.data(), static_cast<std::size_t>(end - into.data())};
}

}  // namespace

class Session::Writer final : public BodyWriter {
public:
    explicit Writer(Session& session) : session_(session) {}

    async::Task<> write(std::string data) override {
        if (data.empty()) co_return Result<>{};  // an empty chunk would be the last one
        WipedBytes frame;
        frame.reserve(data.size() + 24);
        const bool chunked = !session_.facts_.is_http_1_0;
        std::array<char, 16> digits{};
        if (chunked) {
            frame.append(hexadecimal(data.size(), digits));
            frame.append("\r\n");
        }
        frame.append(data);
        wipe(data.data(), data.size());
        if (chunked) frame.append("\r\n");

        session_.enter(Phase::streaming, session_.core_->options.limits.write_time, frame.size());
        session_.stream_broken_ = true;
        auto writing = session_.transport_.write_all({frame.data(), frame.size()});
        auto written = co_await std::move(writing);
        session_.enter_unbounded(Phase::streaming);
        if (written) session_.stream_broken_ = false;
        co_return written;
    }

private:
    Session& session_;
};

/// Says that the stream is over, however it ended, and wakes the session that watches the client.
class Session::StreamEnd {
public:
    explicit StreamEnd(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    ~StreamEnd() {
        session_->stream_done_ = true;
        session_->transport_.cancel();
    }
    StreamEnd(const StreamEnd&) = delete;
    StreamEnd& operator=(const StreamEnd&) = delete;

private:
    std::shared_ptr<Session> session_;
};

async::Job Session::run_stream(std::shared_ptr<Session> self, StreamBody body) {
    const Live live(self->core_);
    const StreamEnd end(self);
    Writer writer(*self);
    auto running = body(writer);
    const auto outcome = co_await std::move(running);
    self->stream_good_ = outcome.has_value();
}

async::Job Session::send_stream(Response response) {
    const auto framing = facts_.is_http_1_0 ? Framing::until_close : Framing::chunked;
    append_head(out_, response, {.framing = framing, .keep_alive = !ending_});
    if (is_head_method_) co_return;
    const bool written = co_await flush();
    if (!written) {
        ending_ = true;
        co_return;
    }
    stream_done_ = stream_good_ = stream_broken_ = false;
    enter_unbounded(Phase::streaming);
    streams_.spawn("http_stream", run_stream(shared_from_this(), std::move(response.stream)));
    co_await watch_client();
    if (!stream_done_) {
        streams_.cancel();
        co_await streams_.join();
    }
    const bool whole = (stream_good_ || core_->stopping) && !stream_broken_ && !expired_;
    if (whole && framing == Framing::chunked) out_.append("0\r\n\r\n");
    if (!whole) ending_ = true;
}

async::Job Session::watch_client() {
    while (!stream_done_) {
        const bool more = co_await fill();
        if (!more) co_return;
    }
}

}  // namespace postern::net::http
