#pragma once

#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <string>

namespace postern::app::supervisor {

/// Opens the root key for keeper; nobody here reads it.
/// Errors: root_key_missing, root_key_unsafe.
[[nodiscard]] Result<os::Fd> open_root_key(const std::string& path);

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
