// Oracle: what front verifies is bounded, holds ids of our label only, each once, and a mail whose
// author cannot be read is never without an author.
#include "features/mail/courier/candidate.h"

#include "features/mail/courier/known_ids.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::mail::courier;
    constexpr std::string_view k_label = "@b7.ptn.brand.example";
    const FuzzInput input(data, size);
    const KnownIds known{std::string(k_label)};
    auto found = read_candidate(7, input.bytes(), known);
    POSTERN_CHECK(found.uid == 7 && found.our_ids.size() <= k_our_ids_max);
    POSTERN_CHECK(found.from.size() <= k_from_max + 1);
    POSTERN_CHECK(found.recipients.size() <= k_recipients_max + 1);
    for (const auto& id : found.our_ids)
        POSTERN_CHECK(codec::ends_in_label(id, k_label));
    auto once = found.our_ids;
    std::ranges::sort(once);
    POSTERN_CHECK(std::ranges::adjacent_find(once) == once.end());
    POSTERN_CHECK(found.message_id.find_first_of("\r\n<>") == std::string::npos);
    // Another author in front is seen, too: nobody hides behind what cannot be read.
    const auto more = "From: <first@front.example>\r\n" + std::string(input.text());
    const auto both = read_candidate(7, as_bytes(more), known);
    if (!both.from.empty() && found.our_ids == both.our_ids && !found.our_ids.empty())
        POSTERN_CHECK(std::ranges::any_of(
            both.from, [](const auto& person) { return person.address == "first@front.example"; }));
    return 0;
}
