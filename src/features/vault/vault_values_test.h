#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

/// Small things that the vault's tests share.
namespace postern::vault {

inline constexpr std::string_view k_destination = "imap.example:993";
inline constexpr std::string_view k_password = "the mailbox's own password";

inline constexpr crypto::Argon2Cost k_cheap_cost{.passes = 1, .memory_kib = 64};

inline Secret secret_of(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}
inline Bytes bytes_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return to_bytes(bytes); });
}
inline std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}
inline Secret filled_key(std::uint8_t fill) {
    return Secret::copy_of(Bytes(32, fill));
}
template <typename IdType>
IdType test_id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = number;
    return IdType(bytes);
}

class TestFolder {
public:
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "postern-vault-XXXXXX");
        POSTERN_CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Whether any file of the folder holds these bytes.
    [[nodiscard]] bool holds(ByteView needle) const {
        const auto wanted = as_text(needle);
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            std::ifstream in(entry.path(), std::ios::binary);
            const std::string content{std::istreambuf_iterator<char>(in), {}};
            if (content.find(wanted) != std::string::npos) return true;
        }
        return false;
    }

private:
    std::filesystem::path path_;
};

/// The code of the error, or "good".
template <typename T>
std::string code_of(const Result<T>& result) {
    return result ? "good" : std::string(result.error().code());
}

}  // namespace postern::vault
