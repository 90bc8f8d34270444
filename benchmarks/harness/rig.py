"""The rig: work folder, ports, certificate, images, the upstream and its fronts, and the peers that there are."""

import contextlib
import os
import shutil
import subprocess
import time

from . import image, machine, nginx, peers, process, programs, push
from .errors import BenchError

REPOSITORY = "bench/image"
THROTTLE = {"full": 40_000_000, "small": 10_000_000}  # bytes a second on each connection
PORTS = ["upstream", "counting", "throttled", "nginx-cache", "nginx-files", "nginx-files-tls", "docker-registry",
         "distribution", "zot", "paddock", "paddock-admin", "paddock-tls", "paddock-tls-admin"]


class Rig:
    def __init__(self, work, base_port, found, size, say):
        self.work, self.programs, self.size, self.say = work, found, size, say
        self.ports = {name: base_port + number for number, name in enumerate(PORTS)}
        self._cleanup = contextlib.ExitStack()
        self.images, self.peers = {}, {}

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def folder(self, name):
        return os.path.join(self.work, name)

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def _start(self):
        process.refuse_taken(self.ports.values())
        process.raise_descriptor_limit()
        self.certificate = make_certificate(self.folder("tls"))
        self._make_images()
        upstream = peers.upstream_registry(self.programs["docker-registry"], self.folder("upstream"),
                                           self.ports["upstream"])
        self._cleanup.callback(upstream.stop)
        upstream.start(None)
        self.upstream = upstream
        for one in self.images.values():
            self.say(f"pushing the {one.tag} image, {one.bytes / 1e6:.0f} MB")
            push.push(self.ports["upstream"], one)
            push.lay_out(self.folder("site"), one)
        self._start_front()
        self._know_peers()

    def _make_images(self):
        wanted = image.SHAPES[self.size]
        free = shutil.disk_usage(self.work).free
        needed = 8 * sum(sum(sizes) for sizes in wanted.values()) * image.MIB
        if free < needed:
            raise BenchError(f"{self.work} has {free / 1e9:.1f} GB free, {needed / 1e9:.0f} GB are needed; "
                             "choose another with --work, or --size small")
        for number, (tag, sizes) in enumerate(wanted.items()):
            self.say(f"making the {tag} image")
            self.images[tag] = image.make_image(self.folder("image"), REPOSITORY, tag, sizes, number + 1)

    def _start_front(self):
        """What counts, and before it what throttles."""
        folder = self.folder("front")
        os.makedirs(folder)
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(nginx.front(folder, self.url("upstream"), self.ports["counting"]))
        front = self._run("nginx before the upstream", ["nginx", "-p", folder, "-c", path])
        front.wait_http(self.url("counting") + "/v2/")
        throttle = self._run("throttle", [self.programs["throttle"], str(self.ports["throttled"]),
                                          str(self.ports["counting"]), str(THROTTLE[self.size])])
        throttle.wait_http(self.url("throttled") + "/v2/")

    def _run(self, name, argv):
        server = process.Server(name, argv, self.folder(name.split()[0] + ".log"))
        self._cleanup.callback(server.stop)
        return server

    def _know_peers(self):
        """None is started yet: rows do that."""
        workers, ports, found = os.cpu_count(), self.ports, self.programs
        made = [
            peers.paddock(found["paddock"], self.folder("paddock"), ports["paddock"]),
            peers.paddock(found["paddock"], self.folder("paddock-tls"), ports["paddock-tls"], self.certificate,
                          self.certificate[0], "paddock-tls", "Paddock TLS"),
            peers.nginx_cache(self.folder("nginx-cache"), ports["nginx-cache"], workers),
            peers.nginx_files(self.folder("nginx-files"), ports["nginx-files"], self.folder("site"), workers),
            peers.nginx_files(self.folder("nginx-files-tls"), ports["nginx-files-tls"], self.folder("site"), workers,
                              self.certificate, self.certificate[0]),
            peers.registry_proxy(found["docker-registry"], "docker-registry", "docker-registry proxy",
                                 self.folder("docker-registry"), ports["docker-registry"]),
        ]
        made += [peers.Direct("direct", "upstream itself", ports["counting"], self.upstream),
                 peers.Direct("direct-throttled", "upstream itself", ports["throttled"], self.upstream)]
        if found.get("registry"):
            made.append(peers.registry_proxy(found["registry"], "distribution", "distribution v3 proxy",
                                             self.folder("distribution"), ports["distribution"]))
        if found.get("zot"):
            made.append(peers.zot_proxy(found["zot"], self.folder("zot"), ports["zot"]))
        for peer in made:
            self._cleanup.callback(peer.stop)
            self.peers[peer.name] = peer

    def facts(self, rounds):
        """What a report says of the machine, the programs and the images."""
        shapes = ", ".join(f"{one.tag} {one.bytes / 1e9:.2f} GB in {len(one.blobs) - 1} layers"
                           for one in self.images.values())
        return {**machine.describe(self.work), **programs.versions(self.programs), "images": shapes,
                "rounds": str(rounds)}

    def upstream_bytes(self):
        """Bytes of all answers that the front has sent so far; waits until none is being sent."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if b"Writing: 1 " in process.http_get(self.url("counting") + "/front-status")[1]:
                break
            time.sleep(0.02)
        else:
            raise BenchError("the upstream's front did not come to rest within 60 s")
        try:
            with open(self.folder("front/bytes.log")) as log:
                return sum(int(line.split(" ", 1)[0]) for line in log)
        except FileNotFoundError:
            return 0


def make_certificate(folder):
    """(certificate, key) for 127.0.0.1, signed by itself."""
    os.makedirs(folder)
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError("openssl could not make a certificate: " + done.stderr.strip().splitlines()[-1])
    return certificate, key
