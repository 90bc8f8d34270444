"""Paddock itself, as a user runs it: a configuration file, a data folder, two ports."""

import hashlib
import json
import os
import re
import signal

from . import case, process, raw_http

UPSTREAM = "registry.baidubce.com"  # only a name here: it is never dialled, its endpoint is on loopback


class Paddock:
    """Starts at once, on ports of its own. `options` are merged into the first upstream, `sections` into the file.

    With `host` it listens there, on the port that HTTPS has."""

    def __init__(self, test, upstream_url, name="paddock", sections=None, host=None, **options):
        self._test = test
        self.data = test.path(name + "-data")
        self.config_file = test.path(name + ".yaml")
        self._log = test.path(name + ".log")
        self.host, self.port = (host, 443) if host else ("127.0.0.1", process.reserve_port(test))
        self.admin_port = process.reserve_port(test)
        self.process = None
        self.config = {
            "storage": {"max_size": "8GiB", "min_free": "64MiB"},
            "upstreams": [{"name": UPSTREAM, "endpoints": [upstream_url], "default": True, **options}],
            **(sections or {}),
        }
        test.watch_log(self._log)
        test.addCleanup(self._check_sanitizers)
        test.addCleanup(self.kill)
        self.start()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def write_config(self):
        config = {**self.config, "server": {**self.config.get("server", {}), "listen": self.address},
                  "admin": {**self.config.get("admin", {}), "listen": f"127.0.0.1:{self.admin_port}"}}
        with open(self.config_file, "w") as file:
            json.dump(config, file, indent=2)  # JSON is YAML

    def start(self):
        self.write_config()
        self.process = process.Process("paddock", self.command(), self._log)
        self.process.wait_ready(self.ready)

    def command(self):
        return [case.binary(), "serve", "--config", self.config_file, "--data", self.data]

    def ready(self):
        try:
            return raw_http.fetch(self.admin_port, "/readyz", seconds=5).status == 200
        except OSError:
            return False

    def stop(self):
        return self.process.stop()

    def kill(self):
        if self.process:
            self.process.kill()

    def _check_sanitizers(self):
        """A finding may come so late that no request suffers from it."""
        if self.process and ("Sanitizer" in (text := self.log_text()) or "runtime error:" in text):
            raise AssertionError(f"a sanitizer spoke up:\n{self.process.log_tail(60)}")

    def restart(self):
        status = self.stop()
        if status != 0:
            raise AssertionError(f"paddock ended with status {status} on SIGTERM:\n{self.process.log_tail()}")
        self.start()

    def reload(self):
        self.write_config()
        self.process.signal(signal.SIGHUP)

    def log_text(self):
        return self.process.log_text()

    def wait_logged(self, text):
        """Lines are written by a thread of its own: the answer may be there before its line is."""
        case.wait_until(lambda: text in self.log_text(), f"{text!r} in the log")

    def get(self, path, **arguments):
        return raw_http.fetch(self.port, path, **arguments)

    def manifest(self, repository, reference, **arguments):
        return raw_http.manifest(self.port, repository, reference, **arguments)

    def blob(self, repository, digest, **arguments):
        return raw_http.blob(self.port, repository, digest, **arguments)

    def pull(self, repository, reference):
        return raw_http.pull_image(self.port, repository, reference)

    def metric(self, name, **labels):
        """Sum over all series of that name which carry these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        total = 0.0
        for line in raw_http.fetch(self.admin_port, "/metrics").body.decode().splitlines():
            match = re.fullmatch(r"([a-zA-Z_:]+)(?:\{(.*)\})? ([^ ]+)(?: \d+)?", line)
            if match and match[1] == name and wanted <= set((match[2] or "").split(",")):
                total += float(match[3])
        return total

    def blob_files(self):
        """{digest: path} of everything that the store calls complete."""
        found = {}
        for folder, _, names in os.walk(os.path.join(self.data, "blobs")):
            for name in names:
                parts = os.path.relpath(os.path.join(folder, name), os.path.join(self.data, "blobs")).split(os.sep)
                found[f"{parts[0]}:{name}"] = os.path.join(folder, name)
        return found

    def wait_committed(self, *digests):
        """A client may have its last byte, which the digest vouches for, before the file has its final name."""
        case.wait_until(lambda: set(digests) <= set(self.blob_files()), "blobs to be committed")

    def check_store(self):
        """Every committed file is what its name says; returns their digests."""
        files = self.blob_files()
        for digest, path in files.items():
            algorithm, value = digest.split(":")
            hashed = hashlib.new(algorithm)
            with open(path, "rb") as file:
                while piece := file.read(1 << 20):
                    hashed.update(piece)
            if hashed.hexdigest() != value:
                raise AssertionError(f"{path} is committed and does not hash to its name")
        return set(files)
