#include "app/child/runtime.h"

#include "app/child/state.h"
#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::app::child {
namespace {

/// /proc/self/fd lets a process open again what its uid could not open by name: the supervisor put
/// it into a memory file that anybody who has the descriptor may read.
std::string path_of(const os::Fd& file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

async::Job tell_end_of_reader(std::shared_ptr<ipc::Peer> control, std::uint64_t number) {
    constexpr std::chrono::seconds k_time{10};
    (void)co_await ipc::call(control.get(), control::EndReader{number}, Deadline::in(k_time));
}

}  // namespace

const config::Config& Runtime::config() const noexcept {
    return state_.start.config;
}
bool Runtime::offline() const noexcept {
    return state_.start.offline;
}
bool Runtime::create() const noexcept {
    return state_.start.create;
}
const std::string& Runtime::missing_isolation() const noexcept {
    return state_.missing_isolation;
}
const Clock& Runtime::clock() const noexcept {
    return state_.clock;
}
const boost::asio::any_io_executor& Runtime::executor() const noexcept {
    return state_.executor;
}
async::TaskGroup& Runtime::tasks() noexcept {
    return state_.tasks;
}

os::Fd Runtime::take_root_key() noexcept {
    return std::move(state_.start.root_key);
}

control::StoreAccess& Runtime::store_access() noexcept {
    return state_.start.store;
}

os::Fd Runtime::take_next_root_key() noexcept {
    return std::move(state_.start.next_root_key);
}

Secret Runtime::take_passphrase() noexcept {
    return std::move(state_.start.passphrase);
}

Secret Runtime::take_own_mail_password() noexcept {
    return std::move(state_.start.own_mail_password);
}

const std::string& Runtime::own_mail_ca() const noexcept {
    return state_.start.own_mail_ca;
}

control::LogServerFiles Runtime::take_log_server_files() noexcept {
    return std::move(state_.start.log_server);
}

Secret Runtime::take_next_passphrase() noexcept {
    return std::move(state_.start.next_passphrase);
}

std::optional<config::Tls> Runtime::tls() const {
    const auto& start = state_.start;
    if (!start.tls_certificate.valid() || !start.tls_key.valid()) return std::nullopt;
    return config::Tls{path_of(start.tls_certificate), path_of(start.tls_key)};
}

void Runtime::on_link(control::Partner partner, std::function<void(os::Fd)> function) {
    auto waiting = std::exchange(state_.waiting_links[partner], {});
    auto& kept = state_.link_functions[partner];
    kept = std::move(function);
    for (auto& socket : waiting)
        kept(std::move(socket));
}

async::Task<control::StartReader::Answer> Runtime::start_reader(Deadline deadline) {
    const auto control = state_.control;
    auto answer = co_await ipc::call(control.get(), control::StartReader{}, deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return std::move(*answer);
}

void Runtime::end_reader(std::uint64_t number) {
    state_.tasks.spawn("end_reader", tell_end_of_reader(state_.control, number));
}

async::Task<control::ListProcesses::Answer> Runtime::list_processes(Deadline deadline) {
    const auto control = state_.control;
    auto answer = co_await ipc::call(control.get(), control::ListProcesses{}, deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return std::move(*answer);
}

async::Task<control::OpenAnchors::Answer> Runtime::open_anchors(control::AnchorStep step,
                                                                Deadline deadline) {
    const auto control = state_.control;
    auto answer = co_await ipc::call(control.get(), control::OpenAnchors{step}, deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return std::move(*answer);
}

async::Task<> Runtime::end_courier(Deadline deadline) {
    const auto control = state_.control;
    auto answer = co_await ipc::call(control.get(), control::EndCourier{}, deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return Result<>{};
}

async::Task<> Runtime::next_root_key(os::Fd file, Secret passphrase, Deadline deadline) {
    const auto control = state_.control;
    control::NextRootKey ask{std::move(file), std::move(passphrase)};
    auto answer = co_await ipc::call(control.get(), std::move(ask), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return Result<>{};
}

async::Task<> Runtime::root_key_changed(Deadline deadline) {
    const auto control = state_.control;
    auto answer = co_await ipc::call(control.get(), control::RootKeyChanged{}, deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return Result<>{};
}

void Runtime::ready(control::Ready ready) {
    POSTERN_CHECK(!state_.is_ready);
    state_.is_ready = true;
    state_.answer.ready = ready;
    state_.answered.set();
}

void Runtime::ask_to_stop() {
    state_.is_stopping = true;
    state_.stopping.set();
}

async::Job Runtime::stop_requested() {
    while (!state_.is_stopping) {
        (void)co_await state_.stopping.wait(Deadline::in(std::chrono::hours(24)));
    }
}

Deadline Runtime::stop_deadline() const noexcept {
    return state_.stop_deadline;
}

}  // namespace postern::app::child
