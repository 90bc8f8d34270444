"""Files of the store damaged or gone behind Paddock's back: never wrong bytes, and it says what is the matter."""

import json
import os
import shutil
import signal

from support import case, image, raw_http
from support.failing_paddock import FailingPaddock
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"


class StoreDamageTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        registry = Registry(self)
        self.image = image.make_image(seed=23)
        registry.push(REPOSITORY, self.image, "one")
        self.front = Front(self, registry.port)
        self.paddock = FailingPaddock(self, self.front.url, sections={"server": {"drain": "1s"}})
        self.expected = self.pull()
        self.paddock.wait_committed(*self.expected)
        self.layer = self.image.largest()

    def pull(self):
        return self.paddock.pull(REPOSITORY, "one")

    def readiness(self):
        answer = raw_http.fetch(self.paddock.admin_port, "/readyz")
        return answer.status, json.loads(answer.body)["reasons"]

    def lose_catalog(self):
        self.assertEqual(self.paddock.stop(), 0)
        shutil.rmtree(os.path.join(self.paddock.data, "catalog"))
        return self.paddock.blob_files()[self.layer.digest]

    def check_never_wrong(self):
        self.front.stop()
        self.paddock.start()
        got = self.paddock.blob(REPOSITORY, self.layer.digest)
        self.assertFalse(got.complete, got)
        self.paddock.check_store()
        self.front.start()
        self.assertEqual(self.pull(), self.expected)
        self.paddock.wait_committed(*self.expected)
        self.paddock.check_store()

    def test_catalog_lost_and_a_blob_cut_short(self):
        path = self.lose_catalog()
        os.truncate(path, os.path.getsize(path) // 2)
        self.check_never_wrong()

    def test_catalog_lost_and_a_blob_flipped(self):
        path = self.lose_catalog()
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        self.check_never_wrong()

    def test_a_rebuild_that_takes_long_answers_that_it_does(self):
        case.require_tools("clang-19")
        path = self.lose_catalog()
        self.paddock.hang_at(os.path.basename(path))
        held = []
        self.paddock.ready = lambda: self.is_rebuilding(held)
        self.paddock.start()
        del self.paddock.ready
        self.assertEqual(raw_http.fetch(self.paddock.admin_port, "/healthz").status, 200)
        self.assertEqual(raw_http.fetch(self.paddock.admin_port, "/metrics").status, 200)
        answer = self.paddock.get("/v2/")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.headers["x-paddock-cache"], "bypass")
        self.assertTrue(int(answer.headers["retry-after"]) > 0)
        self.paddock.release()
        case.wait_until(self.paddock.ready, "the rebuild to end")
        self.assertEqual(self.pull(), self.expected)

    def is_rebuilding(self, seen):
        try:
            status, reasons = self.readiness()
        except OSError:
            return False
        self.assertEqual(status, 503)
        seen[:] = [reason for reason in reasons if "rebuilding the catalog" in reason]
        return bool(seen)

    def test_a_pipe_in_the_place_of_a_blob_holds_nobody_up(self):
        path = self.paddock.blob_files()[self.layer.digest]
        os.unlink(path)
        os.mkfifo(path)
        self.assertEqual(self.pull(), self.expected)
        case.wait_until(lambda: os.path.isfile(path), "the blob to be stored again")
        self.paddock.check_store()

    def test_folders_removed_below_it_are_made_anew(self):
        shutil.rmtree(os.path.join(self.paddock.data, "blobs"))
        self.assertEqual(self.pull(), self.expected)
        self.paddock.wait_committed(*(blob.digest for blob in self.image.blobs()))
        self.paddock.check_store()

    def test_a_disk_that_hangs_does_not_keep_it_from_stopping(self):
        self.paddock.hang_at(self.layer.digest.split(":")[1])
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        case.wait_until(self.paddock.hangs, "the disk to hang")
        self.paddock.process.signal(signal.SIGTERM)
        self.assertEqual(self.paddock.process.wait(60), 1)
        self.assertFalse(pull.result().complete)
        self.paddock.wait_logged("the disk may hang")
        self.paddock.release()
        self.paddock.start()
        self.assertEqual(self.pull(), self.expected)

    def test_told_to_stop_while_the_catalog_opens_it_leaves_no_mark_of_an_abort(self):
        self.assertEqual(self.paddock.stop(), 0)
        mark = os.path.join(self.paddock.data, "catalog", "OPENING")
        self.paddock.hang_at("catalog/CURRENT")
        self.paddock.ready = self.paddock.hangs
        self.paddock.start()
        del self.paddock.ready
        self.assertTrue(os.path.exists(mark))
        self.paddock.process.signal(signal.SIGTERM)
        case.wait_until(lambda: "told to stop" in self.paddock.log_text(), "it to be told")
        self.paddock.release()
        self.assertEqual(self.paddock.process.wait(30), 0)
        self.assertFalse(os.path.exists(mark))

    def test_a_data_folder_that_was_replaced_is_not_taken_for_its_own(self):
        os.rename(self.paddock.data, self.paddock.data + "-away")
        other = Paddock(self, self.front.url)  # on the same path
        self.assertEqual(self.readiness(), (503, ["the data folder was replaced"]))
        self.assertEqual(self.pull(), self.expected)
        self.assertEqual(other.stop(), 0)

    def test_the_data_folder_goes_away_and_comes_back(self):
        away = self.paddock.data + "-away"
        os.rename(self.paddock.data, away)
        status, reasons = self.readiness()
        self.assertEqual(status, 503)
        self.assertIn("is gone", reasons[0])
        self.assertEqual(self.pull(), self.expected)  # from the upstream
        os.rename(away, self.paddock.data)
        self.assertEqual(self.readiness(), (200, []))
        self.front.stop()
        self.assertEqual(self.pull(), self.expected)  # no row was dropped meanwhile


if __name__ == "__main__":
    case.main()
