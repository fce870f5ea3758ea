#pragma once

#include "app/config/config.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <optional>
#include <string>

namespace postern::app::supervisor {

/// DIR (0700) with root.key, lock, run/ (sockets, root-key), store/ (front's), keyring/ (keeper's)
/// and, where the stores were ever elsewhere than in these, engine; moving, while they are being
/// moved. One process at a time works on it, from open() or create() until this goes.
class DataDirectory {
public:
    /// In a folder that is not there yet or empty, or that a create() which did not get to its
    /// made() has left. Errors: already_set_up, folder_not_empty, in_use, OsError.
    [[nodiscard]] static Result<DataDirectory> create(const std::string& path);
    /// Everything that belongs to it is there.
    [[nodiscard]] Result<> made() const;
    /// Errors: not_set_up, half_made, in_use, folder_open, folder_of_another, OsError.
    [[nodiscard]] static Result<DataDirectory> open(const std::string& path);

    /// On which engine the stores lie; changed in one step that outlives a crash.
    [[nodiscard]] Result<config::StoreEngine> engine() const;
    [[nodiscard]] Result<> set_engine(config::StoreEngine engine) const;

    /// Where a move goes that has begun and not ended.
    [[nodiscard]] Result<std::optional<config::StoreEngine>> moving() const;
    [[nodiscard]] Result<> begin_moving(config::StoreEngine to) const;
    [[nodiscard]] Result<> end_moving() const;
    /// Errors: move_unfinished.
    [[nodiscard]] Result<> check_not_moving() const;

    /// DIR/run/root-key: a link that says which root key file the running server started with.
    [[nodiscard]] Result<> point_at_root_key(const std::string& file) const;
    /// Whether it says this one. Errors: other_root_key when it does not, OsError without a link.
    [[nodiscard]] static Result<> check_root_key(const std::string& path, const std::string& file);
    /// Which one it says. Errors: OsError.
    [[nodiscard]] static Result<std::string> root_key_in_use(const std::string& path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] int store() const noexcept { return store_.get(); }
    [[nodiscard]] int keyring() const noexcept { return keyring_.get(); }
    [[nodiscard]] int run() const noexcept { return run_.get(); }
    [[nodiscard]] std::string default_root_key() const { return path_ + "/root.key"; }

    /// The same without opening anything: where a running server can be reached.
    [[nodiscard]] static std::string admin_socket(const std::string& path) {
        return path + "/run/admin.sock";
    }
    /// Takes back what create() made in a folder that was empty.
    static void abandon(const std::string& path);

private:
    [[nodiscard]] Result<> take_lock();
    [[nodiscard]] Result<> open_parts(bool make_folders);
    [[nodiscard]] Result<std::optional<config::StoreEngine>> read_note(const char* name) const;
    [[nodiscard]] Result<> write_note(const char* name, config::StoreEngine engine) const;

    std::string path_;
    os::Fd lock_;
    os::Fd store_;
    os::Fd keyring_;
    os::Fd run_;
};

}  // namespace postern::app::supervisor
