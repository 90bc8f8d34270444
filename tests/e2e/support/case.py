"""What every end-to-end test starts from: a temporary folder, the binary under test, and skips that are seen.

A test file ends in `case.main()`. Its exit status is 77 when everything in it was skipped, which ctest reports as
skipped; each reason goes to standard error and to the file named by E2E_SKIP_LOG, which tests/run prints. With CI
set a skip is a failure.
"""

import os
import shutil
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SKIPPED = 77
_excused = set()


def binary():
    """The paddock under test: ctest says which; by hand it is the Release build."""
    path = os.environ.get("E2E_PADDOCK") or os.path.join(ROOT, "build", "release", "paddock")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not built; run tests/run, or set E2E_PADDOCK")
    return path


def require_root():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, which a container engine needs here")


def require_tools(*names):
    missing = [name for name in names if not find_tool(name)]
    if missing:
        raise unittest.SkipTest(f"not installed: {', '.join(missing)} (deploy/setup --tests installs it)")


def skip_anywhere(reason):
    """In CI too: for what deploy/setup cannot bring."""
    _excused.add(reason)
    raise unittest.SkipTest(reason)


def find_tool(name):
    """The distribution's program before any other of that name, as the tests are written for Debian's versions."""
    for folder in ("/usr/bin", "/usr/sbin"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return shutil.which(name)


def wait_until(condition, what, seconds=30.0):
    """The first true value of `condition`; fails loudly, never waits longer than it must."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


class EndToEndCase(unittest.TestCase):
    """One test: its own folder, whatever it started is stopped, and logs are shown when it failed."""

    def run(self, result=None):
        self._result = result
        return super().run(result)

    def setUp(self):
        self._logs = []
        self.folder = tempfile.mkdtemp(prefix="paddock-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self._show_logs)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def watch_log(self, path):
        """Shows the end of this file should the test fail."""
        self._logs.append(path)

    def _show_logs(self):
        result = self._result
        failed = [] if result is None else [test for test, _ in result.failures + result.errors]
        if not any(getattr(test, "test_case", test) is self for test in failed):  # a part of it, or all
            return
        for path in self._logs:
            if not os.path.exists(path):
                continue
            with open(path, errors="replace") as log:
                lines = log.readlines()
            print(f"--- {self.id()}: the end of {os.path.basename(path)}", file=sys.stderr)
            sys.stderr.writelines(lines[-60:])


def main():
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    reasons = [f"{test.id()}: {reason}" for test, reason in result.skipped]
    for reason in reasons:
        print(f"skipped: {reason}", file=sys.stderr)
    if reasons and os.environ.get("E2E_SKIP_LOG"):
        with open(os.environ["E2E_SKIP_LOG"], "a") as log:
            log.writelines(reason + "\n" for reason in reasons)
    if not result.wasSuccessful():
        sys.exit(1)
    if os.environ.get("CI") and any(reason not in _excused for _, reason in result.skipped):
        print("in CI nothing may be skipped", file=sys.stderr)
        sys.exit(1)
    sys.exit(SKIPPED if reasons and result.testsRun <= len(reasons) else 0)
