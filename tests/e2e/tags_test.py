"""Tags move, vanish and outlive their upstream."""

from support import case, image, raw_http
from support.front import Front
from support.paddock import Paddock
from support.upstream import Registry

REPOSITORY = "paddlepaddle/paddle"


class TagsTest(case.EndToEndCase):
    def setUp(self):
        super().setUp()
        self.first = image.make_image(seed=15)
        self.second = image.make_image(seed=16)
        self.registry = Registry(self)
        self.registry.push(REPOSITORY, self.first, "latest")
        self.front = Front(self, self.registry.port)

    def digest(self, paddock, reference="latest"):
        return paddock.manifest(REPOSITORY, reference).headers["Docker-Content-Digest"]

    def test_a_fresh_tag_is_answered_without_the_upstream(self):
        paddock = Paddock(self, self.front.url, tag_ttl="10m")
        self.assertEqual(self.digest(paddock), self.first.manifest.digest)
        self.front.forget()
        self.registry.push(REPOSITORY, self.second, "latest")
        answer = paddock.manifest(REPOSITORY, "latest")
        self.assertEqual(answer.headers["Docker-Content-Digest"], self.first.manifest.digest)
        self.assertEqual(answer.source(), "hit")
        self.assertEqual(self.front.exchanges(), [])

    def test_a_moved_tag_is_noticed_once_its_time_is_over(self):
        paddock = Paddock(self, self.front.url, tag_ttl="1s")
        self.assertEqual(self.digest(paddock), self.first.manifest.digest)
        self.registry.push(REPOSITORY, self.second, "latest")
        case.wait_until(lambda: self.digest(paddock) == self.second.manifest.digest, "the tag's new digest")
        self.assertEqual(self.digest(paddock, self.first.manifest.digest), self.first.manifest.digest)

    def test_an_unmoved_tag_is_confirmed_by_head_alone(self):
        paddock = Paddock(self, self.front.url, tag_ttl="1s")
        self.digest(paddock)
        self.front.forget()
        case.wait_until(lambda: self.digest(paddock) and self.front.exchanges("/manifests/"), "a revalidation")
        self.assertEqual({one.method for one in self.front.exchanges("/manifests/")}, {"HEAD"})

    def test_many_requests_for_a_tag_never_seen_ask_once(self):
        paddock = Paddock(self, self.front.url, tag_ttl="10m")
        raw_http.crowd(16, lambda _: self.digest(paddock))
        self.assertEqual(len(self.front.exchanges("/manifests/latest")), 1)

    def test_many_requests_for_one_expired_tag_ask_once(self):
        """The one question is held unanswered: that all are answered stale shows that they came while it was asked."""
        paddock = Paddock(self, self.front.url, tag_ttl="1s")
        self.digest(paddock)
        self.front.forget()
        asked = self.front.hold_answers("/manifests/latest", "HEAD")
        first = raw_http.Task(case.wait_until, lambda: self.stale(paddock), "the tag to be stale")
        asked.wait_reached()
        answers = raw_http.crowd(16, lambda _: self.stale(paddock))
        self.assertEqual([answer.body for answer in answers if answer], [self.first.manifest.data] * 16)
        self.assertEqual([one.method for one in self.front.exchanges("/manifests/")], ["HEAD"])
        first.result()
        asked.release()
        case.wait_until(lambda: not self.stale(paddock), "the answer to count")

    def test_stale_while_the_upstream_is_away(self):
        paddock = Paddock(self, self.front.url, tag_ttl="1s")
        self.digest(paddock)
        self.front.stop()
        answer = case.wait_until(lambda: self.stale(paddock), "the tag to be served stale")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body, self.first.manifest.data)
        self.assertGreaterEqual(int(answer.headers["Age"]), 1)
        self.front.start()
        case.wait_until(lambda: not self.stale(paddock), "the upstream to be asked again")

    def stale(self, paddock):
        answer = paddock.manifest(REPOSITORY, "latest")
        return answer if answer.source() == "stale" else None

    def test_what_does_not_exist_is_404_here_and_remembered_briefly(self):
        paddock = Paddock(self, self.front.url)
        answer = paddock.manifest(REPOSITORY, "nowhere")
        self.assertEqual((answer.status, answer.error_code()), (404, "MANIFEST_UNKNOWN"))
        self.front.forget()
        self.assertEqual(paddock.manifest(REPOSITORY, "nowhere").status, 404)
        self.assertEqual(self.front.exchanges("nowhere"), [])

    def test_a_tag_never_seen_is_a_quick_error_while_the_upstream_is_away(self):
        paddock = Paddock(self, self.front.url)
        self.front.stop()
        answer = paddock.manifest(REPOSITORY, "never-seen")
        self.assertIn(answer.status, (502, 504))
        self.assertTrue(answer.json()["errors"][0]["message"])

    def test_it_starts_while_the_upstream_is_away(self):
        paddock = Paddock(self, self.front.url)
        expected = paddock.pull(REPOSITORY, "latest")
        self.front.stop()
        paddock.restart()
        self.assertEqual(paddock.pull(REPOSITORY, "latest"), expected)


if __name__ == "__main__":
    case.main()
