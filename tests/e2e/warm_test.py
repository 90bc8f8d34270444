"""Images are fetched before anybody asks: only what was asked for, behind what clients pull, and on through kill -9."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time

from support import case, image, warm
from support.clients import Docker, Skopeo
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"
MIB = image.MIB


class WarmCase(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self)
        self.front = Front(self, self.registry.port)

    def push(self, tag, sizes, seed):
        made = image.make_image(sizes, seed=seed)
        self.registry.push(REPOSITORY, made, tag)
        return made

    def check_whole(self, paddock, made):
        paddock.wait_committed(*(blob.digest for blob in made.blobs()))
        self.assertLessEqual({blob.digest for blob in made.blobs()}, paddock.check_store())


class TwoPlatformsTest(WarmCase):
    def setUp(self):
        super().setUp()
        self.amd = image.make_image([3 * MIB, 400, MIB], seed=81, types=image.DOCKER)
        self.arm = image.make_image([3 * MIB, 500, MIB], seed=82, types=image.DOCKER, architecture="arm64")
        self.registry.push(REPOSITORY, image.make_index([self.amd, self.arm], image.DOCKER), "2.6.2")
        self.paddock = Paddock(self, self.front.url)

    def test_only_the_platform_asked_for_is_fetched(self):
        done = warm.warm(self.paddock, f"{REPOSITORY}:2.6.2")
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(self.front.body_bytes("/blobs/"), self.amd.blob_bytes())
        self.check_whole(self.paddock, self.amd)
        _, _, report = warm.api(self.paddock, "GET", f"/api/v1/images/{REPOSITORY}:2.6.2")
        self.assertEqual((report["state"], report["percent"], report["complete"]), ("complete", 100, False))

    def test_another_platform_or_all_of_them(self):
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2", "--platform", "linux/arm64").status, 0)
        self.assertEqual(self.front.body_bytes("/blobs/"), self.arm.blob_bytes())
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2", "--platform", "all").status, 0)
        self.assertEqual(self.front.body_bytes("/blobs/"), self.amd.blob_bytes() + self.arm.blob_bytes())

    def test_what_is_warm_is_pulled_without_the_upstream(self):
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2").status, 0)
        self.front.stop()
        self.registry.stop()
        self.assertTrue(Skopeo(self).copy(f"{self.paddock.address}/{REPOSITORY}:2.6.2", "copy"))

    def test_docker_pulls_what_is_warm_without_the_upstream(self):
        docker = Docker(self)
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2").status, 0)
        self.front.stop()
        self.registry.stop()
        docker.pull(f"{self.paddock.address}/{REPOSITORY}:2.6.2")

    def test_a_dry_run_says_what_is_missing_and_fetches_nothing(self):
        plan = warm.warm(self.paddock, f"{REPOSITORY}:2.6.2", "--dry-run", "--json")
        self.assertEqual(plan.status, 0, plan.err)
        self.assertEqual(plan.json()["missing_bytes"], self.amd.blob_bytes())
        self.assertTrue(plan.json()["fits"])
        self.assertEqual(self.front.exchanges("/blobs/"), [])
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2").status, 0)
        self.assertEqual(warm.warm(self.paddock, f"{REPOSITORY}:2.6.2", "--dry-run", "--json").json()["missing_bytes"], 0)


class JobsTest(WarmCase):
    def setUp(self):
        super().setUp()
        self.image = self.push("latest", [600, 24 * MIB, 2 * MIB], seed=83)
        self.layer = self.image.largest()
        self.reference = f"{REPOSITORY}:latest"

    def test_killed_in_the_middle_it_goes_on_by_itself(self):
        paddock = Paddock(self, self.front.url, connections=1)
        hold = self.front.hold(self.layer.digest, 17 * MIB)
        number = warm.start(paddock, self.reference, "--pin", "30d")
        hold.wait_reached()
        case.wait_until(lambda: warm.job(paddock, number)["stored_bytes"] >= 16 * MIB, "most of the layer")
        paddock.kill()
        hold.release()
        self.front.wait_finished(self.layer.digest)
        self.front.forget()
        paddock.start()
        done = warm.wait_for(paddock, number)
        self.assertEqual(done["state"], "complete", done)
        self.check_whole(paddock, self.image)
        self.assertLessEqual(self.front.body_bytes(self.layer.digest), self.layer.size - 8 * MIB)
        _, _, report = warm.api(paddock, "GET", f"/api/v1/images/{self.reference}")
        self.assertEqual(len(report["pins"]), 1)

    def test_the_same_thing_asked_for_twice_is_one_job(self):
        paddock = Paddock(self, self.front.url)
        hold = self.front.hold(self.layer.digest, 8 * MIB)
        first = warm.start(paddock, self.reference)
        hold.wait_reached()
        second = warm.warm(paddock, self.reference, "--no-wait")
        self.assertIn(f"job {first}, which is doing the same already", second.out)
        hold.release()
        self.assertEqual(warm.wait_for(paddock, first)["state"], "complete")
        self.assertEqual(self.front.body_bytes("/blobs/"), self.image.blob_bytes())
        self.assertEqual(paddock.metric("paddock_warm_jobs", state="complete"), 1)
        self.assertEqual(paddock.metric("paddock_warm_bytes_total"), self.image.blob_bytes())

    def test_a_cancelled_job_stops_and_what_it_has_is_used_later(self):
        paddock = Paddock(self, self.front.url, connections=1)
        hold = self.front.hold(self.layer.digest, 17 * MIB)
        number = warm.start(paddock, self.reference)
        hold.wait_reached()
        _, _, report = warm.api(paddock, "GET", f"/api/v1/images/{self.reference}")
        self.assertEqual(report["state"], "partial")
        self.assertEqual(warm.run(paddock, "jobs", "--cancel", number).status, 0)
        self.assertEqual(warm.wait_for(paddock, number)["state"], "cancelled")
        case.wait_until(lambda: paddock.metric("paddock_fills", state="running") == 0, "the fill to be put aside")
        hold.release()
        self.assertEqual(warm.run(paddock, "jobs", "--cancel", number).status, 1)
        self.assertEqual(warm.warm(paddock, self.reference).status, 0)
        self.check_whole(paddock, self.image)

    def test_a_tag_that_is_not_there_fails_alone_and_names_its_neighbours(self):
        self.push("2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", [500], seed=84)
        paddock = Paddock(self, self.front.url)
        done = warm.warm(paddock, f"{REPOSITORY}:2.6.2-gpu-cuda12.1-cudnn8.9-trt8.6", self.reference)
        self.assertEqual(done.status, 1)
        self.assertIn("no such tag; nearest: 2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", done.err)
        self.check_whole(paddock, self.image)

    def test_what_cannot_fit_is_refused_before_a_byte_is_fetched(self):
        paddock = Paddock(self, self.front.url, sections={"storage": {"max_size": "20MiB", "min_free": "64MiB"}})
        for arguments in ([], ["--dry-run"]):
            done = warm.warm(paddock, self.reference, *arguments)
            self.assertEqual(done.status, 1)
            self.assertIn("storage.max_size", done.out + done.err)
        self.assertEqual(self.front.exchanges("/blobs/"), [])

    def test_ctrl_c_ends_the_looking_and_not_the_job(self):
        paddock = Paddock(self, self.front.url)
        hold = self.front.hold(self.layer.digest, 8 * MIB)
        waiting = subprocess.Popen(warm.command(paddock, "warm", self.reference), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        hold.wait_reached()
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=30)
        self.assertEqual(waiting.returncode, 1)
        self.assertIn("--cancel", err)
        hold.release()
        number = warm.run(paddock, "jobs", "--json").json()["jobs"][0]["job"]
        self.assertEqual(warm.run(paddock, "jobs", number, "--follow").status, 0)
        self.check_whole(paddock, self.image)

    def test_progress_comes_as_events(self):
        paddock = Paddock(self, self.front.url)
        connection = http.client.HTTPConnection("127.0.0.1", paddock.admin_port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/v1/events")
        events = connection.getresponse()
        self.assertEqual(events.headers["Content-Type"], "text/event-stream")
        number = warm.start(paddock, self.reference)
        states = []
        while "complete" not in states:
            line = events.readline().decode()
            self.assertTrue(line, f"the stream ended after {states}")
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                self.assertEqual(event["job"], number)
                states.append(event["state"])
        self.assertIn("filling", states)

    def test_a_web_page_cannot_start_a_warm_up(self):
        paddock = Paddock(self, self.front.url)
        body = json.dumps({"images": [self.reference]})
        for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
            status, _, answer = warm.api(paddock, "POST", "/api/v1/warm", body, content_type)
            self.assertEqual(status, 415)
            self.assertIn("application/json", answer["error"]["message"])
        self.assertEqual(warm.api(paddock, "OPTIONS", "/api/v1/warm")[0], 405)
        self.assertEqual(warm.api(paddock, "POST", "/api/v1/warm", "x" * (300 << 10))[0], 413)
        self.assertEqual(warm.api(paddock, "POST", "/api/v1/warm", "{")[0], 400)
        self.assertEqual(warm.run(paddock, "jobs", "--json").json()["jobs"], [])


class RulesTest(WarmCase):
    OLD, NEW = "2.5.1-gpu-cuda11.7-cudnn8.4-trt8.4", "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"

    def setUp(self):
        super().setUp()
        self.old = self.push(self.OLD, [MIB, 400], seed=88)
        self.new = self.push(self.NEW, [MIB, 500], seed=89)
        self.push("2.6.2", [2 * MIB], seed=90)

    def rule(self, **fields):
        return {"name": "gpu", "images": [REPOSITORY], "where": "device == gpu", "pin": "1h", **fields}

    def pinned(self, paddock):
        _, _, answer = warm.api(paddock, "GET", "/api/v1/pins")
        return sorted(pin["image"].rpartition(":")[2] for pin in answer["pins"])

    def test_a_rule_is_run_by_hand_and_taken_over_by_a_reload(self):
        paddock = Paddock(self, self.front.url, sections={"warm": [self.rule(latest=1)]})
        done = warm.warm(paddock, "--rule", "gpu")
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(self.front.body_bytes("/blobs/"), self.new.blob_bytes())
        paddock.config["warm"] = [self.rule(latest=2)]
        paddock.reload()
        case.wait_until(lambda: "changed: warm" in paddock.log_text(), "the reload")
        self.assertEqual(warm.warm(paddock, "--rule", "gpu").status, 0)
        self.check_whole(paddock, self.old)
        self.assertEqual(self.pinned(paddock), [self.OLD, self.NEW])
        paddock.config["warm"] = [self.rule(latest=1)]
        paddock.reload()
        case.wait_until(lambda: paddock.log_text().count("changed: warm") == 2, "the second reload")
        self.assertEqual(warm.warm(paddock, "--rule", "gpu").status, 0)
        self.assertEqual(self.pinned(paddock), [self.NEW])
        unknown = warm.warm(paddock, "--rule", "cpu")
        self.assertEqual(unknown.status, 1)
        self.assertIn("there are gpu", unknown.err)

    def test_the_images_of_ci_files_are_fetched_as_far_as_they_are_ours(self):
        paddock = Paddock(self, self.front.url)
        os.mkdir(self.path("project"))
        with open(self.path("project", ".gitlab-ci.yml"), "w") as file:
            file.write(f"train:\n  image: registry.baidubce.com/{REPOSITORY}:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6\n"
                       "  script: [make]\nlint:\n  image: ghcr.io/other/lint:1\n  script: [make]\n"
                       "later:\n  image: $UNKNOWN\n  script: [make]\n")
        plan = warm.warm(paddock, "--from-ci", self.path("project"), "--dry-run")
        self.assertEqual(plan.status, 0, plan.err)
        self.assertIn(".gitlab-ci.yml:2", plan.err)
        self.assertIn("$UNKNOWN", plan.err)
        done = warm.warm(paddock, "--from-ci", self.path("project"))
        self.assertEqual(done.status, 0, done.err)
        self.check_whole(paddock, self.new)
        self.assertEqual(self.front.body_bytes("/blobs/"), self.new.blob_bytes())

    def test_a_rule_that_means_too_much_is_refused_with_the_number(self):
        paddock = Paddock(self, self.front.url, sections={"warm": [self.rule(where="", limit=2)]})
        done = warm.warm(paddock, "--rule", "gpu")
        self.assertEqual(done.status, 1)
        self.assertIn("means 3 images", done.err)
        self.assertEqual(self.front.exchanges("/blobs/"), [])

    def test_a_rule_with_a_mistake_is_named_with_its_place(self):
        path = self.path("wrong.yaml")
        with open(path, "w") as file:
            json.dump({"warm": [self.rule(where="cuda >> 11")]}, file)
        for command in (["config", "check", path], ["serve", "--config", path, "--data", self.path("data")]):
            done = subprocess.run([case.binary(), *command], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2)
            self.assertIn("warm[0].where: ", done.stderr)


class SampleProjectTest(WarmCase):
    """From a project's CI files to a job that starts: everything on the way may go away."""

    TAG = "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"
    FILES = {
        ".gitlab-ci.yml": f"variables:\n  PADDLE: registry.baidubce.com/{REPOSITORY}:{TAG}\n"
                          "train:\n  image: $PADDLE\n  script: [make]\n",
        "docker/Dockerfile": f"FROM registry.baidubce.com/{REPOSITORY}:{TAG} AS build\nFROM scratch\nCOPY --from=build /x /x\n",
        "compose.yaml": "services:\n  db:\n    image: ghcr.io/other/db:1\n",
    }

    def setUp(self):
        super().setUp()
        self.amd = image.make_image([2 * MIB, 24 * MIB], seed=91, types=image.DOCKER)
        self.arm = image.make_image([3 * MIB, 20 * MIB], seed=92, types=image.DOCKER, architecture="arm64")
        self.registry.push(REPOSITORY, image.make_index([self.amd, self.arm], image.DOCKER), self.TAG)
        self.paddock = Paddock(self, self.front.url, connections=1)
        self.project = self.path("project")
        for name, text in self.FILES.items():
            path = os.path.join(self.project, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)

    def test_killed_on_the_way_and_pulled_without_the_upstream(self):
        docker = Docker(self)
        plan = warm.warm(self.paddock, "--from-ci", self.project, "--platform", "linux/amd64", "--dry-run", "--json")
        self.assertEqual(plan.status, 0, plan.err)
        self.assertEqual(plan.json()["missing_bytes"], self.amd.blob_bytes())
        layer = self.amd.largest()
        hold = self.front.hold(layer.digest, 17 * MIB)
        number = warm.start(self.paddock, "--from-ci", self.project, "--platform", "linux/amd64")
        hold.wait_reached()
        case.wait_until(lambda: warm.job(self.paddock, number)["stored_bytes"] >= 18 * MIB, "most of the image")
        self.paddock.kill()
        hold.release()
        self.front.wait_finished(layer.digest)
        self.paddock.start()
        done = warm.wait_for(self.paddock, number)
        self.assertEqual(done["state"], "complete", done)
        self.check_whole(self.paddock, self.amd)
        fetched = self.front.body_bytes("/blobs/")
        print(f"image of {self.amd.blob_bytes()} bytes, of two platforms; {fetched} bytes fetched, kill -9 included",
              file=sys.stderr)
        self.assertLess(fetched, self.amd.blob_bytes() + layer.size)
        for blob in self.arm.blobs():
            self.assertEqual(self.front.exchanges(blob.digest), [])
        self.front.stop()
        self.registry.stop()
        docker.pull(f"{self.paddock.address}/{REPOSITORY}:{self.TAG}")


