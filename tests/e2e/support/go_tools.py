"""Programs that no Debian package has: built by Go, where there is one, into the build folder, each version once."""

import fcntl
import os
import shutil
import subprocess

from . import case

FOLDER = os.path.join(case.ROOT, "build", "go")


def tool(module, version, seconds=240):
    """The path of the program. Without Go, or without a way to its modules, the test is skipped, in CI too."""
    go = shutil.which("go", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/go/bin", "/usr/lib/go/bin"]))
    folder = os.path.join(FOLDER, version)
    path = os.path.join(folder, os.path.basename(module))
    os.makedirs(folder, exist_ok=True)
    with open(path + ".lock", "w") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.access(path, os.X_OK):
            return path
        if not go:
            case.skip_anywhere(f"no Go here to build {module} with")
        try:
            done = subprocess.run([go, "install", f"{module}@{version}"], env={**os.environ, "GOBIN": folder},
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            case.skip_anywhere(f"go install {module}@{version} took more than {seconds} s")
        if done.returncode:
            said = [line for line in done.stdout.splitlines() if line.strip()] or [f"status {done.returncode}"]
            case.skip_anywhere(f"go install {module}@{version}: {said[-1].strip()}")
    return path
