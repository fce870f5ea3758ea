"""Writes vectors.txt: registrations and assertions that no code of ours has made.

Python 3 with `cryptography`, no arguments. Lines are NAME.FIELD HEX. The names with a dash or a dot
after the format are those of Web Authentication Level 3 section 16, made the way it says they are
(HKDF-SHA-256 of 'WebAuthn test vectors', ECDSA with the nonce of RFC 6979); PUBLISHED holds the
ends of what it prints, and each must be met. Those named own.* are of the same kind, with what the
published ones lack: counters, extensions, an RSA key of 2048 bits.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
# The ends of the published values, so that no slip of this file makes other vectors of them.
PUBLISHED = {
    "none.ES256.attestation_object": "e2664796b9220",
    "none.ES256.signature": "013f937295ea13653e331e87",
    "packed-self.ES256.attestation_object": "e183fee484f2",
    "packed-self.ES256.signature": "584b3b6b825ea3550251b66",
    "none.ES256.crossOrigin.signature": "e609c0733b1184036d1cf",
    "none.ES256.topOrigin.signature": "280bd2faa6c1d02c6e5c171",
    "none.ES256.long-credential-id.signature": "125ce6f5052a75bac9fb6",
    "packed.ES256.signature": "49a64018314f9bfccda163",
    "packed.RS256.signature": "756612cdc6dd398160ff02a6",
    "packed.EdDSA.signature": "713223a0dc0d453993dae00b",
    "packed.ES256.certificate": "79f635b417be5910e7",
    "packed.RS256.certificate": "b989f56932a68885fba",
    "packed.EdDSA.certificate": "835bac568c71f8a18cdde9ab",
    "packed-self.ES256.sig": "3d3a26d17fe3f220272178f473b6006d",
    "packed.ES256.sig": "1d3483c25e21925b", "packed.EdDSA.sig": "56949116754d1f17",
    "packed.RS256.sig": "d0a6734bea9d7168e900",
}


def hkdf(label: str, salt: int, size: int) -> bytes:
    key = hmac.digest(bytes([salt]), b"WebAuthn test vectors", "sha256")
    out, block = b"", b""
    while len(out) < size:
        block = hmac.digest(key, block + label.encode() + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:size]


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")


def cbor(value: object) -> bytes:
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    assert isinstance(value, dict)
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def nonce(secret: int, digest: bytes) -> int:
    """RFC 6979 section 3.2, for P-256 and SHA-256."""
    seed = secret.to_bytes(32, "big") + (int.from_bytes(digest, "big") % ORDER).to_bytes(32, "big")
    value, key = b"\1" * 32, b"\0" * 32
    for between in (b"\0", b"\1"):
        key = hmac.digest(key, value + between + seed, "sha256")
        value = hmac.digest(key, value, "sha256")
    while True:
        value = hmac.digest(key, value, "sha256")
        found = int.from_bytes(value, "big")
        if 0 < found < ORDER:
            return found
        key = hmac.digest(key, value + b"\0", "sha256")
        value = hmac.digest(key, value, "sha256")


class P256:
    algorithm = -7

    def __init__(self, secret: bytes) -> None:
        self.secret = int.from_bytes(secret, "big")
        self.public = ec.derive_private_key(self.secret, ec.SECP256R1()).public_key()

    def cose(self) -> dict[int, object]:
        numbers = self.public.public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"),
                -3: numbers.y.to_bytes(32, "big")}

    def sign(self, message: bytes) -> bytes:
        digest = hashlib.sha256(message).digest()
        k = nonce(self.secret, digest)
        point = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers()
        r = point.x % ORDER
        s = pow(k, -1, ORDER) * (int.from_bytes(digest, "big") + r * self.secret) % ORDER
        signature = utils.encode_dss_signature(r, s)
        self.public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        return signature


class Ed25519:
    algorithm = -8

    def __init__(self, secret: bytes) -> None:
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)

    def cose(self) -> dict[int, object]:
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw,
                                                     serialization.PublicFormat.Raw)
        return {1: 1, 3: -8, -1: 6, -2: raw}

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


class Rsa:
    algorithm = -257

    def __init__(self, p: int, q: int) -> None:
        d = pow(65537, -1, (p - 1) * (q - 1))
        self.n = p * q
        self.private = rsa.RSAPrivateNumbers(
            p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q),
            rsa.RSAPublicNumbers(65537, self.n)).private_key()

    def cose(self) -> dict[int, object]:
        return {1: 3, 3: -257, -1: self.n.to_bytes((self.n.bit_length() + 7) // 8, "big"),
                -2: b"\1\0\1"}

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


def prime_from(label: str, salt: int) -> int:
    """The first prime from 1024 bits of the stream on, its two highest bits set."""
    number = int.from_bytes(hkdf(label, salt, 128), "big") | 3 << 1022 | 1
    while any(pow(base, number - 1, number) != 1 for base in (2, 3, 5, 7, 11, 13)):
        number += 2
    return number


def certificate(subject: P256, serial: bytes) -> bytes:
    """The attestation certificate of the published vectors, signed by their authority."""
    def name(unit: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(kind, text) for kind, text in (
            (NameOID.COMMON_NAME, "WebAuthn test vectors"), (NameOID.ORGANIZATION_NAME, "W3C"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, unit), (NameOID.COUNTRY_NAME, "AA"))])

    authority = P256(hkdf("Attestation CA", 0, 32))
    usage = x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, key_cert_sign=False,
                          crl_sign=False, encipher_only=False, decipher_only=False)
    made = (
        x509.CertificateBuilder().subject_name(name("Authenticator Attestation"))
        .issuer_name(name("Authenticator Attestation CA")).public_key(subject.public)
        .serial_number(int.from_bytes(serial, "big"))
        .not_valid_before(datetime.datetime(2024, 1, 1))
        .not_valid_after(datetime.datetime(3024, 1, 1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public),
                       critical=False)
        .sign(ec.derive_private_key(authority.secret, ec.SECP256R1()), hashes.SHA256())
    )
    body = made.tbs_certificate_bytes
    signature = authority.sign(body)
    content = body + bytes.fromhex("300a06082a8648ce3d040302") + (
        b"\x03" + bytes([len(signature) + 1]) + b"\0" + signature)
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


class Stream:
    """The values of one vector, in their order."""

    def __init__(self, label: str) -> None:
        self.label, self.salt = label, -1

    def take(self, size: int) -> bytes:
        self.salt += 1
        return hkdf(self.label, self.salt, size)


def client_data(kind: str, challenge: bytes, extra: bytes | None, cross: str) -> bytes:
    def text(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    out = f'{{"type":"{kind}","challenge":"{text(challenge)}","origin":"https://example.org"'
    out += f',"crossOrigin":{"true" if cross else "false"}'
    if cross == "topOrigin":
        out += ',"topOrigin":"https://example.com"'
    if extra is not None:
        out += (',"extraData":"clientDataJSON may be extended with additional fields in the '
                f'future, such as this: {text(extra)}"')
    return (out + "}").encode()


def rp_data(flags: int, count: int) -> bytes:
    return hashlib.sha256(b"example.org").digest() + bytes([flags]) + count.to_bytes(4, "big")


def published(label: str, id_bytes: int = 32) -> dict[str, bytes]:
    form, kind = label.split(".")[:2]
    cross = label.split(".")[2] if label.endswith("Origin") else ""
    stream, out = Stream(label), {}
    out["challenge"] = stream.take(32)
    if kind == "RS256":
        key: P256 | Ed25519 | Rsa = Rsa(2**1279 - 1, 2**2203 - 1)
    else:
        key = (P256 if kind == "ES256" else Ed25519)(stream.take(32))
    extra = stream.take(16) if stream.take(1)[0] & 1 else None
    out["client_data"] = client_data("webauthn.create", out["challenge"], extra, cross)
    out["aaguid"], out["id"] = stream.take(16), stream.take(id_bytes)
    flags = stream.take(1)[0] & 0x1C
    flags &= 0x1C if flags & 8 else 0x04
    out["key"] = cbor(key.cose())
    data = rp_data(flags | 0x41, 0) + out["aaguid"] + id_bytes.to_bytes(2, "big")
    data += out["id"] + out["key"]
    message = data + hashlib.sha256(out["client_data"]).digest()
    statement: dict[str, object] = {}
    if form == "packed":
        attester = P256(stream.take(32))
        out["certificate"] = certificate(attester, stream.take(16))
        out["sig"] = attester.sign(message)
        statement = {"alg": -7, "sig": out["sig"], "x5c": [out["certificate"]]}
    elif form == "packed-self":
        out["sig"] = key.sign(message)
        statement = {"alg": key.algorithm, "sig": out["sig"]}
    out["attestation_object"] = cbor({"fmt": form.split("-")[0], "attStmt": statement,
                                      "authData": data})
    out["get_challenge"] = stream.take(32)
    extra = stream.take(16) if stream.take(1)[0] & 1 else None
    out["get_client_data"] = client_data("webauthn.get", out["get_challenge"], extra, cross)
    again = stream.take(1)[0]
    out["authenticator_data"] = rp_data(1 | again & 4 | flags & 8 | (again & 16 if flags & 8
                                                                      else 0), 0)
    out["signature"] = key.sign(out["authenticator_data"]
                                + hashlib.sha256(out["get_client_data"]).digest())
    for field, value in out.items():
        assert value.hex().endswith(PUBLISHED.get(f"{label}.{field}", "")), f"{label}.{field}"
    return out


def own(label: str, key: P256 | Ed25519 | Rsa, flags: int) -> dict[str, bytes]:
    """Counters 7 and 8; extensions where the flags say so."""
    stream, out = Stream(label), {}
    out["challenge"] = stream.take(32)
    out["client_data"] = client_data("webauthn.create", out["challenge"], None, "")
    out["aaguid"], out["id"] = bytes(16), stream.take(20)
    out["key"] = cbor(key.cose())
    extensions = cbor({"credProtect": 2}) if flags & 0x80 else b""
    data = rp_data(flags | 0x40, 7) + bytes(16) + b"\0\x14" + out["id"] + out["key"] + extensions
    out["attestation_object"] = cbor({"fmt": "none", "attStmt": {}, "authData": data})
    out["get_challenge"] = stream.take(32)
    out["get_client_data"] = client_data("webauthn.get", out["get_challenge"], None, "")
    extensions = cbor({"uvm": [[2, 4, 2]]}) if flags & 0x80 else b""
    out["authenticator_data"] = rp_data(flags, 8) + extensions
    out["signature"] = key.sign(out["authenticator_data"]
                                + hashlib.sha256(out["get_client_data"]).digest())
    return out


def main() -> None:
    labels = ["none.ES256", "packed-self.ES256", "none.ES256.crossOrigin", "none.ES256.topOrigin",
              "packed.ES256", "packed.RS256", "packed.EdDSA"]
    vectors = {label: published(label) for label in labels}
    long_id = "none.ES256.long-credential-id"
    vectors[long_id] = published(long_id, 1023)
    vectors["own.ES256"] = own("own.ES256", P256(hkdf("own.ES256", 100, 32)), 0x85)
    vectors["own.EdDSA"] = own("own.EdDSA", Ed25519(hkdf("own.EdDSA", 100, 32)), 0x1D)
    two_primes = (prime_from("own.RS256", 100), prime_from("own.RS256", 101))
    vectors["own.RS256"] = own("own.RS256", Rsa(*two_primes), 0x05)
    lines = [f"{label}.{field} {value.hex()}\n" for label, vector in vectors.items()
             for field, value in vector.items()]
    (pathlib.Path(__file__).parent / "vectors.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
