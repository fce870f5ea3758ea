// Oracle: names and addresses are fit to be shown, and their number keeps to its bound; an address
// in front of any field is found first; ids are without blanks, bounded, and each is read again
// when it stands alone; cutting ids keeps the first and the last.
#include "features/mail/reader/address_list.h"
#include "features/mail/reader/charset.h"
#include "features/mail/reader/message_id.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    postern::reader::warm_up();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    constexpr std::size_t k_addresses_max = 20;
    postern::FuzzInput input(data, size);
    const std::size_t ids_max = input.byte() % 8 + 2;
    const auto raw = input.text();
    Defects defects;
    const auto list = parse_address_list(raw, k_addresses_max, defects);
    POSTERN_CHECK(list.size() <= k_addresses_max);
    for (const auto& [name, address] : list) {
        POSTERN_CHECK(is_valid_utf8(name) && is_valid_utf8(address));
        POSTERN_CHECK(display_line(name, name.size()) == name);
        POSTERN_CHECK(!name.empty() || !address.empty());
    }
    const auto more =
        parse_address_list("A <a@front.example>, " + std::string(raw), k_addresses_max, defects);
    POSTERN_CHECK(!more.empty() && more[0] == Mailbox("A", "a@front.example"));
    auto ids = parse_message_ids(raw);
    for (const auto& id : ids) {
        POSTERN_CHECK(!id.empty() && id.size() <= 998);
        POSTERN_CHECK(id.find_first_of(" \t\r\n") == std::string::npos);
    }
    const auto all = ids;
    const bool was_cut = cut_message_ids(ids, ids_max);
    POSTERN_CHECK(was_cut == (all.size() > ids_max) && ids.size() <= ids_max);
    if (!all.empty()) POSTERN_CHECK(ids.front() == all.front() && ids.back() == all.back());
    return 0;
}
