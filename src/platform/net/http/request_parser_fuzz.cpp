#include "platform/net/http/request_parser.h"

#include <cstdlib>
#include <string>

// Oracle: what a connection's bytes mean does not depend on how they arrive.

namespace postern::net::http {
namespace {

constexpr std::size_t k_input_bytes_max = 16UL * 1024;
constexpr std::uint64_t k_body_bytes_max = 4096;

/// All requests in the input, one after the other, fed in pieces of `step` bytes; then the refusal.
std::string read_all(std::string_view input, std::size_t step) {
    const Limits limits;
    HeadScanner scanner(limits);
    RequestParser parser;
    Request request;
    std::string meaning;
    bool in_body = false;
    std::size_t begin = 0;
    for (std::size_t end = 0; end < input.size();) {
        end = std::min(end + step, input.size());
        while (true) {
            const auto view = input.substr(begin, end - begin);
            if (!in_body) {
                const auto size = scanner.scan(view);
                if (!size) return meaning + std::to_string(size.error().status);
                if (*size == 0) break;
                const auto facts = parser.begin(view.substr(0, *size), request);
                if (!facts) return meaning + std::to_string(facts.error().status);
                scanner.restart();
                begin += *size;
                in_body = true;
            } else if (!parser.is_done()) {
                const auto progress = parser.take(as_bytes(view), request, k_body_bytes_max);
                begin += progress.consumed;
                if (progress.refusal) return meaning + std::to_string(progress.refusal->status);
                if (!parser.is_done()) break;
            }
            if (!parser.is_done()) continue;
            meaning += request.method + ' ' + request.target + '\n';
            meaning += as_text({request.body.data(), request.body.size()});
            in_body = false;
        }
    }
    return meaning;
}

}  // namespace
}  // namespace postern::net::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    if (size > net::http::k_input_bytes_max) return 0;
    const auto input = as_text({data, size});
    const auto whole = net::http::read_all(input, size + 1);
    if (whole != net::http::read_all(input, 1) || whole != net::http::read_all(input, 7))
        std::abort();
    return 0;
}
