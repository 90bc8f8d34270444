"""What the kernel's TLS does for Paddock, in an emulated machine (QEMU, no privileges needed) whose kernel has it.

The machine has no disk and no network: it boots from memory with the built binaries, this Python and the tests, runs
them and goes off. Skipped where tests/ktls/setup has not been run.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading

from initramfs import Initramfs

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
KEPT = os.path.join(ROOT, "build", "ktls")
PADDOCK = os.environ.get("E2E_PADDOCK") or os.path.join(ROOT, "build", "release", "paddock")
UNIT_TESTS = os.path.join(os.path.dirname(PADDOCK), "tests", "proxy_net_tests")
SKIPPED = 77
SECONDS = 540
TESTED = ("-accel", "tcg,thread=multi")
# The machine's clock counts its instructions, a nanosecond each: what else this one is busy with does not matter.
MEASURED = ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off")
MODULES = ("arch/x86/crypto/*.ko", "crypto/*.ko", "lib/crypto/*.ko", "net/tls/*.ko", "drivers/block/brd.ko")
NO_PYTHON = ("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip",
             "turtledemo", "pydoc_data", "__pycache__")

TESTS = f"""
export E2E_PADDOCK={PADDOCK} KERNEL_TLS=required PYTHONDONTWRITEBYTECODE=1
{UNIT_TESTS} --use-colour no -# '[#tls_stream_test],[#kernel_tls_test],[#tls_test],*TLS*' || exit 1
{sys.executable} {ROOT}/tests/e2e/tls_test.py
"""
MEASURE = f"""
export E2E_PADDOCK={PADDOCK} PYTHONDONTWRITEBYTECODE=1
{sys.executable} {FOLDER}/measure.py
"""


def skip(reason):
    print(f"skipped: kernel_tls_test: {reason}", file=sys.stderr)
    if os.environ.get("E2E_SKIP_LOG"):
        with open(os.environ["E2E_SKIP_LOG"], "a") as log:
            log.write(f"kernel_tls_test: {reason}\n")
    sys.exit(SKIPPED)


def kernel():
    images = sorted(glob.glob(os.path.join(KEPT, "boot", "vmlinuz-*")))
    if not images:
        skip("no kernel with TLS in build/ktls (tests/ktls/setup fetches one)")
    return images[-1], os.path.join(KEPT, "lib", "modules", os.path.basename(images[-1]).removeprefix("vmlinuz-"))


def root_file_system(modules, tests):
    made = Initramfs()
    made.file(os.path.join(FOLDER, "init"), "/init")
    made.text("/tests", tests)
    made.file(shutil.which("busybox"), "/bin/busybox")
    release = os.path.basename(modules)
    for pattern in MODULES:
        for source in glob.glob(os.path.join(modules, "kernel", pattern)):
            made.file(source, f"/lib/modules/{release}/{os.path.relpath(source, modules)}")
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        made.file(os.path.join(modules, name), f"/lib/modules/{release}/{name}")
    made.link("/sbin/modprobe", "/bin/busybox")
    made.text("/etc/passwd", "root:x:0:0::/:/bin/sh\n")
    made.text("/etc/hosts", "127.0.0.1 localhost\n")
    made.file("/usr/lib/ssl/openssl.cnf")
    python = sysconfig.get_path("stdlib")
    made.tree(python, NO_PYTHON)
    made.programs(PADDOCK, UNIT_TESTS, shutil.which("openssl"), os.path.realpath(sys.executable),
                  *glob.glob(os.path.join(python, "lib-dynload", "*.so")))
    if os.path.realpath(sys.executable) != sys.executable:
        made.link(sys.executable, os.path.realpath(sys.executable))
    for folder in ("tests/e2e", "tests/ktls"):
        made.tree(os.path.join(ROOT, folder), ("__pycache__",))
    return made


def boot(image, initramfs, *acceleration):
    """The guest's exit status."""
    command = ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
               *acceleration, "-cpu", "max", "-smp", "2", "-m", "1536",
               "-kernel", image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"]
    status = None
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as machine:
        limit = threading.Timer(SECONDS, machine.kill)
        limit.start()
        try:
            for line in machine.stdout:
                print(line.rstrip(), flush=True)
                if found := re.match(r"guest: exit status (\d+)", line):
                    status = int(found[1])
        finally:
            limit.cancel()
            machine.kill()
    return status


def main():
    for program in ("qemu-system-x86_64", "busybox"):
        if not shutil.which(program):
            skip(f"no {program} (tests/ktls/setup installs it)")
    image, modules = kernel()
    with tempfile.TemporaryDirectory(prefix="paddock-ktls-") as folder:
        initramfs = os.path.join(folder, "initramfs")
        measure = "--measure" in sys.argv
        root_file_system(modules, MEASURE if measure else TESTS).write(initramfs)
        status = boot(image, initramfs, *(MEASURED if measure else TESTED))
    if status is None:
        print("the machine went off before its tests ended", file=sys.stderr)
    sys.exit(1 if status is None else status)


if __name__ == "__main__":
    main()
