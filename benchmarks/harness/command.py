"""What the two commands have in common: options, work folder, an end that leaves nothing behind."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time

from .errors import BenchError
from .programs import ROOT

PUBLISHED_ROUNDS = 5


def parser(what, rows):
    made = argparse.ArgumentParser(description=what, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--rows", help="only these, separated by commas: " + ", ".join(rows), metavar="A,B")
    made.add_argument("--list", action="store_true", help="say what rows there are, and end")
    made.add_argument("--rounds", type=int, default=PUBLISHED_ROUNDS, help="of each row")
    made.add_argument("--size", choices=["full", "small"], default="full",
                      help="of images and stores; small: to see that everything works, not to measure")
    made.add_argument("--work", help="folder for temporary data, made and removed again (default: a new one in TMPDIR)")
    made.add_argument("--base-port", type=int, default=7000, help="the first of 20 ports on 127.0.0.1")
    made.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help="build folder")
    made.add_argument("--results", help="folder for the report (default: benchmarks/results; for less than "
                      f"{PUBLISHED_ROUNDS} rounds or a small image results/ in the build folder)")
    return made


def chosen(options, rows):
    """The rows that --rows names, in the order of `rows`."""
    names = options.rows.split(",") if options.rows else list(rows)
    for name in names:
        if name not in rows:
            raise BenchError(f"no row '{name}'; there are: {', '.join(rows)}")
    if options.rounds < 1:
        raise BenchError("--rounds must be at least 1")
    if not 1024 <= options.base_port <= 65500:
        raise BenchError("--base-port must be between 1024 and 65500")
    return [name for name in rows if name in names]


def show_list(named):
    for one in named:
        print(f"{one.name:12} {one.title}")
    return 0


def is_measurement(options):
    return options.rounds >= PUBLISHED_ROUNDS and options.size == "full"


def results_folder(options):
    if options.results:
        return options.results
    if is_measurement(options):
        return os.path.join(ROOT, "benchmarks", "results")
    return os.path.join(os.path.abspath(options.build), "results")


def facts(rig, options):
    """What a report says of the machine, the programs, the images, and of itself."""
    said = rig.facts(options.rounds)
    if not is_measurement(options):
        said["a trial"] = f"{options.rounds} rounds, size {options.size}: these figures mean little"
    return said


@contextlib.contextmanager
def work_folder(options):
    if not options.work:
        folder = tempfile.mkdtemp(prefix="paddock-bench-")
    else:
        folder = os.path.abspath(options.work)
        try:
            os.makedirs(folder)
        except FileExistsError:
            raise BenchError(f"{folder} exists; --work names a folder that is made, and removed at the end") from None
        except OSError as error:
            raise BenchError(f"{folder}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def teller(name):
    start = time.monotonic()
    return lambda text: print(f"{name}: {time.monotonic() - start:4.0f} s: {text}", flush=True)


def run(main):
    """Errors are one line; Ctrl-C and SIGTERM end it as an error does, servers stopped and data removed."""
    def end(number, _frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        return main()
    except BenchError as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)
        return 130
