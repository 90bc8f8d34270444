"""Rounds of kill -9 at random moments, under clients that pull all the time.

    kill_rounds_test.py [--rounds N] [--clients N] [--seed N]

The upstream is paced, so that most blows fall in the middle of fills; others fall while the server starts, and while
blobs are committed. Clients take up again by Range, or begin anew, and compare every byte. When an image is through,
the next is pulled. After each blow: what was fetched is in the store, or noted in partial/, but for a chunk a
connection; and the next process takes up every fill with as many bytes as were noted. In the end: no byte was wrong, no
file of the store is, and nothing is left over.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from support import case, raw_http  # noqa: E402
from support.paddock import Paddock  # noqa: E402
from support.resuming import Patience, ResumingClient  # noqa: E402
from support.scripted import ScriptedRegistry, noise_image  # noqa: E402

REPOSITORY = "paddlepaddle/paddle"
MIB = 1 << 20
CHUNK = 8 * MIB  # the server's own
SIZES = [96 * MIB, 700, 64 * MIB + 3, 9 * MIB, 40 * MIB, 300 * 1024]
PACE = 10 * MIB  # a connection
CONNECTIONS = 4  # in all: two blobs at a time, and two connections besides
ARGUMENTS = argparse.Namespace(rounds=8, clients=4, seed=None)


def blob_path(blob):
    return f"/v2/{REPOSITORY}/blobs/{blob.digest}"


class Images:
    """The one that is pulled now; a new one when somebody has all of it and the rounds go on."""

    def __init__(self, registry, seed):
        self._registry, self._seed = registry, seed
        self._lock = threading.Lock()
        self.made = []
        self.last = False  # no more
        self._make()

    def _make(self):
        tag = f"{self._seed}-{len(self.made)}"
        image = noise_image(tag, SIZES)
        self._registry.add_image(image, tag)
        self.made.append((tag, image))

    def after(self, number):
        """Number `number`, or None when the one before it was the last."""
        with self._lock:
            if number == len(self.made):
                if self.last:
                    return None
                self._make()
            return self.made[number]

    def close(self):
        with self._lock:
            self.last = True


class Client(threading.Thread):
    """Pulls image after image, two layers at a time as its manifest has them. Every third begins anew after a cut."""

    def __init__(self, number, paddock, images):
        super().__init__(daemon=True)
        self._paddock, self._images = paddock, images
        self._starts_over = number % 3 == 2
        self.images = 0
        self.outcomes, self.trouble = [], []

    def run(self):
        try:
            while following := self._images.after(self.images):
                self._pull(*following)
                self.images += 1
        except BaseException as error:
            self.trouble.append(repr(error))

    def _pull(self, tag, image):
        self._manifest(tag, image)
        waiting = list(image.blobs)
        lock = threading.Lock()

        def work():
            while True:
                with lock:
                    if not waiting:
                        return
                    blob = waiting.pop(0)
                self._blob(blob)

        tasks = [raw_http.Task(work) for _ in range(2)]
        for task in tasks:
            task.result(seconds=600)

    def _manifest(self, tag, image):
        def got():
            try:
                answer = self._paddock.manifest(REPOSITORY, tag)
            except (OSError, http.client.HTTPException):
                return False
            if answer.status == 200 and answer.body != image.manifest.data:
                raise AssertionError(f"manifest {tag} came wrong")
            return answer.status == 200
        case.wait_until(got, f"the manifest of {tag}", seconds=120)

    def _blob(self, blob):
        # A server that is away is asked again at once, for as long as it takes.
        patience = Patience(tries=10**9, pause=0.02, until=time.monotonic() + 300)
        client = ResumingClient(self._paddock.port, blob_path(blob), blob, patience)
        outcome = client.run(self._starts_over)
        self.outcomes.append(outcome)
        if not outcome.right or outcome.spoilt:
            self.trouble.append(f"{blob.digest}: {outcome}, {outcome.spoilt} times spoilt, {outcome.ends[-3:]}")


class KillRoundsTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.seed = ARGUMENTS.seed if ARGUMENTS.seed is not None else random.SystemRandom().randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.say(f"--seed {self.seed} --rounds {ARGUMENTS.rounds} --clients {ARGUMENTS.clients}")
        self.registry = ScriptedRegistry(self, pace=PACE)
        self.paddock = Paddock(self, self.registry.url, connections=CONNECTIONS, max_connections=CONNECTIONS - 2)
        self.images = Images(self.registry, self.seed)
        self.checked = {}
        self.kinds = {}
        self.committed = set()  # ever
        self.fetched = self.kept = 0  # at the last blow, bytes
        self.noted, self.read = {}, 0  # by digest, at the last blow; how much of the log has been looked at
        self.lost = []  # a blow
        self.in_mid_fill = self.taken_up = 0  # blows

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def test_nothing_is_ever_wrong_and_little_is_fetched_twice(self):
        began = time.monotonic()
        self.clients = [Client(number, self.paddock, self.images) for number in range(ARGUMENTS.clients)]
        for client in self.clients:
            client.start()
        for _ in range(ARGUMENTS.rounds):
            self.one_round()
        self.images.close()
        for client in self.clients:
            client.join(300)
        self.assertFalse(any(client.is_alive() for client in self.clients), "a client hangs")
        self.report(time.monotonic() - began)
        self.check_clients()
        self.check_upstream()
        self.check_store()

    def one_round(self):
        """From a server that runs, or is starting, to the next one that is ready."""
        kind = self.random.choices(["running", "committing", "starting"], [6, 3, 1])[0]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "starting":
            self.paddock.kill()
            self.check_blow()
            self.paddock.ready = lambda: True
            self.paddock.start()
            del self.paddock.ready
            time.sleep(self.random.uniform(0, 0.15))
        elif kind == "committing":
            whole, most = self.registry.whole(), time.monotonic() + 3
            while self.registry.whole() == whole and time.monotonic() < most:
                time.sleep(0.002)
            time.sleep(self.random.uniform(0, 0.1))
        else:
            time.sleep(self.random.uniform(0.05, 1.8))
        self.assertIsNone(self.paddock.process.exit_status(), "it ended by itself")
        self.paddock.kill()
        self.check_blow()
        self.check_files()
        self.paddock.start()

    def check_blow(self):
        """What the process that was killed had taken up of what the one before it left, and what it leaves itself."""
        self.check_taken_up()
        self.noted = self.notes()
        self.committed |= set(self.paddock.blob_files())
        sizes = {blob.digest: blob.size for _, image in self.images.made for blob in image.blobs}
        fetched = self.registry.sent()  # what was in flight comes late, and counts for the next blow
        kept = sum(size for digest, size in sizes.items() if digest in self.committed)
        kept += sum(noted for digest, noted in self.noted.items() if digest not in self.committed)
        self.lost.append(fetched - self.fetched - (kept - self.kept))
        self.assertLessEqual(self.lost[-1], CONNECTIONS * CHUNK, f"blow {len(self.lost)}: {self.noted}")
        self.fetched, self.kept = fetched, kept

    def check_taken_up(self):
        log = self.paddock.log_text()
        taken_up = {}
        for digest, there in re.findall(r"fill of (\S+) is taken up again: (\d+) of", log[self.read:]):
            taken_up.setdefault(digest, int(there))
        self.read = len(log)
        for digest, there in taken_up.items():
            if digest in self.noted:
                self.assertEqual(there, self.noted[digest], f"{digest} was not taken up where it was left")
        self.in_mid_fill += bool(self.noted)
        self.taken_up += bool(taken_up.keys() & self.noted.keys())

    def notes(self):
        """Of fills that were not committed: how many bytes the journals vouch for."""
        folder, noted = os.path.join(self.paddock.data, "partial"), {}
        for name in os.listdir(folder):
            if not name.endswith((".written", ".synced")):
                continue
            with open(os.path.join(folder, name)) as file:
                journal = json.load(file)
            # What .synced has, .written had before: of one process.
            there = sum(end - begin for begin, end in journal["extents"])
            if os.path.exists(os.path.join(folder, name.rsplit(".", 1)[0])):
                noted[journal["digest"]] = max(there, noted.get(journal["digest"], 0))
        return {digest: there for digest, there in noted.items() if there > 0}

    def check_files(self):
        """Every file hashes to its name: once, as long as it stays the same file."""
        for digest, path in self.paddock.blob_files().items():
            found = os.stat(path)
            mark = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self.checked.get(path) == mark:
                continue
            with open(path, "rb") as file:
                self.assertEqual("sha256:" + hashlib.file_digest(file, "sha256").hexdigest(), digest)
            self.checked[path] = mark

    def outcomes(self):
        return [outcome for client in self.clients for outcome in client.outcomes]

    def images_size(self):
        return sum(image.size() for _, image in self.images.made)

    def report(self, seconds):
        images, sent = self.images_size(), self.registry.sent()
        outcomes = self.outcomes()
        self.say(f"{ARGUMENTS.rounds} rounds {json.dumps(self.kinds)} in {seconds:.0f} s; {len(self.images.made)} images "
                 f"of {sum(SIZES) / MIB:.0f} MiB; clients received {sum(one.received for one in outcomes) / MIB:.0f} "
                 f"MiB and were cut {sum(one.cut for one in outcomes)} times")
        self.say(f"upstream sent {sent / MIB:.1f} MiB for {images / MIB:.1f}; lost by a blow, in MiB: "
                 f"{' '.join(f'{lost / MIB:.1f}' for lost in self.lost)}, where {CONNECTIONS * CHUNK / MIB:.0f} are "
                 f"allowed; fills were taken up after {self.taken_up} of {self.in_mid_fill} blows in mid fill; at most "
                 f"{self.registry.most_open} transfers at once")

    def check_clients(self):
        self.assertEqual([trouble for client in self.clients for trouble in client.trouble], [])
        self.assertEqual({client.images for client in self.clients}, {len(self.images.made)})
        self.assertGreater(sum(one.cut for one in self.outcomes()), 0, "no blow fell into a transfer")

    def check_upstream(self):
        # What is sent again is what blows cost, and nothing else.
        again = self.registry.sent() - self.images_size()
        self.assertLessEqual(again, sum(self.lost) + CONNECTIONS * CHUNK)
        self.check_taken_up()  # after the last blow
        self.assertGreater(self.in_mid_fill, 0, "no blow fell in mid fill")
        self.assertGreater(2 * self.taken_up, self.in_mid_fill, "fills are not taken up again")

    def check_store(self):
        # Earlier ones may have been evicted, where there are many rounds.
        wanted = [blob.digest for _, image in self.images.made[-2:] for blob in image.blobs]
        # Those too that were whole when a blow fell before their commit, and that nobody has asked for since.
        self.paddock.wait_committed(*wanted)
        self.assertNotIn("came wrong", self.paddock.log_text(), "what was taken up again was not what it seemed")
        self.assertEqual(self.paddock.stop(), 0)
        self.check_files()
        self.paddock.start()
        case.wait_until(lambda: not os.listdir(os.path.join(self.paddock.data, "partial")), "partial/ to be empty")
        left = []
        for folder, _, names in os.walk(self.paddock.data):
            where = os.path.relpath(folder, self.paddock.data).split(os.sep)[0]
            left += [os.path.join(folder, name) for name in names
                     if where in ("partial", "quarantine") or name.endswith(".tmp") or where.startswith("catalog.")]
        self.assertEqual(left, [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ARGUMENTS.rounds)
    parser.add_argument("--clients", type=int, default=ARGUMENTS.clients)
    parser.add_argument("--seed", type=int, help="of the moments and the content; another each time without it")
    parser.parse_args(namespace=ARGUMENTS)
    del sys.argv[1:]
    case.main()
