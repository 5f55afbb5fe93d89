"""A fit within a group that the script itself has made, by Accelerate or by torch."""

import pickle
import sys
from pathlib import Path

from fits import CONFIGURATIONS, DATA, make, summary

import skcae


def main(folder, maker):
    if maker == "accelerate":
        from accelerate import Accelerator

        Accelerator(cpu=True)
    else:
        from torch import distributed

        distributed.init_process_group("gloo")
    with skcae.data_parallel() as ranks:
        found = summary(make(**CONFIGURATIONS["one left over"]).fit(DATA))
    # The group is still there.
    from torch import distributed

    distributed.barrier()
    found["rank"], found["size"] = ranks.rank, ranks.size
    Path(folder, f"{ranks.rank}.pickle").write_bytes(pickle.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
