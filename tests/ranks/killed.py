"""A fit of two ranks, of which the second is killed in the middle of an epoch."""

import os
import signal

from fits import DATA, make
from skorch.callbacks import Callback

import skcae


class Kill(Callback):
    def on_batch_end(self, net, **kwargs):
        if os.environ["RANK"] == "1" and len(net.history) == 2:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with skcae.data_parallel():
        make(callbacks=[Kill()], batch_size=16).fit(DATA)
