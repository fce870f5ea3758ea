#pragma once

#include "edge/api/api.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/people_store.h"
#include "features/mail/mail_service.h"
#include "features/mail/private_threads.h"
#include "foundation/codec/json.h"
#include "platform/os/files.h"
#include "platform/store/reserve.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api::test {

/// A history in memory. `fail_with` ends the next calls; `waits` holds a new thread until set.
class PlayedMail final : public mail::MailService {
public:
    std::map<std::pair<WorkspaceId, ThreadId>, mail::ThreadView> all;
    std::vector<mail::HeldView> waiting;  ///< newest first
    int started = 0;
    std::optional<Error> fail_with;
    bool loses_its_answer = false;  ///< makes the thread and then fails
    std::optional<async::Signal*> waits;

    async::Task<mail::ThreadView> start_thread(mail::Viewer viewer,
                                               IntegrationId integration,
                                               mail::NewMail mail,
                                               std::uint64_t) override {
        if (waits) {
            auto waited = co_await (*waits)->wait(Deadline::in(std::chrono::seconds(20)));
            if (!waited) co_return fail(std::move(waited.error()));
        }
        if (fail_with && !loses_its_answer) co_return fail(Error(*fail_with));
        const auto workspace = viewer.workspace();
        ++started;
        mail::ThreadView thread;
        thread.id = mail.id ? ThreadId(*mail.id) : ThreadId::make(started);
        thread.integration = integration;
        thread.subject = mail.subject;
        if (mail.private_to) thread.private_to.emplace(1, *mail.private_to);
        mail::MessageView message;
        message.id = MessageId::make(started);
        message.thread = thread.id;
        message.body.text = mail.text;
        message.body.to = mail.to;
        message.body.message_id = "ptn1.a.1.b@c.ptn.brand.example";
        thread.messages.push_back(message);
        all[{workspace, thread.id}] = thread;
        if (fail_with) co_return fail(Error(*fail_with));
        co_return thread;
    }
    async::Task<mail::MessageView> add_message(mail::Viewer,
                                               ThreadId,
                                               mail::NewMail,
                                               std::uint64_t) override {
        co_return fail(mail::MailServiceError::thread_not_found);
    }
    async::Task<mail::ThreadView> thread(mail::Viewer viewer, ThreadId id, std::uint64_t) override {
        const auto found = all.find({viewer.workspace(), id});
        if (found == all.end()) co_return fail(mail::MailServiceError::thread_not_found);
        co_return found->second;
    }
    async::Task<std::vector<mail::MessageOutline>> outlines(mail::Viewer viewer,
                                                            ThreadId id) override {
        const auto found = all.find({viewer.workspace(), id});
        if (found == all.end()) co_return fail(mail::MailServiceError::thread_not_found);
        std::vector<mail::MessageOutline> out;
        for (const auto& message : found->second.messages) {
            mail::MessageOutline outline;
            outline.id = message.id;
            outline.thread = id;
            out.push_back(std::move(outline));
        }
        co_return out;
    }
    async::Task<std::vector<mail::ThreadView>> threads(mail::Viewer viewer,
                                                       ThreadQuery query,
                                                       std::uint64_t) override {
        std::vector<mail::ThreadView> out;
        for (auto it = all.rbegin(); it != all.rend(); ++it) {
            const auto& [key, thread] = *it;
            if (key.first != viewer.workspace()) continue;
            if (!query.before.is_null() && !(key.second < query.before)) continue;
            if (out.size() < static_cast<std::size_t>(query.limit)) out.push_back(thread);
        }
        co_return out;
    }
    async::Task<mail::Download> raw(mail::Viewer, MessageId, std::uint64_t) override {
        mail::Download out;
        out.content = os::make_memory_file(as_bytes("Subject: x\r\n\r\nraw")).value();
        co_return out;
    }
    async::Task<mail::Download> attachment(mail::Viewer,
                                           MessageId,
                                           std::uint32_t,
                                           std::uint64_t) override {
        co_return fail(mail::MailServiceError::message_not_found);
    }
    async::Task<std::vector<mail::HeldView>> held(mail::Viewer, mail::HeldQuery query) override {
        std::vector<mail::HeldView> out;
        for (const auto& mail : waiting) {
            const bool is_asked = !query.thread || mail.thread == *query.thread;
            if (!is_asked || (!query.before.is_null() && !(mail.id < query.before))) continue;
            if (out.size() < static_cast<std::size_t>(query.limit)) out.push_back(mail);
        }
        co_return out;
    }
    async::Task<mail::MessageView> accept_held(audit::By,
                                               mail::Viewer,
                                               MessageId,
                                               std::uint64_t) override {
        co_return fail(mail::MailServiceError::held_gone);
    }
    async::Task<mail::MessageView> resolve(
        audit::By, mail::Viewer, MessageId, mail::MessageState, std::uint64_t) override {
        co_return fail(mail::MailServiceError::not_unknown);
    }
    async::Task<> refuse_held(audit::By, mail::Viewer, MessageId) override { co_return Result<>{}; }
    async::Task<mail::SyncResult> sync(audit::By, WorkspaceId, IntegrationId) override {
        co_return fail(keys::KeyError::integration_cut_off);
    }
    async::Task<mail::SearchState> search_state(WorkspaceId, IntegrationId) override {
        co_return mail::SearchState{};
    }
    async::Task<> probe_reply_address(WorkspaceId, IntegrationId) override {
        co_return fail(mail::MailServiceError::reply_address_not_possible);
    }
    async::Task<std::vector<mail::LedgerLine>> read_ledger(WorkspaceId,
                                                           IntegrationId,
                                                           std::int64_t before,
                                                           std::int64_t limit) override {
        constexpr std::int64_t k_newest = 5;
        std::vector<mail::LedgerLine> out;
        for (auto n = before == 0 ? k_newest : before - 1; n > 0 && limit > 0; --n, --limit) {
            out.push_back({n, 0, "search", 1, 2, 100, "poll"});
        }
        co_return out;
    }
};

