"""How long importing skcae takes, against importing what it stands on.

    python benchmarks/bench_import.py [--repeats 7]

Every import runs in a fresh interpreter, whose own start is not counted.  "with fit's
imports" adds what the first fit imports: torch and skorch.  Figures are ratios of
seconds, medians with quartiles.
"""

import subprocess
import sys

import numpy as np
from _script import make_parser, parse
from _timing import interleave, ratio

STATEMENTS = {
    "skcae": "import skcae",
    "skcae with fit's imports": "import skcae, skcae.training.loop",
    "torch, sklearn, skorch": "import torch, sklearn.base, skorch",
}
CLOCK = "from time import perf_counter as now; start = now(); {}; print(now() - start)"


def seconds_of(statement):
    """Return how long a statement takes in a fresh interpreter."""
    command = [sys.executable, "-c", CLOCK.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    """Print a table."""
    arguments = parse(make_parser(__doc__, repeats=7))
    calls = {
        name: lambda statement=statement: seconds_of(statement)
        for name, statement in STATEMENTS.items()
    }
    _, seconds = interleave(calls, arguments.repeats, warm_up=not arguments.quick)
    *ours, theirs = STATEMENTS
    print(f"{theirs}: {np.median(seconds[theirs]):.2f} s")
    for name in ours:
        print(f"{name} / {theirs}: {ratio(seconds[name], seconds[theirs])}")


if __name__ == "__main__":
    main()
