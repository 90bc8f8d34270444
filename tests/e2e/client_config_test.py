"""What `paddock client-config` writes makes real clients pull through the cache, and go on without it or not, as asked."""

import crypt
import json
import os
import re
import shutil
import time

from support import case, image, process
from support.clients import Around, Containerd, Docker, Podman
from support.front import Front
from support.paddock import Paddock, UPSTREAM
from support.tls import Certificate
from support.upstream import Registry
from support.world import DOCKER_HUB, Corner, write_hosts

REPOSITORY = "paddlepaddle/paddle"
TAG = "2.6.2"
REFERENCE = f"{UPSTREAM}/{REPOSITORY}:{TAG}"
PATIENCE = 25  # seconds for a whole pull without the cache: the clients' own timeouts are 30 s and more


class ClientConfigCase(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        case.require_root()
        case.require_tools("docker-registry", "openssl", "unshare")
        self.registry = Registry(self)
        self.front = Front(self, self.registry.port)
        self.image = image.make_image([300_000, 2_000_000], seed=41, types=image.DOCKER)
        self.registry.push(REPOSITORY, self.image, TAG)
        self.of_cache = Certificate(self)
        self.tls = False

    def serve_by_name(self):
        """Clients that look up the registry's real name find it on loopback."""
        self.of_upstream = Certificate(Corner(self, "upstream"), UPSTREAM, DOCKER_HUB)
        address = process.reserve_address(self, 443)
        self.real = Registry(self, "real", self.registry.folder, address, self.of_upstream)
        self.hosts = {"/etc/hosts": write_hosts(self, {UPSTREAM: address, DOCKER_HUB: address})}

    def start(self, tls=False, default="docker.io", hub=None, **sections):
        """The cache, where bare names mean `default`. `hub`: an address of its that means docker.io."""
        self.tls = tls
        if tls:
            sections["server"] = {"tls": {"certificate": self.of_cache.file, "key": self.of_cache.key}}
        upstreams = [{"name": name, "endpoints": [self.front.url], "default": name == default}
                     for name in (UPSTREAM, "docker.io")]
        upstreams[1].update({"listen": hub} if hub else {})
        self.paddock = Paddock(self, self.front.url, sections={"upstreams": upstreams, **sections})

    def configure(self, kind, *flags, address=None):
        """A folder that stands for / of a machine on which the files are installed."""
        root = self.path("-".join((kind, *flags)).replace("/", "_"))
        arguments = [case.binary(), "client-config", kind, *flags, "--cache",
                     f"{'https' if self.tls else 'http'}://{address or self.paddock.address}"]
        if self.tls:
            arguments += ["--ca", self.of_cache.file]
        process.run([*arguments, "--out", root])
        for file in json.loads(process.run([*arguments, "--json"]).stdout)["files"]:
            with open(root + file["path"]) as written:
                self.assertEqual(written.read(), file["content"])
        return root

    def docker(self, root, **environment):
        """A dockerd of that machine."""
        os.makedirs("/etc/docker", exist_ok=True)  # as dockerd does
        folder = os.path.join(root, "etc/docker")
        config = {}
        if os.path.exists(os.path.join(folder, "daemon.json")):
            with open(os.path.join(folder, "daemon.json")) as file:
                config = json.load(file)
        return Docker(self, Around.seeing({**self.hosts, "/etc/docker": folder}, **environment), **config)

    def check_docker_pulls(self, docker, reference, made):
        """From the upstream once, and from the cache when it is away."""
        docker.pull(reference)
        self.paddock.wait_committed(*(layer.digest for layer in made.layers))
        docker.remove(reference)
        self.front.forget()
        self.registry.stop()
        docker.pull(reference)
        self.registry.start()
        self.assertEqual(docker.inspect(reference)["Id"], made.config.digest)
        self.assertEqual(self.front.exchanges(), [])
        docker.remove(reference)


class MirrorTest(ClientConfigCase):
    """containerd and podman, which go to the registry itself while the cache is away, or do not."""

    def setUp(self):
        super().setUp()
        self.serve_by_name()
        self.around = Around.seeing(self.hosts, SSL_CERT_FILE=self.of_upstream.file)

    def check_fallback(self, client, pull, without):
        """`without` has the client do without fallback."""
        pull(REFERENCE)
        self.paddock.wait_committed(*(blob.digest for blob in self.image.blobs()))
        self.paddock.stop()
        client.remove(REFERENCE)
        before = time.monotonic()
        pull(REFERENCE)
        self.assertLess(time.monotonic() - before, PATIENCE)
        client.remove(REFERENCE)
        without()
        with self.assertRaises(AssertionError):
            pull(REFERENCE)
        self.paddock.start()
        pull(REFERENCE)

    def check_containerd(self):
        containerd = Containerd(self, around=self.around)

        def use(*flags):
            containerd.hosts = self.configure("containerd", *flags) + "/etc/containerd/certs.d"
        use()
        self.check_fallback(containerd, containerd.pull, lambda: use("--no-fallback"))
        self.assertIn(self.image.config.digest, containerd.content())

    def test_containerd_over_http(self):
        self.start()
        self.check_containerd()

    def test_containerd_over_tls(self):
        self.start(tls=True)
        self.check_containerd()

    def check_podman(self):
        podman = Podman(self, around=self.around)

        def use(*flags):  # podman looks into a user's folder as into the machine's
            shutil.copytree(self.configure("podman", *flags) + "/etc/containers", self.path(".config", "containers"),
                            dirs_exist_ok=True)
        use()
        self.check_fallback(podman, lambda reference: podman.run("pull", reference), lambda: use("--no-fallback"))

    def test_podman_over_http(self):
        self.start()
        self.check_podman()

    def test_podman_over_tls(self):
        self.start(tls=True)
        self.check_podman()


class DockerHubTest(ClientConfigCase):
    """dockerd asks its mirrors for docker.io's images by their bare names."""

    def setUp(self):
        super().setUp()
        self.serve_by_name()
        self.real.stop()  # dockerd would go there after its mirror
        self.official = image.make_image(seed=42, types=image.DOCKER)
        self.registry.push("library/debian", self.official, "12")

    def check_docker(self, address=None):
        docker = self.docker(self.configure("docker", address=address))
        self.check_docker_pulls(docker, f"{REPOSITORY}:{TAG}", self.image)
        self.check_docker_pulls(docker, "debian:12", self.official)

    def test_the_default_upstream_over_http(self):
        self.start()
        self.check_docker()

    def test_the_default_upstream_over_tls(self):
        self.start(tls=True)
        self.check_docker()

    def test_an_address_of_its_own(self):
        address = f"127.0.0.1:{process.reserve_port(self)}"
        self.start(default=UPSTREAM, hub=address)
        self.check_docker(address)
        self.paddock.wait_logged(f"serving docker.io on {address}")


class ProxyTest(ClientConfigCase):
    """dockerd that is told a proxy and a CA, and nothing else, pulls by the registry's own name."""

    def setUp(self):
        super().setUp()
        self.serve_by_name()
        self.real.stop()
        process.run([case.binary(), "ca", "init", "--out", self.path("ca")])
        self.proxy = f"127.0.0.1:{process.reserve_port(self)}"
        self.start(default=None, ingress={"connect_proxy": {
            "listen": self.proxy, "ca_certificate": self.path("ca", "ca.crt"), "ca_key": self.path("ca", "ca.key")}})

    def proxied(self, *flags, **environment):
        root = self.configure("docker-proxy", *flags, "--ca", self.path("ca", "ca.crt"), address=self.proxy)
        with open(root + "/etc/systemd/system/docker.service.d/paddock.conf") as unit:
            environment.update(re.findall(r'^Environment="(\w+)=(.*)"$', unit.read(), re.MULTILINE))
        self.assertEqual(environment["HTTPS_PROXY"], f"http://{self.proxy}")
        return root, lambda **more: self.docker(root, **environment, **more)

    def test_a_registry_whose_ca_dockerd_alone_trusts(self):
        _, start = self.proxied("--upstream", UPSTREAM)
        docker = start()
        self.check_docker_pulls(docker, REFERENCE, self.image)
        docker.pull(REFERENCE)
        refused = docker.run("push", REFERENCE, check=False)
        self.assertNotEqual(refused.returncode, 0)
        missing = docker.pull("quay.example/a/b:c", check=False)
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("Forbidden", missing.stderr)
        self.paddock.wait_logged("ingress.connect_proxy.tunnel what is let through")

    def test_docker_hub_whose_ca_the_system_trusts(self):
        root, start = self.proxied()
        docker = start(SSL_CERT_FILE=root + "/usr/local/share/ca-certificates/paddock.crt")
        self.check_docker_pulls(docker, f"{REPOSITORY}:{TAG}", self.image)
        self.assertNotIn("auth.docker.io", self.paddock.log_text())
        self.check_docker_pulls(docker, REFERENCE, self.image)

    def test_a_private_repository_by_the_clients_own_credentials(self):
        self.registry.stop()
        self.registry.htpasswd = self.path("htpasswd")
        with open(self.registry.htpasswd, "w") as file:
            file.write("me:" + crypt.crypt("mine", "$2b$05$abcdefghijklmnopqrstuu"))
        self.registry.start()
        _, start = self.proxied("--upstream", UPSTREAM)
        docker = start()

        def log_in(password):
            docker.run("login", "--username", "me", "--password", password, UPSTREAM)
            return docker.pull(REFERENCE, check=False)
        self.assertNotEqual(docker.pull(REFERENCE, check=False).returncode, 0)
        self.assertNotEqual(log_in("not mine").returncode, 0)
        self.assertEqual(log_in("mine").returncode, 0)
        self.assertEqual(docker.inspect(REFERENCE)["Id"], self.image.config.digest)


class DoctorTest(ClientConfigCase):
    def check(self, root, engines, expected):
        os.makedirs(root + "/usr/bin")
        for engine in engines:
            with open(f"{root}/usr/bin/{engine}", "w"):
                pass
        told = process.run([case.binary(), "doctor", "--config", self.paddock.config_file, "--root", root, "--json"],
                           check=False).stdout
        checks = json.loads(told)["checks"]
        for engine, text in expected.items():
            found = [one["severity"] for one in checks if one["check"] == engine and text in one["text"]]
            self.assertEqual(found, ["ok"], told)

    def test_a_machine_that_is_set_up(self):
        self.start()
        root = self.configure("podman")
        for kind in ("docker-containerd", "containerd"):
            shutil.copytree(self.configure(kind), root, dirs_exist_ok=True)
        through = f"{UPSTREAM}, docker.io through the cache"
        self.check(root, ("podman", "dockerd"), dict.fromkeys(("docker", "containerd", "podman"), through))

    def test_a_mirror_that_is_docker_hubs_own_address(self):
        address = f"127.0.0.1:{process.reserve_port(self)}"
        self.start(default=UPSTREAM, hub=address)
        self.check(self.configure("docker", address=address), ("dockerd",), {"docker": "docker.io comes through the cache"})


if __name__ == "__main__":
    case.main()
