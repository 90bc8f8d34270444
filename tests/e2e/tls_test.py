"""Pulls over TLS: whole and right, whoever encrypts, and `status` says who. tests/ktls runs this where the kernel does."""

import hashlib
import json
import os
import ssl

from support import case, process, raw_http
from support.paddock import Paddock
from support.scripted import Noise, ScriptedRegistry
from support.tls import Certificate, Client

SIZE = 24 << 20
REPOSITORY = "paddlepaddle/paddle"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def kernel_statistics():
    """What the kernel's TLS has counted; nothing where it has none."""
    try:
        with open("/proc/net/tls_stat") as file:
            return {name: int(value) for name, value in map(str.split, file)}
    except FileNotFoundError:
        return {}


def path_of(blob):
    return f"/v2/{REPOSITORY}/blobs/{blob.digest}"


class TlsTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        case.require_tools("openssl")
        self.registry = ScriptedRegistry(self)
        self.blob, self.small = Noise("over TLS", SIZE), Noise("less of it", SIZE // 16)
        for blob in (self.blob, self.small):
            self.registry.add(blob)
        self.certificate = Certificate(self)
        self.paddock = self.start()

    def start(self, **tls):
        tls = {"certificate": self.certificate.file, "key": self.certificate.key, **tls}
        return Paddock(self, self.registry.url, sections={"server": {"tls": tls}})

    def client(self, version=None, **arguments):
        client = Client(self.paddock.port, self.certificate.client(version), **arguments)
        self.addCleanup(client.close)
        return client

    def status(self):
        return json.loads(raw_http.fetch(self.paddock.admin_port, "/api/v1/status").body)["tls"]

    def text(self):
        server = f"http://127.0.0.1:{self.paddock.admin_port}"
        return process.run([case.binary(), "status", "--server", server]).stdout

    def warm(self, blob):
        self.assertEqual(self.client().get(path_of(blob))[3], blob.digest)
        self.paddock.wait_committed(blob.digest)

    def test_every_byte_arrives_cold_and_warm_whole_and_in_part(self):
        part = hashlib.sha256(self.blob.piece(1_000_001, SIZE - 7)).hexdigest()
        for version, state in zip(VERSIONS, ("fill", "hit")):
            client = self.client(version)
            self.assertEqual(client.get(path_of(self.blob)), (200, state, SIZE, self.blob.digest))
            self.paddock.wait_committed(self.blob.digest)
            self.assertEqual(client.get(path_of(self.blob), 1_000_001, SIZE - 7),
                             (206, "hit", SIZE - 7 - 1_000_001, "sha256:" + part))
            self.assertEqual(client.version(), version.name.replace("_", "."))

    def test_status_metrics_and_the_kernel_agree_on_who_encrypts(self):
        before = kernel_statistics()
        self.warm(self.small)
        self.warm(self.small)
        tls = self.status()
        by = tls["encrypted_by"]
        if os.environ.get("KERNEL_TLS") == "required":
            self.assertEqual(by, "kernel")
        self.assertEqual(tls["connections"], {"kernel": 0, "openssl": 0, by: 2})
        self.assertEqual(self.paddock.metric("paddock_tls_connections_total", encrypted_by=by), 2)
        name = {"kernel": "kernel", "openssl": "OpenSSL"}[by]
        self.assertRegex(self.text(), rf"(?m)^tls +{name}\b")
        self.paddock.wait_logged(f"TLS: {'the kernel' if by == 'kernel' else 'OpenSSL'} encrypts")
        grown = kernel_statistics().get("TlsTxSw", 0) - before.get("TlsTxSw", 0)
        self.assertEqual(grown, 2 if by == "kernel" else 0)
        self.assertEqual((tls["why_not_kernel"] is None), by == "kernel")

    def test_the_kernel_can_be_told_to_stay_out_of_it_without_a_restart(self):
        self.warm(self.small)
        self.paddock.config["server"]["tls"]["kernel"] = "off"
        self.paddock.reload()
        case.wait_until(lambda: self.status()["why_not_kernel"] == "server.tls.kernel is off", "the reload")
        before = self.status()["connections"]["openssl"]
        self.warm(self.small)
        self.assertEqual(self.status()["connections"]["openssl"], before + 1)

    def test_clients_that_stall_or_die_in_mid_body_harm_nobody(self):
        self.warm(self.blob)
        stalled = self.client(receive_buffer=8192)
        stalled.ask(path_of(self.blob))
        for number in range(6):
            dying = self.client(VERSIONS[number % 2])
            dying.ask(path_of(self.blob)).read(1_000_000)
            dying.reset()
        for version in VERSIONS:
            self.assertEqual(self.client(version).get(path_of(self.blob))[3], self.blob.digest)
        stalled.reset()
        case.wait_until(lambda: self.paddock.metric("paddock_requests_aborted_total") == 7, "the dead to be noticed")
        self.assertEqual(self.paddock.stop(), 0)

    def test_a_listener_without_tls_has_nothing_to_say_about_it(self):
        plain = Paddock(self, self.registry.url, name="plain")
        status = json.loads(raw_http.fetch(plain.admin_port, "/api/v1/status").body)
        self.assertIsNone(status["tls"])
        self.assertNotIn("TLS", plain.log_text())


if __name__ == "__main__":
    case.main()
