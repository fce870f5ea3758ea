#include "features/mail/probes.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_box_characters = 12;

bool is_due(const rows::ProbeRow& row, Probes::Why why, UnixMs now) {
    const bool hopes = row.looks_by_headers && why == Probes::Why::sent;
    if (row.probed_at_ms == 0 || hopes) return true;
    const std::chrono::hours interval = row.looks_by_headers ? Probes::k_interval_by_headers
                                        : why == Probes::Why::search_refused
                                            ? Probes::k_interval_when_refused
                                            : Probes::k_interval;
    return now - row.probed_at_ms >= std::chrono::milliseconds(interval).count();
}

/// A label of the same form that no mail has.
std::string random_label(std::string_view like) {
    constexpr std::string_view k_characters = "abcdefghijklmnopqrstuvwxyz012345";
    std::array<std::uint8_t, k_box_characters> random{};
    crypto::fill_random(random);
    std::string out = "@";
    for (const auto byte : random)
        out += k_characters[byte % k_characters.size()];
    return out + std::string(like.substr(std::min(like.find('.'), like.size())));
}

}  // namespace

void Probes::sent(WorkspaceId workspace, IntegrationId integration) {
    asked_.try_emplace(integration, workspace, Why::sent);
    wake_.set();
}

void Probes::search_refused(WorkspaceId workspace, IntegrationId integration) {
    asked_.insert_or_assign(integration, std::pair(workspace, Why::search_refused));
    wake_.set();
}

async::Job Probes::run() {
    while (true) {
        for (const auto& [integration, asked] : std::exchange(asked_, {})) {
            auto probed = co_await probe_if_due(asked.first, integration, asked.second);
            if (!probed) {
                log(LogLevel::info, "search_not_probed",
                    {{"integration", integration}, {"error", probed.error()}});
            }
        }
        if (!asked_.empty()) continue;
        auto woken = co_await wake_.wait(Deadline::in(1h));
        if (woken) continue;
        if (woken.error().is(async::AsyncError::cancelled)) co_return;
        auto active = co_await parts_.mailboxes.active();
        if (!active) continue;
        for (const auto& ref : *active)
            asked_.try_emplace(ref.id, ref.workspace, Why::time);
    }
}

/// Of the newest mail that was sent; nothing where there is none, or its people were erased.
async::Task<std::optional<std::string>> Probes::newest_root(WorkspaceId workspace,
                                                            IntegrationId integration) {
    using Root = std::optional<std::string>;
    const auto body = [workspace, integration](store::Transaction& tx) {
        return rows::newest_sent(tx, workspace, integration);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    auto newest = std::move(*row);
    if (!newest) co_return Root{};
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(newest->id, std::move(newest->body));
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), k_job_handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    auto opened = std::move(bodies->at(0));
    if (!opened || opened->references.empty()) co_return Root{};
    co_return Root(std::move(opened->references.front()));
}

async::Task<bool> Probes::probe_if_due(WorkspaceId workspace, IntegrationId integration, Why why) {
    const auto load = [workspace, integration](store::Transaction& tx) {
        return rows::load_probe(tx, workspace, integration);
    };
    auto row = co_await parts_.database.read(load);
    if (!row) co_return fail(std::move(row.error()));
    if (!is_due(*row, why, parts_.clock.now_ms())) co_return false;
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    if (!mailbox->reads_replies || mailbox->cut_off) co_return false;
    auto newest = co_await newest_root(workspace, integration);
    if (!newest) co_return fail(std::move(newest.error()));
    auto root = std::move(*newest);
    if (!root) co_return false;
    ProbeSearch ask;
    ask.search_label = mailbox->search_label;
    ask.other_label = random_label(mailbox->search_label);
    ask.root_id = std::move(*root);
    auto learned = co_await learned_.all(workspace, integration);
    if (!learned) co_return fail(std::move(learned.error()));
    ask.learned_ids = std::move(*learned);
    auto ticket = co_await parts_.mailboxes.ticket(workspace, integration, MailVerb::read_replies);
    if (!ticket) co_return fail(std::move(ticket.error()));
    ask.ticket = std::move(*ticket);
    auto answer = co_await parts_.courier.call(std::move(ask), Deadline::in(2min));
    if (!answer) co_return fail(std::move(answer.error()));
    auto stored = co_await store(workspace, integration, row->looks_by_headers, *answer);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return true;
}

async::Task<> Probes::store(WorkspaceId workspace,
                            IntegrationId integration,
                            bool was_by_headers,
                            ProbeSearch::Answer answer) {
    // Without a Sent folder nothing can be said: what was true stays so.
    const bool by_headers = answer.result == SearchProbe::nothing_to_search
                                ? was_by_headers
                                : answer.result == SearchProbe::fails;
    const std::string_view reason = answer.result == SearchProbe::works   ? "search_works"
                                    : answer.result == SearchProbe::fails ? "search_fails"
                                                                          : "nothing_to_search";
    const auto bytes = static_cast<std::int64_t>(answer.bytes);
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, integration, by_headers, reason, bytes,
                       now](store::Transaction& tx) -> Result<> {
        if (auto put = rows::put_probe(tx, workspace, integration, by_headers, now); !put) {
            return put;
        }
        const rows::LedgerEntry entry{"probe", {}, 0, 0, bytes, reason};
        return rows::append_ledger(tx, workspace, integration, entry, now);
    };
    auto written = co_await parts_.database.write(body);
    if (!written) co_return written;
    log(LogLevel::info, "search_probed",
        {{"integration", integration}, {"by_headers", by_headers}});
    if (by_headers == was_by_headers) co_return Result<>{};
    SetWatch tell{integration, {}, by_headers};
    auto told = co_await parts_.courier.call(std::move(tell), Deadline::in(20s));
    // A watch that begins later is told by its first message.
    if (!told) log(LogLevel::info, "watch_not_told", {{"error", told.error()}});
    co_return Result<>{};
}

}  // namespace postern::mail
