"""The registry API byte by byte, as the OCI distribution specification 1.1 and the contract have it."""

import http.client
import json
import socket

from support import case, image, raw_http
from support.front import Front
from support.paddock import Paddock, UPSTREAM
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
OTHER = "ccr.test"


class HttpConformanceTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([image.MIB, 500], seed=30, types=image.DOCKER)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)
        self.blob_path = f"/v2/{REPOSITORY}/blobs/{self.layer.digest}"
        self.manifest_path = f"/v2/{REPOSITORY}/manifests/latest"

    def get(self, path, method="GET", **headers):
        return self.paddock.get(path, method=method, headers={key.replace("_", "-"): value
                                                               for key, value in headers.items()})

    def check_error(self, answer, status, *codes):
        self.assertEqual(answer.status, status, answer.body)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))
        self.assertIn(answer.error_code(), codes)
        self.assertTrue(answer.json()["errors"][0]["message"])

    def test_base(self):
        answer = self.get("/v2/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Docker-Distribution-API-Version"], "registry/2.0")
        self.assertTrue(answer.headers["Content-Length"])

    def test_manifest_headers(self):
        for path in (self.manifest_path, f"/v2/{REPOSITORY}/manifests/{self.image.manifest.digest}"):
            got, head = self.get(path), self.get(path, "HEAD")
            self.assertEqual(got.body, self.image.manifest.data)
            self.assertEqual(head.body, b"")
            for answer in (got, head):
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Content-Type"], self.image.manifest.media_type)
                self.assertEqual(answer.headers["Docker-Content-Digest"], self.image.manifest.digest)
                self.assertEqual(answer.headers["ETag"], f'"{self.image.manifest.digest}"')
                self.assertEqual(answer.headers["Content-Length"], str(len(self.image.manifest.data)))

    def test_the_cache_header_says_where_an_answer_came_from(self):
        self.assertEqual(self.get(self.manifest_path).source(), "fill")
        self.assertEqual(self.get(self.manifest_path).source(), "hit")
        self.assertEqual(self.get(self.blob_path).source(), "fill")
        case.wait_until(lambda: self.get(self.blob_path).source() == "hit", "the layer to be a hit")
        for path in ("/v2/", "/v2/_catalog", f"/v2/{REPOSITORY}/tags/list", "/v2/no/such/manifests/x"):
            self.assertIn(self.get(path).source(), ("hit", "fill", "stale", "bypass"))

    def test_blob_headers(self):
        for answer in (self.get(self.blob_path, "HEAD"), self.get(self.blob_path), self.get(self.blob_path, "HEAD")):
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["Content-Length"], str(self.layer.size))
            self.assertEqual(answer.headers["Docker-Content-Digest"], self.layer.digest)
            self.assertEqual(answer.headers["ETag"], f'"{self.layer.digest}"')
            self.assertEqual(answer.headers["Accept-Ranges"], "bytes")
            self.assertIsNone(answer.headers["Content-Encoding"])
        self.assertEqual(self.get(self.blob_path, Accept_Encoding="zstd, gzip").body, self.layer.data)

    def test_ranges_cold_and_warm(self):
        for _ in ("cold", "warm"):
            size, data = self.layer.size, self.layer.data
            for asked, first, last in (("0-0", 0, 0), ("10-99", 10, 99), (f"{size - 5}-", size - 5, size - 1),
                                       ("-7", size - 7, size - 1), (f"100-{size + 9}", 100, size - 1)):
                answer = self.get(self.blob_path, Range=f"bytes={asked}")
                self.assertEqual(answer.status, 206, asked)
                self.assertEqual(answer.headers["Content-Range"], f"bytes {first}-{last}/{size}")
                self.assertEqual(answer.headers["Content-Length"], str(last - first + 1))
                self.assertEqual(answer.body, data[first:last + 1])
            for none in (f"{size}-", "9-2"):
                answer = self.get(self.blob_path, Range=f"bytes={none}")
                self.assertEqual(answer.status, 416, none)
                self.assertEqual(answer.headers["Content-Range"], f"bytes */{size}")
        for nonsense in ("lines=1-2", "bytes=x-y"):
            self.assertEqual(self.get(self.blob_path, Range=nonsense).status, 200, nonsense)

    def test_if_range(self):
        match = self.get(self.blob_path, Range="bytes=0-9", If_Range=f'"{self.layer.digest}"')
        self.assertEqual((match.status, len(match.body)), (206, 10))
        other = self.get(self.blob_path, Range="bytes=0-9", If_Range='"sha256:other"')
        self.assertEqual((other.status, other.body), (200, self.layer.data))

    def test_not_modified(self):
        for path, digest in ((self.manifest_path, self.image.manifest.digest), (self.blob_path, self.layer.digest)):
            for condition in (f'"{digest}"', f'W/"{digest}"', f'"x", "{digest}"', "*"):
                answer = self.get(path, If_None_Match=condition)
                self.assertEqual((answer.status, answer.body), (304, b""), condition)
                self.assertEqual(answer.headers["ETag"], f'"{digest}"')
            self.assertEqual(self.get(path, If_None_Match='"other"').status, 200)

    def test_push_and_delete_are_refused(self):
        for method, path in (("POST", f"/v2/{REPOSITORY}/blobs/uploads/"), ("PUT", self.manifest_path),
                             ("DELETE", self.manifest_path), ("DELETE", self.blob_path),
                             ("PATCH", f"/v2/{REPOSITORY}/blobs/uploads/1")):
            self.check_error(self.paddock.get(path, method=method, body=b"x"), 405, "UNSUPPORTED")

    def test_push_is_refused_by_its_header_whatever_the_body_is(self):
        size = 8 * 1024  # more than is read with a header, and in the kernel's hands at once however slow this test is
        head = f"PUT {self.manifest_path} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n"
        for expectation, body in (("Expect: 100-continue\r\n", b""), ("", bytes(size))):
            with socket.create_connection(("127.0.0.1", self.paddock.port), timeout=30) as client:
                client.sendall((head + expectation + "\r\n").encode() + body)
                answer = b"".join(iter(lambda: client.recv(65536), b""))
            self.assertTrue(answer.startswith(b"HTTP/1.1 405 "), answer[:100])
            self.assertIn(b"UNSUPPORTED", answer)

    def test_refusals_of_malformed_requests_have_the_registrys_headers_too(self):
        for request, status in ((b"nonsense\r\n\r\n", b"400"), (b"GET /v2/ HTTP/1.1\nHost: h\n\n", b"400"),
                                (b"GET /v2/ HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"431"),
                                (b"GET /v2/ HTTP/2.0\r\n\r\n", b"505")):
            with socket.create_connection(("127.0.0.1", self.paddock.port), timeout=30) as client:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: client.recv(65536), b"")).lower()
            self.assertTrue(answer.startswith(b"http/1.1 " + status), answer[:100])
            self.assertIn(b"\r\nx-paddock-cache: bypass\r\n", answer)
            self.assertIn(b"\r\ndocker-distribution-api-version: registry/2.0\r\n", answer)
        self.paddock.wait_logged('"GET /v2/" 505')

    def test_errors_are_the_specifications(self):
        unknown = "sha256:" + "0" * 64
        self.check_error(self.get(f"/v2/{REPOSITORY}/blobs/{unknown}"), 404, "BLOB_UNKNOWN")
        self.check_error(self.get(f"/v2/{REPOSITORY}/manifests/{unknown}"), 404, "MANIFEST_UNKNOWN")
        self.check_error(self.get("/v2/no/such/manifests/latest"), 404, "MANIFEST_UNKNOWN", "NAME_UNKNOWN")
        self.check_error(self.get("/v2/no/such/tags/list"), 404, "NAME_UNKNOWN")
        self.check_error(self.get(f"/v2/{REPOSITORY}/blobs/sha256:zz"), 400, "DIGEST_INVALID")
        self.check_error(self.get(f"/v2/{REPOSITORY}/blobs/md5:{'0' * 32}"), 400, "DIGEST_INVALID")
        self.check_error(self.get("/v2/UPPER/case/manifests/latest"), 400, "NAME_INVALID")
        self.check_error(self.get("/v2/a/../b/manifests/latest"), 400, "NAME_INVALID")
        self.check_error(self.get("/v2/a/%2e%2e/b/manifests/latest"), 400, "NAME_INVALID")
        self.check_error(self.get(f"/v2/{REPOSITORY}/manifests/-bad-tag"), 400, "TAG_INVALID", "MANIFEST_INVALID")
        self.assertEqual(self.get("/elsewhere").status, 404)

    def test_a_blob_of_another_repository_is_not_given_away(self):
        self.paddock.pull(REPOSITORY, "latest")
        self.registry.push("private/secret", image.make_image(seed=31), "latest")
        self.check_error(self.get(f"/v2/private/secret/blobs/{self.layer.digest}"), 404, "BLOB_UNKNOWN")

    def test_tags_are_paged(self):
        tags = [f"t{number}" for number in range(7)]
        self.registry.push(REPOSITORY, self.image, *tags)
        whole = self.get(f"/v2/{REPOSITORY}/tags/list").json()
        everything = ["latest", *tags]  # though docker-registry 2.8 leaves their order to its disk
        self.assertEqual(whole, {"name": REPOSITORY, "tags": everything})
        found, path = [], f"/v2/{REPOSITORY}/tags/list?n=3"
        for _ in range(5):
            answer = self.get(path)
            self.assertLessEqual(len(answer.json()["tags"]), 3)
            found += answer.json()["tags"]
            link = answer.headers["Link"]
            if not link:
                break
            self.assertRegex(link, r'^<[^>]+>; *rel="next"$')
            path = link[1:link.index(">")]
        self.assertEqual(found, everything)

    def test_tags_that_are_cached_are_listed_without_upstream(self):
        self.paddock.pull(REPOSITORY, "latest")
        self.front.stop()
        answer = self.get(f"/v2/{REPOSITORY}/tags/list")
        self.assertEqual((answer.json()["tags"], answer.source()), (["latest"], "stale"))

    def test_catalog_is_of_what_is_cached(self):
        self.registry.push("library/seen", self.image, "latest")
        self.registry.push("library/unseen", self.image, "latest")
        self.assertEqual(self.get("/v2/_catalog").json()["repositories"], [])
        self.paddock.pull(REPOSITORY, "latest")
        self.paddock.pull("library/seen", "latest")
        self.assertEqual(self.get("/v2/_catalog").json()["repositories"], ["library/seen", REPOSITORY])
        page = self.get("/v2/_catalog?n=1")
        self.assertEqual(page.json()["repositories"], ["library/seen"])
        link = page.headers["Link"]
        self.assertEqual(self.get(link[1:link.index(">")]).json()["repositories"], [REPOSITORY])

    def test_referrers_by_the_tag_schema(self):
        """docker-registry 2.8 has no referrers API, so the fallback tag is what there is."""
        path = f"/v2/{REPOSITORY}/referrers/{self.image.manifest.digest}"
        empty = self.get(path)
        self.assertEqual(empty.status, 200)
        self.assertEqual(empty.headers["Content-Type"], image.OCI["index"])
        self.assertEqual(empty.json()["manifests"], [])
        signature = image.make_image([300], seed=32)
        entries = [{**signature.manifest.descriptor(), "artifactType": kind} for kind in ("a/signature", "a/sbom")]
        index = image.Blob(json.dumps({"schemaVersion": 2, "mediaType": image.OCI["index"],
                                       "manifests": entries}).encode(), image.OCI["index"])
        self.registry.push(REPOSITORY, signature)
        self.registry.push_manifest(REPOSITORY, self.image.manifest.digest.replace(":", "-"), index)

        def listed():
            return self.get(path).json()["manifests"]
        case.wait_until(listed, "the referrers to appear once the 404 is forgotten")
        self.assertEqual(listed(), entries)
        filtered = self.get(path + "?artifactType=a/sbom")
        self.assertEqual(filtered.json()["manifests"], entries[1:])
        self.assertEqual(filtered.headers["OCI-Filters-Applied"], "artifactType")

    def test_keep_alive_and_garbage(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.paddock.port, timeout=30)
        for path in ("/v2/", self.manifest_path, self.blob_path, "/v2/no/such/manifests/x", "/v2/"):
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()
        huge = self.get("/v2/", X_Long="a" * 100_000)
        self.assertIn(huge.status, (400, 413, 431))
        self.assertEqual(self.get("/v2/").status, 200)