class LearningTest(WarmCase):
    def test_what_clients_pull_is_remembered_over_a_restart(self):
        made = self.push("2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", [MIB], seed=93)
        self.push("3.0.0", [MIB], seed=94)
        paddock = Paddock(self, self.front.url, sections={"warm": [{"name": "usual", "learn": "28d"}]})
        self.assertEqual(warm.warm(paddock, "--rule", "usual", "--dry-run", "--json").json()["images"], [])
        Skopeo(self).copy(f"{paddock.address}/{REPOSITORY}:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", "copy")
        paddock.wait_committed(*(blob.digest for blob in made.blobs()))
        paddock.restart()
        plan = warm.warm(paddock, "--rule", "usual", "--dry-run", "--json").json()
        self.assertEqual([(entry["name"], entry["state"]) for entry in plan["images"]],
                         [(f"registry.baidubce.com/{REPOSITORY}:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", "complete")])


    def test_what_is_usual_is_fetched_ahead_of_its_hour_whatever_the_tag_is_by_then(self):
        self.push("nightly", [MIB], seed=95)
        paddock = Paddock(self, self.front.url, tag_ttl="12h", sections={"warm": [
            {"name": "usual", "learn": "7d", "ahead": "30m"}]})
        self.assertEqual(paddock.manifest(REPOSITORY, "nightly").status, 200)
        self.assertEqual(paddock.stop(), 0)
        moved = self.push("nightly", [2 * MIB], seed=96)
        self.asked_a_week_ago(paddock)
        paddock.start()
        case.wait_until(lambda: "images usually pulled soon" in paddock.log_text(), "the rule to be due")
        jobs = warm.run(paddock, "jobs", "--json").json()["jobs"]
        self.assertEqual([job["rule"] for job in jobs], ["usual"])
        self.assertEqual(warm.wait_for(paddock, jobs[0]["job"])["state"], "complete")
        self.check_whole(paddock, moved)

    def asked_a_week_ago(self, paddock):
        """In every hour of last week, and the rule has not been run for two hours."""
        path = os.path.join(paddock.data, "jobs", "pulls.json")
        with open(path) as file:
            pulls = json.load(file)
        for tag in pulls["tags"]:
            this_week = max(map(int, tag["weeks"]))
            tag["weeks"] = {str(week): "1" * 168 for week in (this_week - 1, this_week)}
        with open(path, "w") as file:
            json.dump(pulls, file)
        past = int(time.time()) - 7200
        with open(os.path.join(paddock.data, "jobs", "schedule.json"), "w") as file:
            json.dump({"usual": {"run": past, "covered": past}}, file)


