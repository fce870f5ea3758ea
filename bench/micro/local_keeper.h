// Keeper in the process of a benchmark, over a SQLite keyring in the working directory; asked
// through its own router, coding included.
#pragma once

#include "features/vault/keeper_service.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/root_key.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/operator.h"
#include "platform/os/fd.h"

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace postern::vault {

class LocalKeeper {
public:
    LocalKeeper() {
        const auto root_key = make_root_key();
        std::filesystem::remove(options_.file);
        POSTERN_CHECK(create_keyring(options_, root_key).has_value());
        auto opened = open_keyring(options_, root_key);
        POSTERN_CHECK(opened.has_value());
        KeeperParts parts{std::move(opened->store),
                          std::move(opened->keyring),
                          std::make_shared<NoLinks>(),
                          &clock_,
                          {},
                          {}};
        service_ = std::make_unique<KeeperService>(io_.get_executor(), std::move(parts));
        (void)ask(front(), keys::CreateWorkspace{workspace});
    }
    ~LocalKeeper() {
        group_.spawn("stop", service_->stop());
        boost::asio::post(io_, [this] { group_.cancel(); });
        io_.restart();
        io_.run();
    }
    LocalKeeper(const LocalKeeper&) = delete;
    LocalKeeper& operator=(const LocalKeeper&) = delete;

    const ipc::Router& front() { return service_->front(); }
    const ipc::Router& operators() { return service_->operators(); }
    void run_rotation() { group_.spawn("rotation", service_->run_rotation()); }

    /// Serves one call, and whatever else has to be done meanwhile. It has to succeed.
    template <typename Method>
    typename Method::Answer ask(const ipc::Router& router, Method method) {
        ipc::Encoder encoder;
        encoder.put(method);
        ipc::Request request{Method::k_method, std::move(encoder.bytes()), {}};
        std::optional<ipc::Reply> reply;
        const auto serve = [](const ipc::Router* to, ipc::Request asked,
                              std::optional<ipc::Reply>* into) -> async::Job {
            auto answered = co_await to->serve(std::move(asked));
            *into = std::move(answered);
        };
        group_.spawn("call", serve(&router, std::move(request), &reply));
        io_.restart();
        while (!reply)
            io_.run_one();
        POSTERN_CHECK(reply->status == 0);
        ipc::Decoder decoder(reply->body, {});
        typename Method::Answer answer{};
        POSTERN_CHECK(decoder.get(answer) && decoder.finished());
        return answer;
    }

    /// Serves a front in another thread, until its end of the socket pair is closed.
    void serve(os::Fd socket) {
        const auto peer =
            std::make_shared<ipc::Peer>(io_.get_executor(), std::move(socket), front().handler());
        bool is_over = false;
        const auto run = [](std::shared_ptr<ipc::Peer> with, bool* over) -> async::Job {
            co_await with->run();
            *over = true;
        };
        group_.spawn("front", run(peer, &is_over));
        io_.restart();
        while (!is_over)
            io_.run_one();
    }

    const WorkspaceId workspace = WorkspaceId::make(1);

private:
    class NoLinks final : public Links {
    public:
        async::Task<keys::EndUses::Answer> end_uses(keys::EndUses, Deadline) override {
            co_return keys::EndUses::Answer{};
        }
        async::Task<> next_root_key(os::Fd, Secret) override { co_return Result<>(); }
        async::Task<> root_key_changed() override { co_return Result<>(); }
        void lease_ended(keys::LeaseEnded) override {}
    };

    OpenKeyringOptions options_{.file = "keyring.db", .reserve_file = std::nullopt};
    SystemClock clock_;
    boost::asio::io_context io_;
    async::TaskGroup group_{io_.get_executor()};
    std::unique_ptr<KeeperService> service_;
};

}  // namespace postern::vault
