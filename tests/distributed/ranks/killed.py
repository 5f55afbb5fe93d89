"""A fit of two ranks, of which the second is killed in the middle of an epoch, once."""

import os
import pickle
import signal
import sys
from pathlib import Path

from fits import DATA, make, summary
from skorch.callbacks import Callback

import skcae


class Kill(Callback):
    """Ends the process as no error handler notices."""

    def on_batch_end(self, net, **kwargs):
        is_first_start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
        if is_first_start and os.environ["RANK"] == "1" and len(net.history) == 2:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder):
    """Write what this rank has found into a folder."""
    cae = make(callbacks=[Kill()], batch_size=16, checkpoint=Path(folder, "fit"))
    with skcae.data_parallel() as ranks:
        cae.fit(DATA)
    Path(folder, f"{ranks.rank}.pickle").write_bytes(pickle.dumps(summary(cae)))


if __name__ == "__main__":
    main(sys.argv[1])
