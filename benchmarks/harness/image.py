"""Images made up for measuring: the same bytes each time, layers that are valid gzip of a tar archive.

Their content is noise, stored and not squeezed: nobody here unpacks it, and it must not compress on the way.
"""

import hashlib
import io
import json
import os
import random
import tarfile
import zlib
from dataclasses import dataclass

MIB = 1 << 20
STORED = 65535  # bytes of one stored deflate block at most
OCI = "application/vnd.oci.image."
MANIFEST_TYPE = OCI + "manifest.v1+json"

# MiB of the layers.
SHAPES = {
    "full": {"large": [28, 12, 60, 1, 180, 900, 1500, 350], "crowd": [4, 1, 12, 80, 160, 32, 8, 103]},
    "small": {"large": [1, 1, 2, 1, 4, 16, 28, 7], "crowd": [1, 1, 2, 4]},
}


@dataclass
class Image:
    repository: str
    tag: str
    manifest: bytes
    blobs: dict  # digest -> path

    @property
    def bytes(self):
        return sum(os.path.getsize(path) for path in self.blobs.values())

    @property
    def total(self):
        """With the manifest: what one whole pull brings."""
        return self.bytes + len(self.manifest)


class _Layer:
    """Takes a tar archive, writes it as gzip of stored blocks; knows both digests."""

    def __init__(self, path):
        self._file = open(path, "wb")
        self._digest, self._diff = hashlib.sha256(), hashlib.sha256()
        self._crc = self._length = self.size = 0
        self._emit(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")

    def _emit(self, data):
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)

    def write(self, data):
        self._diff.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        blocks = []
        for at in range(0, len(data), STORED):
            piece = data[at:at + STORED]
            blocks += [b"\0", len(piece).to_bytes(2, "little"), (len(piece) ^ 0xFFFF).to_bytes(2, "little"), piece]
        self._emit(b"".join(blocks))
        return len(data)

    def close(self):
        end = b"\x01\0\0\xff\xff" + self._crc.to_bytes(4, "little") + (self._length & 0xFFFFFFFF).to_bytes(4, "little")
        self._emit(end)
        self._file.close()
        return "sha256:" + self._digest.hexdigest(), "sha256:" + self._diff.hexdigest()


class _Noise(io.RawIOBase):
    def __init__(self, seed, size):
        self._random, self._left = random.Random(seed), size

    def read(self, count=-1):
        count = self._left if count < 0 else min(count, self._left)
        self._left -= count
        return self._random.randbytes(count)


def _make_layer(folder, seed, size):
    path = os.path.join(folder, ".making")
    layer = _Layer(path)
    with tarfile.open(fileobj=layer, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=MIB) as archive:
        entry = tarfile.TarInfo(f"opt/bench/{seed}.bin")
        entry.size = size
        archive.copybufsize = MIB
        archive.addfile(entry, _Noise(seed, size))
    digest, diff = layer.close()
    final = os.path.join(folder, digest)
    os.rename(path, final)
    return digest, diff, final


def make_image(folder, repository, tag, sizes, seed):
    """`sizes` in MiB."""
    os.makedirs(folder, exist_ok=True)
    layers = [_make_layer(folder, seed * 1000 + number, size * MIB) for number, size in enumerate(sizes)]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": [diff for _, diff, _ in layers]}}).encode()
    config_digest = "sha256:" + hashlib.sha256(config).hexdigest()
    config_path = os.path.join(folder, config_digest)
    with open(config_path, "wb") as file:
        file.write(config)
    described = [{"mediaType": OCI + "layer.v1.tar+gzip", "digest": digest, "size": os.path.getsize(path)}
                 for digest, _, path in layers]
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": OCI + "config.v1+json", "digest": config_digest, "size": len(config)},
        "layers": described}, indent=2).encode()
    blobs = {config_digest: config_path, **{digest: path for digest, _, path in layers}}
    return Image(repository, tag, manifest, blobs)
