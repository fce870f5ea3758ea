#include "features/mail/bounces.h"

#include "features/mail/issued_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

/// With the mail that bounced in it, attachments and all.
constexpr std::uint64_t k_bounce_bytes_max = std::uint64_t{50} << 20;

std::optional<BounceAction> action_of(const BouncedRecipient& recipient) {
    if (recipient.action == "failed") return BounceAction::failed;
    if (recipient.action == "delayed") return BounceAction::delayed;
    return std::nullopt;  // delivered, relayed, expanded: it went on
}

const MailAddress* among(const std::vector<MailAddress>& people, const std::string& address) {
    const auto found = std::find_if(people.begin(), people.end(), [&](const auto& person) {
        return codec::is_same_address(person.address, address);
    });
    return found == people.end() ? nullptr : &*found;
}

/// A mail that was forwarded bounces at an address that we never wrote to: it names ours beside it.
const MailAddress* recipient_of(const std::vector<MailAddress>& people,
                                const BouncedRecipient& told) {
    const auto* direct = among(people, told.address);
    return direct != nullptr ? direct : among(people, told.original_address);
}

bool is_about(const BounceReport& report, const std::string& id) {
    return std::ranges::any_of(report.original_ids, [&](const std::string& one) {
        return codec::equal_but_for_case(one, id);
    });
}

}  // namespace

async::Task<std::optional<Bounces::About>> Bounces::find(const Mailbox* mailbox,
                                                         const Candidate* candidate) {
    using Found = std::optional<About>;
    const auto workspace = mailbox->workspace;
    auto issued = co_await issued_.find(mailbox, &candidate->our_ids);
    if (!issued) co_return fail(std::move(issued.error()));
    const auto ours = std::move(*issued);
    if (!ours) co_return Found{};
    const auto thread = ours->thread.id;
    const auto number = ours->number;
    const auto body = [workspace, thread, number](store::Transaction& tx) {
        return rows::find_ours(tx, workspace, thread, number);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    auto found = std::move(*row);
    if (!found) co_return Found{};
    About out;
    out.message = std::move(*found);
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(out.message.id, out.message.body);
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), k_job_handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    auto& opened = bodies->at(0);
    if (!opened) co_return Found{};  // erased
    out.recipients = std::move(opened->to);
    co_return Found(std::move(out));
}

/// Nothing for one that is gone, too large, kept back, or that the reader cannot cope with.
async::Task<std::optional<Bounces::Read>> Bounces::read(WorkspaceId workspace, FetchMail fetch) {
    using Got = std::optional<Read>;
    fetch.is_bounce = true;
    fetch.bytes_max = k_bounce_bytes_max;
    auto fetched = co_await parts_.courier.call(std::move(fetch), Deadline::in(5min));
    if (!fetched) {
        const auto& error = fetched.error();
        const bool final = error.is(MailError::not_found) || error.is(MailError::too_large) ||
                           error.is(MailError::mail_refused);
        if (!final) co_return fail(std::move(fetched.error()));
        co_return Got{};
    }
    const auto bytes = static_cast<std::int64_t>(fetched->bytes);
    auto report = co_await parts_.readers.parse_bounce(workspace, std::move(fetched->raw));
    if (!report && !report.error().as<MailError>()) co_return fail(std::move(report.error()));
    if (!report) co_return Got{};
    co_return Got(Read{std::move(*report), bytes});
}

async::Task<std::vector<rows::NewBounce>> Bounces::seal(WorkspaceId workspace,
                                                        const About* about,
                                                        const BounceReport* report) {
    std::vector<rows::NewBounce> out;
    for (const auto& told : report->recipients) {
        const auto action = action_of(told);
        const auto* person = recipient_of(about->recipients, told);
        if (!action || person == nullptr) continue;
        auto creator = co_await parts_.creators.ensure(workspace, person->name, person->address);
        if (!creator) co_return fail(std::move(creator.error()));
        BounceDetail detail{*person, told.diagnostic};
        auto sealed =
            co_await vault_.seal_bounce(workspace, about->message.id, *creator, std::move(detail));
        if (!sealed) co_return fail(std::move(sealed.error()));
        out.push_back({about->message.id, *creator, *action, told.status, std::move(*sealed)});
    }
    co_return out;
}

async::Task<> Bounces::store(const Mailbox* mailbox,
                             rows::MessageRow message,
                             std::vector<rows::NewBounce> bounces,
                             rows::LedgerEntry entry) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto now = parts_.clock.now_ms();
    const auto id = message.id;
    const auto body = [this, workspace, integration, id, bounces = std::move(bounces), entry,
                       now](store::Transaction& tx) -> Result<> {
        if (auto told = rows::append_ledger(tx, workspace, integration, entry, now); !told) {
            return told;
        }
        POSTERN_TRY(auto stored, rows::load_message(tx, workspace, id));
        // Whoever bounces it had it: it was sent.
        if (stored.state == MessageState::unknown) {
            auto settled = rows::resolve_unknown(tx, workspace, id, MessageState::sent, "", now);
            if (!settled) return settled;
            stored.state = MessageState::sent;
            auto told = parts_.events.append(
                tx, workspace, message_event("message.state", stored.thread, id, stored.state));
            if (!told) return told;
        }
        bool is_news = false;
        for (const auto& bounce : bounces) {
            POSTERN_TRY(const auto changed, rows::put_bounce(tx, workspace, bounce, now));
            is_news = is_news || changed;
        }
        if (!is_news) return {};
        return parts_.events.append(
            tx, workspace, message_event("message.bounced", stored.thread, id, stored.state));
    };
    auto written = co_await parts_.database.write(body);
    if (written) parts_.events.published(workspace);
    co_return written;
}

async::Task<bool> Bounces::take(const Mailbox* mailbox,
                                FetchMail fetch,
                                Bytes folder_mac,
                                const Candidate* candidate) {
    auto about = co_await find(mailbox, candidate);
    if (!about) co_return fail(std::move(about.error()));
    auto ours = std::move(*about);
    if (!ours) co_return false;
    const auto uid = std::int64_t{fetch.uid};
    auto read_one = co_await read(mailbox->workspace, std::move(fetch));
    if (!read_one) co_return fail(std::move(read_one.error()));
    auto got = std::move(*read_one);
    if (!got || got->report.recipients.empty()) co_return false;
    // Looked at once more: courier named the id, the reader found it.
    if (!is_about(got->report, candidate->our_ids.front())) co_return false;
    auto bounces = co_await seal(mailbox->workspace, &*ours, &got->report);
    if (!bounces) co_return fail(std::move(bounces.error()));
    rows::LedgerEntry entry{"fetch_body", std::move(folder_mac), uid, uid + 1,
                            got->bytes,   "bounce_of_ours"};
    auto stored =
        co_await store(mailbox, std::move(ours->message), std::move(*bounces), std::move(entry));
    if (!stored) co_return fail(std::move(stored.error()));
    co_return true;
}

}  // namespace postern::mail
