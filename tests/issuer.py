"""An issuer of JWTs: a real HTTPS server with its own certificate, whose key set a test can change or withhold."""

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import get_default_algorithms

ISSUER = "https://issuer.example"
AUDIENCE = "https://gateway.example"


class SigningKey:
    """A key of the issuer: the private key it signs with, and the public JWK it publishes."""

    def __init__(self, key_id: str | None, algorithm: str = "ES256", **published: Any) -> None:
        self.algorithm = algorithm
        self._id = key_id
        curves = {"ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
        self.private: Any = (
            ed25519.Ed25519PrivateKey.generate()
            if algorithm == "EdDSA"
            else ec.generate_private_key(curves.get(algorithm, ec.SECP256R1()))
            if algorithm.startswith("ES")
            else rsa.generate_private_key(65537, 2048)
        )
        encode = partial(get_default_algorithms()[algorithm].to_jwk, as_dict=True)
        identity = {} if key_id is None else {"kid": key_id}
        told = {"alg": algorithm, "use": "sig", **identity, **published}
        self.public: dict[str, Any] = {**encode(self.private.public_key()), **told}
        # The private JWK, which an issuer must not publish.
        self.whole: dict[str, Any] = {**encode(self.private), **told}

    def sign(self, **claims: Any) -> str:
        """Return a token valid for a minute unless the claims say otherwise; a claim of None is left out."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 60}
        whole = {name: value for name, value in (good | claims).items() if value is not None}
        return jwt.encode(whole, self.private, self.algorithm, headers=None if self._id is None else {"kid": self._id})


def render_key_set(*keys: SigningKey) -> str:
    return json.dumps({"keys": [key.public for key in keys]})


class Issuer:
    """The state of the key set server: what it responds, and how many requests it has received."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.certificate = certificate
        self.status = 200
        self.body = render_key_set()
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()


@contextmanager
def run_issuer(folder: Path) -> Iterator[Issuer]:
    """Serve a key set on loopback; programs that trust `certificate` (SSL_CERT_FILE) can fetch it."""
    certificate = write_certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            issuer.may_answer.wait()
            self.send_response(issuer.status)
            self.send_header("Location", f"{issuer.url}/elsewhere")
            self.end_headers()
            self.wfile.write(issuer.body.encode())

        def log_message(self, *_arguments: object) -> None:
            """Suppress the access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, folder / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        issuer = Issuer(f"https://127.0.0.1:{server.server_port}/jwks.json", certificate)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            issuer.may_answer.set()
            server.shutdown()
            thread.join()


def write_certificate(folder: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1, and its key as `key.pem` beside it; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
