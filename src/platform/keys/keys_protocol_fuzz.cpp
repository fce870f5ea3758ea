// Oracle: one_form.h, for what front and courier ask of keeper, and what it answers.
#include "platform/ipc/one_form.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/destined.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/receipts.h"
#include "platform/keys/seals.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::keys;
    return postern::ipc::require_one_form_of_any<
        PrepareSeal, PrepareSeal::Answer, CommitSeal, AbandonSeal, Unlock, Lock, TouchLease,
        GetStatus, GetStatus::Answer, MakeGrant, MakeGrant::Answer, RevokeGrant, CutOff,
        CutOff::Answer, MintTicket, MintTicket::Answer, Redeem, Redeem::Answer, EndUses,
        EndUses::Answer, LeaseEnded, CreateWorkspace, CreateSubjects, SealKeys, SealKeys::Answer,
        OpenKeys, OpenKeys::Answer, SealRecords, OpenRecords, ComputeMacs, ComputeMacs::Answer,
        Identify, Identify::Answer, SignReceipt, SignReceipt::Answer, SignLedger, CountWraps,
        CountWraps::Answer, OpenAuditSegment, OpenAuditSegment::Answer, CheckAuditMacs,
        CheckAuditMacs::Answer, MarkAudit, MarkAudit::Answer, CheckAuditMarks,
        CheckAuditMarks::Answer, SealDestined, SealDestined::Answer, OpenDestined,
        OpenDestined::Answer>(data, size);
}
