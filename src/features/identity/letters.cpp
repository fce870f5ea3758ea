#include "features/identity/letters.h"

#include "features/identity/client.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/own_mail/own_mail.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity::letters {
namespace {

std::string with_link(std::string_view before, const Secret& link, std::string_view after) {
    std::string text;
    text.reserve(before.size() + link.size() + after.size());
    text.append(before);
    link.with_bytes([&text](ByteView bytes) { text.append(as_text(bytes)); });
    return text.append(after);
}

/// So that no program that shows the letter makes a link or an address of it.
std::string unlinked(std::string_view name) {
    std::string text(name);
    std::ranges::replace_if(
        text, [](char c) { return std::string_view(".:/@\\").contains(c); }, ' ');
    return text;
}

}  // namespace

own_mail::Letter invitation(std::string to,
                            std::string_view workspace,
                            std::string_view role,
                            const Secret& link) {
    const auto name = unlinked(workspace);
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "You are asked to work in " + name;
    letter.text = with_link("You are asked to work in " + name + " as " + std::string(role) +
                                ".\n\nTo accept, open this link within seven days:\n\n",
                            link, "\n\nIf you do not know what this is about, do nothing.\n");
    return letter;
}

own_mail::Letter password_link(std::string to, const Secret& link) {
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "Choose a new password";
    letter.text = with_link(
        "A link to choose a new password was asked for with your address:\n\n", link,
        "\n\nIt is good once, for 30 minutes. Your second factor is asked for as always.\n\nIf it "
        "was not you, do nothing: your password stays what it is.\n");
    return letter;
}

own_mail::Letter password_changed(std::string to, UnixMs at_ms) {
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "Your password was changed";
    letter.text = "Your password was changed at " + rfc3339(at_ms) +
                  ". Every other session of yours has ended.\n\nIf it was not you, ask for a link "
                  "to choose a new one now, and tell an owner of your workspace.\n";
    return letter;
}

own_mail::Letter signed_in(std::string to, const Client& client, UnixMs at_ms) {
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "A new device signed in as you";
    letter.text = "Somebody signed in as you:\n\n  at " + rfc3339(at_ms) + "\n  from " +
                  client.address + "\n  with " + (client.device.empty() ? "?" : client.device) +
                  "\n\nIf it was not you, change your password, which ends every other session, "
                  "and look at your "
                  "second factors.\n";
    return letter;
}

own_mail::Letter factors_changed(std::string to, std::string_view what, UnixMs at_ms) {
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "Your second factors";
    letter.text =
        "At " + rfc3339(at_ms) + " " + std::string(what) +
        ".\n\nIf it was not you, change your password now, which ends every other session, "
        "and look at your second factors.\n";
    return letter;
}

own_mail::Letter recovery(std::string to, std::string_view person, UnixMs at_ms) {
    own_mail::Letter letter;
    letter.to = std::move(to);
    letter.subject = "A recovery link was made";
    letter.text = "At " + rfc3339(at_ms) + " somebody on the server's machine made a link for " +
                  std::string(person) +
                  ". It lets them choose a new password, and ends their second factors and "
                  "sessions.\n\nIf you do not know of it, ask whoever runs the server.\n";
    return letter;
}

}  // namespace postern::identity::letters
