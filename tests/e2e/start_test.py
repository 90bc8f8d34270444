"""What may happen to a start: it breaks, it is told to stop when clients are there already, it was killed before."""

import fcntl
import hashlib
import http.client
import json
import os
import signal

from support import case, image, process, raw_http
from support.front import Front
from support.paddock import UPSTREAM, Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
PIPE = 4096  # bytes: one page, the least there is
LINE = 400  # bytes: no line of a start's log is longer


class BrokenStartTest(case.EndToEndCase):
    def test_a_start_that_throws_says_why_in_a_line(self):
        """Nothing finds its way from a working folder that is gone."""
        gone = self.path("gone")
        os.mkdir(gone)
        script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
        done = process.run(["sh", "-c", script, "sh", gone, case.binary(), "serve", "--data", "var", "--listen",
                            "127.0.0.1:0", "--admin", "127.0.0.1:0"], seconds=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("cannot start", done.stderr)


    def test_too_few_open_files_are_refused_with_what_to_do(self):
        done = process.run(["sh", "-c", 'ulimit -n 40 && exec "$@"', "sh", case.binary(), "serve", "--data",
                            self.path("data"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
                           seconds=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("the limit on open files is 40: raise it to 128", done.stderr)


class StartTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        registry = Registry(self)
        self.image = image.make_image([24 * image.MIB, 400], seed=77)
        self.layer = self.image.largest()
        registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, registry.port)
        self.paddock = Paddock(self, self.front.url)
        self.expected = self.paddock.pull(REPOSITORY, "latest")
        self.paddock.wait_committed(*self.expected)

    def test_starts_that_were_killed_do_not_cost_the_catalog(self):
        """A byte in OPENING is a start that ended while the catalog was opened."""
        for ended, rebuilt in ((1, False), (2, False), (3, True)):
            with self.subTest(ended=ended):
                self.assertEqual(self.paddock.stop(), 0)
                with open(os.path.join(self.paddock.data, "catalog", "OPENING"), "w") as mark:
                    mark.write("\n" * ended)
                self.paddock.start()
                aside = [name for name in os.listdir(self.paddock.data) if name.startswith("catalog.broken")]
                self.assertEqual(bool(aside), rebuilt)
                self.assertEqual(self.paddock.pull(REPOSITORY, "latest"), self.expected)

    def test_who_asks_whether_it_is_ready_is_told_no_path(self):
        away = self.paddock.data + "-away"
        os.rename(self.paddock.data, away)
        for _ in range(3):
            answer = raw_http.fetch(self.paddock.admin_port, "/readyz")
            self.assertEqual(answer.status, 503)
            self.assertNotIn(os.sep, answer.json()["reasons"][0])
        said = [line for line in self.paddock.log_text().splitlines() if "not ready" in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn(self.paddock.data, said[0])
        os.rename(away, self.paddock.data)

    def test_a_server_whose_log_nobody_reads_serves_and_ends(self):
        """Its log is a pipe that is full before it is ready."""
        self.assertEqual(self.paddock.stop(), 0)
        port = process.reserve_port(self)
        server = self.start_with_full_log(port)
        connection = self.connected(port)
        connection.request("GET", f"/v2/{REPOSITORY}/blobs/{self.layer.digest}")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        server.signal(signal.SIGTERM)
        body = answer.read()
        connection.close()
        self.assertEqual("sha256:" + hashlib.sha256(body).hexdigest(), self.layer.digest)
        self.assertEqual(server.wait(30), 0)
        self.assertGreater(len(os.read(self.log, 2 * PIPE)), PIPE - LINE)

    def start_with_full_log(self, port):
        addresses = [f"127.0.0.1:{port}"] + ["127.0.0.1:0"] * (PIPE // 40)  # a line for each
        config = self.path("hanging.yaml")
        with open(config, "w") as file:
            json.dump({"server": {"listen": addresses, "drain": "60s"}, "admin": {"listen": "127.0.0.1:0"},
                       "storage": {"max_size": "8GiB", "min_free": "64MiB"},
                       "upstreams": [{"name": UPSTREAM, "endpoints": [self.front.url], "default": True}]}, file)
        log = self.path("hanging.log")
        os.mkfifo(log)
        self.log = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self.log, fcntl.F_SETPIPE_SZ, PIPE)
        os.set_blocking(self.log, True)
        server = process.Process("paddock", [case.binary(), "serve", "--config", config, "--data", self.paddock.data],
                                 log)
        self.addCleanup(server.kill)
        return server

    def connected(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def connect():
            try:
                connection.connect()
                return True
            except ConnectionRefusedError:
                return False
        case.wait_until(connect, "somebody to listen")
        self.addCleanup(connection.close)
        return connection


if __name__ == "__main__":
    case.main()
