#include "features/vault/shared_secret.h"

#include "features/vault/crockford.h"
#include "features/vault/printed_share.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/random.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/keys/key_error.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::size_t k_characters = 25;
constexpr std::size_t k_generated_bytes = k_characters + k_characters / k_group - 1;
constexpr std::string_view k_share_stem = "postern-share-";
constexpr std::string_view k_share_prefix = "postern-share-1:";
constexpr std::size_t k_bytes_min = 12;
constexpr std::size_t k_distinct_min = 5;
constexpr std::size_t k_period_max = 6;

/// Long enough for the length rule and still among the first that anyone tries.
constexpr std::array<std::string_view, 22> k_common = {"password1234",
                                                       "password12345",
                                                       "password123456",
                                                       "passwordpassword",
                                                       "passw0rd1234",
                                                       "p@ssw0rd1234",
                                                       "p@ssword1234",
                                                       "letmeinletmein",
                                                       "welcome12345",
                                                       "welcome123456",
                                                       "iloveyou1234",
                                                       "administrator",
                                                       "administrator1",
                                                       "changeme1234",
                                                       "changemechangeme",
                                                       "qwerty123456",
                                                       "qwertyuiop123",
                                                       "1q2w3e4r5t6y",
                                                       "1qaz2wsx3edc",
                                                       "correcthorsebatterystaple",
                                                       "correct horse battery staple",
                                                       "trustno1trustno1"};

constexpr std::array<std::string_view, 6> k_runs = {
    "abcdefghijklmnopqrstuvwxyz", "01234567890123456789",       "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1234567890-="};

std::uint8_t lower(std::uint8_t c) {
    return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + 32) : c;
}

bool equal_ignoring_case(ByteView a, std::string_view b) {
    return a.size() == b.size() && std::ranges::equal(a, as_bytes(b), {}, lower, lower);
}

/// "abcabcabcabc": nothing after the first few characters is new.
bool repeats(ByteView text) {
    for (std::size_t period = 1; period <= k_period_max; ++period) {
        if (std::ranges::equal(text.subspan(period), text.first(text.size() - period))) return true;
    }
    return false;
}

/// True where most steps from one character to the next are the same small one ("123456...",
/// "acegik...") or go along a row of keys, in either direction.
bool runs(ByteView text) {
    std::size_t along = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const auto a = static_cast<char>(lower(text[i - 1]));
        const auto b = static_cast<char>(lower(text[i]));
        const bool follows = std::ranges::any_of(k_runs, [&](std::string_view run) {
            const std::array<char, 2> forward{a, b};
            const std::array<char, 2> backward{b, a};
            return run.find(std::string_view(forward.data(), 2)) != std::string_view::npos ||
                   run.find(std::string_view(backward.data(), 2)) != std::string_view::npos;
        });
        if (follows || a == b) ++along;
    }
    return along * 4 >= (text.size() - 1) * 3;
}

std::size_t distinct(ByteView text) {
    std::array<bool, 256> seen{};
    for (const auto byte : text)
        seen[byte] = true;
    return static_cast<std::size_t>(std::ranges::count(seen, true));
}

bool is_weak(ByteView text) {
    return text.size() < k_bytes_min || text.size() > k_shared_secret_bytes_max ||
           distinct(text) < k_distinct_min || repeats(text) || runs(text) ||
           std::ranges::any_of(
               k_common, [&](auto known) { return equal_ignoring_case(text, known); });
}

bool is_gap(std::uint8_t c) {
    return c == ' ' || c == '-';
}

bool reads_as_generated(ByteView text) {
    std::size_t count = 0;
    for (const auto c : text) {
        if (is_gap(c)) continue;
        if (!crockford_value(c)) return false;
        ++count;
    }
    return count == k_characters;
}

Result<Secret> join(ByteView text) {
    std::vector<PrintedShare> shares;
    for (const auto each : shares_in(text, k_share_stem)) {
        POSTERN_TRY(auto share, parse_share(each, k_share_prefix, k_generated_bytes));
        shares.push_back(std::move(share));
    }
    return join_shares(std::move(shares));
}

}  // namespace

Secret generate_shared_secret() {
    // One more byte than is shown: 25 characters carry 125 bits.
    const auto text = crockford_text(crypto::random_secret(k_characters * 5 / 8 + 1));
    return text.with_bytes(
        [](ByteView bytes) { return Secret::copy_of(bytes.first(k_generated_bytes)); });
}

std::vector<Secret> split_shared_secret(const Secret& generated,
                                        const crypto::SharingScheme& scheme) {
    POSTERN_CHECK(generated.size() == k_generated_bytes && scheme.shares <= k_secret_shares_max);
    PrintedShare::SetId set{};
    crypto::fill_random(set);
    std::vector<Secret> texts;
    for (auto& part : crypto::split_secret(generated, scheme))
        texts.push_back(text_of(PrintedShare{scheme, set, std::move(part)}, k_share_prefix));
    return texts;
}

Secret canonical_shared_secret(const Secret& typed) {
    return typed.with_bytes([](ByteView text) {
        // Shares that do not fit together are a wrong secret like any other.
        if (starts_with(text, k_share_stem)) {
            auto joined = join(text);
            return joined ? std::move(*joined) : Secret::copy_of(text);
        }
        if (!reads_as_generated(text)) return Secret::copy_of(text);
        auto form = Secret::of_size(k_generated_bytes);
        form.with_mutable_bytes([&](std::span<std::uint8_t> out) {
            std::size_t at = 0;
            for (const auto c : text) {
                if (is_gap(c)) continue;
                if (at % (k_group + 1) == k_group) out[at++] = '-';
                out[at++] = crockford_character(crockford_value(c).value_or(0));
            }
        });
        return form;
    });
}

Result<> check_strength(const Secret& typed) {
    if (typed.with_bytes(is_weak)) return fail(keys::KeyError::weak_secret);
    return {};
}

}  // namespace postern::vault
