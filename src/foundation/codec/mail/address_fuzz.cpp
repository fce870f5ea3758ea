// Oracle: an address that is accepted is canonical, and the list reader finds exactly it; nobody of
// a list is passed over when another is put in front; what is listed is fit to be shown.
#include "foundation/codec/mail/address.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/ascii.h"

#include <algorithm>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::codec;
    constexpr std::size_t k_addresses_max = 20;
    const auto text = FuzzInput(data, size).text();
    if (const auto one = EmailAddress::parse(text)) {
        POSTERN_CHECK(is_same_address(one->text(), text));
        POSTERN_CHECK(EmailAddress::parse(one->text())->text() == one->text());
        POSTERN_CHECK(is_domain(one->domain()) && one->text().size() <= k_address_bytes_max);
        const auto list = parse_address_list("Lea <" + one->text() + ">", k_addresses_max);
        POSTERN_CHECK(list.size() == 1 && list[0].address == one->text());
    }
    const auto list = parse_address_list(text, k_addresses_max);
    POSTERN_CHECK(list.size() <= k_addresses_max + 1);
    for (const auto& listed : list) {
        POSTERN_CHECK(clean_text(listed.name, k_display_name_bytes_max) == listed.name);
        POSTERN_CHECK(std::ranges::none_of(listed.address, is_control));
    }
    const auto more =
        parse_address_list("first@front.example, " + std::string(text), k_addresses_max + 1);
    POSTERN_CHECK(!more.empty() && more[0].address == "first@front.example");
    POSTERN_CHECK(more.size() == list.size() + 1);
    return 0;
}
