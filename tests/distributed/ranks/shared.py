"""What torchrun runs for test_ranks.py: every rank writes down what it has found."""

import pickle
import sys
from pathlib import Path

import failures
import fits

import skcae


def main(folder):
    """Write what this rank has found into a folder."""
    with skcae.data_parallel() as ranks, skcae.data_parallel() as again:
        found = {
            "rank": (ranks.rank, ranks.size),
            "nested": (again.rank, again.size),
            "fits": fits.all_fits(),
            "rows read": fits.rows_read(),
            "search": fits.searched(),
            "detector": fits.detected(),
            "failures": failures.one_after_the_other(ranks.rank, folder),
            "spoken": failures.spoken(),
            "unseeded": fits.summary(fits.make(random_state=None).fit(fits.DATA)),
            "threads": failures.in_threads(),
        }
    # What is not in the block is not shared.
    if ranks.rank == 1:
        fits.make().fit(fits.DATA[:60])
    Path(folder, f"{ranks.rank}.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
