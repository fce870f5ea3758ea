#include "platform/store/sqlite/relative_vfs.h"

#include <sqlite3.h>
#include <cstring>

namespace postern::store::sqlite {

namespace {

constexpr const char* k_name = "postern-relative";

int copy_name(sqlite3_vfs*, const char* name, int out_size, char* out) {
    const auto size = std::strlen(name);
    if (out_size <= 0 || size >= static_cast<std::size_t>(out_size)) return SQLITE_CANTOPEN;
    std::memcpy(out, name, size + 1);
    return SQLITE_OK;
}

const char* register_vfs() noexcept {
    const sqlite3_vfs* original = sqlite3_vfs_find("unix");
    if (original == nullptr) return nullptr;
    static sqlite3_vfs copy = *original;
    copy.pNext = nullptr;
    copy.zName = k_name;
    copy.xFullPathname = copy_name;
    return sqlite3_vfs_register(&copy, 0) == SQLITE_OK ? k_name : nullptr;
}

}  // namespace

const char* relative_vfs() noexcept {
    static const char* const name = register_vfs();
    return name;
}

}  // namespace postern::store::sqlite
