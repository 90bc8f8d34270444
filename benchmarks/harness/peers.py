"""The servers that are compared: how each is configured, started and emptied.

All answer /v2/REPOSITORY/... under base(); each keeps its data in a folder of its own.
"""

import json
import os
import shutil

from . import nginx
from .errors import BenchError
from .process import Server


READY_FILE = "/ready"  # in the root of plain files


class Direct:
    """The upstream itself, to compare with; it runs already and is not measured as a server."""

    def __init__(self, name, label, port, upstream):
        self.name, self.label, self.port, self.ca, self.caches = name, label, port, None, False
        self._upstream = upstream

    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def pids(self):
        return self._upstream.pids()

    def start(self, _upstream):
        pass

    stop = clear = lambda self: None


class Peer:
    """`begin(folder, upstream)` writes a configuration and returns the command. stop() and clear() may be called twice."""

    def __init__(self, name, label, folder, port, begin, ready="/v2/", tls_ca=None, needs_upstream=True):
        self.name, self.label, self.folder, self.port = name, label, folder, port
        self._begin, self._ready, self.ca = begin, ready, tls_ca
        self.caches = needs_upstream
        self.server = None
        self.ready_after = 0.0  # seconds that the last start took

    def base(self):
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}"

    def start(self, upstream, environment=()):
        os.makedirs(self.folder, exist_ok=True)
        self.server = Server(self.label, self._begin(self.folder, upstream), os.path.join(self.folder, "server.log"),
                             environment)
        ready = self._ready if self._ready.startswith("http") else self.base() + self._ready
        try:
            self.ready_after = self.server.wait_http(ready, 120, range(200, 300))
        except BenchError:
            self.stop()
            raise

    def stop(self):
        server, self.server = self.server, None
        if server:
            server.stop()

    def kill(self):
        server, self.server = self.server, None
        if server:
            server.kill()

    def clear(self):
        """Everything it has stored is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return self.server.tree()


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def paddock(binary, folder, port, certificate=None, ca=None, name="paddock", label="Paddock"):
    """The admin address is the next port. A tag is not asked for again within a run, as in nginx's cache."""
    def begin(where, upstream):
        config = {
            "server": {"listen": f"127.0.0.1:{port}"},
            "admin": {"listen": f"127.0.0.1:{port + 1}"},
            "storage": {"max_size": "95%", "min_free": "64MiB"},
            "upstreams": [{"name": "upstream.test", "endpoints": [upstream], "default": True, "tag_ttl": "1d"}],
            "log": {"level": "warn"},
        }
        if certificate:
            config["server"]["tls"] = {"certificate": certificate[0], "key": certificate[1]}
        path = _write(where, "paddock.yaml", json.dumps(config))  # JSON is YAML
        return [binary, "serve", "--config", path, "--data", os.path.join(where, "data")]
    return Peer(name, label, folder, port, begin, ready=f"http://127.0.0.1:{port + 1}/readyz", tls_ca=ca)


def nginx_cache(folder, port, workers):
    def begin(where, upstream):
        return ["nginx", "-p", where, "-c", _write(where, "nginx.conf", nginx.cache(where, port, upstream, workers))]
    return Peer("nginx-cache", "nginx proxy_cache", folder, port, begin)


def nginx_files(folder, port, root, workers, certificate=None, ca=None):
    def begin(where, _upstream):
        text = nginx.files(where, port, root, workers, certificate)
        return ["nginx", "-p", where, "-c", _write(where, "nginx.conf", text)]
    name = "nginx-files-tls" if certificate else "nginx-files"
    return Peer(name, "nginx sendfile" + (" TLS" if certificate else ""), folder, port, begin, READY_FILE, ca,
                needs_upstream=False)


def _registry_config(where, port, proxy):
    config = {
        "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": os.path.join(where, "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if proxy:
        config["proxy"] = {"remoteurl": proxy}
    return _write(where, "registry.yml", json.dumps(config))


def registry_proxy(binary, name, label, folder, port):
    def begin(where, upstream):
        return [binary, "serve", _registry_config(where, port, upstream)]
    return Peer(name, label, folder, port, begin)


def upstream_registry(binary, folder, port):
    def begin(where, _upstream):
        return [binary, "serve", _registry_config(where, port, None)]
    return Peer("upstream", "upstream registry", folder, port, begin)


def zot_proxy(binary, folder, port):
    def begin(where, upstream):
        config = {
            "distSpecVersion": "1.1.0",
            "storage": {"rootDirectory": os.path.join(where, "data"), "gc": False},
            "http": {"address": "127.0.0.1", "port": str(port)},
            "log": {"level": "error"},
            "extensions": {"sync": {"enable": True, "registries": [
                {"urls": [upstream], "onDemand": True, "tlsVerify": False, "content": [{"prefix": "**"}]}]}},
        }
        return [binary, "serve", _write(where, "zot.json", json.dumps(config))]
    return Peer("zot", "zot", folder, port, begin)
