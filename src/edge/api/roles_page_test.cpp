#include "edge/api/endpoints.h"
#include "edge/api/router.h"
#include "features/identity/policy.h"
#include "platform/os/files.h"

#include <gtest/gtest.h>
#include <fstream>
#include <string>

namespace postern::api {
namespace {

using identity::Role;

constexpr std::string_view k_begin =
    "# Who may do what\n\n"
    "Made from the code, which alone decides; a test holds this page to it. *fresh*: a person "
    "shows a proof of the\nlast five minutes, a token has the scope. *a person's*: no token "
    "may.\n\n";

std::string roles_table() {
    std::string out = "## Permissions and roles\n\n| |";
    for (const auto role : identity::k_roles)
        out.append(" ").append(name_of(role)).append(" |");
    out.append("\n|---|---|---|---|---|---|---|\n");
    for (const auto permission : identity::k_permissions) {
        out.append("| `").append(name_of(permission)).append("`");
        if (is_a_persons(permission)) out.append(", a person's");
        if (needs_fresh_proof(permission)) out.append(", fresh");
        out.append(" |");
        for (const auto role : identity::k_roles)
            out.append(allows(role, permission) ? " yes |" : " |");
        out.append("\n");
    }
    return out;
}

std::string routes_table() {
    std::string out = "\n## What each route asks for\n\n| route | permission |\n|---|---|\n";
    const auto router = make_router();
    for (const auto& route : router.routes()) {
        out.append("| `").append(route.method).append(" ").append(route.pattern).append("` | ");
        if (route.endpoint.permission) {
            out.append("`").append(name_of(*route.endpoint.permission)).append("` |\n");
        } else {
            out.append("open to everybody |\n");
        }
    }
    return out;
}

TEST(RolesPage, says_what_the_code_does) {
    const auto wanted = std::string(k_begin) + roles_table() + routes_table();
    const auto there = os::read_file(POSTERN_SOURCE_DIR "/docs/roles.md", 1U << 20U);
    if (there && *there == wanted) return;
    const auto made = testing::TempDir() + "roles.md";
    std::ofstream(made) << wanted;
    FAIL() << "docs/roles.md is not what the code does: copy " << made << " there";
}

}  // namespace
}  // namespace postern::api
