#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/parts.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/replies.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/os/files.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t k_mail_bytes_max = std::uint64_t{50} << 20;

/// What is known of a mail before anybody has read it.
MessageBody body_from(const Candidate& candidate, UnixMs now_ms) {
    MessageBody body;
    body.from = candidate.from;
    body.to = candidate.recipients;
    body.message_id = candidate.message_id;
    body.date_ms = now_ms;
    return body;
}

Result<> tell_received(store::Transaction& tx,
                       events::EventLog* events,
                       const rows::NewMessage& m,
                       UnixMs now) {
    auto touched = rows::touch_thread(tx, m.workspace, m.thread, now);
    if (!touched) return touched;
    return events->append(
        tx, m.workspace, message_event("message.received", m.thread, m.id, MessageState::received));
}

}  // namespace

async::Task<std::vector<CreatorId>> Replies::people_of(WorkspaceId workspace,
                                                       std::vector<MailAddress> people) {
    std::vector<CreatorId> out;
    for (auto& person : people) {
        auto id = co_await parts_.creators.ensure(workspace, std::move(person.name),
                                                  std::move(person.address));
        if (!id) co_return fail(std::move(id.error()));
        if (std::find(out.begin(), out.end(), *id) == out.end()) out.push_back(*id);
    }
    co_return out;
}

