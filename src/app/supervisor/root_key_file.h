#pragma once

#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <string>

namespace postern::app::supervisor {

/// Opens the root key for keeper; nobody here reads it.
/// Errors: root_key_missing, root_key_unsafe.
[[nodiscard]] Result<os::Fd> open_root_key(const std::string& path);

/// The one that a rotation left beside it; an invalid descriptor where there is none.
/// Errors: root_key_unsafe.
[[nodiscard]] Result<os::Fd> open_next_root_key(const std::string& path);
/// Whether the file is under a passphrase: told by its size; what is no key is under none. Errors:
/// OsError.
[[nodiscard]] Result<bool> is_under_passphrase(const os::Fd& file);
/// After a start: gives the next root key its name where it is the one that fits, else removes it.
/// Errors: OsError.
[[nodiscard]] Result<> settle_root_key(const std::string& path, bool next_fits);

/// After a start: what a command that did not get to its end wrote beside it. Errors: OsError.
[[nodiscard]] Result<> remove_unfinished_root_key(const std::string& path);

/// What of a change of the root key lies beside it; empty: nothing, as most of the time.
[[nodiscard]] std::string unsettled_root_key(const std::string& path);

/// The content that comes in the place of a root key file's: once whole and on disk it lies beside
/// it (PATH.next) until it takes its name. Left there by a crash it is settled by the next start.
class NextRootKeyFile {
public:
    /// Errors: root_key_unsettled where there is one, or another command makes one: the next start
    /// settles it. OsError.
    [[nodiscard]] static Result<NextRootKeyFile> begin(const std::string& path);

    /// For keeper to write to. Errors: OsError.
    [[nodiscard]] Result<os::Fd> descriptor() const;
    /// Whole and on disk, name included. Errors: root_key_unsettled, OsError.
    [[nodiscard]] Result<> publish();
    /// Takes the other's name. Errors: OsError.
    [[nodiscard]] Result<> take_over() const;
    void discard() const;

private:
    NextRootKeyFile(std::string path, os::Fd file);

    std::string path_;
    os::Fd file_;
    bool published_ = false;
};

/// A root key file that is being made beside its final name: it takes the name only when whole and
/// on disk, and never from another file.
class NewRootKeyFile {
public:
    /// Errors: root_key_exists, OsError.
    [[nodiscard]] static Result<NewRootKeyFile> begin(const std::string& path);
    ~NewRootKeyFile();
    NewRootKeyFile(NewRootKeyFile&& other) noexcept;
    NewRootKeyFile& operator=(NewRootKeyFile&&) = delete;
    NewRootKeyFile(const NewRootKeyFile&) = delete;
    NewRootKeyFile& operator=(const NewRootKeyFile&) = delete;

    /// For keeper to write to. Errors: OsError.
    [[nodiscard]] Result<os::Fd> descriptor() const;
    /// Errors: root_key_exists, OsError.
    [[nodiscard]] Result<> commit();

private:
    NewRootKeyFile(std::string path, os::Fd file);

    std::string path_;
    std::string temporary_;
    os::Fd file_;
};

}  // namespace postern::app::supervisor
