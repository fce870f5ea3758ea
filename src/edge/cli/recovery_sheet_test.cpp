#include "edge/cli/recovery_sheet.h"

#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::cli {
namespace {

Kit kit_of(int shares, int threshold) {
    Kit kit{{},
            {static_cast<std::uint8_t>(shares), static_cast<std::uint8_t>(threshold)},
            "0123456789abcdef"};
    for (int i = 0; i < shares; ++i) {
        const auto text = "postern-recovery-2:" + std::string(60, static_cast<char>('a' + i));
        kit.shares.push_back(Secret::copy_of(as_bytes(text)));
    }
    return kit;
}

std::string sheet(const Kit& kit, SheetForm form) {
    return recovery_sheet(kit, form).with_bytes(
        [](ByteView bytes) { return std::string(as_text(bytes)); });
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

TEST(RecoverySheet, has_a_page_with_text_and_code_for_each_share) {
    const auto kit = kit_of(3, 2);
    for (const auto form : {SheetForm::html, SheetForm::svg}) {
        const auto text = sheet(kit, form);
        for (int i = 1; i <= 3; ++i)
            EXPECT_EQ(count(text, "share " + std::to_string(i) + " of 3"), 1U);
        EXPECT_EQ(count(text, "shape-rendering"), 3U);
        EXPECT_EQ(count(text, "Any 2 of the 3 shares"), 3U);
        EXPECT_EQ(count(text, "Root key 0123456789abcdef"), 3U);
        EXPECT_EQ(count(text, "postern recover"), 3U);
        EXPECT_EQ(count(text, "postern-recovery-2:" + std::string(29, 'b')), 1U);
    }
    EXPECT_EQ(count(sheet(kit, SheetForm::html), "<section>"), 3U);
    EXPECT_EQ(count(sheet(kit, SheetForm::svg), "viewBox=\"0 0 210 810\""), 1U);
}

TEST(RecoverySheet, a_single_share_is_not_called_one_of_several) {
    const auto text = sheet(kit_of(1, 1), SheetForm::html);
    EXPECT_EQ(count(text, "This one share"), 1U);
    EXPECT_EQ(count(text, "Any 1"), 0U);
}

TEST(RecoverySheet, needs_nothing_from_elsewhere) {
    for (const auto form : {SheetForm::html, SheetForm::svg}) {
        auto text = sheet(kit_of(2, 2), form);
        const std::string_view xmlns = "http://www.w3.org/2000/svg";
        if (const auto at = text.find(xmlns); at != std::string::npos) text.erase(at, xmlns.size());
        for (const auto* link : {"http", "src=", "url(", "<script", "<link", "@import"})
            EXPECT_EQ(count(text, link), 0U) << link;
    }
}

}  // namespace
}  // namespace postern::cli