/// A mail that is too large, gone or kept back by its server is still told of, with its sender and
/// the reason.
async::Task<Replies::Fetched> Replies::fetch(Location location, std::uint32_t uid, bool was_held) {
    FetchMail ask{location.integration, location.folder, location.uid_validity, uid,
                  k_mail_bytes_max};
    auto fetched = co_await parts_.courier.call(std::move(ask), Deadline::in(5min));
    Fetched out;
    if (!fetched) {
        const auto& error = fetched.error();
        const bool gone = error.is(MailError::not_found);
        const bool final =
            gone || error.is(MailError::too_large) || error.is(MailError::mail_refused);
        if (!final) co_return fail(std::move(fetched.error()));
        if (gone && was_held) co_return fail(MailServiceError::held_gone);
        out.defect = error.code();
        co_return out;
    }
    auto mapped = os::Mapping::of_sealed(fetched->raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(std::move(mapped.error()));
    out.raw = to_bytes(mapped->bytes());
    co_return out;
}

/// So is one that the reader cannot cope with.
async::Task<MessageBody> Replies::read_body(WorkspaceId workspace,
                                            Candidate* candidate,
                                            const Fetched* fetched) {
    auto body = body_from(*candidate, parts_.clock.now_ms());
    const auto& raw = fetched->raw;
    if (!raw) {
        body.defects.push_back(fetched->defect);
        co_return body;
    }
    auto file = os::make_memory_file(*raw);
    if (!file) co_return fail(std::move(file.error()));
    auto read = co_await parts_.readers.parse(workspace, std::move(*file));
    // No reader at the moment: the mail is looked at again.
    if (!read && !read.error().as<MailError>()) co_return fail(std::move(read.error()));
    if (!read) {
        body.defects.emplace_back(read.error().code());
        co_return body;
    }
    if (read->answers_invitation) candidate->author_kind = AuthorKind::machine;
    body.subject = std::move(read->subject);
    body.to = std::move(read->to);
    body.cc = std::move(read->cc);
    body.date_ms = read->date_ms.value_or(body.date_ms);
    body.text = std::move(read->text);
    body.new_text = std::move(read->new_text);
    body.html = std::move(read->html);
    body.attachments = std::move(read->attachments);
    body.defects = std::move(read->defects);
    co_return body;
}

/// The body for its author alone (for the thread's people where it names none), the raw mail for
/// everybody in the thread together.
async::Task<rows::NewMessage> Replies::seal(const Match* match,
                                            const Candidate* candidate,
                                            MessageId id,
                                            MessageBody body,
                                            std::optional<Bytes> raw) {
    rows::NewMessage message;
    message.workspace = match->mailbox.workspace;
    message.id = id;
    message.thread = match->thread.id;
    message.direction = Direction::in;
    message.state = MessageState::received;
    message.origin_mac = match->origin_mac;
    message.author_kind = candidate->author_kind;
    const auto workspace = message.workspace;
    auto everyone = match->head.people;
    std::vector<MailAddress> named;
    std::copy_if(candidate->from.begin(), candidate->from.end(), std::back_inserter(named),
                 [](const MailAddress& author) { return !author.address.empty(); });
    everyone.insert(everyone.end(), named.begin(), named.end());
    if (named.empty()) named = match->head.people;
    auto authors = co_await people_of(workspace, std::move(named));
    if (!authors) co_return fail(std::move(authors.error()));
    auto people = co_await people_of(workspace, std::move(everyone));
    if (!people) co_return fail(std::move(people.error()));
    message.body_people = *authors;
    message.raw_people = *people;
    auto sealed =
        co_await vault_.seal_body(workspace, message.id, std::move(body), std::move(*authors));
    if (!sealed) co_return fail(std::move(sealed.error()));
    message.body = std::move(*sealed);
    if (!raw) co_return message;
    auto sealed_raw =
        co_await vault_.seal_raw(workspace, message.id, std::move(*raw), std::move(*people));
    if (!sealed_raw) co_return fail(std::move(sealed_raw.error()));
    message.raw = std::move(*sealed_raw);
    co_return message;
}

/// Whom a person lets in takes part from then on: further mails of theirs come in by themselves,
/// and a reply goes to them, too.
async::Task<std::optional<rows::NewHead>> Replies::join(const Match* match,
                                                        const Candidate* candidate) {
    const auto& people = match->head.people;
    if (candidate->from.size() != 1 || candidate->from.front().address.empty() ||
        people.size() >= k_people_max) {
        co_return std::optional<rows::NewHead>{};
    }
    const auto& author = candidate->from.front();
    const auto is_author = [&author](const MailAddress& person) {
        return codec::is_same_address(person.address, author.address);
    };
    if (std::any_of(people.begin(), people.end(), is_author)) {
        co_return std::optional<rows::NewHead>{};
    }
    auto head = match->head;
    head.people.push_back(author);
    const auto workspace = match->mailbox.workspace;
    auto creators = co_await people_of(workspace, head.people);
    if (!creators) co_return fail(std::move(creators.error()));
    auto sealed =
        co_await vault_.seal_head(workspace, match->thread.id, std::move(head), *creators);
    if (!sealed) co_return fail(std::move(sealed.error()));
    co_return rows::NewHead{match->thread.head.content, std::move(*sealed), std::move(*creators)};
}

async::Task<> Replies::store(Admission admission) {
    const auto workspace = admission.message.workspace;
    const auto now = parts_.clock.now_ms();
    std::optional<audit::Act> act;
    if (admission.held) {
        act.emplace(audit::Act{admission.held->by, "held.accepted", {}});
        act->about.push_back({"held_id", admission.held->id.text()});
        act->about.push_back({"message_id", admission.message.id.text()});
    }
    const auto write = [this, admission = std::move(admission),
                        now](store::Transaction& tx) -> Result<> {
        const auto& [m, integration, entry, held, head] = admission;
        POSTERN_TRY(const auto added, rows::insert_message(tx, m, now));
        // Somebody else accepted it at the same moment.
        if (!added && held) return fail(MailServiceError::message_not_found);
        if (!added) return {};
        if (auto told = rows::append_ledger(tx, m.workspace, integration, entry, now); !told) {
            return told;
        }
        if (held) {
            // Refused while it was fetched, or no longer theirs: what nobody is to read is not
            // kept.
            const auto still = rows::load_seen_held(tx, held->viewer, held->id);
            if (!still) return fail(still.error());
            if (auto gone = rows::delete_held(tx, m.workspace, held->id); !gone) return gone;
        }
        if (head) {
            auto joined = rows::replace_head(tx, m.workspace, m.thread, *head);
            if (!joined) return joined;
        }
        // Whoever answers is reached, whatever a mail system may have told.
        const bool by_one = m.author_kind == AuthorKind::person && m.body_people.size() == 1;
        if (by_one) {
            auto reached = rows::delete_bounces(tx, m.workspace, m.thread, m.body_people.front());
            if (!reached) return reached;
        }
        return tell_received(tx, &parts_.events, m, now);
    };
    Result<> written;
    if (act) {
        written = co_await parts_.audit.record(workspace, std::move(*act), write);
    } else {
        written = co_await parts_.database.write(write);
    }
    if (written) parts_.events.published(workspace);
    co_return written;
}

/// Whether the mail was gone, or kept back, when its content was asked for.
async::Task<bool> Replies::lacks_content(WorkspaceId workspace, rows::MessageRow message) {
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(message.id, std::move(message.body));
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), k_job_handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    const auto body = std::move(bodies->at(0));
    if (!body) co_return false;
    const auto& defects = body->defects;
    co_return std::ranges::any_of(defects, [](const std::string& defect) {
        return defect == describe(MailError::not_found).code.view() ||
               defect == describe(MailError::mail_refused).code.view();
    });
}

