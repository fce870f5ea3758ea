#pragma once

#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/net/http/request_parser.h"
#include "platform/net/http/response.h"
#include "platform/net/http/server_core.h"
#include "platform/net/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace postern::net::http {

/// One connection: reads requests, asks the handlers, writes answers, one after the other.
/// Internal to platform/net/http. Its times are kept by the server's sweep, which costs a request
/// nothing: each wait only notes until when it may last.
class Session : public std::enable_shared_from_this<Session> {
public:
    enum class Phase { idle, head, body, handling, writing, streaming };

    Session(std::shared_ptr<ServerCore> core, Transport::Socket socket, IpAddress peer);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    static async::Job run(std::shared_ptr<Session> self, std::optional<TlsContext> tls);

    /// Ends the wait when its time is over.
    void expire_if_late(Deadline::SteadyClock::time_point now);
    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    [[nodiscard]] Deadline::SteadyClock::time_point until() const noexcept { return until_; }
    /// Ends it at once where nothing is in flight; else after the answer.
    void wind_up();
    void end_stream();

private:
    using Step = boost::asio::awaitable<bool>;  ///< false: the connection ends
    class Writer;
    class StreamEnd;

    Step read_head();
    Step read_body();
    Step fill();
    Step flush(ByteView more = {});
    async::Job serve();
    async::Job answer();
    async::Job send_stream(Response response);
    async::Job watch_client();
    async::Job linger();
    boost::asio::awaitable<Response> call_handler();
    static async::Job run_stream(std::shared_ptr<Session> self, StreamBody body);

    bool begin_request(std::size_t head_size);
    bool take_body();
    std::optional<Response> try_fast();
    void append_answer(Response response);
    void refuse(Refusal why);
    Response internal_error(std::string_view what);
    void enter(Phase phase, std::chrono::milliseconds time, std::uint64_t bytes = 0);
    void enter_unbounded(Phase phase);
    bool make_room();
    void consume(std::size_t count);
    void give_back_buffers();
    void release_body();
    [[nodiscard]] ByteView unread() const;

    std::shared_ptr<ServerCore> core_;
    Transport transport_;
    IpAddress peer_;
    async::TaskGroup streams_;

    WipedBytes in_;
    std::size_t in_begin_ = 0;
    std::size_t in_end_ = 0;
    WipedBytes out_;
    HeadScanner scanner_;
    RequestParser parser_;
    Request request_;
    HeadFacts facts_;
    std::uint64_t body_bytes_max_ = 0;
    std::uint64_t body_bytes_counted_ = 0;

    Phase phase_ = Phase::head;
    Deadline::SteadyClock::time_point until_;
    bool had_request_ = false;
    bool is_head_method_ = false;
    bool expired_ = false;
    bool ending_ = false;     ///< after this answer
    bool lingering_ = false;  ///< there may be input that nobody will read
    bool stream_done_ = false;
    bool stream_good_ = false;
    bool stream_broken_ = false;  ///< a chunk was begun and not ended
};

/// The answer that the server itself gives.
[[nodiscard]] Response error_answer(const ServerCore& core, Refusal why, std::uint64_t request_id);

}  // namespace postern::net::http
