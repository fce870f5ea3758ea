#include "features/mail/played_processes_fake.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

constexpr std::size_t k_bytes_max = std::size_t{1} << 24;

Bytes wrap_place(WorkspaceId workspace,
                 std::uint16_t column,
                 const Bytes& row,
                 keys::WrapMode mode,
                 std::vector<CreatorId> people) {
    auto place = keys::test::place_of(mode == keys::WrapMode::all ? "all:" : "each:", workspace,
                                      column, row);
    std::ranges::sort(people);
    place.push_back(static_cast<std::uint8_t>(people.size()));
    for (const auto& person : people)
        place.insert(place.end(), person.raw().begin(), person.raw().end());
    return place;
}

std::optional<MailError> pop(std::deque<MailError>& failures) {
    if (failures.empty()) return std::nullopt;
    const auto failure = failures.front();
    failures.pop_front();
    return failure;
}

}  // namespace

std::string content_of(const os::Fd& file) {
    const auto mapped = os::Mapping::of_sealed(file.get(), k_bytes_max);
    return mapped ? std::string(as_text(mapped->bytes())) : "not sealed";
}

PlayedKeeper::PlayedKeeper(net::test::Loop& loop, Steps& steps) : PlayedPeer(loop), steps_(steps) {
    router_.on<keys::SealKeys>([this](keys::SealKeys ask) { return seal_keys(std::move(ask)); });
    router_.on<keys::OpenKeys>([this](keys::OpenKeys ask) { return open_keys(std::move(ask)); });
    // Not a step that is made to fail.
    router_.on<keys::OpenAuditSegment>(
        [](keys::OpenAuditSegment ask) { return keys::test::answer(std::move(ask)); });
    router_.on<keys::SealRecords>([this](keys::SealRecords ask) { return answer(std::move(ask)); });
    router_.on<keys::OpenRecords>([this](keys::OpenRecords ask) { return answer(std::move(ask)); });
    router_.on<keys::ComputeMacs>([this](keys::ComputeMacs ask) { return answer(std::move(ask)); });
}

async::Task<keys::SealKeys::Answer> PlayedKeeper::seal_keys(keys::SealKeys ask) {
    if (steps_.fail_now()) co_return fail(keys::KeyError::storage_failed);
    keys::SealKeys::Answer out;
    for (const auto& request : ask.requests) {
        if (request.subjects.empty() || request.subjects.size() > 100) {
            co_return fail(keys::KeyError::cannot_open, "subjects");
        }
        keys::SealedKey sealed;
        sealed.key = crypto::random_key();
        std::vector<std::vector<CreatorId>> circles{request.subjects};
        if (request.mode == keys::WrapMode::each) {
            circles.clear();
            for (const auto& person : request.subjects)
                circles.push_back({person});
        }
        for (const auto& circle : circles) {
            auto wrap =
                wrap_place(ask.workspace, request.column, request.row, request.mode, circle);
            sealed.key.with_bytes(
                [&](ByteView key) { wrap.insert(wrap.end(), key.begin(), key.end()); });
            sealed.wraps.push_back(std::move(wrap));
        }
        for (const auto& person : request.subjects) {
            if (!people.contains({ask.workspace, person})) {
                co_return fail(keys::KeyError::cannot_open, "no key");
            }
        }
        ++keys_made;
        out.keys.push_back(std::move(sealed));
    }
    co_return out;
}

async::Task<keys::OpenKeys::Answer> PlayedKeeper::open_keys(keys::OpenKeys ask) {
    if (steps_.fail_now()) co_return fail(keys::KeyError::storage_failed);
    handles.push_back(ask.handle);
    keys::OpenKeys::Answer out;
    for (const auto& opening : ask.openings) {
        const auto place =
            wrap_place(ask.workspace, opening.column, opening.row, opening.mode, opening.subjects);
        const bool all_here = std::ranges::all_of(opening.subjects, [&](const auto& person) {
            return people.contains({ask.workspace, person});
        });
        Secret key;
        if (all_here && keys::test::is_at(opening.wrap, place)) {
            key = Secret::copy_of(ByteView(opening.wrap).subspan(place.size()));
        }
        out.keys.push_back(std::move(key));
    }
    co_return out;
}

SendPlay sent() {
    SendPlay play;
    play.answer.result = SendResult::sent;
    play.answer.stage = SendStage::done;
    return play;
}
SendPlay refused(std::uint16_t code, SendStage stage, bool transient) {
    SendPlay play;
    play.answer.result = SendResult::refused;
    play.answer.code = code;
    play.answer.stage = stage;
    play.answer.transient = transient;
    play.asks = stage >= SendStage::final_dot;
    return play;
}
SendPlay broken(SendStage stage, std::string error_code) {
    SendPlay play;
    play.answer.stage = stage;
    play.answer.error_code = std::move(error_code);
    play.asks = false;
    return play;
}
SendPlay lost(SendPlay::End end) {
    SendPlay play;
    play.end = end;
    return play;
}

