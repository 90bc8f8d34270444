"""Images made up for the tests: reproducible from a seed, of given sizes, and such that engines really unpack them."""

import gzip
import hashlib
import io
import json
import random
import tarfile
from dataclasses import dataclass, field

MIB = 1 << 20

DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}

# Bytes of each layer: what a GPU framework's image looks like, a twenty-fifth of its size. About 430 MB.
GPU_SHAPE = (
    [29 * MIB, 400, 900, 4 * MIB, 300, 190 * MIB, 2 * MIB, 500, 60 * MIB, 700, 12 * MIB, 0, 400]
    + [90 * MIB, 600, 200 * 1024, 800, 20 * MIB, 300]
)
SMALL_SHAPE = [3 * MIB, 400, 0, MIB, 700]


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Blob:
    data: bytes
    media_type: str
    digest: str = ""

    def __post_init__(self):
        self.digest = self.digest or digest_of(self.data)

    @property
    def size(self):
        return len(self.data)

    def descriptor(self):
        return {"mediaType": self.media_type, "size": self.size, "digest": self.digest}


@dataclass
class Image:
    """One platform's image: `manifest` is exactly what a registry must hand out."""

    manifest: Blob
    config: Blob
    layers: list
    architecture: str = "amd64"

    def blobs(self):
        """Each once, though a manifest may name one twice."""
        return list({blob.digest: blob for blob in [self.config, *self.layers]}.values())

    def blob_bytes(self):
        return sum(blob.size for blob in self.blobs())

    def largest(self):
        return max(self.layers, key=lambda layer: layer.size)


@dataclass
class Index:
    manifest: Blob
    images: list = field(default_factory=list)


def _tar(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        if content:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def make_layer(size, seed, types=None):
    """(the layer, its diff id). Random content, stored rather than squeezed once it is large, to save time."""
    noise = random.Random(seed)
    content = b"".join(noise.randbytes(min(MIB, size - at)) for at in range(0, size, MIB))
    unpacked = _tar(f"opt/paddle/lib/part_{seed}.so", content)
    squeezed = gzip.compress(unpacked, compresslevel=6 if size < MIB else 0, mtime=0)
    return Blob(squeezed, (types or OCI)["layer"]), digest_of(unpacked)


def make_image(sizes=None, seed=1, types=None, architecture="amd64"):
    types = types or OCI
    made = [make_layer(size, seed * 1000 + number, types) for number, size in enumerate(sizes or SMALL_SHAPE)]
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Labels": {"seed": str(seed)}},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in made]},
        "history": [{"created_by": f"layer {number}"} for number in range(len(made))],
    }
    config_blob = Blob(json.dumps(config).encode(), types["config"])
    layers = [layer for layer, _ in made]
    manifest = {
        "schemaVersion": 2,
        "mediaType": types["manifest"],
        "config": config_blob.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    # Odd white space on purpose: a proxy that parses and prints again would change the digest.
    text = json.dumps(manifest, indent=3) + "\n "
    return Image(Blob(text.encode(), types["manifest"]), config_blob, layers, architecture)


def make_index(images, types=None):
    types = types or OCI
    entries = [{**image.manifest.descriptor(), "platform": {"os": "linux", "architecture": image.architecture}}
               for image in images]
    text = json.dumps({"schemaVersion": 2, "mediaType": types["index"], "manifests": entries}, indent=2)
    return Index(Blob(text.encode(), types["index"]), list(images))
