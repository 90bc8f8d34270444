"""A dockerd of the benchmark's own, beside the machine's, and the pulls that it is asked for."""

import os
import subprocess
import time

from . import process
from .errors import BenchError

PATIENCE = 60


class Docker:
    """Started by `with`; images go to `folder`, which the work folder's end removes."""

    def __init__(self, programs, folder):
        self._dockerd, self._docker, self._folder = programs["dockerd"], programs["docker"], folder
        self._host = "unix://" + os.path.join(folder, "docker.sock")
        self._server = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise BenchError("dockerd needs root")
        os.makedirs(self._folder, exist_ok=True)
        settings = os.path.join(self._folder, "daemon.json")
        with open(settings, "w") as file:
            file.write("{}")
        self._server = process.Server("dockerd", [
            self._dockerd, "--config-file", settings, "-H", self._host,
            "--data-root", os.path.join(self._folder, "data"), "--exec-root", os.path.join(self._folder, "exec"),
            "--pidfile", os.path.join(self._folder, "dockerd.pid"),
            "--iptables=false", "--ip6tables=false", "--bridge=none"], os.path.join(self._folder, "dockerd.log"))
        try:
            self._wait_ready()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *_):
        self._server.stop()

    def _run(self, *arguments):
        return subprocess.run([self._docker, "-H", self._host, *arguments], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL,
                              env={**process.clean_environment(), "HOME": self._folder})

    def _wait_ready(self):
        end = time.monotonic() + PATIENCE
        while self._run("version").returncode != 0:
            if time.monotonic() > end:
                raise BenchError(f"dockerd did not come up within {PATIENCE} s: {self._server.tail()}")
            time.sleep(0.05)

    def pull(self, reference):
        """Seconds until `docker pull` has ended, layers unpacked; none of the image is left afterwards."""
        begun = time.monotonic()
        self._expect("pull", reference)
        took = time.monotonic() - begun
        self._expect("rmi", reference)
        return took

    def _expect(self, *arguments):
        done = self._run(*arguments)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise BenchError(f"docker {' '.join(arguments)}: {(lines or ['failed'])[-1]}")
