"""The clients of the matrix, all asked in the same words: pull, is it there, forget it.

pull() returns what the command said. Each instance is one client, set up for one way to the cache.
"""

import base64
import json
import os
import re
import shutil

from . import case, clients, go_tools, image, process
from .paddock import UPSTREAM
from .ways import CONNECT, HOSTS_TOML, NAME, PREFIX, REGISTRIES_CONF, REGISTRY_MIRRORS


class _Logins:
    """The credentials file that Docker's own client and all that follow it read."""

    def _keep(self, *folders):
        self._files = [os.path.join(folder, "config.json") for folder in folders]

    def log_in(self, user, password):
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        for path in self._files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                json.dump({"auths": {UPSTREAM: {"auth": auth}}}, file)

    def log_out(self):
        for path in self._files:
            os.remove(path)


class Dockerd(_Logins):
    ways = (PREFIX, REGISTRY_MIRRORS, NAME, CONNECT)
    types = image.DOCKER

    def __init__(self, corner, around, way, world):
        # Each further attempt at a broken layer would wait 5 s longer than the one before.
        config = {"max-download-attempts": 1}
        if way.mirror:
            config["registry-mirrors"] = [f"http://{world.cache.address}"]
        self._docker = clients.Docker(corner, around, **config)
        self._keep(corner.path("docker-home"))

    def pull(self, reference):
        return self._docker.pull(reference, check=False)

    def holds(self, reference, made):
        found = self._docker.run("image", "inspect", "--format", "{{.Id}}", reference, check=False)
        return found.stdout.strip() == made.config.digest

    def forget(self, reference):
        self._docker.remove(reference)


class Containerd:
    ways = (PREFIX, HOSTS_TOML, NAME, CONNECT)
    types = image.OCI

    def __init__(self, corner, around, way, world):
        registry = UPSTREAM if way.mirror else None
        self._options = ["--plain-http"] if way is PREFIX else []
        self._containerd = clients.Containerd(corner, world.cache.address, registry, f"https://{UPSTREAM}", around)
        self._login = []

    def pull(self, reference):
        return self._containerd.pull(reference, *self._options, *self._login, check=False)

    def log_in(self, user, password):
        self._login = ["--user", f"{user}:{password}"]

    def log_out(self):
        self._login = []

    def holds(self, reference, made):
        wanted = {made.manifest.digest, *(blob.digest for blob in made.blobs())}
        names = self._containerd.run("images", "ls", "--quiet").stdout.split()
        return reference in names and self._containerd.content() >= wanted

    def forget(self, reference):
        self._containerd.remove(reference)


class Podman(_Logins):
    ways = (PREFIX, REGISTRIES_CONF, NAME, CONNECT)
    types = image.DOCKER

    def __init__(self, corner, around, way, world):
        self._options = ["--tls-verify=false"] if way is PREFIX else []
        self._podman = clients.Podman(corner, world.cache.address, UPSTREAM if way.mirror else None,
                                      type(self).__name__.lower(), around)
        self._keep(corner.path(".docker"))

    def pull(self, reference):
        return self._podman.run("pull", "--quiet", *self._options, reference, check=False)

    def holds(self, _, made):
        return made.config.digest in self._podman.run("images", "--quiet", "--no-trunc").stdout.split()

    def forget(self, _):
        self._podman.run("rmi", "--all", "--force")


class Buildah(Podman):
    pass


class _Folder(_Logins):
    """A client that copies into a folder: what it should hold must be there, byte for byte."""

    types = image.OCI

    def __init__(self, corner):
        self._target = corner.path("copy")
        self._keep(corner.path(".docker"))

    def pull(self, reference):
        self.forget(reference)  # what a failed pull has left
        return self.copy(reference)

    def forget(self, _):
        shutil.rmtree(self._target, ignore_errors=True)

    def holds(self, _, made):
        return all(self._digest(blob) == blob.digest for blob in (made.manifest, *made.blobs()))

    def _digest(self, blob):
        try:
            with open(os.path.join(self._target, self.file_of(blob)), "rb") as file:
                return image.digest_of(file.read())
        except FileNotFoundError:
            return None


class Skopeo(_Folder):
    ways = (PREFIX, REGISTRIES_CONF, NAME, CONNECT)

    def __init__(self, corner, around, way, world):
        super().__init__(corner)
        self._options = ["--src-tls-verify=false"] if way is PREFIX else []
        self._skopeo = clients.Skopeo(corner, world.cache.address, UPSTREAM if way.mirror else None, around)

    def copy(self, reference):
        return self._skopeo.pull(reference, self._target, *self._options)

    @staticmethod
    def file_of(blob):
        return "manifest.json" if ".manifest." in blob.media_type else blob.digest.removeprefix("sha256:")


class _GoTool(_Folder):
    ways = (PREFIX, NAME, CONNECT)

    def __init__(self, corner, around, way, _):
        super().__init__(corner)
        self._around, self._plain = around, way is PREFIX
        self._home = corner.folder

    def run(self, *arguments):
        return self._around.run([go_tools.tool(*self.module), *arguments], check=False, HOME=self._home)

    @staticmethod
    def file_of(blob):
        return os.path.join("blobs", *blob.digest.split(":"))


class Crane(_GoTool):
    module = "github.com/google/go-containerregistry/cmd/crane", "v0.22.1"

    def copy(self, reference):
        return self.run("pull", "--format", "oci", *(["--insecure"] if self._plain else []), reference, self._target)


class Oras(_GoTool):
    module = "oras.land/oras/cmd/oras", "v1.3.6"

    def copy(self, reference):
        return self.run("copy", "--no-tty", *(["--from-plain-http"] if self._plain else []), reference,
                        "--to-oci-layout", self._target + ":pulled")


ALL = (Dockerd, Containerd, Podman, Buildah, Skopeo, Crane, Oras)


def version(client):
    """Skips where the client cannot be had."""
    if issubclass(client, _GoTool):
        go_tools.tool(*client.module)
        return client.module[1].removeprefix("v")
    name = client.__name__.lower()
    case.require_tools(name)
    return re.search(r"\d+\.\d+(\.\d+)?", process.run([case.find_tool(name), "--version"]).stdout)[0]
