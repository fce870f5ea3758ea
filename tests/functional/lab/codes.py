"""The stable error codes that the tests expect, each in one place. Where several parts of the
server may find the same fault, a tuple names the codes that are all right."""

SEALED = "integration_sealed"
CUT_OFF = "integration_cut_off"

WRONG_SECRET = "wrong_secret"
ATTEMPTS_USED_UP = "too_many_attempts"
WEAK_SECRET = "weak_secret"
SIGN_IN_REFUSED = "sign_in_refused"
CERTIFICATE_UNTRUSTED = "certificate_untrusted"
CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
CERTIFICATE_EXPIRED = "certificate_expired"
REGION_NOT_ALLOWED = "region_not_allowed"
EGRESS_REFUSED = ("address_refused", "refused_private_address")
TLS_NOT_OFFERED = ("tls_failed", "smtp_starttls_not_offered", "starttls_not_offered")

MALFORMED_JSON = "malformed_json"
DUPLICATE_FIELD = "duplicate_field"
UNKNOWN_FIELD = "unknown_field"
BODY_TOO_LARGE = ("too_large", "body_too_large")
STORAGE_FULL = "disk_full"
NOT_FOUND = "not_found"
UNAUTHENTICATED = "unauthenticated"
KEY_REUSED = "idempotency_key_reused"
KEY_IN_PROGRESS = "idempotency_in_progress"
