"""Clients, each by every way in that it has, pull what is well, broken, away and private. Ends in a table.

    python3 client_matrix_test.py [--markdown FILE] [CLASS.test]

There ✓ is what should happen: the image is there, byte for byte, or the client says why not and has nothing. – under
"Paddock away" is a way that leads nowhere else, so that the pull fails, soon.
"""

import contextlib
import re
import sys
import time

from support import case, image, matrix_clients, ways
from support.world import PASSWORD, Corner, World

TAG = "2.6.2"
SHAPE = [200_000, 400, 60_000]
LARGE_SHAPE = [8 * image.MIB, 400]
SCENARIOS = {}  # title: (what a row must do, what is done to the world meanwhile)
TABLE = {}  # (client, way): {scenario: sign}
PASSED, FAILED, NOT_APPLICABLE = "✓", "✗", "–"

# What a client says when it gives up, by the reason why it should.
NOT_FOUND = r"not found|manifest unknown"
UNREACHABLE = r"connection refused"
REFUSED = r"unauthorized|denied|forbidden|no basic auth"
BROKEN = r"EOF|reset by peer|bad gateway|verification failed"


def scenario(title, meanwhile=lambda world: contextlib.nullcontext()):
    def register(check):
        SCENARIOS[title] = check, meanwhile
        return check
    return register


class Row:
    """One client and one way: its images are no other row's, so that what the upstream sends tells of it alone."""

    def __init__(self, test, world, client, way, number):
        self.test, self.world, self.way = test, world, way
        corner = Corner(test, f"{number}")
        self.client = client(corner, world.around(corner, way), way, world)
        self.name = f"{client.__name__.lower()}{number}"
        self.made = image.make_image(SHAPE, seed=400 + number, types=client.types)
        self.rotten = image.make_image(LARGE_SHAPE, seed=500 + number, types=client.types)
        self.private = image.make_image(SHAPE, seed=600 + number, types=client.types)
        world.registry.push(f"paddle/{self.name}", self.made, TAG)
        world.registry.push(f"rotten/{self.name}", self.rotten, TAG)
        world.registry.push(f"private/{self.name}", self.private, TAG)
        self.own = image.make_image(SHAPE, seed=700 + number, types=client.types)
        world.registry.push(f"own/{self.name}", self.own, TAG)
        world.registry.flip_byte(self.rotten.largest().digest, 5 * image.MIB)

    def reference(self, folder, tag=TAG):
        return f"{self.way.reference(self.world, f'{folder}/{self.name}')}:{tag}"

    def pulls(self, folder, made):
        """Returns how many bytes of blobs came from the upstream, and how often it was asked."""
        self.world.front.forget()
        done = self.client.pull(self.reference(folder))
        self.test.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.test.assertTrue(self.client.holds(self.reference(folder), made), "the image is not what was pushed")
        self.client.forget(self.reference(folder))
        return self.world.front.body_bytes("/blobs/"), len(self.world.front.exchanges())

    def fails(self, folder, made, words, tag=TAG):
        began = time.monotonic()
        done = self.client.pull(self.reference(folder, tag))
        self.test.assertNotEqual(done.returncode, 0, "it says that it has pulled it")
        self.test.assertRegex(done.stdout + done.stderr, re.compile(words, re.IGNORECASE))
        self.test.assertFalse(self.client.holds(self.reference(folder, tag), made))
        self.test.assertLess(time.monotonic() - began, 60)


@scenario("cold")
def cold(row):
    sent, _ = row.pulls("paddle", row.made)
    row.test.assertEqual(sent, row.made.blob_bytes(), "each byte comes from the upstream once")


@scenario("warm")
def warm(row):
    row.test.assertEqual(row.pulls("paddle", row.made), (0, 0))


@scenario("upstream away", World.upstream_away)
def upstream_away(row):
    row.test.assertEqual(row.pulls("paddle", row.made), (0, 0))


@scenario("Paddock away: falls back", World.caches_away)
def paddock_away(row):
    if row.way.mirror:
        row.pulls("paddle", row.made)
        return PASSED
    row.fails("paddle", row.made, UNREACHABLE)
    return NOT_APPLICABLE


@scenario("no such tag")
def no_such_tag(row):
    row.fails("paddle", row.made, NOT_FOUND, tag="no-such")


@scenario("wrong bytes upstream")
def wrong_bytes(row):
    row.fails("rotten", row.rotten, BROKEN)
    for cache in row.world.caches:
        row.test.assertNotIn(row.rotten.largest().digest, cache.check_store())


@scenario("private, no password", lambda world: world.private(known_to_caches=False))
def without_password(row):
    row.fails("private", row.private, REFUSED)


@scenario("private, the client has the password", lambda world: world.private(known_to_caches=False))
def with_own_password(row):
    """Where the client believes to speak with the registry; elsewhere it keeps its password for that."""
    if row.way not in (ways.CONNECT, ways.NAME):
        return NOT_APPLICABLE
    row.client.log_in("cache", PASSWORD)
    sent, _ = row.pulls("own", row.own)
    row.test.assertEqual(sent, row.own.blob_bytes())
    sent, _ = row.pulls("own", row.own)
    row.test.assertEqual(sent, 0)
    row.client.log_in("cache", "a guess")
    row.fails("own", row.own, REFUSED)
    row.client.log_out()
    row.fails("own", row.own, REFUSED)


@scenario("private, Paddock has the password", lambda world: world.private(known_to_caches=True))
def with_password(row):
    sent, _ = row.pulls("private", row.private)
    row.test.assertEqual(sent, row.private.blob_bytes())


class ClientMatrixTest(case.EndToEndCase):
    def check(self, client):
        name = f"{client.__name__.lower()} {matrix_clients.version(client)}"
        world = World(self)
        rows = [Row(self, world, client, way, number) for number, way in enumerate(client.ways)]
        for row in rows:
            TABLE[name, row.way.title] = {}
        for title, (check, meanwhile) in SCENARIOS.items():
            with meanwhile(world):
                for row in rows:
                    signs = TABLE[name, row.way.title]
                    signs[title] = FAILED
                    with self.subTest(client=name, way=row.way.title, scenario=title):
                        signs[title] = check(row) or PASSED


    def test_dockerd(self):
        self.check(matrix_clients.Dockerd)

    def test_containerd(self):
        self.check(matrix_clients.Containerd)

    def test_podman(self):
        self.check(matrix_clients.Podman)

    def test_buildah(self):
        self.check(matrix_clients.Buildah)

    def test_skopeo(self):
        self.check(matrix_clients.Skopeo)

    def test_crane(self):
        self.check(matrix_clients.Crane)

    def test_oras(self):
        self.check(matrix_clients.Oras)


def table():
    lines = [["client", "way in", *SCENARIOS], ["---"] * 2 + [":-:"] * len(SCENARIOS)]
    order = [client.__name__.lower() for client in matrix_clients.ALL]
    lines += [[*row, *(signs.get(title, "") for title in SCENARIOS)]
              for row, signs in sorted(TABLE.items(), key=lambda item: order.index(item[0][0].split()[0]))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tearDownModule():
    print("\n" + table(), flush=True)
    if MARKDOWN:
        with open(MARKDOWN, "w") as file:
            file.write(table())


MARKDOWN = None
if __name__ == "__main__":
    if "--markdown" in sys.argv:
        at = sys.argv.index("--markdown")
        MARKDOWN = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    case.main()
