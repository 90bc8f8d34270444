#!/usr/bin/env python3
"""clang-tidy over the product's files that a build folder compiles, on all cores. Not over the tests: Catch's macros are
what it finds there.

    tidy.py [PRESET] [--analyze]    --analyze: with clang's static analyzer instead of .clang-tidy's checks, three times slower

A file that was clean is not looked at again until what the compiler sees of it changes: the stamp's name is a digest of
its preprocessed text, comments included, of .clang-tidy and of the tool's version.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

TOOL = "clang-tidy-19"
# Without what takes coroutines for leaks and calls of nothing.
ANALYZER = "-*,clang-analyzer-*,-clang-analyzer-optin.core.EnumCastOutOfRange,-clang-analyzer-core.CallAndMessage"


def preprocessed(entry):
    words = shlex.split(entry["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    command = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        elif word not in ("-c", "-MD"):
            command.append(word)
    done = subprocess.run([*command, "-E", "-C", "-o", "-"], cwd=entry["directory"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def check(entry, build, salt, options):
    """Empty when clean, else what is to be said."""
    text = preprocessed(entry)
    stamp = text and build / "lint" / hashlib.sha256(salt + text).hexdigest()
    if stamp and stamp.exists():
        return ""
    done = subprocess.run([TOOL, "--quiet", *options, "-p", str(build), entry["file"]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        if stamp:
            stamp.touch()
        return ""
    # Standard error holds a tally of suppressed warnings, of interest only when the tool itself failed.
    return done.stdout or done.stderr


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    options = [f"--checks={ANALYZER}"] if "--analyze" in sys.argv else []
    presets = [word for word in sys.argv[1:] if not word.startswith("--")]
    build = root / "build" / (presets[0] if presets else "release")
    database = build / "compile_commands.json"
    if not database.exists():
        sys.exit(f"lint: {database.relative_to(root)} is missing; run tests/run first")
    entries = sorted(json.loads(database.read_text()), key=lambda entry: entry["file"])
    product = [root / folder for folder in ("storage", "config", "proxy")]
    entries = [entry for entry in entries if any(pathlib.Path(entry["file"]).is_relative_to(part) for part in product)]
    if not entries:
        sys.exit(f"lint: {database.relative_to(root)} names no file of this tree")
    (build / "lint").mkdir(exist_ok=True)
    version = subprocess.run([TOOL, "--version"], stdout=subprocess.PIPE, check=True).stdout
    salt = version + (root / ".clang-tidy").read_bytes() + "".join(options).encode()
    print(f"lint: clang-tidy over {len(entries)} files", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry, findings in zip(entries, pool.map(lambda entry: check(entry, build, salt, options), entries)):
            if findings:
                failed += 1
                print(f"lint: {os.path.relpath(entry['file'], root)}\n{findings}", flush=True)
    if failed:
        sys.exit(f"lint: clang-tidy found something in {failed} files (above)")


if __name__ == "__main__":
    main()