class PriorityTest(WarmCase):
    RATE = 8 * MIB  # bytes a second

    def pull_seconds(self, paddock, made):
        began = time.monotonic()
        layer = paddock.blob(REPOSITORY, made.largest().digest)
        self.assertTrue(layer.complete, layer)
        return time.monotonic() - began

    def test_a_client_gets_its_layer_first(self):
        """Over a line of 8 MiB/s: alone, and while a warm-up is at work over as many connections as it may."""
        background = self.push("background", [40 * MIB, 41 * MIB, 42 * MIB], seed=85)
        alone, beside = self.push("alone", [16 * MIB], seed=86), self.push("beside", [16 * MIB], seed=87)
        paddock = Paddock(self, self.front.url, bandwidth=self.RATE, sections={"fills": {"at_once": 3}})
        for tag in ("alone", "beside"):
            self.assertEqual(paddock.manifest(REPOSITORY, tag).status, 200)
        by_itself = self.pull_seconds(paddock, alone)
        number = warm.start(paddock, f"{REPOSITORY}:background")
        case.wait_until(lambda: warm.job(paddock, number)["stored_bytes"] > 8 * MIB, "the warm-up to be at work")
        before = warm.job(paddock, number)["stored_bytes"]
        during = self.pull_seconds(paddock, beside)
        taken = warm.job(paddock, number)["stored_bytes"] - before
        print(f"16 MiB over 8 MiB/s: alone {by_itself:.2f} s, beside a warm-up {during:.2f} s, which took "
              f"{taken / MIB:.1f} MiB meanwhile", file=sys.stderr)
        self.assertLess(during, 1.5 * by_itself + 0.5)
        done = warm.wait_for(paddock, number, seconds=120)
        self.assertEqual(done["state"], "complete")
        self.check_whole(paddock, background)


if __name__ == "__main__":
    case.main()