PlayedCourier::PlayedCourier(net::test::Loop& loop, Steps& steps)
    : PlayedPeer(loop), steps_(steps) {
    router_.on<SendMail>([this](SendMail ask) { return send(std::move(ask)); });
    router_.on<SaveSent>([this](SaveSent ask) { return save(std::move(ask)); });
    router_.on<FetchMail>([this](FetchMail ask) { return fetch(std::move(ask)); });
    router_.on<Watch>([this](Watch ask) { return watch(std::move(ask)); });
    router_.on<ProbeSearch>([this](ProbeSearch ask) { return probe(std::move(ask)); });
    router_.on<SetWatch>([this](SetWatch ask) { return set_watch(std::move(ask)); });
    router_.on<WatchAddresses>([this](WatchAddresses ask) -> async::Task<ipc::Nothing> {
        addresses_watched.push_back(ask.integration);
        co_return ipc::Nothing{};
    });
    router_.on<SearchNow>([this](SearchNow ask) { return search(ask); });
    asker_.on<BeforeFinalDot>([this](BeforeFinalDot ask) { return before_dot(ask); });
    asker_.on<FolderSearched>([this](FolderSearched ask) { return searched(std::move(ask)); });
}

void PlayedCourier::release() {
    for (const auto& one : std::exchange(held_, {}))
        one->set();
}

async::Task<SendMail::Answer> PlayedCourier::send(SendMail ask) {
    const auto at = submitted.size();
    submitted.push_back({std::move(ask.ticket), ask.message, ask.attempt, ask.from, ask.recipients,
                         content_of(ask.raw), std::nullopt});
    auto play = sent();
    if (!sends.empty()) {
        play = sends.front();
        sends.pop_front();
    }
    if (play.held) {
        const auto held = std::make_shared<async::Signal>(loop_.io.get_executor());
        held_.push_back(held);
        auto waiting = held->wait(Deadline::in(std::chrono::hours(1)));
        (void)co_await std::move(waiting);
    }
    if (play.end == SendPlay::End::lost_before_dot) {
        lose();
        co_return fail(MailError::connection_lost);
    }
    if (!play.asks) {
        if (play.end == SendPlay::End::fails) co_return fail(play.failure);
        co_return play.answer;
    }
    auto crossing = cross_the_dot(std::move(play), at);
    co_return co_await std::move(crossing);
}

async::Task<SendMail::Answer> PlayedCourier::cross_the_dot(SendPlay play, std::size_t at) {
    const auto peer = peer_;
    BeforeFinalDot question;
    question.message = submitted[at].message;
    question.attempt = submitted[at].attempt;
    auto asking = ipc::call(peer.get(), question, net::test::soon());
    const auto allowed = co_await std::move(asking);
    submitted[at].dot_allowed = allowed.has_value();
    if (!allowed) {
        co_return broken(SendStage::body, std::string(allowed.error().code())).answer;
    }
    if (dot_was_allowed) dot_was_allowed();
    if (play.end == SendPlay::End::lost_after_dot) peer->close();
    if (play.end != SendPlay::End::answers) co_return fail(play.failure);
    co_return play.answer;
}

async::Task<SaveSent::Answer> PlayedCourier::save(SaveSent ask) {
    const bool looks = ask.look_only || !ask.raw.valid();
    copied.push_back({std::move(ask.ticket), ask.message_id,
                      looks ? std::string() : content_of(ask.raw), looks});
    if (const auto failure = pop(copies_fail)) co_return fail(*failure);
    SaveSent::Answer answer;
    answer.was_there = sent_has_it;
    answer.added = !looks && !sent_has_it;
    answer.given_id = given_id;
    co_return answer;
}

async::Task<FetchMail::Answer> PlayedCourier::fetch(FetchMail ask) {
    fetched.push_back({ask.integration, ask.folder, ask.uid_validity, ask.uid});
    if (before_fetch) before_fetch();
    if (steps_.fail_now()) co_return fail(MailError::connection_lost);
    if (const auto failure = pop(fetches_fail)) co_return fail(*failure);
    const auto found = mails.find({ask.folder, ask.uid});
    if (found == mails.end()) co_return fail(MailError::not_found);
    auto file = os::make_memory_file(as_bytes(found->second));
    if (!file) co_return fail(std::move(file.error()));
    FetchMail::Answer answer;
    answer.raw = std::move(*file);
    answer.bytes = found->second.size();
    co_return answer;
}

async::Task<Watch::Answer> PlayedCourier::watch(Watch ask) {
    watched.push_back(std::move(ask));
    if (watches_hang) {
        const auto held = std::make_shared<async::Signal>(loop_.io.get_executor());
        held_.push_back(held);
        auto waiting = held->wait(Deadline::in(std::chrono::hours(1)));
        (void)co_await std::move(waiting);
    }
    if (const auto failure = pop(watches_fail)) co_return fail(*failure);
    Watch::Answer answer;
    answer.cursors = floor;
    answer.bytes = 1000;
    co_return answer;
}

async::Task<ProbeSearch::Answer> PlayedCourier::probe(ProbeSearch ask) {
    probed.push_back(std::move(ask));
    if (const auto failure = pop(probes_fail)) co_return fail(*failure);
    co_return ProbeSearch::Answer{search_probe, 100};
}

async::Task<ipc::Nothing> PlayedCourier::set_watch(SetWatch ask) {
    set.push_back(std::move(ask));
    co_return ipc::Nothing{};
}

async::Task<SearchNow::Answer> PlayedCourier::search(SearchNow) {
    ++searches;
    const auto peer = peer_;
    SearchNow::Answer answer;
    for (auto& find : std::exchange(finds, {})) {
        answer.searched += find.next - find.first;
        answer.candidates += find.candidates.size();
        auto telling = ipc::call(peer.get(), std::move(find), net::test::soon());
        const auto taken = co_await std::move(telling);
        if (!taken) co_return fail(MailError::connection_lost);
    }
    co_return answer;
}

}  // namespace postern::mail::test
