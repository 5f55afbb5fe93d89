"""One record of what a fit leaves behind besides public attributes."""

from dataclasses import asdict, dataclass, fields, replace

from ..data.layout import Layout
from ..params.architecture import Architecture


@dataclass(eq=False)
class Fitted:
    """What a fit leaves behind besides public attributes.

    It holds either a live net or the weights from which the net can be rebuilt.

    Parameters
    ----------
    architecture : Architecture
        Architecture of the autoencoder; a classifier uses its encoder.
    layout : Layout
        Layout of the training samples.
    has_rows : bool
        Whether the training samples were flattened into rows.
    net_arguments : dict
        Further arguments that the net is made with, as plain values.
    learning : dict or None, default=None
        How filters are learnt, see `learning_params`; None for a classifier.
    seed : int or None, default=None
        Seed of the fit; None before it is drawn.
    net : BaseNet or None, default=None
        Live net.
    weights : dict of ndarray or None, default=None
        State of the module, if there is no live net.
    """

    architecture: Architecture
    layout: Layout
    has_rows: bool
    net_arguments: dict
    learning: dict | None = None
    seed: int | None = None
    net: object = None
    weights: dict | None = None

    @property
    def takes_any_size(self):
        """Whether N-D samples of other spatial shapes than in `fit` can be encoded."""
        return self.architecture.pooling is not None

    def without_net(self):
        """Return a record with weights instead of a live net."""
        if self.net is None:
            return replace(self)
        from .weights import weights_as_numpy

        return replace(self, net=None, weights=weights_as_numpy(self.net.module_))

    def as_dict(self):
        """Return the record as builtin types and arrays, for files."""
        values = vars(self.without_net()) | {
            "architecture": self.architecture.as_dict(),
            "layout": asdict(self.layout),
        }
        del values["net"]
        return values

    @classmethod
    def from_dict(cls, values):
        """Return the record that `as_dict` describes.

        Parameters
        ----------
        values : dict
            As `as_dict` returns it.

        Raises
        ------
        ValueError
            If it does not describe a record, or one that contradicts itself.
        """
        expected = {item.name for item in fields(cls)} - {"net"}
        if not isinstance(values, dict) or values.keys() != expected:
            found = sorted(values) if isinstance(values, dict) else values
            raise ValueError(
                f"Got a fitted model with {found}; expected {sorted(expected)}. Fit "
                "again, or load a file that this release has written."
            )
        try:
            architecture = Architecture.from_dict(values["architecture"])
            layout = Layout(**values["layout"])
            sizes = architecture.n_features, layout.n_features
        except (ArithmeticError, AttributeError, IndexError, TypeError) as error:
            raise ValueError(
                f"Got a fitted model whose sizes are none ({error}); expected numbers. "
                "Load the file that fit has made."
            ) from error
        here = (layout.spatial, layout.n_channels)
        there = (architecture.spatial, architecture.n_channels)
        if min(sizes) < 1 or here != there:
            raise ValueError(
                f"Got a fitted model of samples with spatial shape and channels {here} "
                f"whose net is for {there}; expected them to be equal. Load the file "
                "that fit has made."
            )
        return cls(**values | {"architecture": architecture, "layout": layout})
