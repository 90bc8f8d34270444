"""The way in through HTTPS_PROXY: real clients that know nothing but a proxy and a CA, and those who mean no good."""

import os
import socket
import ssl
import threading

from support import case, image, process, raw_http
from support.paddock import UPSTREAM, Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.2"
NAME = f"{UPSTREAM}/{REPOSITORY}:{TAG}"


class ConnectCase(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.image = image.make_image([300_000, 2_000_000], seed=211, types=image.DOCKER)
        self.registry.push(REPOSITORY, self.image, TAG)
        process.run([case.binary(), "ca", "init", "--out", self.path("ca")])
        self.ca = self.path("ca", "ca.crt")
        self.proxy_port = process.reserve_port(self)

    def start(self, sections=None, **connect):
        connect = {"listen": f"127.0.0.1:{self.proxy_port}", "ca_certificate": self.ca,
                   "ca_key": self.path("ca", "ca.key"), **connect}
        return Paddock(self, f"http://127.0.0.1:{self.registry.port}",
                       sections={"ingress": {"connect_proxy": connect}, **(sections or {})})

    def environment(self):
        """All that a client is told."""
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self.proxy_port}", "SSL_CERT_FILE": self.ca}

    def connect(self, target, headers=""):
        """The status of a CONNECT, the socket behind it, and what was said about it."""
        plain = socket.create_connection(("127.0.0.1", self.proxy_port), timeout=30)
        self.addCleanup(plain.close)
        plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := plain.recv(4096)):
            answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)
        while len(body) < length and (piece := plain.recv(4096)):
            body += piece
        return int(head.split()[1]), plain, body.decode()

    def secured(self, plain, name=UPSTREAM, cafile=None):
        return ssl.create_default_context(cafile=cafile or self.ca).wrap_socket(plain, server_hostname=name)

    def ask(self, tls, path, host=UPSTREAM, method="GET"):
        tls.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := tls.recv(65536):
            answer += piece
        return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


class ClientTest(ConnectCase):
    """A stock client with HTTPS_PROXY and the CA, nothing else, pulls by the registry's own name. dockerd:
    client_config_test.py."""

    def test_podman_skopeo_and_curl(self):
        self.start()
        environment = process.clean_environment(HOME=self.folder, XDG_RUNTIME_DIR=self.folder, **self.environment())
        case.require_tools("skopeo", "curl")
        copied = process.run([case.find_tool("skopeo"), "--insecure-policy", "copy", f"docker://{NAME}",
                              f"dir:{self.path('copied')}"], env=environment)
        self.assertEqual(copied.returncode, 0)
        self.assertTrue(os.path.exists(self.path("copied", self.image.layers[1].digest.split(":")[1])))
        curl = process.run([case.find_tool("curl"), "--fail", "--silent", "--show-error", "--cacert", self.ca,
                            f"https://{UPSTREAM}/v2/{REPOSITORY}/tags/list"], env=environment)
        self.assertIn(TAG, curl.stdout)

    def test_a_name_and_a_password_are_asked_for_at_the_proxy(self):
        import crypt
        with open(self.path("htpasswd"), "w") as file:
            file.write("ci:" + crypt.crypt("secret", "$2b$05$abcdefghijklmnopqrstuu") + "\n")
        self.start(sections={"server": {"auth": {"htpasswd": self.path("htpasswd"), "anonymous_pull": False}}})
        status, _, body = self.connect(f"{UPSTREAM}:443")
        self.assertEqual(status, 407, body)
        status, plain, _ = self.connect(f"{UPSTREAM}:443", "Proxy-Authorization: Basic Y2k6c2VjcmV0\r\n")
        self.assertEqual(status, 200)
        self.assertEqual(self.ask(self.secured(plain), f"/v2/{REPOSITORY}/manifests/{TAG}")[0], 200)


