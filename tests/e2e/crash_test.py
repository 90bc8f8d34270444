"""kill -9 in the middle of a fill: after a restart the bytes are right and nothing wrong lies in the store."""

import json
import os

from support import case, image, raw_http
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class CrashTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([2 * MIB, 400, 16 * MIB, 700], seed=13)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url)

    def crash_at(self, at):
        hold = self.front.hold(self.layer.digest, at)
        client = raw_http.Task(self.paddock.pull, REPOSITORY, "latest")
        hold.wait_reached()
        self.paddock.kill()
        hold.release()
        with self.assertRaises((AssertionError, OSError)):
            client.result()

    def check_everything_is_right(self):
        self.paddock.start()
        self.assertNotIn(self.layer.digest, self.paddock.check_store())
        pulled = self.paddock.pull(REPOSITORY, "latest")
        self.assertEqual(pulled[self.layer.digest], self.layer.size)
        self.paddock.wait_committed(*(blob.digest for blob in self.image.blobs()))
        self.paddock.check_store()
        self.front.stop()
        self.assertEqual(self.paddock.pull(REPOSITORY, "latest"), pulled)
        self.paddock.restart()
        self.assertEqual(self.paddock.pull(REPOSITORY, "latest"), pulled)
        self.assertEqual(os.listdir(os.path.join(self.paddock.data, "partial")), [])

    def test_killed_after_the_first_bytes(self):
        self.crash_at(1)
        self.check_everything_is_right()

    def test_killed_half_way(self):
        self.crash_at(self.layer.size // 2)
        self.check_everything_is_right()

    def test_killed_one_byte_before_the_end(self):
        self.crash_at(self.layer.size - 1)
        self.check_everything_is_right()

    def test_killed_while_blobs_are_being_committed(self):
        """Wherever the blow falls: again and again, each time a little later."""
        for round_number in range(6):
            seen = []
            client = raw_http.Task(raw_http.download, self.paddock.port,
                                   f"/v2/{REPOSITORY}/blobs/{self.layer.digest}", None, seen.append)
            if round_number == 0:
                raw_http.Task(self.paddock.pull, REPOSITORY, "latest")
            case.wait_until(lambda: seen or not client.is_alive(), "the client to receive something")
            case.wait_until(lambda: not client.is_alive() or seen[-1] >= self.layer.size * round_number // 5,
                            "the client to get as far as this round wants")
            self.paddock.kill()
            self.paddock.check_store()
            self.paddock.start()
            self.paddock.check_store()
        self.assertEqual(self.paddock.pull(REPOSITORY, "latest")[self.layer.digest], self.layer.size)

    def test_what_had_come_whole_is_stored_by_the_next_start(self):
        self.paddock.pull(REPOSITORY, "latest")
        self.paddock.wait_committed(*(blob.digest for blob in self.image.blobs()))
        self.assertEqual(self.paddock.stop(), 0)
        partial = os.path.join(self.paddock.data, "partial")
        file = os.path.join(partial, self.layer.digest.replace(":", "-"))
        os.rename(self.paddock.blob_files()[self.layer.digest], file)
        with open(file + ".synced", "w", encoding="utf-8") as journal:
            json.dump({"version": 1, "digest": self.layer.digest, "size": self.layer.size, "boot": "",
                       "extents": [[0, self.layer.size]]}, journal)
        self.front.stop()
        self.paddock.start()
        self.paddock.wait_committed(self.layer.digest)
        case.wait_until(lambda: not os.listdir(partial), "partial/ to be empty")
        self.paddock.check_store()
        self.assertEqual(self.paddock.pull(REPOSITORY, "latest")[self.layer.digest], self.layer.size)


if __name__ == "__main__":
    case.main()
