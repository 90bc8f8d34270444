"""A disk that is full, read-only or failing costs the caching, never a pull, and never a right byte."""

import errno
import os

from support import case, clients, image, process, raw_http
from support.failing_paddock import FailingPaddock
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
KIB, MIB = 1024, image.MIB
STORAGE = {"storage": {"max_size": "8GiB", "min_free": "2MiB"}}


class DiskCase(case.EndToEndCase):
    """`small` was pulled while all was well; `large` was not."""

    def setUp(self):
        super().setUp()
        # Together smaller than min_free: even all of it evicted would not make room for anything.
        self.small = image.make_image([500 * KIB, 400, 700], seed=61)
        self.large = image.make_image([9 * MIB, 600, 3 * MIB], seed=62)
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.small, "small")
        self.registry.push(REPOSITORY, self.large, "large")
        self.front = Front(self, self.registry.port)

    def start(self, kind=Paddock):
        self.paddock = kind(self, self.front.url, sections=STORAGE)
        self.expected = self.paddock.pull(REPOSITORY, "small")
        self.paddock.wait_committed(*(blob.digest for blob in self.small.blobs()))
        case.wait_until(lambda: self.sources(self.small) == {"hit"}, "the small image to be cached")
        self.front.forget()

    def sources(self, made):
        """Where the blobs of an image came from, each byte of it compared."""
        found = set()
        for blob in made.blobs():
            answer = self.paddock.get(f"/v2/{REPOSITORY}/blobs/{blob.digest}")
            self.assertEqual(answer.status, 200, answer.body[:300])
            self.assertEqual(answer.body, blob.data)
            found.add(answer.source())
        return found

    def check_pulls_while_nothing_can_be_stored(self):
        for _ in range(3):
            self.paddock.pull(REPOSITORY, "large")
            self.assertEqual(self.paddock.pull(REPOSITORY, "small"), self.expected)
        self.assertEqual(self.sources(self.small), {"hit"})
        for blob in self.small.blobs():
            self.assertEqual(self.front.exchanges(blob.digest, "GET"), [], "a cached blob was fetched again")
        self.assertIsNone(self.paddock.process.exit_status())
        self.assertGreater(self.paddock.metric("paddock_fills", state="not_kept"), 0)
        self.paddock.check_store()

    def check_it_is_cached_again_without_a_restart(self):
        self.paddock.pull(REPOSITORY, "large")
        case.wait_until(lambda: self.sources(self.large) == {"hit"}, "the large image to be cached", seconds=120)
        self.assertEqual(self.paddock.pull(REPOSITORY, "small"), self.expected)
        self.front.stop()
        self.paddock.pull(REPOSITORY, "large")
        self.paddock.check_store()
        self.paddock.restart()
        self.paddock.pull(REPOSITORY, "large")


class FullDiskTest(DiskCase):
    def setUp(self):
        case.require_root()
        super().setUp()
        self.data = self.path("paddock-data")
        os.makedirs(self.data)
        if process.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", self.data], check=False).returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(process.run, ["umount", "--lazy", self.data])
        self.start()

    def fill_the_disk(self):
        with open(os.path.join(self.data, "somebody-elses"), "wb", buffering=0) as hog:
            for size in (MIB, 4 * KIB, 1):
                try:
                    while hog.write(bytes(size)) == size:
                        pass
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def test_pulls_pass_through_and_hits_stay_until_there_is_room_again(self):
        self.fill_the_disk()
        self.check_pulls_while_nothing_can_be_stored()
        os.unlink(os.path.join(self.data, "somebody-elses"))
        self.check_it_is_cached_again_without_a_restart()

    def test_a_real_client_does_not_notice(self):
        skopeo = clients.Skopeo(self)
        self.fill_the_disk()
        for tag, made in (("large", self.large), ("small", self.small)):
            folder = skopeo.copy(f"{self.paddock.address}/{REPOSITORY}:{tag}", tag)
            for blob in made.blobs():
                with open(os.path.join(folder, blob.digest.removeprefix("sha256:")), "rb") as file:
                    self.assertEqual(file.read(), blob.data)

    def test_eight_at_once_cost_one_transfer(self):
        layer = self.large.largest()
        self.paddock.manifest(REPOSITORY, "large")
        self.fill_the_disk()
        hold = self.front.hold(layer.digest, 1 * MIB)
        progress = [0] * 8

        def follow(number):
            return self.paddock.blob(REPOSITORY, layer.digest,
                                     on_bytes=lambda size: progress.__setitem__(number, size))

        tasks = [raw_http.Task(follow, number) for number in range(8)]
        hold.wait_reached()
        case.wait_until(lambda: all(progress), "every client to see the first bytes")
        hold.release()
        for task in tasks:
            self.assertEqual(task.result().digest, layer.digest)
        whole = [one for one in self.front.exchanges(layer.digest, "GET") if not one.range]
        self.assertEqual(len(whole), 1, whole)

    def test_it_fills_up_in_the_middle_of_a_fill(self):
        layer = self.large.largest()
        hold = self.front.hold(layer.digest, 4 * MIB)
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, layer.digest)
        hold.wait_reached()
        self.fill_the_disk()
        hold.release()
        got = pull.result()
        self.assertTrue(got.complete and got.digest == layer.digest, got)  # the rest came from the upstream
        self.paddock.pull(REPOSITORY, "large")
        self.assertEqual(self.sources(self.small), {"hit"})


class FailingDiskTest(DiskCase):
    def setUp(self):
        super().setUp()
        case.require_tools("clang-19")
        self.start(FailingPaddock)

    def check(self, number):
        self.paddock.fail_with(number)
        self.check_pulls_while_nothing_can_be_stored()
        self.paddock.mend()
        self.check_it_is_cached_again_without_a_restart()

    def test_read_only(self):
        self.check(errno.EROFS)

    def test_writes_fail(self):
        self.check(errno.EIO)

    def test_not_allowed(self):
        self.check(errno.EACCES)

    def test_a_client_never_sees_a_path_of_the_server(self):
        self.paddock.fail_with(errno.EROFS)
        for path in ("manifests/absent", "manifests/large", f"blobs/sha256:{'0' * 64}", "tags/list",
                     f"referrers/{self.large.manifest.digest}"):
            answer = self.paddock.get(f"/v2/{REPOSITORY}/{path}")
            self.assertNotIn(self.paddock.data.encode(), answer.body)
            self.assertNotEqual(answer.status, 403, answer.body)


if __name__ == "__main__":
    case.main()
