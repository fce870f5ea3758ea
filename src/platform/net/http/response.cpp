#include "platform/net/http/response.h"

#include <string_view>

namespace postern::net::http {

Response text_response(int status, std::string_view text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = text;
    return response;
}

}  // namespace postern::net::http
