#pragma once

namespace postern::store::sqlite {

/// Registers, once a process, SQLite's own unix VFS under another name with one difference: a file
/// name is used as it is given. The original asks lstat() about every folder above, which a process
/// that gave up its rights and stands in a folder below a 0700 one may not.
///
/// Returns the VFS's name, or null if SQLite refused. The working directory must not change while
/// a database is open under a relative name.
[[nodiscard]] const char* relative_vfs() noexcept;

}  // namespace postern::store::sqlite
