"""Writes the seeds made by hand into tests/corpora/TARGET/seed-N. Python 3, no arguments.

What lies beside them, under the names that libFuzzer gives, was found by running the targets and
minimised with `./dev fuzz --keep TARGET`.
"""

from __future__ import annotations

import base64
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent

CONNECT = {
    "kind": "imap", "name": "Maya", "level": "replies", "generate": True,
    "config": {
        "address": "maya@brand.example", "username": "maya",
        "imap": {"host": "mail.brand.example", "port": 993, "tls": "implicit"},
        "smtp": {"host": "mail.brand.example", "port": 587, "tls": "starttls"},
    },
    "credential": {"password": "correct horse"},
}
MAIL = {
    "to": [{"name": "Léa", "address": "lea@creators.example"}], "subject": "Hi", "text": "x",
    "html": "<p>x</p>", "basis": "asked",
}
GRANT = {"verbs": ["send", "read_replies"], "expires_in": "P30D", "hourly_ceiling": 20}
WHOLE_MAIL = (
    "From: =?utf-8?q?L=C3=A9a?= <lea@creators.example>\r\nTo: maya@brand.example\r\n"
    "Subject: Re: Hi\r\nDate: Thu, 26 Nov 2026 18:00:00 +0100\r\n"
    "Message-ID: <1@creators.example>\r\n"
    "References: <ptn1.a.1.b@b7.ptn.brand.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nPHA+aGk8L3A+\r\n--b\r\n"
    "Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.pdf\r\n\r\nx\r\n"
    "--b--\r\n"
)
HEADER = (
    "From: \"Lea\" <lea@creators.example>\r\nTo: Team: a@b.example, c@d.example;\r\n"
    "Message-ID: <1@creators.example>\r\nIn-Reply-To: <ptn1.a.1.b@b7.ptn.brand.example>\r\n"
    "References: <x@y>\r\n <ptn1.a.1.b@b7.ptn.brand.example>\r\nAuto-Submitted: no\r\n"
)

BOUNCE = (
    "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; "
    "report-type=delivery-status; boundary=b\r\nMIME-Version: 1.0\r\n\r\n--b\r\n\r\nSorry.\r\n"
    "--b\r\n"
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    "Original-Recipient: rfc822;lea@creators.example\r\n"
    "Final-Recipient: rfc822; lea@creators.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550 no such user\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    "Message-ID: <ptn1.a.1.b@b7.ptn.brand.example>\r\n\r\nx\r\n--b--\r\n"
)
QMAIL = (
    "From: MAILER-DAEMON@mx.example\r\n\r\nHi. This is the qmail-send program at mx.example.\r\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n"
    "<lea@creators.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
    "--- Below this line is a copy of the message.\r\n\r\n"
    "Message-ID: <ptn1.a.1.b@b7.ptn.brand.example>\r\n\r\nx\r\n"
)

METADATA = {
    "issuer": "https://login.example", "authorization_endpoint": "https://login.example/auth?a=b",
    "token_endpoint": "https://login.example/token", "jwks_uri": "https://login.example/keys",
    "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
    "id_token_signing_alg_values_supported": ["RS256"],
}

# Of a throw-away authority.
PINNED_PEM = """-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUUgFQG5J/FBKskvEKFyCT9Ce1X7gwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQRnV6emVkIGF1dGhvcml0eTAgFw0yNjExMjcwNTM0MTVaGA8y
MTI2MTEwMzA1MzQxNVowGzEZMBcGA1UEAwwQRnV6emVkIGF1dGhvcml0eTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABEAjlKFK1Ipl2lXbmTaPpFm7lTeAnPuEKMqZ
MSuYUiJXqrtHmNgNN6/Za0kCzVrUtgveojOKL3cCItvUvVxif4GjUzBRMB0GA1Ud
DgQWBBT4HK2cqk1Es7LYTj3OqbDSaq8eWTAfBgNVHSMEGDAWgBT4HK2cqk1Es7LY
Tj3OqbDSaq8eWTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIAho
7/fZpDrsQJPxyR7jaN7gF/1JqIgQ6YhxKn4Htp2bAiEA2kwJHBoWXEQT6b+X06Pe
owtAmgGOB/y+F97rsaRXwW8=
-----END CERTIFICATE-----
"""
PINNED_DER = base64.b64decode("".join(PINNED_PEM.splitlines()[1:-1]))

# Registrations and assertions, of src/foundation/codec/webauthn/make_vectors.py.
VECTORS = dict(
    line.split() for line in
    (HERE.parents[1] / "src/foundation/codec/webauthn/vectors.txt").read_text().splitlines()
)


