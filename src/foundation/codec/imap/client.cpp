#include "foundation/codec/imap/client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/results.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace postern::imap {

Client::Client(ClientOptions options)
    : options_(options), reader_(options.limits), tls_(options.tls) {}

Client::Status Client::status() const noexcept {
    if (closed_) return Status::closed;
    if (!greeted_) return Status::greeting_wait;
    if (tls_handshake_) return Status::tls_handshake;
    if (pending_.command == Command::none) return Status::ready;
    const bool idles = pending_.idle_confirmed && !pending_.idle_stops;
    return idles ? Status::idling : Status::busy;
}

bool Client::take_mailbox_changed() noexcept {
    return std::exchange(mailbox_changed_, false);
}

std::vector<FolderNews> Client::take_folder_news() {
    return std::exchange(news_, {});
}

bool Client::take_news_lost() noexcept {
    return std::exchange(news_lost_, false);
}

Result<> Client::receive(ByteView bytes) {
    while (!bytes.empty()) {
        if (closed_) return failure_ ? Result<>(fail(*failure_)) : Result<>();
        // What came in clear behind the answer would else be taken for protected (CVE-2011-0411).
        if (tls_handshake_) return close(Error(ImapError::protocol_violation, "bytes before TLS"));
        auto taken = reader_.consume(bytes, *this);
        if (!taken) return close(std::move(taken.error()));
        bytes = bytes.subspan(*taken);
    }
    return {};
}

Result<> Client::close(Error error) {
    closed_ = true;
    output_.clear();
    if (pending_.command != Command::none) finish(fail(error));
    failure_ = error;
    return fail(std::move(error));
}

void Client::connection_lost() {
    if (closed_) return;
    if (pending_.command == Command::sign_out) {
        closed_ = true;
        finish(Answer(Done{}));
        return;
    }
    // The caller knows that the connection is gone; the reason stands in the answer.
    (void)close(Error(ImapError::connection_closed_by_server));
}

Result<> Client::tls_started() {
    if (closed_ || !tls_handshake_) return fail(ImapError::wrong_state);
    tls_handshake_ = false;
    tls_ = true;
    capabilities_ = {};
    return {};
}

WipedBytes Client::take_output() {
    if (!output_.empty()) return std::exchange(output_, WipedBytes());
    if (closed_ || !pending_.source_runs) return {};
    return pull_source();
}

WipedBytes Client::pull_source() {
    WipedBytes chunk(static_cast<std::size_t>(
        std::min<std::uint64_t>(k_output_chunk_bytes, pending_.source_left)));
    const auto got = pending_.source(std::span(chunk));
    if (!got || *got == 0 || *got > chunk.size()) {
        (void)close(got ? Error(ImapError::local_stream_failed) : got.error());
        return {};
    }
    chunk.resize(*got);
    pending_.source_left -= *got;
    if (pending_.source_left == 0) {
        pending_.source_runs = false;
        chunk.append("\r\n");
    }
    return chunk;
}

void Client::finish(Result<Answer> answer) {
    pending_ = Pending{};
    answer_ = std::move(answer);
}

Result<Answer> Client::take_answer() {
    if (pending_.command != Command::none) return fail(ImapError::wrong_state, "still busy");
    if (!answer_) {
        if (failure_) return fail(*failure_);
        return fail(ImapError::wrong_state, "no answer");
    }
    Result<Answer> answer = std::move(*answer_);
    answer_.reset();
    return answer;
}

}  // namespace postern::imap
