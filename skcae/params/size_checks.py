"""Whether a module can fit into the memory at all."""

import math

from ..utils.memory import total_memory

_BYTES = 4  # of float32
_GB = 1e9


def check_size(architecture):
    """Raise ValueError if weights, or maps of one sample, are larger than the memory.

    What fits may still be too large together with gradients, batches and other
    processes; that shows when it is computed.
    """
    memory = total_memory()
    if memory is None:
        return
    n_dense = architecture.n_weights_of_dense_code
    if _BYTES * n_dense > memory:
        raise ValueError(
            f"Got n_components={architecture.n_components} for "
            f"{math.prod(architecture.feature_shape)} values of maps "
            f"({_in_gb(n_dense)} of weights); expected weights that fit into the "
            f"memory of {memory / _GB:.1f} GB. Lower n_components, or pool the maps."
        )
    for number, stage in enumerate(architecture.stages):
        sizes = {
            "weights": architecture.n_weights_of_stage(number),
            "maps of each sample": architecture.n_values_of_stage(number),
        }
        for name, n_values in sizes.items():
            if _BYTES * n_values > memory:
                raise ValueError(
                    f"Got n_filters={stage.n_filters} and kernel_size="
                    f"{stage.kernel_size} in stage {number + 1} ({_in_gb(n_values)} of "
                    f"{name}); expected {name} that fit into the memory of "
                    f"{memory / _GB:.1f} GB. Lower n_filters or kernel_size."
                )


def _in_gb(n_values):
    return f"{_BYTES * n_values / _GB:.1f} GB"
