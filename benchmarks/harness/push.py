"""Puts an image into a registry, and into a folder that nginx can serve as if it were one."""

import http.client
import os
import urllib.parse

from .errors import BenchError
from .image import MANIFEST_TYPE
from .peers import READY_FILE


def _call(connection, method, path, body=None, headers=None, expect=201):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != expect:
        raise BenchError(f"the upstream answered {method} {path} with {answer.status}: {text[:200]!r}")
    return answer.headers


def push(port, image):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, blocksize=1 << 20)
    base = f"/v2/{image.repository}"
    for digest, path in image.blobs.items():
        location = _call(connection, "POST", f"{base}/blobs/uploads/", b"", expect=202)["Location"]
        where = urllib.parse.urlsplit(location)
        query = (where.query + "&" if where.query else "") + urllib.parse.urlencode({"digest": digest})
        with open(path, "rb") as file:
            _call(connection, "PUT", f"{where.path}?{query}", file,
                  {"Content-Type": "application/octet-stream", "Content-Length": str(os.path.getsize(path))})
    _call(connection, "PUT", f"{base}/manifests/{image.tag}", image.manifest, {"Content-Type": MANIFEST_TYPE})
    connection.close()


def lay_out(root, image):
    """Hard links: it is the image's own files that are served."""
    blobs = os.path.join(root, "v2", image.repository, "blobs")
    manifests = os.path.join(root, "v2", image.repository, "manifests")
    os.makedirs(blobs, exist_ok=True)
    os.makedirs(manifests, exist_ok=True)
    for digest, path in image.blobs.items():
        if not os.path.exists(os.path.join(blobs, digest)):
            os.link(path, os.path.join(blobs, digest))
    with open(os.path.join(manifests, image.tag), "wb") as file:
        file.write(image.manifest)
    open(os.path.join(root, READY_FILE.lstrip("/")), "w").close()
