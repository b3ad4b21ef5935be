"""`make fuzz SECONDS=900`: tries inputs that nobody wrote, and keeps the first that breaks what must hold.

With `atheris` installed the coverage of `sparkplug` leads the way; without it the mutations alone do. The command ends
with 1 when something was found, and names the file under `tests/fuzz/found` that repeats it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any, Final

_KEPT: Final = 2_000  # inputs that mutations start from, besides the seeds


def main() -> int:
    """Run, and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; the plain engine repeats itself by it")
    parser.add_argument("--engine", choices=["atheris", "plain"], help="atheris where it is installed")
    asked = parser.parse_args()
    engine = asked.engine or ("atheris" if importlib.util.find_spec("atheris") else "plain")
    return _atheris(asked.seconds, asked.seed) if engine == "atheris" else _plain(asked.seconds, asked.seed)


def _plain(seconds: int, seed: int) -> int:
    """Mutations of seeds, and of mutations."""
    from tests.fuzz.mutate import mutated
    from tests.fuzz.target import hold, seeds

    random, known = Random(seed), seeds()
    begun_s, count, slowest_s = time.monotonic(), 0, 0.0
    pool = list(known)
    while (now_s := time.monotonic()) < begun_s + seconds:
        data = mutated(random.choice(pool), known, random)
        try:
            hold(data)
        except Exception:
            return _found(data)
        count += 1
        slowest_s = max(slowest_s, time.monotonic() - now_s)
        if len(pool) < _KEPT:
            pool.append(data)
        else:
            pool[random.randrange(len(known), _KEPT)] = data
    sys.stdout.write(
        f"{count} executions in {seconds} s with the plain engine, seed {seed}; the slowest took {slowest_s:.3f} s\n"
    )
    return 0


def _found(data: bytes) -> int:
    from tests.fuzz.target import FOUND

    traceback.print_exc()
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{hashlib.sha256(data).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    sys.stderr.write(f"kept as {path}; the tests repeat it\n")
    return 1


def _atheris(seconds: int, seed: int) -> int:
    """Mutations that lead to code not seen before are mutated further."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sparkplug"]):
        from tests.fuzz.mutate import mutated
        from tests.fuzz.target import hold, seeds

    known = seeds()

    def one(data: bytes) -> None:
        try:
            hold(data)
        except Exception:
            _found(data)
            raise

    def mutate(data: bytes, most: int, chance: int) -> bytes:
        return mutated(data, known, Random(chance))[:most]

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(known):
            (Path(folder) / str(number)).write_bytes(data)
        options = [
            f"-max_total_time={seconds}",
            f"-seed={seed or 1}",
            "-max_len=262144",
            "-timeout=120",
            "-rss_limit_mb=2048",
        ]
        atheris.Setup([sys.argv[0], *options, folder], one, custom_mutator=mutate)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
