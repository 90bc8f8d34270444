"""Real clients, each with its state in a folder of the test's own, so that nothing of the machine's is touched."""

import json
import os
import subprocess
import unittest
from dataclasses import dataclass, field

from . import case, process


@dataclass
class Around:
    """What a client is started in: a command that starts it, and variables."""

    wrap: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)

    @classmethod
    def seeing(cls, files, **environment):
        """A mount namespace in which these stand in place of the machine's: {"/etc/hosts": PATH}."""
        pairs = [part for place, path in files.items() for part in (path, place)]
        wrap = ["unshare", "--mount", "sh", "-c",
                'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit; shift 2; done; shift; exec "$@"',
                "sh", *pairs, "--"]
        if process.run([*wrap, "true"], check=False).returncode:
            raise unittest.SkipTest("mounting is not allowed here")
        return cls(wrap, environment)

    def run(self, argv, check=True, **environment):
        return process.run([*self.wrap, *argv], check=check, env=self.variables(**environment))

    def variables(self, **environment):
        return process.clean_environment(**self.environment, **environment)


def overlay_works(folder):
    """Nested or exotic file systems refuse overlay mounts; then the copying drivers serve."""
    parts = {name: os.path.join(folder, "overlay-probe", name) for name in ("lower", "upper", "work", "merged")}
    for path in parts.values():
        os.makedirs(path, exist_ok=True)
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    if process.run(["mount", "-t", "overlay", "overlay", "-o", options, parts["merged"]], check=False).returncode:
        return False
    process.run(["umount", parts["merged"]])
    return True


class Docker:
    """A dockerd beside the machine's own, with a socket, and the docker command that talks to it."""

    def __init__(self, test, around=None, **config):
        case.require_root()
        case.require_tools("dockerd", "docker", "containerd", "runc")
        around = around or Around()
        self._host = "unix://" + test.path("docker.sock")
        self._environment = process.clean_environment(HOME=test.path("docker-home"),
                                                      DOCKER_CONFIG=test.path("docker-home"))
        os.makedirs(test.path("docker-home"))
        config_file = test.path("daemon.json")
        with open(config_file, "w") as file:
            json.dump(config, file)
        log = test.path("dockerd.log")
        test.watch_log(log)
        self._daemon = process.Process("dockerd", [
            *around.wrap, case.find_tool("dockerd"), "--config-file", config_file, "-H", self._host,
            "--data-root", test.path("docker"), "--exec-root", test.path("docker-exec"),
            "--pidfile", test.path("dockerd.pid"), "--iptables=false", "--ip6tables=false", "--bridge=none",
            "--storage-driver", "overlay2" if overlay_works(test.folder) else "vfs",
        ], log, env=around.variables(HOME=test.path("docker-home")))
        test.addCleanup(self._daemon.stop)
        self._daemon.wait_ready(lambda: self.run("version", check=False).returncode == 0)

    @property
    def socket(self):
        return self._host.removeprefix("unix://")

    def run(self, *arguments, check=True):
        return process.run([case.find_tool("docker"), "-H", self._host, *arguments], check=check,
                           env=self._environment)

    def pull(self, reference, check=True):
        return self.run("pull", reference, check=check)

    def remove(self, reference):
        """The image and every layer of it, so that the next pull is cold for this client."""
        self.run("rmi", reference)
        left = self.run("images", "--quiet", "--all").stdout.strip()
        if left:
            raise AssertionError(f"docker still has {left}")

    def inspect(self, reference):
        return json.loads(self.run("image", "inspect", reference).stdout)[0]


