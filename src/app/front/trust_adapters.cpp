#include "app/front/trust_adapters.h"

#include "app/child/runtime.h"
#include "edge/api/endpoints.h"
#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/policy.h"
#include "features/identity/trials.h"
#include "features/integrations/integration_error.h"
#include "features/mail/mail_types.h"
#include "features/trust/claim.h"
#include "features/trust/ports.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"

#include <fcntl.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::front {
namespace {

/// Under which keeper counts what the claims open.
constexpr std::uint64_t k_trust_handle = 3;
/// Of one thread, so that a long one does not stand for all.
constexpr std::size_t k_raw_mails_max = 20;

/// Of a mail's text: long enough to stand nowhere by chance.
constexpr std::size_t k_text_bytes_least = 24;
constexpr std::size_t k_text_bytes = 64;

/// A process that was just started has closed its fence by then.
constexpr int k_looks = 50;
constexpr std::chrono::milliseconds k_between_looks{100};
constexpr std::chrono::seconds k_reader_time{10};
constexpr std::chrono::seconds k_list_time{10};
/// Below nobody's folder, and to be read by anybody: only a Landlock fence keeps it shut.
constexpr const char* k_outside = "/proc/self/status";
/// Where this process stands.
constexpr const char* k_own_folder = ".";

void add_words(const mail::MessageBody& body, std::vector<std::string>& words) {
    words.push_back(body.subject);
    if (body.text.size() >= k_text_bytes_least) words.push_back(body.text.substr(0, k_text_bytes));
    for (const auto* people : {&body.from, &body.to, &body.cc}) {
        for (const auto& person : *people) {
            words.push_back(person.name);
            words.push_back(person.address);
        }
    }
}

identity::Standing standing_of(trust::Gate::Shown shown) {
    switch (shown) {
        case trust::Gate::Shown::everything: return identity::Standing::whole;
        case trust::Gate::Shown::password_only: return identity::Standing::needs_factor;
        case trust::Gate::Shown::nothing_to_show: return identity::Standing::needs_enrolment;
    }
    return identity::Standing::whole;
}

}  // namespace

async::Task<std::vector<trust::SealedIntegration>> SealAdapter::active() {
    auto rows = co_await integrations_.list_active();
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<trust::SealedIntegration> out;
    for (const auto& row : *rows) {
        auto view = co_await integrations_.describe(row.workspace, row.id);
        // Deleted since it was listed.
        if (!view && view.error().is(integrations::IntegrationError::not_found)) continue;
        if (!view) co_return fail(std::move(view.error()));
        auto& found = view->integration;
        out.push_back(
            {found.workspace, found.id, found.epoch, std::move(found.seal), found.grants.size()});
    }
    co_return out;
}

async::Task<trust::OpenedThread> HistoryAdapter::open(WorkspaceId workspace, ThreadId thread) {
    const auto viewer = mail::Viewer::server(workspace);
    auto view = co_await mail_.thread(viewer, thread, k_trust_handle);
    if (!view) co_return fail(std::move(view.error()));
    trust::OpenedThread out;
    out.words.push_back(view->subject);
    std::size_t raw_mails = 0;
    for (const auto& message : view->messages) {
        ++out.messages;
        if (!message.readable) ++out.unreadable;
        add_words(message.body, out.words);
        if (++raw_mails > k_raw_mails_max) continue;
        const auto raw = co_await mail_.raw(viewer, message.id, k_trust_handle);
        // A mail that was too large to keep whole has none.
        if (!raw && !raw.error().is(mail::MailServiceError::message_not_found)) {
            ++out.raw_unreadable;
        }
    }
    co_return out;
}