class RoutingTest(case.EndToEndCase):
    """?ns= before Host before path prefix before the default; a name is compared, never dialled."""

    def setUp(self):
        super().setUp()
        self.fronts = {}
        self.images = {}
        for seed, name in enumerate((UPSTREAM, OTHER), 40):
            registry = Registry(self, name)
            self.images[name] = image.make_image([400], seed=seed)
            registry.push(REPOSITORY, self.images[name], "latest")
            registry.push("secret/thing", self.images[name], "latest")
            self.fronts[name] = Front(self, registry.port)
        upstreams = [{"name": UPSTREAM, "endpoints": [self.fronts[UPSTREAM].url], "default": True,
                      "allow": ["paddlepaddle/**"]},
                     {"name": OTHER, "endpoints": [self.fronts[OTHER].url]}]
        self.paddock = Paddock(self, self.fronts[UPSTREAM].url, sections={"upstreams": upstreams})

    def answering(self, path, host=None):
        headers = {"Accept": raw_http.MANIFEST_TYPES, **({"Host": host} if host else {})}
        answer = self.paddock.get(path, headers=headers)
        for name, made in self.images.items():
            if answer.body == made.manifest.data:
                return name
        return answer.status

    def test_who_answers(self):
        plain = f"/v2/{REPOSITORY}/manifests/latest"
        prefixed = f"/v2/{OTHER}/{REPOSITORY}/manifests/latest"
        self.assertEqual(self.answering(plain), UPSTREAM)
        self.assertEqual(self.answering(prefixed), OTHER)
        self.assertEqual(self.answering(f"{plain}?ns={OTHER}"), OTHER)
        self.assertEqual(self.answering(plain, host=OTHER), OTHER)
        self.assertEqual(self.answering(plain, host=f"{OTHER}:443"), OTHER)
        self.assertEqual(self.answering(f"{plain}?ns={UPSTREAM}", host=OTHER), UPSTREAM)
        self.assertEqual(self.answering(plain, host="cache.lan:5000"), UPSTREAM)

    def test_an_unknown_name_is_refused_and_asks_nobody(self):
        for name in ("evil.test", f"127.0.0.1:{self.fronts[OTHER].port}"):
            self.assertEqual(self.answering(f"/v2/{REPOSITORY}/manifests/latest?ns={name}"), 404)
        self.assertEqual([front.exchanges() for front in self.fronts.values()], [[], []])

    def test_a_repository_that_is_not_allowed(self):
        answer = self.paddock.get("/v2/secret/thing/manifests/latest")
        self.assertEqual((answer.status, answer.error_code()), (403, "DENIED"))
        self.assertEqual(self.fronts[UPSTREAM].exchanges(), [])
        self.assertEqual(self.answering(f"/v2/{OTHER}/secret/thing/manifests/latest"), OTHER)

    def test_one_upstream_does_not_open_the_others_blobs(self):
        digest = self.images[UPSTREAM].config.digest
        self.paddock.pull(REPOSITORY, "latest")
        self.assertEqual(self.paddock.get(f"/v2/{OTHER}/{REPOSITORY}/blobs/{digest}").status, 404)


if __name__ == "__main__":
    case.main()
