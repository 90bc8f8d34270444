"""The real upstream: Debian's docker-registry on a folder of its own, and pushing made-up images to it."""

import http.client
import json
import os
import urllib.parse

from . import case, process


class Registry:
    """Storage outlives stop(), so the same content can go away and come back.

    With `host` and a certificate it serves HTTPS there, on the port that belongs to it. `htpasswd`: a file of names,
    without which nobody gets anything once it has started again."""

    def __init__(self, test, name="registry", folder=None, host="127.0.0.1", certificate=None):
        case.require_tools("docker-registry")
        self._test = test
        self.folder = folder or test.path(name)
        self.htpasswd = None
        self._host, self._certificate = host, certificate
        self._log = test.path(name + ".log")
        self._config = test.path(name + ".yml")
        self._process = None
        self.port = 443 if certificate else process.reserve_port(test)
        os.makedirs(self.folder, exist_ok=folder is not None)
        test.watch_log(self._log)
        test.addCleanup(self.stop)
        self.start()

    def start(self):
        config = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": self.folder}, "delete": {"enabled": True},
                        "maintenance": {"uploadpurging": {"enabled": False}}},
            "http": {"addr": f"{self._host}:{self.port}", "secret": "only for tests"},
        }
        if self._certificate:
            config["http"]["tls"] = {"certificate": self._certificate.file, "key": self._certificate.key}
        if self.htpasswd:
            config["auth"] = {"htpasswd": {"realm": "tests", "path": self.htpasswd}}
        with open(self._config, "w") as file:
            json.dump(config, file)
        self._process = process.Process("docker-registry", [case.find_tool("docker-registry"), "serve", self._config],
                                        self._log)
        self._process.wait_ready(lambda: process.accepts(self.port, self._host))

    def stop(self):
        if self._process:
            self._process.stop()

    def push(self, repository, image, *tags):
        """An Image or an Index, with everything it names."""
        for member in getattr(image, "images", []):
            self.push(repository, member)
        if hasattr(image, "layers"):
            for blob in image.blobs():
                self.push_blob(repository, blob)
        for reference in tags or (image.manifest.digest,):
            self.push_manifest(repository, reference, image.manifest)

    def push_blob(self, repository, blob):
        status, _, _ = self._call("HEAD", f"/v2/{repository}/blobs/{blob.digest}")
        if status == 200:
            return
        _, headers, _ = self._call("POST", f"/v2/{repository}/blobs/uploads/", expect=202)
        place = urllib.parse.urlsplit(headers["Location"])
        query = urllib.parse.urlencode(urllib.parse.parse_qsl(place.query) + [("digest", blob.digest)])
        self._call("PUT", f"{place.path}?{query}", blob.data, {"Content-Type": "application/octet-stream"}, 201)

    def push_manifest(self, repository, reference, manifest):
        self._call("PUT", f"/v2/{repository}/manifests/{reference}", manifest.data,
                   {"Content-Type": manifest.media_type}, 201)

    def blob_file(self, digest):
        algorithm, value = digest.split(":")
        return os.path.join(self.folder, "docker/registry/v2/blobs", algorithm, value[:2], value, "data")

    def flip_byte(self, digest, at):
        """Rot on the upstream's disk: its registry does not look, and sends it."""
        with open(self.blob_file(digest), "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0xFF]))

    def truncate(self, digest, size):
        """Bytes lost on the upstream's disk: its registry says that the blob is that small, to HEAD and GET."""
        os.truncate(self.blob_file(digest), size)

    def _call(self, method, path, body=None, headers=None, expect=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body=body if body is not None else b"", headers=headers or {})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if expect and answer.status != expect:
            raise AssertionError(f"docker-registry: {method} {path}: {answer.status} {text[:300]!r}")
        return answer.status, answer.headers, text
