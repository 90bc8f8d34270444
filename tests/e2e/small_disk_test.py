"""A store on a disk that is too small for what is pulled through it: every pull succeeds, with the right bytes."""

import errno
import os
import threading
import time

from support import case, process, raw_http
from support.paddock import Paddock
from support.resuming import Patience, ResumingClient
from support.scripted import Noise, ScriptedRegistry, noise_image

REPOSITORY = "paddlepaddle/paddle"
MIB = 1 << 20
DISK, MIN_FREE = 160 * MIB, 12 * MIB


class Watch(threading.Thread):
    """The least that the disk ever had free."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self._folder = folder
        self._ended = threading.Event()
        self.least = float("inf")
        self.start()

    def run(self):
        while not self._ended.wait(0.005):
            found = os.statvfs(self._folder)
            self.least = min(self.least, found.f_bavail * found.f_frsize)

    def end(self):
        self._ended.set()
        self.join()
        return self.least


class SmallDiskTest(case.EndToEndCase):
    def setUp(self):
        case.require_root()
        case.require_tools("mkfs.ext4")
        super().setUp()
        self.mount()
        self.registry = ScriptedRegistry(self, pace=60 * MIB)
        self.paddock = Paddock(self, self.registry.url,
                               sections={"storage": {"max_size": "8GiB", "min_free": f"{MIN_FREE}"}})
        self.images = {}
        for number in range(5):
            self.add(f"tag-{number}", [30 * MIB, 700, 17 * MIB, 3 * MIB])

    def mount(self):
        data, disk = self.path("paddock-data"), self.path("disk")
        os.makedirs(data)
        with open(disk, "wb") as file:
            file.truncate(DISK)
        process.run([case.find_tool("mkfs.ext4"), "-q", "-m", "0", disk])
        if process.run(["mount", "-o", "loop", disk, data], check=False).returncode:
            self.skipTest("loop devices cannot be mounted here")
        self.addCleanup(process.run, ["umount", "--lazy", data])

    def add(self, tag, sizes):
        self.images[tag] = noise_image(tag, sizes)
        self.registry.add_image(self.images[tag], tag)

    def pull(self, tag):
        """Every byte compared. How often it had to begin a transfer again."""
        image, cut = self.images[tag], 0
        manifest = self.paddock.manifest(REPOSITORY, tag)
        self.assertEqual((manifest.status, manifest.body), (200, image.manifest.data))
        for blob in image.blobs:
            path = f"/v2/{REPOSITORY}/blobs/{blob.digest}"
            outcome = ResumingClient(self.paddock.port, path, blob, Patience()).run()
            self.assertTrue(outcome.right and not outcome.spoilt, f"{tag} {blob.size}: {outcome} {outcome.ends}")
            cut += outcome.connections - 1
        return cut

    def pull_all(self, tags, clients_each=2):
        wanted = [tag for tag in tags for _ in range(clients_each)]
        return sum(raw_http.crowd(len(wanted), lambda number: self.pull(wanted[number])))

    def check_all_is_well(self):
        self.assertIsNone(self.paddock.process.exit_status(), "the server died")
        self.assertEqual(raw_http.fetch(self.paddock.admin_port, "/readyz").status, 200)
        self.paddock.check_store()
        self.paddock.restart()  # the catalog opens
        self.paddock.check_store()
        self.assertNotIn("catalog.broken", " ".join(os.listdir(self.paddock.data)))

    def test_more_images_than_it_holds_one_after_another(self):
        watch = Watch(self.paddock.data)
        for _ in range(2):
            for tag in self.images:
                self.assertEqual(self.pull(tag), 0)
        self.assertGreater(self.paddock.metric("paddock_evicted_bytes_total"), 0)
        self.assertGreater(watch.end(), MIN_FREE // 2)
        before = self.registry.sent()
        self.pull("tag-4")
        self.assertEqual(self.registry.sent(), before, "what was pulled last is cached")
        self.check_all_is_well()

    def test_more_images_than_it_holds_all_at_once(self):
        watch = Watch(self.paddock.data)
        self.assertEqual(self.pull_all(self.images), 0)
        self.assertGreater(watch.end(), MIN_FREE // 2)
        self.check_all_is_well()
        self.assertEqual(self.pull_all(self.images), 0)

    def test_a_layer_that_no_eviction_makes_room_for(self):
        self.pull("tag-0")
        self.add("huge", [DISK + 5 * MIB, 900])
        self.assertEqual(self.pull_all(["huge"]), 0)
        before = self.registry.sent()
        self.pull("tag-0")
        self.assertEqual(self.registry.sent(), before, "nothing was evicted for what does not fit anyway")
        self.check_all_is_well()

    def test_somebody_else_takes_the_rest_while_fills_are_under_way(self):
        hog = os.path.join(self.paddock.data, "somebody-elses")
        self.pull("tag-0")
        pulls = raw_http.Task(self.pull_all, ["tag-1", "tag-2"])
        case.wait_until(lambda: self.registry.sent() > 55 * MIB, "fills to be under way")
        self.fill(hog)
        cut = pulls.result()
        self.assertLessEqual(cut, 4 * 3, "a transfer was begun again too often")
        self.pull_all(self.images, clients_each=1)
        self.assertGreater(self.paddock.metric("paddock_fills", state="not_kept"), 0)
        self.assertIsNone(self.paddock.process.exit_status(), "the server died")
        self.paddock.check_store()
        os.unlink(hog)
        self.check_all_is_well()

        def cached():
            self.pull("tag-3")
            before = self.registry.sent()
            self.pull("tag-3")
            return self.registry.sent() == before
        case.wait_until(cached, "pulls to be cached again", seconds=90)
        self.check_all_is_well()

    @staticmethod
    def fill(path):
        """To the last byte, again and again for a moment, as the server may still make room."""
        with open(path, "wb", buffering=0) as hog:
            for size in (MIB, 4096, 1):
                until = time.monotonic() + 0.2
                while time.monotonic() < until or size == MIB:
                    try:
                        hog.write(bytes(size))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        if size == MIB:
                            break


if __name__ == "__main__":
    case.main()