class Containerd:
    """A containerd of its own and ctr, with a hosts folder that sends `registry` to the cache, and then to `server`. With
    `kubernetes` it has the kubelet's interface, and is asked for the kubelet's images."""

    def __init__(self, test, cache_address=None, registry=None, server=None, around=None, kubernetes=False):
        case.require_root()
        case.require_tools("containerd", "ctr")
        self._around = around or Around()
        self._socket = test.path("containerd.sock")
        self._namespace = "k8s.io" if kubernetes else "e2e"
        self.hosts = test.path("certs.d")
        self._snapshotter = "overlayfs" if overlay_works(test.folder) else "native"
        for name in (registry, cache_address) if registry else ():
            folder = os.path.join(self.hosts, name)
            os.makedirs(folder)
            with open(os.path.join(folder, "hosts.toml"), "w") as file:
                file.write(f'server = "{server or f"http://{cache_address}"}"\n[host."http://{cache_address}"]\n'
                           '  capabilities = ["pull", "resolve"]\n  dial_timeout = "1s"\n')
        config = test.path("containerd.toml")
        with open(config, "w") as file:
            file.write("version = 2\n")
            if kubernetes:
                file.write('[plugins."io.containerd.grpc.v1.cri"]\n  disable_tcp_service = true\n'
                           '[plugins."io.containerd.grpc.v1.cri".cni]\n'
                           f'  bin_dir = "{test.path("cni")}"\n  conf_dir = "{test.path("cni")}"\n'
                           '[plugins."io.containerd.grpc.v1.cri".containerd]\n'
                           f'  snapshotter = "{self._snapshotter}"\n')
            else:
                file.write('disabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        log = test.path("containerd.log")
        test.watch_log(log)
        self._daemon = process.Process("containerd", [
            case.find_tool("containerd"), "--config", config, "--root", test.path("containerd"),
            "--state", test.path("containerd-state"), "--address", self._socket,
        ], log)
        test.addCleanup(self._daemon.stop)
        self._daemon.wait_ready(lambda: self.run("version", check=False).returncode == 0)

    @property
    def socket(self):
        return self._socket

    @property
    def snapshotter(self):
        return self._snapshotter

    def run(self, *arguments, check=True):
        return self._around.run([case.find_tool("ctr"), "--address", self._socket, "--namespace", self._namespace,
                                 *arguments], check)

    def pull(self, reference, *options, check=True):
        return self.run("images", "pull", "--hosts-dir", self.hosts, "--snapshotter", self._snapshotter,
                        "--platform", "linux/amd64", *options, reference, check=check)

    def remove(self, reference):
        """--sync waits for the garbage collector, so the content is gone when this returns."""
        self.run("images", "rm", "--sync", reference)
        left = self.content()
        if left:
            raise AssertionError(f"containerd still has {left}")

    def content(self):
        return set(self.run("content", "ls", "--quiet").stdout.split())


def write_mirrors(test, cache_address, registry):
    """Into the home of a user of podman, buildah and skopeo: this registry by way of the cache, then itself."""
    os.makedirs(test.path(".config", "containers"), exist_ok=True)
    with open(test.path(".config", "containers", "registries.conf"), "w") as file:
        file.write(f'[[registry]]\nprefix = "{registry}"\nlocation = "{registry}"\n'
                   f'[[registry.mirror]]\nlocation = "{cache_address}/{registry}"\ninsecure = true\n')


class Podman:
    """podman, or buildah, which keeps images alike and is asked with the same words."""

    def __init__(self, test, cache_address=None, registry=None, tool="podman", around=None):
        case.require_root()
        case.require_tools(tool)
        self._around = around or Around()
        driver = "overlay" if overlay_works(test.folder) else "vfs"
        self._base = [case.find_tool(tool), "--root", test.path("podman"), "--runroot", test.path("podman-run"),
                      "--storage-driver", driver]
        if tool == "podman":
            self._base += ["--tmpdir", test.path("podman-tmp"), "--cgroup-manager", "cgroupfs",
                           "--events-backend", "none"]
        self._environment = {"HOME": test.folder, "XDG_RUNTIME_DIR": test.folder}
        if registry:
            write_mirrors(test, cache_address, registry)
        self._test = test
        # Its overlay driver keeps a bind mount of its folder, which would outlive the test.
        test.addCleanup(subprocess.run, ["umount", test.path("podman", "overlay")], stderr=subprocess.DEVNULL)

    def variables(self):
        """What has a podman that others start use this one's storage."""
        option = dict(zip(self._base[1::2], self._base[2::2]))
        storage, engine = self._test.path("storage.conf"), self._test.path("containers.conf")
        with open(storage, "w") as file:
            file.write(f'[storage]\ndriver = "{option["--storage-driver"]}"\ngraphroot = "{option["--root"]}"\n'
                       f'runroot = "{option["--runroot"]}"\n')
        with open(engine, "w") as file:
            file.write(f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
                       f'tmp_dir = "{option["--tmpdir"]}"\n')
        return {"CONTAINERS_STORAGE_CONF": storage, "CONTAINERS_CONF": engine, "HOME": self._test.folder,
                "XDG_RUNTIME_DIR": self._test.folder}

    def run(self, *arguments, check=True):
        return self._around.run([*self._base, *arguments], check, **self._environment)

    def pull(self, reference, check=True):
        """Prints the image's id, which is its config's digest."""
        return self.run("pull", "--quiet", "--tls-verify=false", reference, check=check).stdout.strip()

    def remove(self, reference):
        self.run("rmi", reference)


class Skopeo:
    def __init__(self, test, cache_address=None, registry=None, around=None):
        case.require_tools("skopeo")
        self._test = test
        self._around = around or Around()
        self._environment = {"HOME": test.folder, "XDG_RUNTIME_DIR": test.folder}
        if registry:
            write_mirrors(test, cache_address, registry)

    def command(self, reference, target, *options):
        return [case.find_tool("skopeo"), "--insecure-policy", "copy", *options,
                f"docker://{reference}", f"dir:{target}"]

    def pull(self, reference, target, *options):
        return self._around.run(self.command(reference, target, *options), check=False, **self._environment)

    def copy(self, reference, name, *options, check=True):
        """Copies into a folder of files named by digest; returns the folder."""
        target = self._test.path(name)
        done = self.pull(reference, target, "--src-tls-verify=false", *options)
        if check and done.returncode:
            raise AssertionError(f"skopeo copy {reference}: {done.stdout}{done.stderr}")
        return target if done.returncode == 0 else None

    def start(self, reference, name):
        """The same without waiting: a client that a test can kill."""
        command = self.command(reference, self._test.path(name), "--src-tls-verify=false")
        return process.Process("skopeo", [*self._around.wrap, *command], self._test.path(name + ".log"),
                               env=self._around.variables(**self._environment))
