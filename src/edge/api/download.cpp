#include "edge/api/download.h"

#include "edge/api/call.h"
#include "edge/api/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_media_type(std::string_view type) {
    constexpr std::size_t k_type_bytes_max = 100;
    const auto slash = type.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == type.size()) return false;
    if (type.size() > k_type_bytes_max) return false;
    return std::all_of(type.begin(), type.end(),
                       [](char c) { return is_plain(c) || c == '/' || c == '+'; }) &&
           std::count(type.begin(), type.end(), '/') == 1;
}

async::Task<> send(std::shared_ptr<const os::Mapping> content, net::http::BodyWriter* to) {
    const auto bytes = content->bytes();
    for (std::size_t at = 0; at < bytes.size(); at += k_download_chunk_bytes) {
        const auto size = std::min(k_download_chunk_bytes, bytes.size() - at);
        std::string chunk(as_text(bytes.subspan(at, size)));
        auto written = co_await to->write(std::move(chunk));
        if (!written) co_return written;
    }
    co_return Result<>{};
}

}  // namespace

std::string disposition(std::string_view name) {
    constexpr std::string_view k_hex = "0123456789ABCDEF";
    constexpr std::size_t k_shown_bytes_max = 200;
    name = name.substr(0, k_shown_bytes_max);
    if (name.empty()) return "attachment";
    std::string ascii;
    std::string escaped;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        ascii += is_plain(c) || c == ' ' ? c : '_';
        if (is_plain(c)) {
            escaped += c;
        } else {
            escaped += '%';
            escaped += k_hex[byte >> 4];
            escaped += k_hex[byte & 0xF];
        }
    }
    return "attachment; filename=\"" + ascii + "\"; filename*=UTF-8''" + escaped;
}

Result<Response> download_response(DownloadHead head, os::Fd content) {
    POSTERN_TRY(auto mapped, os::Mapping::of_sealed(content.get(), k_download_bytes_max));
    const auto shared = std::make_shared<const os::Mapping>(std::move(mapped));
    Response response;
    response.content_type =
        is_media_type(head.type) ? std::move(head.type) : "application/octet-stream";
    response.headers.emplace_back("Content-Disposition", disposition(head.name));
    response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
    response.stream = [shared](net::http::BodyWriter& to) { return send(shared, &to); };
    return response;
}

}  // namespace postern::api
