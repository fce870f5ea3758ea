#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <cstdint>
#include <string>

namespace postern::os {

enum class OsError { not_found, already_exists, no_permission, too_large, too_open, disk_full, io };

constexpr ErrorInfo describe(OsError error) {
    switch (error) {
        case OsError::not_found: return {"file_not_found", "A file that is needed is not there."};
        case OsError::already_exists: return {"file_exists", "The file is there already."};
        case OsError::no_permission: return {"no_permission", "The file may not be opened."};
        case OsError::too_large: return {"file_too_large", "The file is larger than allowed."};
        case OsError::too_open:
            return {"file_too_open", "Others may read this file; its mode must be 0600 or less."};
        case OsError::disk_full: return {"disk_full", "The disk is full."};
        case OsError::io: return {"io_failed", "Reading or writing failed."};
    }
    return {"io_failed", "Reading or writing failed."};
}

/// The error for the current errno; `what` names the file for the operator.
[[nodiscard]] Error errno_error(const std::string& what);

/// Reads a whole file that holds a secret. Refuses one that group or others may read.
[[nodiscard]] Result<Secret> read_secret_file(const std::string& path, std::size_t bytes_max);
/// The same from an open descriptor, from its start.
[[nodiscard]] Result<Secret> read_secret(int fd, std::size_t bytes_max);
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
/// Creates the file with `mode`, never over an existing one; data and name are on disk on return.
[[nodiscard]] Result<> create_file(const std::string& path, ByteView content, unsigned mode);

/// Memory without a name, sealed against change once written: how large bodies travel between
/// our processes without touching the disk.
/// A second descriptor of the same open file, closed on exec.
[[nodiscard]] Result<Fd> duplicate(const Fd& file);
[[nodiscard]] Result<Fd> make_memory_file(ByteView content);
[[nodiscard]] Result<Fd> empty_memory_file();
[[nodiscard]] Result<> append(int fd, ByteView content);
/// Makes the memory file unchangeable.
[[nodiscard]] Result<> seal_memory_file(int fd);
[[nodiscard]] Result<std::uint64_t> file_size(int fd);

/// A file mapped for reading; only what seal_memory_file() has sealed may come from another
/// process, or its owner could cut it short under us.
class Mapping {
public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    /// Errors: too_large, no_permission when the file is not sealed.
    [[nodiscard]] static Result<Mapping> of_sealed(int fd, std::size_t bytes_max);
    [[nodiscard]] ByteView bytes() const noexcept {
        return {static_cast<const std::uint8_t*>(data_), size_};
    }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace postern::os
