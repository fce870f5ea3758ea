// Oracle: an id that is learnt from a submission server's words stands in them, is found again in a
// reply to the mail and in nothing longer, and stands in the search for replies as one quoted text.
#include "features/mail/courier/known_ids.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail::courier {
namespace {

constexpr std::string_view k_label = "@b7.ptn.brand.example";

void check_search(const KnownIds& known, const std::string& id) {
    const auto queries = known.queries(1, 0);
    POSTERN_CHECK(queries.has_value());
    bool named = false;
    for (const auto& query : *queries) {
        const auto& text = query.text();
        POSTERN_CHECK(text.size() < imap::k_command_bytes_max);
        POSTERN_CHECK(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }));
        POSTERN_CHECK(!text.contains('\\') && std::ranges::count(text, '"') % 2 == 0);
        named = named || text.contains("In-Reply-To \"" + id + "\"");
    }
    POSTERN_CHECK(named);
}

void check_learnt(const std::string& id) {
    KnownIds known{std::string(k_label)};
    known.learn({id});
    POSTERN_CHECK(known.contains(id) && !known.contains("x" + id) && !known.contains(id + ".x"));
    POSTERN_CHECK(known.are_in(as_bytes("References: <a@b.example>\r\n <" + id + ">\r\n\r\n")));
    POSTERN_CHECK(!known.are_in(as_bytes("In-Reply-To: <x" + id + ">\r\n\r\n")));
    check_search(known, id);
}

}  // namespace
}  // namespace postern::mail::courier

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::mail::courier;
    FuzzInput input(data, size);
    const auto host = input.line();
    const auto reply = input.text();
    const auto id = id_given_by(reply, host);
    const bool was_learnable = is_learnable(reply);
    if (was_learnable) check_learnt(std::string(reply));
    if (id.empty()) return 0;
    POSTERN_CHECK(is_learnable(id));
    const auto local = id.substr(0, id.find('@'));
    POSTERN_CHECK(reply.contains("<" + id + ">") ||
                  (reply.contains(local) && id.ends_with(".amazonses.com")));
    check_learnt(id);
    return 0;
}
