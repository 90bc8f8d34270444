"""`paddock warm` and `paddock jobs` against a cache under test."""

import http.client
import json

from . import case, process


class Outcome:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)


def command(paddock, *arguments):
    return [case.binary(), *arguments, "--server", f"http://127.0.0.1:{paddock.admin_port}"]


def run(paddock, *arguments):
    return Outcome(process.run(command(paddock, *arguments), check=False))


def warm(paddock, *arguments):
    return run(paddock, "warm", *arguments)


def start(paddock, *arguments):
    """The id of a job that is not waited for."""
    return warm(paddock, *arguments, "--no-wait", "--json").json()["job"]


def job(paddock, number):
    return run(paddock, "jobs", number, "--json").json()


def wait_for(paddock, number, *states, seconds=60):
    states = states or ("complete", "failed", "cancelled")
    return case.wait_until(lambda: (found := job(paddock, number))["state"] in states and found,
                           f"job {number} to be {' or '.join(states)}", seconds)


def api(paddock, method, path, body=None, content_type="application/json", headers=None):
    """(status, headers, the answer as JSON or bytes)"""
    connection = http.client.HTTPConnection("127.0.0.1", paddock.admin_port, timeout=60)
    try:
        fields = {"Content-Type": content_type} if content_type and body is not None else {}
        connection.request(method, path, body=body, headers={**fields, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    return answer.status, answer.headers, json.loads(text) if text.startswith(b"{") else text
