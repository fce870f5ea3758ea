#include "features/mail/courier/header_trouble.h"

#include <vector>

namespace postern::mail::courier {

void HeaderTrouble::note(const std::vector<Mail>& batch) {
    if (doubtful.size() + unreadable.size() + batch.size() > k_entries_max) {
        doubtful.clear();
        unreadable.clear();
    }
    auto& into = batch.size() == 1 ? unreadable : doubtful;
    into.insert(batch.begin(), batch.end());
}

bool HeaderTrouble::refused(const Mail& mail, bool for_now) {
    if (refusals.size() >= k_entries_max && !refusals.contains(mail)) refusals.clear();
    auto& count = refusals[mail];
    ++(for_now ? count.for_now : count.plain);
    return count.plain >= k_refusals_max || count.for_now >= k_refusals_for_now_max;
}

}  // namespace postern::mail::courier
