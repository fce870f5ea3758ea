#include "platform/net/http/session.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "platform/async/task.h"
#include "platform/net/http/response_writer.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace postern::net::http {

using SteadyClock = Deadline::SteadyClock;

Session::Session(std::shared_ptr<ServerCore> core, Transport::Socket socket, IpAddress peer)
    : core_(std::move(core)),
      transport_(std::move(socket)),
      peer_(peer),
      streams_(core_->executor),
      scanner_(core_->options.limits) {
    enter(Phase::head, core_->options.limits.head_time);
}

Session::~Session() {
    release_body();
}

async::Job Session::run(std::shared_ptr<Session> self, std::optional<TlsContext> tls) {
    const Live live(self->core_);
    const Listed listed(*self->core_, *self);
    if (tls) {
        auto shaking = self->transport_.handshake_as_server(std::move(*tls));
        const auto secured = co_await std::move(shaking);
        if (!secured) co_return;
    }
    co_await self->serve();
    self->transport_.close();
}

async::Job Session::serve() {
    while (true) {
        const bool has_head = co_await read_head();
        if (!has_head) break;
        if (!parser_.is_done()) {
            const bool has_body = co_await read_body();
            if (!has_body) break;
        }
        if (auto quick = try_fast()) {
            append_answer(std::move(*quick));
        } else {
            co_await answer();
        }
        release_body();
        if (ending_) break;
        if (out_.size() > k_batch_bytes_max) {
            const bool written = co_await flush();
            if (!written) co_return;
        }
    }
    const bool written = co_await flush();
    if (written && lingering_) co_await linger();
}

Session::Step Session::read_head() {
    const Limits& limits = core_->options.limits;
    while (true) {
        const auto size = scanner_.scan(as_text(unread()));
        if (!size) {
            refuse(size.error());
            co_return false;
        }
        if (*size != 0) co_return begin_request(*size);
        if (!out_.empty()) {
            const bool written = co_await flush();
            if (!written) co_return false;
        }
        if (!unread().empty()) {
            if (phase_ != Phase::head) enter(Phase::head, limits.head_time);
        } else {
            if (core_->stopping) co_return false;
            give_back_buffers();
            if (had_request_) enter(Phase::idle, limits.idle_time);
        }
        const bool more = co_await fill();
        if (!more) {
            if (expired_ && !unread().empty()) refuse(k_timed_out);
            co_return false;
        }
    }
}

bool Session::begin_request(std::size_t head_size) {
    const auto facts = parser_.begin(as_text(unread()).substr(0, head_size), request_);
    request_.id = core_->make_request_id();
    ++core_->stats.requests_total;
    if (!facts) {
        refuse(facts.error());
        return false;
    }
    facts_ = *facts;
    consume(head_size);
    scanner_.restart();
    had_request_ = true;
    is_head_method_ = request_.method == "HEAD";
    ending_ = core_->stopping || !facts_.keep_alive;

    auto origin =
        resolve_origin(core_->options.proxies, peer_, transport_.is_tls(), request_.headers);
    request_.peer = {.address = origin.address, .is_loopback = origin.address.is_loopback()};
    request_.secure = origin.secure;
    request_.host = std::move(origin.host);

    if (parser_.is_done()) return true;
    const auto& ask = core_->handlers.body_limit;
    body_bytes_max_ =
        ask ? ask(request_.method, request_.path()) : core_->options.limits.body_bytes_max;
    if (facts_.content_length <= body_bytes_max_) return true;
    refuse(k_body_too_large);
    return false;
}

Session::Step Session::read_body() {
    const Limits& limits = core_->options.limits;
    if (facts_.expects_continue && unread().empty()) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
        const bool written = co_await flush();
        if (!written) co_return false;
    }
    enter(Phase::body, limits.body_time);
    const auto begun = until_;
    while (true) {
        if (!take_body()) co_return false;
        if (parser_.is_done()) co_return true;
        // A sender of bytes_per_s_min is never late, however large the body.
        until_ = begun + std::chrono::seconds(request_.body.size() / limits.bytes_per_s_min);
        const bool more = co_await fill();
        if (!more) {
            if (expired_) refuse(k_timed_out);
            co_return false;
        }
    }
}

bool Session::take_body() {
    if (unread().empty()) return true;
    const auto progress = parser_.take(unread(), request_, body_bytes_max_);
    consume(progress.consumed);
    const auto grown = request_.body.size() - body_bytes_counted_;
    body_bytes_counted_ += grown;
    core_->bodies_bytes += grown;
    if (progress.refusal) refuse(*progress.refusal);
    if (progress.refusal) return false;
    const Limits& limits = core_->options.limits;
    if (core_->bodies_bytes <= limits.bodies_bytes_max) return true;
    if (request_.body.size() <= limits.small_body_bytes_max) return true;
    refuse(k_busy);
    return false;
}

std::optional<Response> Session::try_fast() {
    if (!core_->handlers.fast) return std::nullopt;
    try {
        return core_->handlers.fast(request_);
    } catch (const std::exception& exception) {
        return internal_error(exception.what());
    }
}

