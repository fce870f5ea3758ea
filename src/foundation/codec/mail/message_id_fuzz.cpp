// Oracle: each id is without blanks and bounded, and is found again when it stands alone in
// brackets; the labelled ids are those of all ids that end in the label, each once.
#include "foundation/codec/mail/message_id.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    constexpr std::string_view k_label = "@b7.ptn.brand.example";
    const auto text = postern::FuzzInput(data, size).text();
    MessageIdReader reader(text);
    std::vector<std::string> ours;
    std::size_t count = 0;
    std::string first;
    while (auto id = reader.next()) {
        POSTERN_CHECK(!id->empty() && id->size() <= k_message_id_bytes_max);
        POSTERN_CHECK(id->find_first_of(" \t\r\n<>") == std::string::npos);
        POSTERN_CHECK(++count <= text.size());
        if (count == 1) first = *id;
        if (ends_in_label(*id, k_label) && std::ranges::find(ours, *id) == ours.end())
            ours.push_back(*id);
    }
    POSTERN_CHECK(first_message_id(text).value_or("") == first);
    std::vector<std::string> labelled;
    append_labelled_ids(text, k_label, ours.size(), labelled);
    POSTERN_CHECK(labelled == ours);
    for (const auto& id : ours)
        POSTERN_CHECK(first_message_id("<" + id + ">") == id);
    return 0;
}
