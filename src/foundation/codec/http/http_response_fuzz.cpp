// Oracle: the same however the bytes arrive, within every limit; a URL that is taken is printed as
// it was written, and its parts make it up again.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/http/response_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace {

using postern::ByteView;
using postern::codec::http::HttpsUrl;
using postern::codec::http::ResponseReader;

constexpr ResponseReader::Limits k_limits{.head_bytes = 2000, .fields = 20, .body_bytes = 3000};

struct Outcome {
    bool is_good = false;
    int status = 0;
    std::string body;
    bool operator==(const Outcome&) const = default;
};

Outcome read(ByteView bytes, std::size_t piece) {
    ResponseReader reader(k_limits);
    Outcome out;
    out.is_good = true;
    while (!bytes.empty() && out.is_good) {
        const auto part = bytes.first(std::min(piece, bytes.size()));
        out.is_good = reader.take(part).has_value();
        bytes = bytes.subspan(part.size());
    }
    POSTERN_CHECK(reader.body().size() <= k_limits.body_bytes);
    POSTERN_CHECK(reader.head().fields.size() <= k_limits.fields);
    out.is_good = out.is_good && reader.end().has_value();
    if (!out.is_good) return out;
    POSTERN_CHECK(reader.is_done());
    out.status = reader.head().status;
    POSTERN_CHECK(out.status >= 200 && out.status <= 599);
    out.body = postern::as_text({reader.body().data(), reader.body().size()});
    return out;
}

void judge_url(std::string_view text) {
    const auto url = HttpsUrl::parse(text);
    if (!url) return;
    POSTERN_CHECK(url->text() == text);
    const auto made = "https://" + url->authority() + url->target();
    const bool had_path = made == text;
    POSTERN_CHECK(had_path || "https://" + url->authority() + url->target().substr(1) == text);
    POSTERN_CHECK(url->authority().starts_with(url->host()));
    for (const char c : text)
        POSTERN_CHECK(c > 0x20 && c < 0x7F && c != '#' && c != '\\');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    postern::FuzzInput input(data, size);
    const std::size_t piece = 1 + input.byte() % 64U;
    judge_url(input.line());
    const auto whole = read(input.bytes(), input.bytes().size() + 1);
    POSTERN_CHECK(whole == read(input.bytes(), 1));
    POSTERN_CHECK(whole == read(input.bytes(), piece));
    return 0;
}
