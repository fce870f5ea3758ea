#pragma once

#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/wire.h"

#include <functional>
#include <unordered_map>
#include <utility>

namespace postern::ipc {

/// A method of a protocol is a struct:
///     struct Unlock {
///         static constexpr std::uint16_t k_method = 7;
///         using Answer = Lease;          // has wire()
///         using Failure = VaultError;    // errors of this enum keep their meaning on the way
///         IntegrationId integration;
///         auto wire() { return std::tie(integration); }
///     };
struct Nothing {
    auto wire() { return std::tie(); }
};

namespace detail {
struct WireFailure {
    std::int32_t value = 0;
    std::int64_t retry_after_s = 0;
    std::string detail;
    auto wire() { return std::tie(value, retry_after_s, detail); }
};
inline constexpr std::size_t k_detail_bytes_max = 1000;

template <typename Failure>
Reply failed(const Error& error) {
    Encoder encoder;
    Reply reply;
    WireFailure failure{static_cast<std::int32_t>(IpcError::failed), error.retry_after_s(),
                        error.detail().substr(0, k_detail_bytes_max)};
    reply.status = 2;
    if (const auto shared = error.as<IpcError>()) {
        failure.value = static_cast<std::int32_t>(*shared);
    } else if (const auto own = error.as<Failure>()) {
        reply.status = 1;
        failure.value = static_cast<std::int32_t>(*own);
    } else {
        failure.detail = std::string(error.code()) + ": " + failure.detail;
    }
    encoder.put(failure);
    reply.body = std::move(encoder.bytes());
    return reply;
}
}  // namespace detail

/// Calls the other end; `peer` lives until the answer. Errors: the method's Failure, IpcError,
/// AsyncError::deadline_passed.
template <typename Method>
async::Task<typename Method::Answer> call(Peer* peer, Method method, Deadline deadline) {
    Encoder encoder;
    encoder.put(method);
    Request request{Method::k_method, std::move(encoder.bytes()), std::move(encoder.files())};
    auto reply = co_await peer->call(std::move(request), deadline);
    if (!reply) co_return fail(std::move(reply.error()));
    Decoder decoder(reply->body, std::move(reply->files));
    if (reply->status == 0) {
        typename Method::Answer answer{};
        if (!decoder.get(answer) || !decoder.finished()) co_return fail(IpcError::malformed);
        co_return answer;
    }
    detail::WireFailure failure;
    if (!decoder.get(failure) || !decoder.finished()) co_return fail(IpcError::malformed);
    if (reply->status == 1) {
        const auto code = static_cast<typename Method::Failure>(failure.value);
        co_return fail(Error(code, failure.detail).with_retry_after(failure.retry_after_s));
    }
    co_return fail(Error(static_cast<IpcError>(failure.value), failure.detail)
                       .with_retry_after(failure.retry_after_s));
}

/// What one end serves: one function per method.
class Router {
public:
    /// `function` takes the method by value and returns Task<Method::Answer>. The process dies if
    /// the number is served already: one of the two methods would reach the other's function.
    template <typename Method, typename F>
    void on(F function) {
        const auto [at, is_new] = handlers_.try_emplace(
            Method::k_method,
            [function = std::move(function)](Request request) -> boost::asio::awaitable<Reply> {
                return handle<Method>(&function, std::move(request));
            });
        POSTERN_CHECK(is_new);
    }

    [[nodiscard]] boost::asio::awaitable<Reply> serve(Request request) const {
        const auto found = handlers_.find(request.method);
        if (found == handlers_.end()) {
            co_return detail::failed<IpcError>(Error(IpcError::unknown_method));
        }
        co_return co_await found->second(std::move(request));
    }
    /// The router must outlive the peer.
    [[nodiscard]] Peer::Handler handler() const {
        return [this](Request request) { return serve(std::move(request)); };
    }

private:
    template <typename Method, typename F>
    static boost::asio::awaitable<Reply> handle(const F* function, Request request) {
        Decoder decoder(request.body, std::move(request.files));
        Method method{};
        if (!decoder.get(method) || !decoder.finished()) {
            co_return detail::failed<IpcError>(Error(IpcError::malformed));
        }
        request.body.clear();
        auto answer = co_await (*function)(std::move(method));
        if (!answer) co_return detail::failed<typename Method::Failure>(answer.error());
        Encoder encoder;
        if constexpr (std::is_void_v<typename decltype(answer)::value_type>) {
            Nothing nothing;
            encoder.put(nothing);
        } else {
            encoder.put(*answer);
        }
        Reply reply;
        reply.body = std::move(encoder.bytes());
        reply.files = std::move(encoder.files());
        co_return reply;
    }

    std::unordered_map<std::uint16_t, std::function<boost::asio::awaitable<Reply>(Request)>>
        handlers_;
};

}  // namespace postern::ipc
