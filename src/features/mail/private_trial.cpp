#include "features/mail/private_trial.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using store::Transaction;

constexpr std::size_t k_noise_bytes = 32;

/// Opens nothing, and is never opened.
store::SealedBytes noise() {
    return store::SealedBytes(crypto::random_bytes(k_noise_bytes));
}

/// A thread with a mail and a held one, in a workspace of nobody's.
struct Planted {
    WorkspaceId workspace;
    IntegrationId integration;
    CreatorId creator;
    PersonId person;
    PersonId colleague;
    ThreadId thread;
    MessageId message;
    MessageId held;
};

Planted fresh(UnixMs now_ms) {
    Planted out;
    out.workspace = WorkspaceId::make(now_ms);
    out.integration = IntegrationId::make(now_ms);
    out.creator = CreatorId::make(now_ms);
    out.person = PersonId::make(now_ms);
    out.colleague = PersonId::make(now_ms);
    out.thread = ThreadId::make(now_ms);
    out.message = MessageId::make(now_ms);
    out.held = MessageId::make(now_ms);
    return out;
}

Result<> plant(Transaction& tx, const Planted& what, bool is_private, UnixMs now_ms) {
    rows::NewThread thread{what.workspace, what.thread, what.integration, {}, {}, {what.creator}};
    crypto::fill_random(thread.token);
    thread.head.content = noise();
    thread.head.wraps.push_back(noise());
    if (is_private) thread.private_to = what.person;
    if (auto done = rows::insert_thread(tx, thread, now_ms); !done) return done;
    rows::NewMessage message;
    message.workspace = what.workspace;
    message.id = what.message;
    message.thread = what.thread;
    message.origin_mac = crypto::random_bytes(k_noise_bytes);
    message.body.content = noise();
    message.raw.emplace();
    message.raw->content = noise();
    message.raw->wraps.push_back(noise());
    POSTERN_TRY([[maybe_unused]] const auto added, rows::insert_message(tx, message, now_ms));
    rows::HeldRow held;
    held.id = what.held;
    held.thread = what.thread;
    held.integration = what.integration;
    held.origin_mac = crypto::random_bytes(k_noise_bytes);
    held.reason = "not_a_participant";
    held.folder_mac = crypto::random_bytes(k_noise_bytes);
    held.sealed_sender = crypto::random_bytes(k_noise_bytes);
    held.created_at_ms = now_ms;
    POSTERN_TRY([[maybe_unused]] const auto kept, rows::insert_held(tx, what.workspace, held));
    return {};
}

/// Whether it is there. An error that is not of one kind is one of the look itself.
template <typename T>
Result<bool> is_there(const Result<T>& found, MailServiceError not_there) {
    if (found) return true;
    if (found.error().is(not_there)) return false;
    return fail(Error(found.error()));
}

using Way = Result<bool> (*)(Transaction& tx, const Viewer& viewer, const Planted& what);

Result<bool> by_its_id(Transaction& tx, const Viewer& viewer, const Planted& what) {
    return is_there(rows::load_seen_thread(tx, viewer, what.thread),
                    MailServiceError::thread_not_found);
}
Result<bool> by_its_mail(Transaction& tx, const Viewer& viewer, const Planted& what) {
    return is_there(rows::load_seen_message(tx, viewer, what.message),
                    MailServiceError::message_not_found);
}
Result<bool> by_its_raw_mail(Transaction& tx, const Viewer& viewer, const Planted& what) {
    return is_there(rows::load_seen_raw(tx, viewer, what.message),
                    MailServiceError::message_not_found);
}
Result<bool> by_its_held_mail(Transaction& tx, const Viewer& viewer, const Planted& what) {
    return is_there(rows::load_seen_held(tx, viewer, what.held),
                    MailServiceError::message_not_found);
}
Result<bool> in_a_list(Transaction& tx, const Viewer& viewer, const rows::ListQuery& query) {
    POSTERN_TRY(const auto found, rows::list_threads(tx, viewer, query));
    return !found.empty();
}
Result<bool> in_the_list(Transaction& tx, const Viewer& viewer, const Planted&) {
    return in_a_list(tx, viewer, {});
}
Result<bool> by_its_creator(Transaction& tx, const Viewer& viewer, const Planted& what) {
    rows::ListQuery query;
    query.creator = what.creator;
    return in_a_list(tx, viewer, query);
}
Result<bool> by_its_mailbox(Transaction& tx, const Viewer& viewer, const Planted& what) {
    rows::ListQuery query;
    query.integration = what.integration;
    return in_a_list(tx, viewer, query);
}
Result<bool> by_both(Transaction& tx, const Viewer& viewer, const Planted& what) {
    rows::ListQuery query;
    query.creator = what.creator;
    query.integration = what.integration;
    return in_a_list(tx, viewer, query);
}
Result<bool> among_held(Transaction& tx, const Viewer& viewer, const Planted&) {
    POSTERN_TRY(const auto found, rows::list_held(tx, viewer, {}));
    return !found.empty();
}
Result<bool> among_its_held(Transaction& tx, const Viewer& viewer, const Planted& what) {
    HeldQuery query;
    query.thread = what.thread;
    POSTERN_TRY(const auto found, rows::list_held(tx, viewer, query));
    return !found.empty();
}

struct NamedWay {
    std::string_view name;
    Way look;
};
constexpr NamedWay k_ways[] = {
    {"the thread by its id", by_its_id},
    {"a mail of it", by_its_mail},
    {"a mail of it byte for byte", by_its_raw_mail},
    {"a held mail of it", by_its_held_mail},
    {"the list of threads", in_the_list},
    {"the threads of its creator", by_its_creator},
    {"the threads of its mailbox", by_its_mailbox},
    {"the threads of creator and mailbox", by_both},
    {"the list of held mails", among_held},
    {"the held mails of the thread", among_its_held},
};

Result<std::vector<PrivateTrial::Look>> look_everywhere(Transaction& tx, const Planted& what) {
    const Viewer its_person(what.workspace, what.person);
    const Viewer colleague(what.workspace, what.colleague);
    const Viewer nobody(what.workspace, std::nullopt);
    std::vector<PrivateTrial::Look> out;
    for (const auto& way : k_ways) {
        PrivateTrial::Look found;
        found.where = way.name;
        POSTERN_TRY(found.by_its_person, way.look(tx, its_person, what));
        POSTERN_TRY(found.by_a_colleague, way.look(tx, colleague, what));
        POSTERN_TRY(found.by_nobodys_token, way.look(tx, nobody, what));
        out.push_back(found);
    }
    return out;
}

}  // namespace

async::Task<std::vector<PrivateTrial::Look>> PrivateTrial::look(bool is_private) {
    const auto now = clock_.now_ms();
    const auto seen = std::make_shared<std::optional<std::vector<Look>>>();
    const auto body = [seen, is_private, now](Transaction& tx) -> Result<> {
        const auto what = fresh(now);
        if (auto planted = plant(tx, what, is_private, now); !planted) return planted;
        POSTERN_TRY(auto found, look_everywhere(tx, what));
        seen->emplace(std::move(found));
        return fail(MailServiceError::thread_not_found);
    };
    auto ended = co_await database_.write(body);
    auto found = std::move(*seen);
    if (!found) {
        co_return fail(ended ? Error(MailServiceError::thread_not_found)
                             : std::move(ended.error()));
    }
    co_return std::move(*found);
}

}  // namespace postern::mail
