"""What a matrix of clients pulls in: a registry under its real names, and two caches in front of it.

One cache is reached by its address or as a mirror, the other answers under the registry's own name, with a certificate.
The names are real to a client alone: it runs in a mount namespace of its own, whose /etc/hosts leads them to addresses of
loopback.
"""

import contextlib
import crypt
import os

from . import case, clients, process
from .front import Front
from .paddock import UPSTREAM, Paddock
from .tls import Certificate
from .upstream import Registry

DOCKER_HUB = "registry-1.docker.io"  # where dockerd goes for docker.io
PASSWORD = "of the cache's"


def write_hosts(test, hosts):
    """A file that stands for /etc/hosts: {name: address}."""
    path = test.path("hosts")
    with open(path, "w") as file:
        file.writelines(f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **hosts}.items())
    return path


class World:
    def __init__(self, test):
        case.require_root()
        case.require_tools("unshare", "openssl")
        self._test = test
        self.certificate = Certificate(test, UPSTREAM, DOCKER_HUB)
        self.registry = Registry(test)
        self.real_address = process.reserve_address(test, 443)
        self.real = Registry(test, "real", self.registry.folder, self.real_address, self.certificate)
        self.front = Front(test, self.registry.port)
        # docker.io is the default, as dockerd asks its mirrors without saying which registry it means.
        upstreams = {"upstreams": [{"name": name, "endpoints": [self.front.url], "default": name == "docker.io"}
                                   for name in ("docker.io", UPSTREAM)]}
        tls = {"tls": {"certificate": self.certificate.file, "key": self.certificate.key}}
        process.run([case.binary(), "ca", "init", "--out", test.path("ca")])
        proxy_port = process.reserve_port(test)
        self.proxy = f"http://127.0.0.1:{proxy_port}"
        ingress = {"ingress": {"connect_proxy": {"listen": f"127.0.0.1:{proxy_port}",
                                                 "ca_certificate": test.path("ca", "ca.crt"),
                                                 "ca_key": test.path("ca", "ca.key")}}}
        self.trusted = test.path("trusted.pem")
        with open(self.trusted, "w") as trusted:
            for path in (self.certificate.file, test.path("ca", "ca.crt")):
                with open(path) as file:
                    trusted.write(file.read())
        self.cache = Paddock(test, self.front.url, sections={**upstreams, **ingress})
        self.named_cache = Paddock(test, self.front.url, "named", {"server": tls, **upstreams},
                                   host=process.reserve_address(test, 443))
        self.caches = (self.cache, self.named_cache)

    def around(self, corner, way):
        """For clients that find these hosts at these addresses, and believe their certificates."""
        return clients.Around.seeing({"/etc/hosts": write_hosts(corner, way.hosts(self))}, SSL_CERT_FILE=self.trusted,
                                     **way.environment(self))

    @contextlib.contextmanager
    def upstream_away(self):
        servers = (self.front, self.registry, self.real)
        for server in servers:
            server.stop()
        yield
        for server in reversed(servers):
            server.start()

    @contextlib.contextmanager
    def caches_away(self):
        for cache in self.caches:
            cache.stop()
        yield
        for cache in self.caches:
            cache.start()

    @contextlib.contextmanager
    def private(self, known_to_caches):
        """From now on, for good, nothing is to be had without a password, which the caches have or have not."""
        htpasswd, password_file = self._test.path("htpasswd"), self._test.path("password")
        for path, text in ((htpasswd, "cache:" + crypt.crypt(PASSWORD, "$2b$05$abcdefghijklmnopqrstuu")),
                           (password_file, PASSWORD)):
            with open(path, "w") as file:
                file.write(text)
        os.chmod(password_file, 0o600)
        for registry in (self.registry, self.real):
            registry.stop()
            registry.htpasswd = htpasswd
            registry.start()
        for cache in self.caches:
            for upstream in cache.config["upstreams"]:
                upstream.update({"username": "cache", "password_file": password_file} if known_to_caches else {})
            cache.restart()
        yield


class Corner:
    """A part of a test's folder, for one of several clients in it."""

    def __init__(self, test, name):
        self._test = test
        self.folder = test.path(name)
        os.makedirs(self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def __getattr__(self, name):
        return getattr(self._test, name)
