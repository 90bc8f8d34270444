"""HTTP as the tests see it: small answers whole, large ones by size and digest, a broken one as broken."""

import hashlib
import http.client
import json
import threading
from dataclasses import dataclass

MANIFEST_TYPES = ", ".join([
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
])


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def error_code(self):
        return self.json()["errors"][0]["code"]

    def source(self):
        return self.headers.get("X-Paddock-Cache")


@dataclass
class Download:
    """`error` is set when the connection ended before the announced length."""

    status: int = 0
    announced: int = -1
    size: int = 0
    digest: str = ""
    error: str = ""

    @property
    def complete(self):
        return not self.error and self.status in (200, 206) and self.size == self.announced


def fetch(port, path, method="GET", headers=None, body=None, seconds=60):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def manifest(port, repository, reference, method="GET", headers=None):
    return fetch(port, f"/v2/{repository}/manifests/{reference}", method,
                 {"Accept": MANIFEST_TYPES, **(headers or {})})


def download(port, path, headers=None, on_bytes=None, seconds=120):
    """A body of any size, thrown away while it is hashed. Never raises for a broken transfer: that is a result."""
    result = Download()
    hashed = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        result.status = answer.status
        result.announced = int(answer.headers.get("Content-Length", -1))
        buffer = bytearray(256 * 1024)
        while count := answer.readinto(buffer):
            hashed.update(memoryview(buffer)[:count])
            result.size += count
            if on_bytes:
                on_bytes(result.size)
        if result.size != result.announced:
            result.error = f"ended after {result.size} of {result.announced} bytes"
    except (OSError, http.client.HTTPException) as error:
        result.error = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    result.digest = "sha256:" + hashed.hexdigest()
    return result


def blob(port, repository, digest, headers=None, on_bytes=None):
    return download(port, f"/v2/{repository}/blobs/{digest}", headers, on_bytes)


def pull_image(port, repository, reference, architecture="amd64"):
    """What an engine does, without keeping anything. Returns {digest: size}; raises when a byte is wrong."""
    answer = manifest(port, repository, reference)
    if answer.status != 200:
        raise AssertionError(f"manifest {reference}: {answer.status} {answer.body[:300]!r}")
    found = "sha256:" + hashlib.sha256(answer.body).hexdigest()
    if answer.headers.get("Docker-Content-Digest") != found:
        raise AssertionError(f"manifest {reference} is not what its Docker-Content-Digest says")
    parsed = answer.json()
    if "manifests" in parsed:
        chosen = next(one for one in parsed["manifests"] if one["platform"]["architecture"] == architecture)
        return {found: len(answer.body), **pull_image(port, repository, chosen["digest"])}
    got = {found: len(answer.body)}
    for descriptor in [parsed["config"], *parsed["layers"]]:
        layer = blob(port, repository, descriptor["digest"])
        if not layer.complete or layer.digest != descriptor["digest"] or layer.size != descriptor["size"]:
            raise AssertionError(f"blob {descriptor['digest']}: {layer}")
        got[layer.digest] = layer.size
    return got


class Task(threading.Thread):
    """A thread with a result: result() gives it, or raises what the function raised."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._function = function
        self._arguments = arguments
        self._value = None
        self._error = None
        self.start()

    def run(self):
        try:
            self._value = self._function(*self._arguments)
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error

    def result(self, seconds=180):
        self.join(seconds)
        if self.is_alive():
            raise AssertionError(f"still running after {seconds} s")
        if self._error:
            raise self._error
        return self._value


def crowd(count, function):
    """`count` threads that start together; their results."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait(30)
        return function(number)

    tasks = [Task(one, number) for number in range(count)]
    return [task.result() for task in tasks]
