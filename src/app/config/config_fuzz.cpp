// Oracle: a document is taken or refused with lines that are in it; entries are in order of their
// parents; a setting that nobody knows is never taken; listeners and blocks of an accepted
// configuration are accepted again by themselves.
#include "app/config/config.h"

#include "app/config/document.h"
#include "app/config/load.h"
#include "app/config/values.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::app::config;
    const auto text = postern::FuzzInput(data, size).text();
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    const auto document = parse_document(text);
    const auto loaded = load(text);
    if (!document) {
        POSTERN_CHECK(!loaded && document.error().line <= lines);
        return 0;
    }
    POSTERN_CHECK(document->size() <= k_entries_max);
    for (const auto& entry : *document)
        POSTERN_CHECK(entry.line <= lines && !entry.path.empty());
    if (!loaded) {
        POSTERN_CHECK(!loaded.error().empty());
        return 0;
    }
    for (const auto& block : loaded->config.allow_private)
        POSTERN_CHECK(!why_no_block(block));
    const auto unknown = std::string(text) + "\n[postern_knows_no_such_table]\nx = 1\n";
    POSTERN_CHECK(!load(unknown));
    return 0;
}
