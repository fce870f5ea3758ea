#include "edge/api/refusal_log.h"

#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"

#include <string>

namespace postern::api {
namespace {

constexpr UnixMs k_look_every_ms = 1'000;
constexpr const char* k_others = "others";

std::string id_of(const identity::Actor& actor) {
    if (actor.person) return actor.person->text();
    return actor.token ? actor.token->text() : k_others;
}

/// A clock that was set back ends a minute, too.
bool is_over(UnixMs began_ms, UnixMs now_ms, UnixMs after_ms) {
    return now_ms < began_ms || now_ms - began_ms >= after_ms;
}

}  // namespace

void RefusalLog::note(const identity::Actor& actor,
                      identity::Permission permission,
                      const std::string& method,
                      const std::string& pattern,
                      const Error& error,
                      UnixMs now_ms) {
    settle(now_ms);
    auto id = id_of(actor);
    if (minutes_.size() >= k_actors_max && !minutes_.contains(id)) id = k_others;
    auto& minute = minutes_[id];
    if (minute.lines == 0 && minute.counted == 0) minute.began_ms = now_ms;
    if (id == k_others || minute.lines >= k_lines_max) {
        ++minute.counted;
        return;
    }
    ++minute.lines;
    log(LogLevel::warning, "act_refused",
        {LogField::sanitised("actor", id),
         {"workspace", actor.workspace},
         LogField::sanitised("permission", name_of(permission)),
         LogField::sanitised("method", method),
         LogField::sanitised("route", pattern),
         {"error", error}});
}

void RefusalLog::settle(UnixMs now_ms) {
    if (minutes_.empty() || !is_over(looked_at_ms_, now_ms, k_look_every_ms)) return;
    looked_at_ms_ = now_ms;
    std::erase_if(minutes_, [&](const auto& entry) {
        const auto& [id, minute] = entry;
        if (!is_over(minute.began_ms, now_ms, k_minute_ms)) return false;
        if (minute.counted > 0) {
            log(LogLevel::warning, "acts_refused",
                {LogField::sanitised("actor", id), {"more", minute.counted}});
        }
        return true;
    });
}

}  // namespace postern::api
