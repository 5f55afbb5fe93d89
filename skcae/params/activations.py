"""The table of activations: a new one is a row here."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Activation:
    """A function of feature maps or of the reconstruction.

    Parameters
    ----------
    name : str
        What users call it.
    torch : str
        Name of the function in `torch`, or a path there, such as
        "nn.functional.softplus". If possible it overwrites its input: no layer needs
        that again, and memory traffic is what activations cost.
    onnx : str
        Name of the operator in ONNX.
    bounds : tuple of (float or None, float or None)
        Smallest and largest value; None where there is none.
    is_output : bool, default=False
        Whether it may be the activation of the reconstruction.
    inverse : callable, default=None
        Function of a tensor that undoes it. It uses nothing but methods of the tensor.
        None: the activation leaves values within the bounds as they are, or nearly.
    is_monotone : bool, default=False
        Whether no larger response has a smaller value.
    has_threshold : bool, default=False
        Whether a threshold is subtracted from the responses of each filter first.
    n_signs : int, default=1
        2: it is applied to the responses, then to their negatives, so that a filter
        has two maps.
    subtracts_mean : bool, default=False
        Whether the mean of all maps of a stage is subtracted from its responses first.
        A decoder that rebuilds such maps does not do that.
    check : callable, default=None
        Raises ValueError for a `Stage` that cannot have this activation.
    """

    name: str
    torch: str
    onnx: str
    bounds: tuple[float | None, float | None]
    is_output: bool = False
    inverse: Callable | None = None
    is_monotone: bool = False
    has_threshold: bool = False
    n_signs: int = 1
    subtracts_mean: bool = False
    check: Callable | None = None


def _check_triangle(stage):
    if stage.depthwise or stage.n_filters < 2:
        raise ValueError(
            f"Got activation='triangle' with n_filters={stage.n_filters} and "
            f"depthwise={stage.depthwise}; expected at least two filters that see all "
            "maps, as each is compared with the mean of all. Choose another activation."
        )


_ROWS = (
    Activation(
        "relu", "relu_", "Relu", bounds=(0, None), is_output=True, is_monotone=True
    ),
    Activation(
        "tanh",
        "tanh_",
        "Tanh",
        bounds=(-1, 1),
        is_output=True,
        inverse=lambda y: y.atanh(),
        is_monotone=True,
    ),
    Activation(
        "sigmoid",
        "sigmoid_",
        "Sigmoid",
        bounds=(0, 1),
        is_output=True,
        inverse=lambda y: y.logit(),
        is_monotone=True,
    ),
    Activation(
        "identity",
        "positive",
        "Identity",
        bounds=(None, None),
        is_output=True,
        is_monotone=True,
    ),
    Activation("abs", "abs", "Abs", bounds=(0, None), is_output=True),
    Activation(
        "two_sided",
        "relu_",
        "Relu",
        bounds=(0, None),
        is_monotone=True,
        has_threshold=True,
        n_signs=2,
    ),
    Activation(
        "soft_threshold",
        "relu_",
        "Relu",
        bounds=(0, None),
        is_monotone=True,
        has_threshold=True,
    ),
    Activation(
        "triangle",
        "relu_",
        "Relu",
        bounds=(0, None),
        subtracts_mean=True,
        check=_check_triangle,
    ),
)
ACTIVATIONS = {row.name: row for row in _ROWS}
