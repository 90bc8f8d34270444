"""Servers that a benchmark runs: started with a log, measured with their children, ended by process id."""

import ctypes
import http.client
import os
import resource
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from .errors import BenchError

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def raise_descriptor_limit(wanted=65536):
    """For this process and what it starts; returns what it came to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, PermissionError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return max(soft, wanted)


def clean_environment():
    """No proxy of this machine may stand in between, nor its user configure a server."""
    return {key: value for key, value in os.environ.items()
            if not key.lower().endswith("_proxy") and not key.startswith(("PADDOCK_", "REGISTRY_"))}


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    def __init__(self, name, argv, log, environment=()):
        self.name = name
        self.log = log
        self.started = time.monotonic()
        with open(log, "ab") as output:
            self._child = subprocess.Popen(argv, env={**clean_environment(), **dict(environment)},
                                           stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                           start_new_session=True, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self._child.pid

    def tree(self):
        """Its process ids, children included."""
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as file:
                    todo += [int(word) for word in file.read().split()]
            except OSError:
                pass
        return found

    def wait_http(self, url, seconds=30, statuses=range(200, 500)):
        """Until it answers; returns the seconds since its start."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._child.poll() is not None:
                raise BenchError(f"{self.name} ended with status {self._child.returncode} while starting: {self.tail()}")
            if http_status(url) in statuses:
                return time.monotonic() - self.started
            time.sleep(0.005)
        raise BenchError(f"{self.name} did not answer {url} within {seconds} s: {self.tail()}")

    def stop(self, seconds=20):
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        for pid in self.tree():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._child.wait(20)

    def tail(self):
        with open(self.log, errors="replace") as file:
            return " / ".join(file.read().splitlines()[-3:])


def http_get(url):
    """(status, body), past any proxy of this machine; whoever answers, as pull_load is what checks certificates."""
    anybody = ssl._create_unverified_context()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=anybody))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def http_status(url):
    """0: no answer."""
    try:
        return http_get(url)[0]
    except (OSError, http.client.HTTPException):
        return 0


def cpu_seconds(pids):
    """User and system time so far, of children that have ended too."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def resident_bytes(pids, field="VmRSS"):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as file:
                line = next((line for line in file if line.startswith(field + ":")), "0 0 kB")
        except OSError:
            continue
        total += int(line.split()[1]) * 1024
    return total


def reset_peak(pids):
    """The peak (VmHWM) counts from now on."""
    for pid in pids:
        try:
            with open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass


def refuse_taken(ports):
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise BenchError(f"port {port} is taken ({error.strerror}); choose others with --base-port") from error