class TunnelTest(ConnectCase):
    def test_nobody_outside_the_allowed_hosts_is_reachable(self):
        with socket.create_server(("127.0.0.1", process.reserve_port(self))) as secret:
            port = secret.getsockname()[1]
            self.start(tunnel=["*", f"*.example:{port}", f"*:{port}"])
            hosts = ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[::]",
                     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost.", "ip6-localhost"]
            hosts += [socket.gethostname()]
            for host in hosts:
                status, _, body = self.connect(f"{host}:{port}")
                self.assertIn(status, (400, 403, 502), f"{host}: {body}")
            for target in ("169.254.169.254:443", "10.0.0.1:443", "192.168.1.1:443", "[fd00::1]:443", "[fe80::1]:443"):
                self.assertEqual(self.connect(target)[0], 403, target)
            for target in (f"{UPSTREAM}:80", f"{UPSTREAM}:22", "evil.test:8443", f"evil{UPSTREAM}:8443"):
                self.assertEqual(self.connect(target)[0], 403, target)
            secret.settimeout(0.2)
            self.assertRaises(TimeoutError, secret.accept)

    def test_plain_requests_to_the_proxy_reach_nobody(self):
        with socket.create_server(("127.0.0.1", process.reserve_port(self))) as secret:
            port = secret.getsockname()[1]
            self.start(tunnel=["*"])
            for target, host in ((f"http://127.0.0.1:{port}/", "x"), ("/", f"127.0.0.1:{port}"),
                                 ("http://evil.test/v2/", UPSTREAM), (f"/v2/{REPOSITORY}/manifests/{TAG}", "evil.test")):
                plain = socket.create_connection(("127.0.0.1", self.proxy_port), timeout=30)
                plain.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                self.assertTrue(plain.recv(100).startswith(b"HTTP/1.1 403"), target)
                plain.close()
            secret.settimeout(0.2)
            self.assertRaises(TimeoutError, secret.accept)

    def test_an_allowed_host_is_reached_untouched(self):
        with socket.create_server(("127.0.0.1", process.reserve_port(self))) as far:
            port = far.getsockname()[1]
            paddock = self.start(tunnel=[f"127.0.0.1:{port}"])

            def echo():
                other, _ = far.accept()
                with other:
                    while piece := other.recv(65536):
                        other.sendall(piece)
            echoing = threading.Thread(target=echo)
            echoing.start()
            status, plain, _ = self.connect(f"127.0.0.1:{port}")
            self.assertEqual(status, 200)
            sent = os.urandom(1 << 20)
            sender = threading.Thread(target=lambda: (plain.sendall(sent), plain.shutdown(socket.SHUT_WR)))
            sender.start()
            got = b""
            while piece := plain.recv(65536):
                got += piece
            sender.join()
            echoing.join()
            self.assertEqual(got, sent)
            case.wait_until(lambda: f'CONNECT 127.0.0.1:{port}" 200 bytes={1 << 20}' in paddock.log_text(), "its line")

    def test_a_closed_port_is_an_answer(self):
        port = process.reserve_port(self)
        self.start(tunnel=[f"127.0.0.1:{port}"])
        status, _, body = self.connect(f"127.0.0.1:{port}")
        self.assertEqual(status, 502)
        self.assertIn("Connection refused", body)