async::Job Session::answer() {
    // What was answered before does not wait for this one.
    if (!out_.empty()) {
        const bool written = co_await flush();
        if (!written) {
            ending_ = true;
            co_return;
        }
    }
    enter_unbounded(Phase::handling);
    auto asking = call_handler();
    auto response = co_await std::move(asking);
    if (response.stream && is_writable(response)) {
        auto streaming = send_stream(std::move(response));
        co_await std::move(streaming);
    } else if (response.body.size() <= k_batch_bytes_max || is_head_method_) {
        append_answer(std::move(response));
    } else {
        auto body = std::move(response.body);
        response.body.clear();
        if (!is_writable(response)) response = internal_error("the answer's head is not valid");
        append_head(out_, response, {.keep_alive = !ending_, .body_size = body.size()});
        const bool written = co_await flush(as_bytes(body));
        wipe(body.data(), body.size());
        if (!written) ending_ = true;
    }
}

boost::asio::awaitable<Response> Session::call_handler() {
    std::string problem;
    try {
        auto running = core_->handlers.handle(std::move(request_));
        auto response = co_await std::move(running);
        co_return response;
    } catch (const std::exception& exception) {
        if (core_->aborting) throw;
        problem = exception.what();
    }
    co_return internal_error(problem);
}

void Session::append_answer(Response response) {
    if (!is_writable(response)) response = internal_error("the answer's head is not valid");
    append_head(out_, response, {.keep_alive = !ending_, .body_size = response.body.size()});
    const bool bodiless = is_head_method_ || response.status == 204 || response.status == 304;
    if (!bodiless) out_.append(response.body);
    wipe(response.body.data(), response.body.size());
}

Response Session::internal_error(std::string_view what) {
    log(LogLevel::error, "request_failed",
        {LogField::sanitised("incident", request_id_text(request_.id)),
         LogField::sanitised("what", what)});
    return error_answer(*core_, k_internal, request_.id);
}

void Session::refuse(Refusal why) {
    if (why.status != 408 && why.status != 503) ++core_->stats.requests_malformed;
    ending_ = true;
    lingering_ = true;
    is_head_method_ = false;
    append_answer(error_answer(*core_, why, request_.id));
}

Response error_answer(const ServerCore& core, Refusal why, std::uint64_t request_id) {
    const auto incident = request_id_text(request_id);
    Response response;
    if (core.handlers.error_answer) {
        response = core.handlers.error_answer(why.status, why.code, incident);
    } else {
        response = text_response(why.status, why.code);
    }
    response.status = why.status;
    return response;
}

Session::Step Session::fill() {
    if (!make_room()) co_return false;
    auto reading = transport_.read_some({in_.data() + in_end_, in_.size() - in_end_});
    const auto got = co_await std::move(reading);
    if (!got || *got == 0) co_return false;
    in_end_ += *got;
    co_return true;
}

Session::Step Session::flush(ByteView more) {
    ByteView data(out_.data(), out_.size());
    auto want = Transport::Want::nothing;
    auto put = transport_.try_write(data, more, want);
    bool good = put.has_value();
    if (good && *put < data.size() + more.size()) {
        const auto of_data = std::min(*put, data.size());
        data = data.subspan(of_data);
        more = more.subspan(*put - of_data);
        enter(Phase::writing, core_->options.limits.write_time, data.size() + more.size());
        auto writing = transport_.write_all(data, more);
        const auto written = co_await std::move(writing);
        good = written.has_value();
    }
    out_.clear();
    co_return good;
}

async::Job Session::linger() {
    transport_.finish_writing();
    expired_ = false;
    enter(Phase::writing, core_->options.limits.linger_time);
    std::size_t dropped = 0;
    while (dropped < k_linger_bytes_max) {
        consume(unread().size());
        const bool more = co_await fill();
        if (!more) co_return;
        dropped += unread().size();
    }
}

void Session::enter(Phase phase, std::chrono::milliseconds time, std::uint64_t bytes) {
    phase_ = phase;
    const auto extra = std::chrono::seconds(bytes / core_->options.limits.bytes_per_s_min);
    until_ = SteadyClock::now() + time + extra;
}

void Session::enter_unbounded(Phase phase) {
    phase_ = phase;
    until_ = SteadyClock::time_point::max();
}

void Session::expire_if_late(SteadyClock::time_point now) {
    if (now < until_) return;
    expired_ = true;
    until_ = SteadyClock::time_point::max();
    transport_.cancel();
}

void Session::wind_up() {
    ending_ = true;
    const bool waiting = phase_ == Phase::idle || (phase_ == Phase::head && unread().empty());
    if (waiting) transport_.cancel();
    if (phase_ == Phase::streaming) streams_.cancel();
}

void Session::end_stream() {
    streams_.cancel();
    transport_.cancel();
}

ByteView Session::unread() const {
    return ByteView(in_.data(), in_.size()).subspan(in_begin_, in_end_ - in_begin_);
}

bool Session::make_room() {
    if (in_end_ < in_.size()) return true;
    if (in_begin_ > 0) {
        std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
        in_end_ -= in_begin_;
        wipe(in_.data() + in_end_, in_begin_);
        in_begin_ = 0;
        return true;
    }
    const auto most = core_->options.limits.head_bytes_max;
    if (in_.size() >= most) return false;
    in_.resize(std::min(most, std::max(k_buffer_bytes_idle, in_.size() * 4)));
    return true;
}

void Session::consume(std::size_t count) {
    wipe(in_.data() + in_begin_, count);
    in_begin_ += count;
    if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
}

void Session::give_back_buffers() {
    if (in_.size() > k_buffer_bytes_idle) in_ = WipedBytes();
    if (out_.capacity() > k_buffer_bytes_idle) out_ = WipedBytes();
}

void Session::release_body() {
    core_->bodies_bytes -= body_bytes_counted_;
    body_bytes_counted_ = 0;
    if (request_.body.capacity() > 0) request_.body = WipedBytes();
}

}  // namespace postern::net::http
