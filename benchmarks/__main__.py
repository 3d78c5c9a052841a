"""Every benchmark, one after another, each in a process of its own.

``python benchmarks`` prints all tables; ``--check`` exits with 1 where a target is missed.
"""

import argparse
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("codec", "transport", "bus", "session", "live")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "programs", nargs="*", metavar="NAME", help=f"of {', '.join(PROGRAMS)}; all by default"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.programs if name not in PROGRAMS]:
        parser.error(f"no benchmark named {', '.join(unknown)}: choose from {', '.join(PROGRAMS)}")
    failed: list[str] = []
    for name in chosen.programs or PROGRAMS:
        print(f"==== {name}\n", flush=True)
        program = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *["--check"] * chosen.check]
        if subprocess.run(program, check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"not as it should be: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
