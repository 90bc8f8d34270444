"""The OCI's own conformance suite for registries, of which a pull-through cache has pull and content discovery.

Two runs, as the suite looks at the bytes of nothing that it did not push. What it says is left in build/conformance.
"""

import json
import os
import re
import socket
import socketserver
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from support import case, go_tools, image, process  # noqa: E402
from support.live_server import LiveServer  # noqa: E402
from support.paddock import Paddock  # noqa: E402
from support.upstream import Registry  # noqa: E402

SUITE = "github.com/opencontainers/distribution-spec/conformance", "v0.0.0-20260831232431-97274622c111"
REPOSITORY = "conformance/repo1"
REPORTS = os.path.join(case.ROOT, "build", "conformance")
# What Debian's docker-registry, which holds what is pushed, cannot take.
BEYOND_THE_REGISTRY = ("SHA512", "SUBJECT", "SUBJECT_LIST", "SUBJECT_MISSING", "NONDISTRIBUTABLE")
PULL = ("Blob get", "Blob head", "Manifest get by digest", "Manifest get by tag", "Manifest head by digest",
        "Manifest head by tag", "Ping")
COUNTED = ("Pass", "FAIL", "Error", "Skip", "Disabled")
DISCOVERY = ("Tag listing", "Referrers")


class _PastTheCache(socketserver.StreamRequestHandler):
    """Reads go to the cache, what it refuses to the upstream: one request a connection, passed on as it is."""

    rbufsize = 0

    def handle(self):
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        method, path = head.split(b" ")[:2] if head else (b"", b"")
        reads = method in (b"GET", b"HEAD") and b"/blobs/uploads/" not in path
        with socket.create_connection(("127.0.0.1", self.server.owner[0 if reads else 1]), timeout=60) as target:
            target.sendall(head + b"Connection: close\r\n\r\n")
            threading.Thread(target=self.pump, args=(self.connection, target), daemon=True).start()
            self.pump(target, self.connection)

    @staticmethod
    def pump(source, sink):
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
        except OSError:
            pass  # the other direction has ended


class ConformanceTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.suite = go_tools.tool(*SUITE)
        self.registry = Registry(self)

    def run_suite(self, name, port, *apis, **settings):
        """Fails unless these APIs passed. Returns the result of all, and how many checks passed."""
        folder = os.path.join(REPORTS, name)
        os.makedirs(folder, exist_ok=True)
        said = process.run([self.suite], seconds=120, check=False, cwd=self.folder, env=process.clean_environment(
            OCI_REGISTRY=f"127.0.0.1:{port}", OCI_TLS="disabled", OCI_VERSION="1.1", OCI_REPO1=REPOSITORY,
            OCI_API_BLOBS_DELETE="false", OCI_API_BLOBS_ATOMIC="false", OCI_API_MANIFESTS_DELETE="false",
            OCI_API_MANIFESTS_ATOMIC="false", OCI_API_TAGS_DELETE="false", OCI_API_TAGS_ATOMIC="false",
            OCI_API_BLOBS_DIGEST_HEADER="true", OCI_RESULTS_DIR=folder,
            **{f"OCI_{key}": value for key, value in settings.items()}))
        # Not its exit status: without pushing it panics once it has said everything, as it writes its results file.
        with open(os.path.join(folder, "said.txt"), "w") as file:
            file.write(said.stdout + said.stderr)
        found = dict(re.findall(r"^  (\w[^.\n]*)\.*: +(\w+)$", said.stdout, re.MULTILINE))
        result = re.search(r"^OCI Conformance Result: (\w+)$", said.stdout, re.MULTILINE)
        self.assertTrue(result, said.stdout[-2000:] + said.stderr[-2000:])
        print(f"\n{name}: {result[1]};", ", ".join(f"{found[key]} {key.lower()}" for key in COUNTED), "\n ",
              ", ".join(f"{api}: {found[api]}" for api in apis))
        failed = re.findall(r"^ *OCI Conformance Test/(.*: (?:FAIL|Error)\n +- .*)", said.stdout, re.MULTILINE)
        print("".join(f"  {one}\n" for one in failed), end="", flush=True)
        self.assertEqual({api: found[api] for api in apis}, dict.fromkeys(apis, "Pass"), "\n".join(failed))
        return result[1], int(found["Pass"])

    def test_pull_and_content_discovery(self):
        """Against the cache itself, cold and warm; what is there was pushed to the upstream."""
        images = [image.make_image(seed=50), image.make_image(seed=51, architecture="arm64")]
        index = image.make_index(images)
        empty = image.Blob(b"", "application/octet-stream")
        self.registry.push(REPOSITORY, index, "index")
        self.registry.push(REPOSITORY, images[0], "image", "other")
        self.registry.push_blob(REPOSITORY, empty)
        referrer = {**images[1].manifest.descriptor(), "artifactType": "application/vnd.example.sbom"}
        listed = json.dumps({"schemaVersion": 2, "mediaType": image.OCI["index"], "manifests": [referrer]})
        self.registry.push_manifest(REPOSITORY, index.manifest.digest.replace(":", "-"),
                                    image.Blob(listed.encode(), image.OCI["index"]))
        paddock = Paddock(self, f"http://127.0.0.1:{self.registry.port}")
        manifests = [one.manifest.digest for one in (index, *images)]
        for state in ("cold", "warm"):
            result, passed = self.run_suite(
                f"read-only-{state}", paddock.port, *PULL, *DISCOVERY, API_PUSH="false",
                RO_DATA_TAGS="index image other", RO_DATA_MANIFESTS=" ".join(manifests),
                RO_DATA_REFERRERS=" ".join(manifests),
                RO_DATA_BLOBS=" ".join(blob.digest for blob in (empty, *images[0].blobs(), *images[1].blobs())))
            self.assertEqual(result, "Pass")
            self.assertGreaterEqual(passed, 40)

    def test_what_is_pushed_past_the_cache_is_pulled_through_it(self):
        """Byte by byte. What fails of pushing is the upstream's part."""
        paddock = Paddock(self, f"http://127.0.0.1:{self.registry.port}", sections={"tags": {"negative_ttl": "0s"}},
                          tag_ttl="0s")
        port = process.reserve_port(self)
        server = LiveServer(port, _PastTheCache, (paddock.port, self.registry.port))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        _, passed = self.run_suite("pushed-past", port, *PULL, "Blob get range", "Tag listing",
                                   **{f"DATA_{kind}": "false" for kind in BEYOND_THE_REGISTRY})
        self.assertGreaterEqual(passed, 280)


if __name__ == "__main__":
    case.main()