def jws(header: dict, payload: dict) -> bytes:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), b"signature")
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def webauthn(choice: int, name: str, client_data: str, rest: str) -> bytes:
    parts = [bytes.fromhex(VECTORS[f"{name}.{field}"]) for field in (client_data, rest)]
    return bytes([choice]) + b"\n".join(parts)


PASSKEYS = [
    {"credential": {
        "type": "public-key", "id": "LstsjqBr", "rawId": "LstsjqBr", "clientExtensionResults": {},
        "authenticatorAttachment": "platform", "response": response,
    }}
    for response in (
        {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRk",
         "transports": ["internal", "hybrid"], "publicKeyAlgorithm": -7},
        {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "VBZcDi2u",
         "signature": "MEUCIQCU", "userHandle": "AAAA"},
    )
]

SEEDS: dict[str, list[str | bytes]] = {
    "address": ["lea@creators.example", 'a, "b, c" <d@e.example>, team: x@y.example, z@w.example;',
                "(c) a@b.example (d)", "=?utf-8?b?TMOpYQ==?= <l@m.example>"],
    "address_field": ["\1Lea <lea@creators.example>, <a@b>", "\1<1@a> <2@b>\r\n <3@c>",
                      '\1"x\\"y" <a@b>, undisclosed:;'],
    "authentication_results": [
        "mx.brand.example; dmarc=pass header.from=creators.example; spf=fail",
        "MX.example 1; dkim=pass (good) header.d=a.example; spf=softfail", "mx.example; none",
        "mx.example;\r\n dmarc=fail (p=REJECT \\) x) header.from=a.example", "(c) mx.example",
    ],
    "bounce_report": [BOUNCE, QMAIL],
    "base64": ["aGFsbG8=", "-_8", "00ff"],
    "candidate": [HEADER],
    "cbor": [
        bytes.fromhex(VECTORS["packed.EdDSA.attestation_object"]),
        bytes.fromhex(VECTORS["own.ES256.key"]), b"\x83\xf4\xf5\xf6", b"\xa2\x20\x18\x18\x61a\x80",
        b"\x1b\x7f" + b"\xff" * 7, b"\x64\xf0\x90\x85\x91", b"\x9f\x01\xff", b"\x81" * 9,
    ],
    "clock": ["2026-11-23T21:07:54.123Z", "2026-11-23t21:07:60+05:30", "P1W2DT3H4M5S", "PT0S",
              "P30D", "PT1S1H", "P1D1D"],
    "compress": ["a" * 5000, b"\x00raw", b"\x01(\xb5/\xfd \x00\x01\x00\x00"],
    "config": ["[egress]\nallow_private = [\"127.0.0.1/32\"]\n",
               "public_url = \"https://postern.example\"\nregions = [\"us\"]\n[seal]\n"
               "argon2_passes = 3\n", "[[backup.site]]\nname = \"a\"\nkind = \"directory\"\n"],
    "dns_answer": [
        b"\0\1\0\0\x21\0\1\0\0\0\x3c\0\x0a\0\1\0\2\3\xe1\1m\1b\0",
        b"\1\1\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\1\0\2\3\xe1\1m\1b\0", b"\2" + bytes(12),
    ],
    "folder_name": ["INBOX", "Entw&APw-rfe", "&ZeVnLIqe-", "&&", "a&-b", "&2D3cNA-"],
    "forwarded": ["\1for=203.0.113.9;proto=https;host=a.example\n\n\n\n",
                  "\0\n203.0.113.9, 10.0.0.1\nhttps\na.example\n",
                  "\1for=\"[2001:db8::1]:80\";by=_x, for=10.0.0.2\n"],
    "header_block": [HEADER, "x: a\n b\nnot a field\n\nbody: no\n"],
    "header_params": ["text/plain; charset=utf-8; name=\"a b\"",
                      "attachment; filename*0*=utf-8''%C3%A9; filename*1=.pdf",
                      "attachment; filename=\"=?utf-8?q?=C3=A9.pdf?=\""],
    "header_text": ["\0\x40=?iso-8859-1?Q?L=E9a?= hi", "\x03\x40\x1b$B$3\x1b(B",
                    "\0\x40=?utf-8?b?4pyI?= =?utf-8?b?4pyI?="],
    "header_words": ["\x40=?utf-8?q?a_b?= =?utf-8?b?w6k=?= c", "\x05éé"],
    "html": ["\xff<p onclick=x>a<script>b</script><a href='javascript:c'>d</a><img src=//e>"],
    "id": ["thr_" + "0" * 26, "wks_7zzzzzzzzzzzzzzzzzzzzzzzzz", b"0123456789abcdef"],
    "imap_client": [
        "\0\5* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\n"
        "B OK [READ-ONLY] in\r\n",
        "\1\3* SEARCH 4 5\r\nC OK done\r\n",
        "\2\1* LIST (\\Sent) \"/\" \"Sent\"\r\n* LIST () \"/\" {3}\r\na b\r\nC OK x\r\n",
        "\3\2* 1 FETCH (UID 4 BODY[HEADER.FIELDS (FROM)] {9}\r\nFrom: a\r\n)\r\nC OK x\r\n",
        "\4\1* 1 FETCH (UID 4 RFC822.SIZE 5)\r\n* 1 FETCH (UID 4 BODY[] {5}\r\nabcde)\r\n"
        "C OK x\r\n",
        "\5\1+ idling\r\n* 4 EXISTS\r\n* 1 EXPUNGE\r\nC OK x\r\n",
        "\6\2* STATUS a (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)\r\nC OK x\r\n",
    ],
    "ip_address": ["127.0.0.1", "::ffff:10.0.0.1", "2001:db8::/32", "64:ff9b::7f00:1", "0x7f.1",
                   "mail.brand.example", "10.0.0.0/8"],
    "json": [json.dumps(CONNECT), "[1,-2,3.5e1,null,true,\"\\ud83d\\ude00\"]", "{\"a\":1,\"a\":2}"],
    "learned_id": [
        "h\n2.6.0 <AM0PR07MB1234@eurprd07.prod.outlook.com> [InternalId=7] Queued mail",
        "email-smtp.eu-west-1.amazonaws.com\n"
        "Ok 0102018f3c7a1b2c-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000",
        "h\n(a,b)=?utf-8?q?c?=@d.example",
    ],
    "mail_date": ["Thu, 26 Nov 2026 18:00:00 +0100", "26 Nov 26 18:00 EST",
                  "Thu Nov 26 18:00:00 2026"],
    "message_id": ["<a@b> (c <d@e>) \"f <g@h>\" i@j", "<ptn1.a.1.b@b7.ptn.brand.example>"],
    "mime": [WHOLE_MAIL],
    "named_id": [
        "<lea@x.example>:\r\nno such user\r\n\r\nMessage-ID: <ptn1.a.1.b@b7.ptn.brand.example>\r\n",
        "message-id:\r\n\t<ptn1.a.1.b@b7.ptn.brand.example>\r\n", "Message-ID: <a@b>\nMessage-ID:",
    ],
    "our_message_id": ["@b7x2.ptn.brand.example\nptn1." + "0" * 26 + ".1." + "0" * 16 +
                       "@b7x2.ptn.brand.example"],
    "passkey_body": [json.dumps(passkey) for passkey in PASSKEYS],
    "pinned_pem": [PINNED_PEM, PINNED_DER, PINNED_PEM.replace("-----\n", "-----\n"
                   "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF"
                   "\n\n", 1), "a comment\n" + PINNED_PEM + PINNED_PEM],
    "quoted_text": ["yes\n\nOn Thu, Lea wrote:\n> hi\n> there\n", "> q\n\nanswer\n> r\n"],
    "receipt_check": [
        json.dumps({"id": "rcp_" + "0" * 26, "kind": "cut_off", "signature": "AA=="})
    ],
    "recovery_text": ["\x20postern-recovery-1:00000-00000", "\x05o0il1-abcde",
                      "\0abcde-fghjk-mnpqr-stvwx-yz012"],
    "reply": [
        b"42P01\nrelation \"people\" does not exist\n\x03\x03\0\x01\0\x06\0"
        + b"\x08" + bytes(7) + b"\x05\x02\0\xff\x04text" + b"\xff\xff\xff",
        b"23505\n\x1b[2J\xe2\x80\xae\xc3\xbc\n\x02\0\0\x05\0\x01\x01\x04\xff\xff\xff\xfe",
        b"x\n\n\x01\x03\xff\x0812345678",
    ],
    "reply_address": ["maya@brand.example\nmaya+b7x2." + "0" * 16 + "@brand.example",
                      "x@y.example\nMAYA+B7X2.000G40R40M30E209@Brand.Example"],
    "request_bodies": [json.dumps(CONNECT), json.dumps(MAIL), json.dumps(GRANT)],
    "request_parser": ["GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n0\r\n\r\n",
                       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"],
    "request_parts": ["a=b&c=%41+d", "\1Bearer pst_" + "a" * 43 + "\npostern=x; y=z\n"
                      "localhost:8080\nhttps://postern.example\n", "dAAAAA"],
    "response_parts": ["re\"p;or\\t.pdf", "Entw\u00fcrfe/../x.pdf", "<a href='x'>&amp;</a>\r\n"],
    "resolv_conf": ["nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example\n",
                    "# nameserver 1.2.3.4\r\n\tnameserver\t192.0.2.2 x\noptions ndots:2\n",
                    "nameserver fe80::1%eth0\nnameserver 010.1.1.1\nnameserver\n"],
    "root_key_file": [
        b"\0" + bytes(32), b"\1", b"\1\x14\1", b"\1\x13\x03\x17\x40\x16\x02",
        b"\0postern-root-key-1\n\1\0\0\0\x40\0\0\0" + bytes(16 + 105),
    ],
    "seal": [b"\x03\x00\x00\x00abcdef", bytes(40)],
    "sealed": [bytes(33), b"\x00\x01", b"\x01" + bytes(64)],
    "smtp_body": ["\x03a\n.b\r\n..\r\n.\r\n", "\x00\r\r\n\n."],
    "smtp_client": ["\2220 a\r\n\xff250-b\r\n250 AUTH PLAIN\r\n\xff235 ok\r\n\xff250 ok\r\n".encode(
        "latin-1"), "\1421 no\r\n"],
    "smtp_reply": ["\x04250-a\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n", "\x02lea@creators.example"],
    "sql_values": ["\0'); DROP TABLE notes; --", b"\x80\x00\xff", "\1$1"],
    "transfer_encoding": ["\x08a=20b=\r\nc", "\x40" + base64.b64encode(b"what is said").decode(),
                          "\x08base64"],
    "http_response": [
        b"\x02https://login.example:8443/a?b=%2F\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 5\r\n\r\nhello",
        b"\x00https://[2001:db8::1]\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"\x07https://a.example?x\nHTTP/1.0 302 Found\r\nLocation: /\r\n\r\nmoved",
    ],
    "jose": [
        b"\x00" + jws({"alg": "RS256", "typ": "JWT", "kid": "k1"}, {"iss": "https://l.example"}),
        b"\x00" + jws({"alg": "ES256"}, {}),
        b"\x00" + jws({"alg": "none"}, {}),
        b"\x01" + json.dumps({"keys": [
            {"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": "ofgW", "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "x": "f83O", "y": "x_FE", "key_ops": ["verify"]},
        ]}).encode(),
        b"\x02" + json.dumps({
            "iss": "https://login.example", "sub": "2482", "aud": ["postern"], "nonce": "n-0S",
            "exp": 1800000300, "iat": 1800000000, "auth_time": 1799999999, "azp": "postern",
            "email": "lea@brand.example", "email_verified": True,
        }).encode(),
    ],
    "provider_metadata": [
        json.dumps(METADATA).encode(),
        json.dumps({**METADATA, "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    "authorization_response_iss_parameter_supported": True}).encode(),
    ],
    "webauthn_assertion": [
        webauthn(2, "none.ES256", "get_client_data", "authenticator_data"),
        webauthn(0x71, "own.ES256", "get_client_data", "authenticator_data"),
        webauthn(0x73, "own.EdDSA", "get_client_data", "authenticator_data"),
        webauthn(0, "none.ES256.topOrigin", "get_client_data", "authenticator_data"),
        # Each with one thing that is wrong.
        webauthn(0, "none.ES256", "get_client_data", "authenticator_data"),
        webauthn(2, "none.ES256", "get_client_data", "authenticator_data") + b"\xa0",
        webauthn(0x73, "own.EdDSA", "get_client_data", "authenticator_data").replace(
            b"\x1d\0\0\0\x08", b"\x1c\0\0\0\x08"),
    ],
    "webauthn_registration": [
        webauthn(1, name, "client_data", "attestation_object")
        for name in ("own.ES256", "own.EdDSA", "own.RS256", "packed-self.ES256", "packed.ES256",
                     "none.ES256.crossOrigin")
    ],
}
# Messages between processes: the first byte chooses one; zeroes are a valid one of most.
for name in ("admin_protocol", "control_protocol", "fetch_protocol", "keys_protocol",
             "mail_protocol", "stored_records", "wire"):
    SEEDS[name] = [bytes([choice]) + tail for choice in range(8)
                   for tail in (b"", bytes(24), b"\x01" + bytes(80))]


def main() -> None:
    for target, seeds in SEEDS.items():
        folder = HERE / target
        folder.mkdir(exist_ok=True)
        for number, seed in enumerate(seeds, 1):
            content = seed if isinstance(seed, bytes) else seed.encode()
            (folder / f"seed-{number}").write_bytes(content)


if __name__ == "__main__":
    main()
