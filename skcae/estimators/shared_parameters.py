"""Texts about parameters that several estimators have, each written once."""

import inspect
import re
import textwrap

from ..params.constraints import CHOICES

_WIDTH = 88
# A line of its own in a docstring; indented lines behind it go on with the text.
_PLACEHOLDER = re.compile(r"^%\((\w+)\)s$((?:\n    .+)*)", flags=re.MULTILINE)
# Stands for the names in a table.
_VALUES = re.compile(r"%\(values of (\w+)\)s")
# Type and description, by name. The default is that of the signature.
_TEXTS = {
    "optimizer": ("%(values of optimizer)s", "Optimizer of PyTorch."),
    "lr": ("float", "Learning rate."),
    "weight_decay": ("float", "Weight decay of the optimizer."),
    "batch_size": (
        "int",
        """
        Samples per training step, of all processes together in a `data_parallel`
        block. No sample is dropped.
        """,
    ),
    "early_stopping": (
        "bool",
        """
        Whether to hold out a share of the samples, to stop when the loss on them does
        not improve, and to restore the weights of the best epoch, from memory. If
        False, training stops when the training loss does not improve.
        """,
    ),
    "validation_fraction": (
        "float",
        "Share of the samples that `early_stopping` holds out.",
    ),
    "n_iter_no_change": (
        "int",
        "Epochs without improvement after which training stops.",
    ),
    "tol": ("float", "Smallest decrease of the loss that counts as an improvement."),
    "callbacks": (
        "list of skorch callbacks",
        """
        Called during training. Deep copies are used: what they gather in attributes is
        found in ``net_.callbacks_``. They share with yours only what cannot be copied,
        such as an open file.
        """,
    ),
    "net_params": (
        "dict",
        """
        Further arguments of skorch's `NeuralNet`, such as ``{"optimizer__betas": (0.9,
        0.99)}``. If `X` is a torch Dataset, "iterator_train__num_workers" is the number
        of processes that load samples in `fit`, and "iterator_valid__num_workers" the
        number of those that load samples in all other methods.
        """,
    ),
    "verbose": (
        "int",
        """
        1 shows a progress bar with a step per epoch. 2 also prints skorch's table of
        losses.
        """,
    ),
    "device": (
        "str or torch.device",
        """
        Where to compute: "cpu", "cuda", or any device of PyTorch. "auto" takes a GPU if
        there is one.
        """,
    ),
    "precision": (
        '{"auto", "float32", "tf32", "bfloat16"}',
        """
        How exactly convolutions are computed. Everything else is computed in float32.
        "float32" is exact. "tf32" rounds the factors of a product to 11 bits on GPUs
        that can do so, and changes nothing elsewhere. "bfloat16" rounds them to 8 bits
        in training, on any device; all that follows a fit then uses TF32. "auto" is
        "bfloat16" on NVIDIA GPUs since Ampere, and "float32" elsewhere.
        """,
    ),
    "compile": (
        "bool",
        """
        Whether training and all that follows it go through :func:`torch.compile`. The
        first fit of an architecture then takes seconds to minutes longer. Those that
        follow in the same process are faster on a GPU.
        """,
    ),
}


def fill_in_shared_parameters(cls):
    """Replace placeholders in the docstring of a class by the texts that they name.

    A placeholder such as ``%(lr)s`` stands in place of an entry of the section
    "Parameters". Text behind it that is indented belongs to this class alone, and
    follows the shared text. ``%(values of loss)s`` stands for the names that the
    parameter `loss` may have.

    Parameters
    ----------
    cls : type
        An estimator.

    Returns
    -------
    cls : type
        The same, with its whole docstring.
    """
    parameters = inspect.signature(cls).parameters

    def entry(match):
        name, more = match.groups()
        kind, text = _TEXTS[name]
        default = parameters[name].default
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        words = " ".join([*text.split(), *more.split()])
        lines = textwrap.wrap(
            words,
            _WIDTH - 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return f"{name} : {kind}, default={shown}\n" + textwrap.indent(
            "\n".join(lines), "    "
        )

    def values(match):
        names = CHOICES[match.group(1)]
        return "{" + ", ".join(f'"{name}"' for name in names) + "}"

    if cls.__doc__ is not None:  # as it is with python -OO
        text = _PLACEHOLDER.sub(entry, inspect.cleandoc(cls.__doc__))
        cls.__doc__ = _VALUES.sub(values, text) + "\n"
    return cls
