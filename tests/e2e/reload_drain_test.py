"""SIGHUP takes over what can be changed while running; SIGTERM lets a pull in progress end first."""

import http.client
import json
import os
import signal
import socket

from support import case, image, process, raw_http
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class ReloadDrainTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.image = image.make_image([12 * MIB, 400], seed=50)
        self.layer = self.image.largest()
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.image, "latest")
        self.front = Front(self, self.registry.port)
        self.paddock = Paddock(self, self.front.url, sections={"server": {"drain": "60s"}})

    def test_sigterm_lets_a_pull_end_and_then_exits_0(self):
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.process.signal(15)
        case.wait_until(lambda: not process.accepts(self.paddock.port), "new connections to be refused")
        self.assertIsNone(self.paddock.process.exit_status(), "it did not wait for the pull")
        hold.release()
        layer = pull.result()
        self.assertTrue(layer.complete, layer)
        self.assertEqual(layer.digest, self.layer.digest)
        self.assertEqual(self.paddock.process.wait(30), 0)

    def test_sigterm_while_idle_is_quick(self):
        self.paddock.pull(REPOSITORY, "latest")
        self.paddock.process.signal(15)
        self.assertEqual(self.paddock.process.wait(10), 0)

    def test_a_pull_longer_than_the_drain_is_cut(self):
        self.paddock.stop()
        self.paddock.config["server"]["drain"] = "1s"
        self.paddock.start()
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.process.signal(15)
        self.assertEqual(self.paddock.process.wait(30), 0)
        self.assertFalse(pull.result().complete)

    def test_sighup_takes_new_upstream_options(self):
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)
        self.paddock.config["upstreams"][0]["allow"] = ["nothing/at-all"]
        self.paddock.reload()
        case.wait_until(lambda: self.paddock.manifest(REPOSITORY, "latest").status == 403, "the new allow list to hold")

    def test_sighup_does_not_disturb_a_pull(self):
        hold = self.front.hold(self.layer.digest, 4 * MIB)
        self.paddock.manifest(REPOSITORY, "latest")
        pull = raw_http.Task(self.paddock.blob, REPOSITORY, self.layer.digest)
        hold.wait_reached()
        self.paddock.config["upstreams"][0]["allow"] = ["nothing/at-all"]
        self.paddock.reload()
        case.wait_until(lambda: self.paddock.manifest(REPOSITORY, "latest").status == 403, "the reload to be done")
        hold.release()
        self.assertEqual(pull.result().digest, self.layer.digest)

    def test_sighup_says_what_it_took_over_and_what_needs_a_restart(self):
        self.paddock.config["server"]["drain"] = "7s"
        self.paddock.config["log"] = {"format": "json", "level": "debug"}
        self.paddock.config["tags"] = {"negative_ttl": "3s"}
        self.paddock.reload()
        case.wait_until(lambda: "need a restart" in self.paddock.log_text(), "the log to say what was done")
        taken, restart = [line for line in self.paddock.log_text().splitlines()
                          if "configuration reloaded" in line or "need a restart" in line]
        self.assertTrue(taken.endswith("changed: server.drain, log.level"), taken)
        self.assertTrue(restart.endswith("to change: tags.negative_ttl, log.format"), restart)
        self.paddock.process.signal(15)
        self.assertEqual(self.paddock.process.wait(30), 0)
        self.paddock.wait_logged("have 7 s")

    def test_sighup_reads_the_admin_token_again(self):
        token = self.path("token")

        def write(text):
            with open(token, "w") as file:
                file.write(text)

        def status(bearer):
            return raw_http.fetch(self.paddock.admin_port, "/metrics",
                                  headers={"Authorization": f"Bearer {bearer}"}).status
        self.assertEqual(self.paddock.stop(), 0)
        write("first\n")
        self.paddock.config["admin"] = {"token_file": token}
        self.paddock.start()
        self.assertEqual((status("first"), status("second")), (200, 401))
        write("second\n")
        self.paddock.reload()
        case.wait_until(lambda: status("second") == 200, "the new token to hold")
        self.assertEqual(status("first"), 401)
        case.wait_until(lambda: "changed: admin.token_file" in self.paddock.log_text(), "the log to name it")
        write("")
        self.paddock.reload()
        case.wait_until(lambda: "reload refused" in self.paddock.log_text(), "the log to refuse")
        self.assertEqual((status("second"), status("")), (200, 401))

    def test_sighup_refuses_what_a_start_would_refuse(self):
        self.paddock.config["server"]["auth"] = {"anonymous_pull": False}
        self.paddock.reload()
        case.wait_until(lambda: "reload refused" in self.paddock.log_text(), "the log to refuse")
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)

    def test_a_broken_file_keeps_the_old_configuration(self):
        with open(self.paddock.config_file, "w") as file:
            file.write("server:\n  lisen: 1\n")
        self.paddock.process.signal(1)
        case.wait_until(lambda: "lisen" in self.paddock.log_text(), "the log to say what is wrong")
        self.assertEqual(self.paddock.manifest(REPOSITORY, "latest").status, 200)

    def test_operating_basics(self):
        self.paddock.pull(REPOSITORY, "latest")
        admin = self.paddock.admin_port
        self.assertEqual(raw_http.fetch(admin, "/healthz").status, 200)
        self.assertEqual(raw_http.fetch(admin, "/readyz").status, 200)
        self.assertGreater(self.paddock.metric("paddock_requests_total", code="200"), 2)
        self.assertGreaterEqual(self.paddock.metric("paddock_upstream_bytes_total"), self.image.blob_bytes())
        self.assertGreaterEqual(self.paddock.metric("paddock_served_bytes_total"), self.image.blob_bytes())
        server = ["--server", f"http://127.0.0.1:{admin}"]
        self.assertIn(REPOSITORY, process.run([case.binary(), "images", *server]).stdout)
        self.assertTrue(json.loads(process.run([case.binary(), "images", "--json", *server]).stdout))
        self.assertTrue(json.loads(process.run([case.binary(), "status", "--json", *server]).stdout))
        self.assertRegex(process.run([case.binary(), "version"]).stdout, r"\d+\.\d+\.\d+")
        self.assertRegex(json.loads(process.run([case.binary(), "version", "--json"]).stdout)["version"], r"\d+\.\d+")