struct Sent {
    std::string method;
    std::string target;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Who works in a workspace, by its rows.
class StoredColleagues final : public mail::Colleagues {
public:
    Result<bool> may_read(store::Transaction& tx,
                          WorkspaceId workspace,
                          PersonId person) const override {
        return identity::may(tx, workspace, person, identity::Permission::read_history);
    }
    Result<bool> may_write(store::Transaction& tx,
                           WorkspaceId workspace,
                           PersonId person) const override {
        return identity::may(tx, workspace, person, identity::Permission::write_mail);
    }
};

/// The whole API over a real store and a played keeper, mail service and clock; no sockets.
class ApiLab : public identity::test::IdentityLab {
protected:
    ApiLab() { begin(); }
    static std::unique_ptr<store::Database> open_index(const store::TestFolder& folder) {
        store::Database::Options options;
        options.kind = store::StoreKind::index;
        options.file = folder.file("index.db");
        options.create = true;
        options.readers = 0;
        return store::open_or_fail(options);
    }
    /// As after a restart of front.
    void begin() {
        handlers = make_handlers({*identity, *factors, *people, *resets, *passkeys, *providers,
                                  *provider_sign_in, *audit_log, integrations, mail,
                                  private_threads, creators, events, *database, keeper.link,
                                  courier, clock, site, metrics});
    }

    net::http::Request request_of(const Sent& sent) {
        net::http::Request request;
        request.method = sent.method;
        request.target = sent.target;
        request.host = "localhost:8080";
        request.peer.is_loopback = true;
        request.id = ++requests;
        for (const auto& [name, value] : sent.headers) {
            if (name == "Host") request.host = value;
            request.headers.add(name, value);
        }
        request.body.append(sent.body);
        if (!sent.body.empty()) request.headers.add("Content-Type", "application/json");
        return request;
    }
    static async::Task<net::http::Response> ask(net::http::Handler handler,
                                                net::http::Request request) {
        auto running = handler(std::move(request));
        auto response = co_await std::move(running);
        co_return response;
    }
    net::http::Response send(const Sent& sent) {
        return loop.run(ask(handlers.handle, request_of(sent))).value();
    }
    /// With a token, and a key where one is given.
    Sent by(const std::string& who,
            std::string method,
            std::string target,
            std::string body = {},
            std::string key = {}) {
        Sent sent{std::move(method), std::move(target), std::move(body), {}};
        sent.headers.emplace_back("Authorization", "Bearer " + who);
        if (!key.empty()) sent.headers.emplace_back("Idempotency-Key", std::move(key));
        return sent;
    }
    std::string token(std::string workspace = "Brand",
                      identity::Role role = identity::Role::owner) {
        return identity::test::text_of(create_token(std::move(workspace), role).value().text);
    }

    static std::string member(const net::http::Response& response, std::string_view name) {
        const auto json = codec::Json::parse(as_bytes(response.body));
        if (!json || json->fields() == nullptr) return "no object: " + response.body;
        for (const auto& [key, value] : *json->fields()) {
            if (key != name) continue;
            if (const auto text = value.text()) return std::string(*text);
            return value.boolean().value_or(false) ? "true" : "false";
        }
        return "";
    }
    static std::string header(const net::http::Response& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) return value;
        }
        return "";
    }

    std::unique_ptr<store::Database> index = open_index(folder);
    store::Reserve reserve{{folder.file("reserve"), 4096}};
    ipc::Router nothing_served;
    ipc::Link courier{loop.tasks, nothing_served};
    events::EventLog events{loop.io.get_executor(), *database, clock};
    integrations::Integrations integrations{{*database, reserve, keeper.link, courier, events,
                                             *audit_log, clock, integrations::Policy{}}};
    PlayedMail mail;
    StoredColleagues colleagues;
    mail::PrivateThreads private_threads{{*database, events, *audit_log, clock, colleagues}};
    outreach::Creators creators{{*database, *index, keeper.link, clock}};
    Site site{{8080}, "", "", "1.2.3"};
    Metrics metrics;
    net::http::Handlers handlers;
    std::uint64_t requests = 0;
};

}  // namespace postern::api::test
