#include "edge/api/sse.h"

#include "edge/api/call.h"
#include "edge/api/limits.h"
#include "edge/api/metrics.h"
#include "edge/api/services.h"
#include "features/identity/actor.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::api {
namespace {

using std::chrono::steady_clock;

/// Counts an open stream.
class Counted {
public:
    Counted(Metrics& metrics, WorkspaceId workspace) : metrics_(metrics), workspace_(workspace) {
        metrics_.stream_opened(workspace);
    }
    ~Counted() { metrics_.stream_closed(workspace_); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    Metrics& metrics_;
    WorkspaceId workspace_;
};

struct Stream {
    Stream(std::shared_ptr<const Services> use,
           identity::Actor who,
           std::int64_t number,
           std::chrono::milliseconds interval)
        : services(std::move(use)),
          actor(who),
          after(number),
          recheck(interval),
          counted(services->metrics, actor.workspace) {}

    std::shared_ptr<const Services> services;
    identity::Actor actor;
    std::int64_t after;
    std::chrono::milliseconds recheck;
    Counted counted;
    std::optional<std::uint64_t> endings;  ///< Identity's, when the actor was last asked for
    steady_clock::time_point checked_at;
};

bool is_due(const Stream& stream) {
    return stream.endings != stream.services->identity.endings() ||
           steady_clock::now() - stream.checked_at >= stream.recheck;
}

/// Errors: those of check_again.
async::Task<> check_actor(std::shared_ptr<Stream> stream) {
    stream->endings = stream->services->identity.endings();
    stream->checked_at = steady_clock::now();
    co_return co_await stream->services->identity.check_again(stream->actor);
}

/// Writes what is there; the number of the last one stays in the stream.
async::Task<bool> write_news(std::shared_ptr<Stream> stream, net::http::BodyWriter* to) {
    bool wrote = false;
    while (true) {
        const auto viewer = identity::viewer_of(stream->actor);
        auto news = co_await stream->services->events.after(viewer, stream->after);
        if (!news) co_return fail(std::move(news.error()));
        if (news->events.empty()) {
            stream->after = news->looked_to;
            co_return wrote;
        }
        std::string text;
        for (const auto& event : news->events)
            text += event_text(event);
        auto written = co_await to->write(std::move(text));
        if (!written) co_return fail(std::move(written.error()));
        stream->after = news->looked_to;
        wrote = true;
    }
}

async::Task<> run_stream(std::shared_ptr<Stream> stream, net::http::BodyWriter* to) {
    events::EventLog::Listener listener(stream->services->events, stream->actor.workspace);
    // Says at once that the stream is open, also to proxies that wait for a first byte.
    std::string greeting = ": open\n\n";
    auto greeted = co_await to->write(std::move(greeting));
    if (!greeted) co_return greeted;
    auto said_at = steady_clock::now();
    while (true) {
        if (is_due(*stream)) {
            auto valid = co_await check_actor(stream);
            if (!valid) co_return Result<>{};
        }
        auto wrote = co_await write_news(stream, to);
        if (!wrote) co_return fail(std::move(wrote.error()));
        if (*wrote) said_at = steady_clock::now();
        auto waited = co_await listener.wait(Deadline::in(stream->recheck));
        if (!waited && !waited.error().is(async::AsyncError::deadline_passed)) {
            co_return fail(std::move(waited.error()));
        }
        const auto now = steady_clock::now();
        if (now - said_at >= k_heartbeat) {
            said_at = now;
            std::string beat = ": here\n\n";
            auto written = co_await to->write(std::move(beat));
            if (!written) co_return written;
        }
    }
}

}  // namespace

std::string event_text(const events::StoredEvent& event) {
    codec::JsonWriter json;
    json.begin_object()
        .field("number", event.number)
        .field("kind", event.kind)
        .field("at", rfc3339(event.at_ms))
        .raw_field("ids", event.ids_json)
        .end_object();
    return "id: " + std::to_string(event.number) + "\nevent: " + event.kind +
           "\ndata: " + json.take() + "\n\n";
}

Response event_stream(std::shared_ptr<const Services> services,
                      identity::Actor actor,
                      std::int64_t after,
                      std::chrono::milliseconds recheck) {
    const auto stream = std::make_shared<Stream>(std::move(services), actor, after, recheck);
    Response response;
    response.content_type = "text/event-stream";
    // nginx would keep the events back otherwise.
    response.headers.emplace_back("X-Accel-Buffering", "no");
    response.stream = [stream](net::http::BodyWriter& to) { return run_stream(stream, &to); };
    return response;
}

}  // namespace postern::api