class SignalsWhileStartingTest(case.EndToEndCase):
    """The token comes from a pipe, so a start waits for as long as the test wants it to."""

    def setUp(self):
        super().setUp()
        self.pipe = self.path("token")
        os.mkfifo(self.pipe)
        config = self.path("config.yaml")
        with open(config, "w") as file:
            json.dump({"admin": {"token_file": self.pipe, "listen": f"127.0.0.1:{process.reserve_port(self)}"},
                       "server": {"listen": f"127.0.0.1:{process.reserve_port(self)}"}}, file)
        self.process = process.Process("paddock", [case.binary(), "serve", "--config", config, "--data",
                                                   self.path("data")], self.path("paddock.log"))
        self.watch_log(self.path("paddock.log"))
        self.addCleanup(self.process.kill)
        # Opening it ends when the other side opens it too: the start is in the middle.
        self.token = open(self.pipe, "w")
        self.addCleanup(self.token.close)

    def test_sighup_is_kept_for_when_it_has_started(self):
        self.process.signal(signal.SIGHUP)
        self.token.write("t0ken")
        self.token.close()
        # A reload does not read a pipe again: nobody may ever write to it.
        case.wait_until(lambda: "reloaded" in self.process.log_text() or self.process.exit_status() is not None,
                        "the reload")
        self.assertIsNone(self.process.exit_status(), "SIGHUP ended it")
        self.assertEqual(self.process.stop(), 0)

    def test_sigterm_ends_it_at_once(self):
        self.process.signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(10), 0)


class CrowdTest(case.EndToEndCase):
    def test_more_clients_than_descriptors_starve_neither_the_admin_side_nor_those_who_are_in(self):
        made = image.make_image(seed=51)
        registry = Registry(self)
        registry.push(REPOSITORY, made, "latest")
        paddock = LimitedPaddock(self, f"http://127.0.0.1:{registry.port}")
        inside = http.client.HTTPConnection("127.0.0.1", paddock.port, timeout=30)
        self.addCleanup(inside.close)
        crowd = []
        self.addCleanup(lambda: [one.close() for one in crowd])
        for number in range(400):
            if number == 1:
                inside.request("GET", "/v2/")
                self.assertEqual(inside.getresponse().read(), b"{}")
            try:
                crowd.append(socket.create_connection(("127.0.0.1", paddock.port), timeout=5))
            except OSError:
                break
        self.assertGreater(len(crowd), 100)
        self.assertEqual(raw_http.fetch(paddock.admin_port, "/healthz", seconds=5).status, 200)
        layer = made.largest()
        inside.request("GET", f"/v2/{REPOSITORY}/manifests/latest", headers={"Accept": raw_http.MANIFEST_TYPES})
        answer = inside.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, made.manifest.data))
        inside.request("GET", f"/v2/{REPOSITORY}/blobs/{layer.digest}")
        answer = inside.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, layer.data))
        complaints = [line for line in paddock.log_text().splitlines() if "too many connections" in line]
        self.assertLessEqual(len(complaints), 2, complaints)
        for one in crowd:
            one.close()
        case.wait_until(lambda: self.answers(paddock), "new clients to be let in again")

    @staticmethod
    def answers(paddock):
        try:
            return paddock.get("/v2/", seconds=5).status == 200
        except (OSError, http.client.HTTPException):
            return False


class LimitedPaddock(Paddock):
    def command(self):
        return ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *super().command()]


if __name__ == "__main__":
    case.main()