async::Task<trust::Processes> FenceAdapter::processes(
    std::function<bool(const trust::Processes&)> settled) {
    // Most of the time there is none. It ends when its connection goes, at the end of this.
    const auto reader = co_await runtime_.start_reader(Deadline::in(k_reader_time));
    if (!reader) co_return fail(reader.error());
    for (int looks = 1;; ++looks) {
        auto listed = co_await runtime_.list_processes(Deadline::in(k_list_time));
        if (!listed) co_return fail(std::move(listed.error()));
        trust::Processes out;
        out.supervisor = std::move(listed->own_status);
        out.serving = !runtime_.offline();
        for (auto& child : listed->children)
            out.children.push_back({std::move(child.role), std::move(child.status)});
        if (looks == k_looks || settled(out)) co_return out;
        const auto waited = co_await async::wait_until(Deadline::in(k_between_looks));
        if (!waited) co_return fail(waited.error());
    }
}

Result<bool> FenceAdapter::opens(Place place) const {
    const char* path = place == Place::outside ? k_outside : k_own_folder;
    const os::Fd file(::open(path, O_RDONLY | O_CLOEXEC));
    if (file.valid()) return true;
    if (errno == EACCES) return false;
    return fail(trust::TrustError::out_of_sight, path);
}

async::Task<trust::Bearers::Token> BearerAdapter::create_token() {
    // Of no workspace, so that it is good for nothing in the moment that it lives.
    std::array<std::uint8_t, 16> nobody{};
    crypto::fill_random(nobody);
    auto made = co_await identity_.create_token(WorkspaceId(nobody), identity::Role::reader);
    if (!made) co_return fail(std::move(made.error()));
    co_return Token{made->workspace, made->id, std::move(made->text)};
}

async::Task<> BearerAdapter::delete_token(WorkspaceId workspace, TokenId id) {
    co_return co_await identity_.delete_token(workspace, id, std::nullopt);
}

std::vector<trust::Bearers::Made> BearerAdapter::make_others() {
    std::vector<Made> out;
    for (const auto prefix : {identity::k_session_prefix, identity::k_setup_prefix}) {
        auto bearer = identity::make_bearer(prefix);
        out.push_back({std::move(bearer.text), bearer.hash});
    }
    return out;
}

GateAdapter::GateAdapter(identity::Trials trials) : trials_(trials), router_(api::make_router()) {}

std::vector<std::string> GateAdapter::roles() const {
    std::vector<std::string> out;
    for (const auto role : identity::k_roles)
        out.emplace_back(name_of(role));
    return out;
}

async::Task<std::vector<trust::Gate::Door>> GateAdapter::try_doors(Asker asker) {
    const auto role = identity::parse_role(asker.role);
    if (!role) co_return fail(trust::TrustError::out_of_sight);
    auto asking = asker.kind == Kind::token ? trials_.token(*role)
                                            : trials_.session(*role, standing_of(asker.shown));
    const auto actor = co_await std::move(asking);
    if (!actor) co_return fail(actor.error());
    std::vector<Door> out;
    for (const auto& route : router_.routes()) {
        const auto& permission = route.endpoint.permission;
        if (!permission) continue;
        Door door;
        door.route = route.method + " " + route.pattern;
        door.opens = identity::admit(*actor, *permission).has_value();
        door.of_role = identity::allows(*role, *permission);
        out.push_back(std::move(door));
    }
    co_return out;
}

async::Task<std::vector<trust::Privacy::Look>> PrivacyAdapter::look(bool is_private) {
    auto looks = co_await trial_.look(is_private);
    if (!looks) co_return fail(std::move(looks.error()));
    std::vector<Look> out;
    for (const auto& each : *looks) {
        out.push_back({std::string(each.where), each.by_its_person, each.by_a_colleague,
                       each.by_nobodys_token});
    }
    co_return out;
}

async::Task<std::vector<trust::Gate::Ended>> GateAdapter::end_sessions(bool really) {
    auto ended = co_await trials_.ends(really);
    if (!ended) co_return fail(std::move(ended.error()));
    std::vector<Ended> out;
    for (const auto& each : *ended)
        out.push_back({std::string(each.how), each.was_good, each.is_good, each.stream_goes_on});
    co_return out;
}

}  // namespace postern::app::front
