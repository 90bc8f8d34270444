"""Who may pull: names and passwords with real clients, and files that change while it runs."""

import base64
import concurrent.futures
import crypt
import hashlib
import http.client
import json
import os
import ssl
import warnings

from support import case, image, process, raw_http
from support.clients import Containerd, Docker, Podman, Skopeo
from support.paddock import UPSTREAM, Paddock
from support.tls import Certificate, Client
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.2"


def hashed(password):
    """Of a password, or of a password and a cost."""
    text, cost = password if isinstance(password, tuple) else (password, 5)
    return crypt.crypt(text, f"$2b${cost:02}$abcdefghijklmnopqrstuu")


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class AuthCase(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.image = image.make_image([300_000, 2_000_000], seed=101, types=image.DOCKER)
        self.registry.push(REPOSITORY, self.image, TAG)
        self.htpasswd = self.path("htpasswd")
        self.write(ci="secret", ops="hidden")

    def write(self, **names):
        with open(self.htpasswd + ".new", "w") as file:
            file.writelines(f"{name}:{hashed(password)}\n" for name, password in names.items())
        os.replace(self.htpasswd + ".new", self.htpasswd)

    def start(self, anonymous=False, **server):
        auth = {"htpasswd": self.htpasswd, "anonymous_pull": anonymous}
        return Paddock(self, f"http://127.0.0.1:{self.registry.port}", sections={"server": {"auth": auth, **server}})

    def fetch(self, paddock, path, headers=None):
        return raw_http.fetch(paddock.port, path, headers=headers or {})


class PasswordTest(AuthCase):
    def test_without_the_right_password_nothing_is_served(self):
        paddock = self.start()
        for path in ("/v2/", f"/v2/{REPOSITORY}/manifests/{TAG}", f"/v2/{REPOSITORY}/blobs/{self.image.largest().digest}",
                     "/v2/_catalog", "/nonsense"):
            for headers in ({}, basic("ci", "Secret"), basic("nobody", "secret"), {"Authorization": "Bearer x"}):
                answer = self.fetch(paddock, path, headers)
                self.assertEqual(answer.status, 401, (path, headers))
                self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic realm="))
                self.assertEqual(json.loads(answer.body)["errors"][0]["code"], "UNAUTHORIZED")
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ci", "secret")).status, 200)
        self.assertEqual(self.fetch(paddock, f"/v2/{REPOSITORY}/manifests/{TAG}", basic("ops", "hidden")).status, 200)

    def test_anybody_may_pull_where_that_is_allowed_but_no_wrong_password_passes(self):
        paddock = self.start(anonymous=True)
        self.assertEqual(self.fetch(paddock, f"/v2/{REPOSITORY}/manifests/{TAG}").status, 200)
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ci", "secret")).status, 200)
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ci", "wrong")).status, 401)
        paddock.wait_logged("anonymous_pull: false")

    def test_names_come_and_go_with_their_file(self):
        paddock = self.start()
        self.write(ci="another")
        case.wait_until(lambda: self.fetch(paddock, "/v2/", basic("ci", "another")).status == 200, "the new password")
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ci", "secret")).status, 401)
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ops", "hidden")).status, 401)
        with open(self.htpasswd, "w") as file:
            file.write("ci:plain\n")
        case.wait_until(lambda: "is not hashed with bcrypt" in paddock.log_text(), "the refusal of the file")
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ci", "another")).status, 200)

    def test_a_crowd_comes_in_and_guesses_do_not_hold_up_the_end(self):
        self.write(ci="secret", ops=("hidden", 12))
        paddock = self.start(drain="1s")
        with concurrent.futures.ThreadPoolExecutor(200) as crowd:
            answers = list(crowd.map(lambda _: self.fetch(paddock, "/v2/", basic("ops", "hidden")).status, range(200)))
        self.assertEqual(set(answers), {200})
        for number in range(64):
            guess = http.client.HTTPConnection("127.0.0.1", paddock.port, timeout=60)
            self.addCleanup(guess.close)
            guess.request("GET", "/v2/", headers=basic("ops", f"guess {number}"))
        self.assertEqual(self.fetch(paddock, "/v2/", basic("ops", "hidden")).status, 200)
        self.assertEqual(paddock.stop(), 0)

    def test_a_file_that_is_of_no_use_stops_the_start(self):
        with open(self.htpasswd, "w") as file:
            file.write("ci:$apr1$abcdefgh$0123456789012345678901\n")
        config = self.path("paddock.yaml")
        with open(config, "w") as file:
            json.dump({"server": {"auth": {"htpasswd": self.htpasswd}}}, file)
        for command in (["config", "check", config], ["serve", "--config", config, "--data", self.path("data")]):
            done = process.run([case.binary(), *command], check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("line 1: the password is not hashed with bcrypt", done.stderr)


class ClientsTest(AuthCase):
    def setUp(self):
        super().setUp()
        self.paddock = self.start()
        self.reference = f"{self.paddock.address}/{REPOSITORY}:{TAG}"

    def test_docker_pulls_after_a_login(self):
        docker = Docker(self)
        self.assertNotEqual(docker.pull(self.reference, check=False).returncode, 0)
        wrong = docker.run("login", "--username", "ci", "--password", "wrong", self.paddock.address, check=False)
        self.assertNotEqual(wrong.returncode, 0)
        docker.run("login", "--username", "ci", "--password", "secret", self.paddock.address)
        docker.pull(self.reference)

    def test_podman_and_skopeo_pull_with_credentials(self):
        skopeo = Skopeo(self)
        self.assertIsNone(skopeo.copy(self.reference, "without", check=False))
        self.assertIsNone(skopeo.copy(self.reference, "wrong", "--src-creds", "ci:wrong", check=False))
        self.assertTrue(skopeo.copy(self.reference, "right", "--src-creds", "ci:secret"))
        podman = Podman(self, self.paddock.address, UPSTREAM)
        self.assertNotEqual(podman.run("pull", "--quiet", "--tls-verify=false", "--creds", "ci:wrong", self.reference,
                                       check=False).returncode, 0)
        podman.run("pull", "--quiet", "--tls-verify=false", "--creds", "ci:secret", self.reference)

    def test_containerd_pulls_with_credentials(self):
        containerd = Containerd(self, self.paddock.address, UPSTREAM)
        self.assertNotEqual(containerd.pull(self.reference, check=False).returncode, 0)
        containerd.pull(self.reference, "--user", "ci:secret")


class CertificateTest(AuthCase):
    def test_a_new_certificate_is_taken_and_open_connections_go_on(self):
        case.require_tools("openssl")
        first = Certificate(self)
        paddock = self.start(tls={"certificate": first.file, "key": first.key})
        old = Client(paddock.port, first.client())
        self.addCleanup(old.close)
        self.assertEqual(old.get("/v2/")[0], 401)
        before = self.presented(paddock)
        second = Certificate(self)  # at the same paths
        case.wait_until(lambda: self.presented(paddock) != before, "the new certificate")
        fresh = Client(paddock.port, second.client())
        self.addCleanup(fresh.close)
        self.assertEqual(fresh.get("/v2/")[0], 401)
        self.assertEqual(old.get("/v2/")[0], 401)

    def presented(self, paddock):
        return hashlib.sha256(ssl.get_server_certificate(("127.0.0.1", paddock.port)).encode()).hexdigest()


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    case.main()