async::Task<> Replies::fill(Match match, Location location, Candidate candidate, MessageId id) {
    const auto workspace = match.mailbox.workspace;
    const auto uid = std::int64_t{candidate.uid};
    const auto integration = location.integration;
    const auto folder = location.folder_mac;
    auto fetched = co_await fetch(std::move(location), candidate.uid, false);
    if (!fetched) co_return fail(std::move(fetched.error()));
    auto& raw = fetched->raw;
    if (!raw) co_return Result<>{};
    const auto size = static_cast<std::int64_t>(raw->size());
    auto body = co_await read_body(workspace, &candidate, &*fetched);
    if (!body) co_return fail(std::move(body.error()));
    auto message = co_await seal(&match, &candidate, id, std::move(*body), std::move(raw));
    if (!message) co_return fail(std::move(message.error()));
    const auto now = parts_.clock.now_ms();
    const rows::LedgerEntry entry{"fetch_body", folder, uid, uid + 1, size, "verified_reply"};
    const auto write = [this, message = std::move(*message), integration, entry,
                        now](store::Transaction& tx) -> Result<> {
        const auto& m = message;
        POSTERN_TRY(const auto filled, rows::fill_message(tx, m));
        if (!filled) return {};
        if (auto told = rows::append_ledger(tx, m.workspace, integration, entry, now); !told) {
            return told;
        }
        return tell_received(tx, &parts_.events, m, now);
    };
    auto written = co_await parts_.database.write(write);
    if (written) parts_.events.published(workspace);
    co_return written;
}

async::Task<MessageView> Replies::admit(Match match,
                                        Location location,
                                        Candidate candidate,
                                        std::optional<Accepted> held) {
    auto fetched = co_await fetch(location, candidate.uid, held.has_value());
    if (!fetched) co_return fail(std::move(fetched.error()));
    auto body = co_await read_body(match.mailbox.workspace, &candidate, &*fetched);
    if (!body) co_return fail(std::move(body.error()));
    auto& raw = fetched->raw;
    const auto size = raw ? raw->size() : 0;
    rows::LedgerEntry entry{"fetch_body",
                            location.folder_mac,
                            candidate.uid,
                            std::int64_t{candidate.uid} + 1,
                            static_cast<std::int64_t>(size),
                            held ? "accepted_by_person" : "verified_reply"};
    const auto id = MessageId::make(parts_.clock.now_ms());
    auto message = co_await seal(&match, &candidate, id, *body, std::move(raw));
    if (!message) co_return fail(std::move(message.error()));
    MessageView view;
    view.id = message->id;
    view.thread = message->thread;
    view.direction = Direction::in;
    view.state = MessageState::received;
    view.author_kind = candidate.author_kind;
    view.body = std::move(*body);
    view.created_at_ms = parts_.clock.now_ms();
    const bool is_accepted = held.has_value();
    Admission admission{
        std::move(*message), location.integration, std::move(entry), std::move(held), {}};
    if (is_accepted) {
        auto joined = co_await join(&match, &candidate);
        if (!joined) co_return fail(std::move(joined.error()));
        admission.head = std::move(*joined);
    }
    auto stored = co_await store(std::move(admission));
    if (!stored) co_return fail(std::move(stored.error()));
    co_return view;
}

}  // namespace postern::mail
