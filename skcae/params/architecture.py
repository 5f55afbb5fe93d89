"""What an autoencoder is built of, in one record of plain values."""

import math
from dataclasses import asdict, dataclass, fields

from .stage import Stage, map_sizes, one_per_stage

# Parameters of the transformer that may have one value per stage.
STAGE_PARAMETERS = (
    "n_filters",
    "kernel_size",
    "stride",
    "pool_size",
    "activation",
    "depthwise",
)


# Of what rebuilds samples from pooled features: more patterns or directions rebuild
# little more, and those of large samples would fill the memory.
_MAX_ATOMS = 256
_MAX_ATOM_VALUES = 2**23
_MAX_REDUCED = 3072


@dataclass(frozen=True)
class Architecture:
    """Stages of an autoencoder, the samples they are for, and what features are.

    Two architectures are equal, and have the same hash, where all their values are.

    Parameters
    ----------
    stages : sequence of Stage
        The encoder, input first; the decoder mirrors it.
    spatial : tuple of int
        Spatial shape of one sample. Its length picks convolutions in one, two or three
        dimensions.
    n_channels : int, default=1
        Number of channels of a sample.
    output_activation : str, default="identity"
        Activation of the reconstruction, in standardised units.
    tied_weights : bool, default=False
        Whether the decoder uses the encoder's filters.
    n_components : int or None, default=None
        Width of a dense code; None: the code is the last feature maps.
    corruption : {"mask", "gaussian", "salt_and_pepper"} or None, default=None
        Noise on the input in training mode.
    corruption_level : float, default=0.3
        Amount of that noise.
    pooling : {"max", "avg"} or None, default=None
        How feature maps are pooled over a grid: to become features, or before the
        dense code, which then does not depend on the size of the samples either.
    pool_grid : int or tuple of int, default=2
        Cells per spatial axis of that grid; one number, or one per pooled stage.
    whitening : tuple of int or None, default=None
        Spatial shape of the filters that whiten samples first.
    feature_stages : {"last", "all"}, default="last"
        The stages whose pooled maps are features.
    power : float, default=1.0
        What the absolute values of pooled features are raised to.
    trains_dense_code : bool, default=True
        Whether a dense code is trained together with all stages. If not, it is computed
        when they have been trained. It is False where no dense code can be trained:
        there is none, or it is not made from plain maps of one stage.
    """

    stages: tuple[Stage, ...]
    spatial: tuple[int, ...]
    n_channels: int = 1
    output_activation: str = "identity"
    tied_weights: bool = False
    n_components: int | None = None
    corruption: str | None = None
    corruption_level: float = 0.3
    pooling: str | None = None
    pool_grid: int | tuple[int, ...] = 2
    whitening: tuple[int, ...] | None = None
    feature_stages: str = "last"
    power: float = 1.0
    trains_dense_code: bool = True

    def __post_init__(self):
        """Make tuples of all sequences, which have a hash, and see what is trained."""
        sequences = {
            "stages": tuple(self.stages),
            "spatial": tuple(self.spatial),
            "pool_grid": one_per_stage(self.pool_grid, self.n_pooled),
        }
        if self.whitening is not None:
            sequences["whitening"] = tuple(self.whitening)
        for name, value in sequences.items():
            object.__setattr__(self, name, value)
        is_trainable = (
            self.n_components is not None and self.n_pooled == 1 and self.power == 1
        )
        object.__setattr__(
            self, "trains_dense_code", bool(self.trains_dense_code and is_trainable)
        )

    @property
    def n_axes(self) -> int:
        """Number of spatial axes."""
        return len(self.spatial)

    @property
    def n_pooled(self) -> int:
        """Number of stages whose maps would be pooled over a grid."""
        return len(self.stages) if self.feature_stages == "all" else 1

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """Spatial shapes from the samples to the last feature maps."""
        return map_sizes(self.spatial, self.stages)

    @property
    def channels(self) -> tuple[int, ...]:
        """Number of channels of the samples, then of the maps of each stage."""
        channels = [self.n_channels]
        for stage in self.stages:
            channels.append(stage.n_maps(channels[-1]))
        return tuple(channels)

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape (C, *spatial) of the last feature maps."""
        return (self.channels[-1], *self.sizes[-1])

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of one sample's code."""
        if self.n_components is None and self.pooling is None:
            return self.map_shape
        return (self.n_features,)

    @property
    def pooled_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes (C, *grid) of the pooled maps of each stage whose maps are pooled."""
        if self.pooling is None:
            return ()
        pooled = zip(self.channels[-self.n_pooled :], self.pool_grid, strict=True)
        return tuple((n_maps, *(cells,) * self.n_axes) for n_maps, cells in pooled)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """Shape of one sample's features, or of what its dense code is made from."""
        shapes = self.pooled_shapes or (self.map_shape,)
        return shapes[0] if len(shapes) == 1 else (sum(map(math.prod, shapes)),)

    @property
    def n_features(self) -> int:
        """Number of features of one sample."""
        return self.n_components or math.prod(self.feature_shape)

    @property
    def computes_dense_code(self) -> bool:
        """Whether there is a dense code that is not trained."""
        return self.n_components is not None and not self.trains_dense_code

    @property
    def decodes_features(self) -> bool:
        """Whether samples are rebuilt from pooled features, not from maps."""
        return self.pooling is not None and not self.trains_dense_code

    @property
    def n_atoms(self) -> int:
        """Number of patterns that samples are rebuilt from, given their features."""
        n_values = self.n_channels * math.prod(self.spatial)
        return max(1, min(_MAX_ATOMS, n_values, _MAX_ATOM_VALUES // n_values))

    @property
    def reduced_channels(self) -> tuple[tuple[int, int], ...]:
        """Numbers of channels, reduced and given, of all forms of pooled maps.

        Features are seen as they are and, if they are powers of means, also as means.
        """
        n_forms = 1 if self.power == 1 else 2
        n_cells = n_forms * sum(math.prod(grid) for _, *grid in self.pooled_shapes)
        most = max(1, _MAX_REDUCED // n_cells)
        return tuple(
            (min(most, n_maps), n_maps)
            for n_maps, *_ in self.pooled_shapes
            for _ in range(n_forms)
        )

    @property
    def n_reduced(self) -> int:
        """Number of values of all reduced channels together."""
        shapes = self.pooled_shapes
        n_forms = len(self.reduced_channels) // len(shapes)
        cells = [math.prod(grid) for _, *grid in shapes for _ in range(n_forms)]
        return sum(
            n_channels * n_cells
            for (n_channels, _), n_cells in zip(
                self.reduced_channels, cells, strict=True
            )
        )

    def n_weights_of_stage(self, number: int) -> int:
        """Return the number of weights of an encoder stage and of its decoder."""
        stage = self.stages[number]
        n_in = 1 if stage.depthwise else self.channels[number]
        n_weights = stage.n_filters * n_in * stage.kernel_size**self.n_axes
        if self.tied_weights:
            return n_weights
        side, _ = stage.decoder_filter(self.sizes[number])
        return n_weights + stage.n_filters * stage.n_signs * n_in * side**self.n_axes

    @property
    def n_weights_of_dense_code(self) -> int:
        """Number of weights of the dense code and of the way back; 0 without one."""
        return 2 * (self.n_components or 0) * math.prod(self.feature_shape)

    def n_values_of_stage(self, number: int) -> int:
        """Return the number of values of a stage's maps of one sample, not pooled."""
        sizes = map(self.stages[number].convolved, self.sizes[number])
        return self.channels[number + 1] * math.prod(sizes)

    def as_dict(self) -> dict:
        """Return the values as a dict of builtin types, which files may hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "Architecture":
        """Return the architecture that `as_dict` describes.

        Parameters
        ----------
        values : dict
            As `as_dict` returns it.

        Raises
        ------
        ValueError
            If it has other names.
        """
        stages = tuple(_from_dict(Stage, stage) for stage in values.get("stages", ()))
        return _from_dict(cls, values | {"stages": stages})


def _from_dict(record, values):
    names = {field.name for field in fields(record)}
    if values.keys() != names:
        raise ValueError(
            f"Got {record.__name__.lower()} with the values {sorted(values)}; expected "
            f"{sorted(names)}. Store it again with this release."
        )
    return record(**values)
