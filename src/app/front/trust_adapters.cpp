#include "app/front/trust_adapters.h"

#include "features/integrations/integration_error.h"
#include "features/mail/mail_types.h"
#include "features/trust/ports.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::front {
namespace {

/// Under which keeper counts what the claims open.
constexpr std::uint64_t k_trust_handle = 3;
/// Of one thread, so that a long one does not stand for all.
constexpr std::size_t k_raw_mails_max = 20;

void add_words(const mail::MessageBody& body, std::vector<std::string>& words) {
    words.push_back(body.subject);
    for (const auto* people : {&body.from, &body.to, &body.cc}) {
        for (const auto& person : *people)
            words.push_back(person.address);
    }
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
    auto view = co_await mail_.thread(workspace, thread, k_trust_handle);
    if (!view) co_return fail(std::move(view.error()));
    trust::OpenedThread out;
    out.words.push_back(view->subject);
    std::size_t raw_mails = 0;
    for (const auto& message : view->messages) {
        ++out.messages;
        if (!message.readable) ++out.unreadable;
        add_words(message.body, out.words);
        if (++raw_mails > k_raw_mails_max) continue;
        const auto raw = co_await mail_.raw(workspace, message.id, k_trust_handle);
        // A mail that was too large to keep whole has none.
        if (!raw && !raw.error().is(mail::MailServiceError::message_not_found)) {
            ++out.raw_unreadable;
        }
    }
    co_return out;
}

}  // namespace postern::app::front