class BadInputTest(ConnectCase):
    def test_nonsense_is_answered(self):
        self.start()
        for target in ("nonsense", ":443", "a:b:c", "a:0", "a:70000", "https://x/", "%", "a b:443"):
            self.assertEqual(self.connect(target)[0], 400, target)

    def test_what_is_wrong_with_the_tls_of_a_client_is_one_line_with_the_remedy(self):
        paddock = self.start()
        process.run([case.binary(), "ca", "init", "--out", self.path("other")])
        with self.assertRaises(ssl.SSLError):
            self.secured(self.connect(f"{UPSTREAM}:443")[1], cafile=self.path("other", "ca.crt"))
        case.wait_until(lambda: "does not trust our certificate: it needs that of the CA" in paddock.log_text(), "it")
        with self.assertRaises(ssl.SSLError):
            self.secured(self.connect(f"{UPSTREAM}:443")[1], name="docker.io")
        case.wait_until(lambda: "TLS asks for another name: docker.io" in paddock.log_text(), "the other name")
        status, plain, _ = self.connect(f"{UPSTREAM}:443")
        plain.sendall(b"\x16\x03\x01\x02")  # half of it
        plain.close()
        tls = self.secured(self.connect(f"{UPSTREAM}:443")[1])
        self.assertEqual(self.ask(tls, "/v2/", host="docker.io")[0], 421)
        tls = self.secured(self.connect(f"{UPSTREAM}:443")[1])
        status, body = self.ask(tls, f"/v2/{REPOSITORY}/blobs/uploads/", method="POST")
        self.assertEqual(status, 405)
        self.assertIn(b"UNSUPPORTED", body)

    def refused(self, expected, **connect):
        paddock = self.start()
        self.assertEqual(paddock.stop(), 0)
        paddock.config["ingress"]["connect_proxy"].update(connect)
        paddock.write_config()
        done = process.run(paddock.command(), check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(expected, done.stderr)

    def test_a_ca_that_is_missing(self):
        self.refused("ingress.connect_proxy: " + self.path("none.crt"), ca_certificate=self.path("none.crt"))

    def test_a_ca_that_is_none(self):
        process.run([case.find_tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext",
                     "basicConstraints=critical,CA:FALSE", "-keyout", self.path("x.key"), "-out", self.path("x.crt")])
        self.refused("`paddock ca init`", ca_certificate=self.path("x.crt"), ca_key=self.path("x.key"))

    def test_a_host_that_is_no_upstream(self):
        self.refused("'quay.io' is not the name of an upstream here", hosts=["quay.io"])


class CaTest(case.EndToEndCase):
    def test_what_is_there_is_never_written_over_and_the_key_is_ours_alone(self):
        folder = self.path("ca")
        made = process.run([case.binary(), "ca", "init", "--out", folder, "--only", UPSTREAM])
        self.assertIn("SHA-256 ", made.stdout)
        self.assertEqual(os.stat(os.path.join(folder, "ca.key")).st_mode & 0o777, 0o600)
        text = process.run([case.find_tool("openssl"), "x509", "-noout", "-text", "-in",
                            os.path.join(folder, "ca.crt")]).stdout
        for part in ("CA:TRUE, pathlen:0", "Certificate Sign", f"DNS:{UPSTREAM}"):
            self.assertIn(part, text)
        again = process.run([case.binary(), "ca", "init", "--out", folder], check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("choose another --out", again.stderr)
        self.assertEqual(process.run([case.binary(), "ca", "init", "--only", "a,b"], check=False).returncode, 2)


class ReloadTest(ConnectCase):
    def test_hosts_tunnels_and_the_ca_are_taken_over(self):
        paddock = self.start()
        port = process.reserve_port(self)
        self.assertEqual(self.connect(f"127.0.0.1:{port}")[0], 403)
        process.run([case.binary(), "ca", "init", "--out", self.path("new")])
        paddock.config["ingress"]["connect_proxy"].update(
            tunnel=[f"127.0.0.1:{port}"], ca_certificate=self.path("new", "ca.crt"), ca_key=self.path("new", "ca.key"))
        open_before = self.secured(self.connect(f"{UPSTREAM}:443")[1])
        paddock.reload()
        case.wait_until(lambda: self.connect(f"127.0.0.1:{port}")[0] == 502, "the new tunnel")
        self.assertEqual(self.ask(open_before, f"/v2/{REPOSITORY}/manifests/{TAG}")[0], 200)
        tls = self.secured(self.connect(f"{UPSTREAM}:443")[1], cafile=self.path("new", "ca.crt"))
        self.assertEqual(self.ask(tls, f"/v2/{REPOSITORY}/manifests/{TAG}")[0], 200)


if __name__ == "__main__":
    case.main()
