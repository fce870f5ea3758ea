#include "app/supervisor/store_files.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <cstddef>
#include <expected>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr std::size_t k_password_bytes_max = 1024;
constexpr std::size_t k_pem_bytes_max = 1U << 20U;

Secret without_line_end(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    return Secret::take(text);
}

}  // namespace

Outcome<StoreFiles::Server> StoreFiles::read(const config::DatabaseServer& place) {
    Server server;
    server.place = place;
    if (!place.password_file.empty()) {
        auto text = os::read_file(place.password_file, k_password_bytes_max);
        if (!text) return refuse(SupervisorError::store_file_unreadable, text.error().detail());
        server.password = without_line_end(std::move(*text));
    }
    if (!place.ca_file.empty()) {
        const auto text = os::read_file(place.ca_file, k_pem_bytes_max);
        if (!text) return refuse(SupervisorError::store_file_unreadable, text.error().detail());
        auto file = os::make_memory_file(as_bytes(*text));
        if (!file) return refuse(file.error());
        server.ca = std::move(*file);
    }
    return server;
}

Outcome<StoreFiles> StoreFiles::read(const config::Store& store) {
    StoreFiles files;
    files.keyring_beside_bulk_ = store.keyring_beside_bulk;
    auto bulk = read(store.bulk);
    if (!bulk) return std::unexpected(std::move(bulk.error()));
    files.bulk_ = std::move(*bulk);
    auto keyring = read(store.keyring);
    if (!keyring) return std::unexpected(std::move(keyring.error()));
    files.keyring_ = std::move(*keyring);
    return files;
}

control::StoreAccess StoreFiles::access(Role role, config::StoreEngine engine) const {
    control::StoreAccess access;
    access.engine = engine;
    const bool has_stores = role == Role::front || role == Role::keeper;
    if (engine == config::StoreEngine::sqlite || !has_stores) return access;
    const auto& server = role == Role::front ? bulk_ : keyring_;
    access.server = server.place;
    access.beside_bulk = keyring_beside_bulk_;
    access.password =
        server.password.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    if (server.ca.valid()) access.ca = os::Fd(::fcntl(server.ca.get(), F_DUPFD_CLOEXEC, 0));
    return access;
}

}  // namespace postern::app::supervisor
