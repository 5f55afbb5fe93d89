"""Arithmetic of sizes along one spatial axis; needs neither numpy nor torch."""

from dataclasses import dataclass

from .activations import ACTIVATIONS


@dataclass(frozen=True)
class Stage:
    """One encoder stage: a convolution, its pooling and its activation.

    Every method maps sizes along one spatial axis; all axes are treated alike.

    Parameters
    ----------
    n_filters : int
        Number of filters.
    kernel_size : int
        Side of the filters.
    stride : int
        Step of the filters.
    pool_size : int
        Side of the pooling windows; 1: no pooling.
    padding : {"same", "valid", "full"}
        How many zeros surround the input.
    activation : str
        Name of the nonlinearity.
    depthwise : bool, default=False
        Whether the filters are applied to every map of the input separately.
    pool_mode : {"max", "avg"}, default="max"
        What pooling keeps of a window.
    """

    n_filters: int
    kernel_size: int
    stride: int
    pool_size: int
    padding: str
    activation: str
    depthwise: bool = False
    pool_mode: str = "max"

    @property
    def n_signs(self) -> int:
        """Number of maps that the activation makes of one."""
        return ACTIVATIONS[self.activation].n_signs

    def n_maps(self, n_in: int) -> int:
        """Return the number of maps that the stage makes of `n_in`."""
        return self.n_filters * self.n_signs * (n_in if self.depthwise else 1)

    @property
    def zeros(self) -> tuple[int, int]:
        """Zeros added before and after the input."""
        reach = self.kernel_size - 1
        if self.padding == "same":
            return reach // 2, reach - reach // 2
        return (reach, reach) if self.padding == "full" else (0, 0)

    @property
    def reduction(self) -> int:
        """Input positions per position of the pooled map."""
        return self.stride * self.pool_size

    def fits(self, size: int) -> bool:
        """Whether the filter fits into the padded input."""
        return size + sum(self.zeros) >= self.kernel_size

    def convolved(self, size: int) -> int:
        """Size of the map before pooling."""
        return (size + sum(self.zeros) - self.kernel_size) // self.stride + 1

    def pooled(self, size: int) -> int:
        """Size of the map behind the pooling, which drops no position."""
        return -(-self.convolved(size) // self.pool_size)

    def upsampling(self) -> tuple[int, int]:
        """Kernel size and offset of the transposed convolution that undoes the stage.

        Every code position writes where it has read: the kernel is the field of view
        of the pooled convolution, or one block where the stride skips positions.
        """
        gap = self.stride - self.kernel_size
        if gap > 0:
            return self.reduction, self.zeros[0] + gap // 2
        return self.reduction - gap, self.zeros[0]

    def decoder_filter(self, spatial) -> tuple[int, int]:
        """Side of the decoder's filters, and the place of their centre.

        Filters larger than samples are cut to those values that can connect a position
        of the code with one of the output.

        Parameters
        ----------
        spatial : tuple of int
            Spatial shape of the stage's input, which the decoder gives back.

        Returns
        -------
        side, offset : int
            The value at `offset` connects the first position of the code with the
            first one of the output.
        """
        codes = [self.pooled(length) - 1 for length in spatial]
        outputs = [length - 1 for length in spatial]
        if self.reduction == 1:
            side = self.kernel_size
            offset = side - 1 - self.zeros[0]
            before, after = max(outputs), max(codes)
        else:
            side, offset = self.upsampling()
            before, after = self.reduction * max(codes), max(outputs)
        first, last = max(0, offset - before), min(side - 1, offset + after)
        return last - first + 1, offset - first


def one_per_stage(value, n_stages) -> tuple:
    """Return `value` for each of `n_stages`; sequences are one per stage already."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n_stages


def as_sequence(value) -> tuple:
    """Return the values of a parameter that has one for all stages, or one for each."""
    return one_per_stage(value, 1)


def clip_kernel(kernel, spatial):
    """Return the largest odd sides of at most `kernel` that fit into a sample.

    Parameters
    ----------
    kernel : tuple of int
        Wanted sides.
    spatial : tuple of int
        Spatial shape of one sample.
    """
    sides = (min(pair) for pair in zip(kernel, spatial, strict=True))
    return tuple(side - 1 + side % 2 for side in sides)


def map_sizes(shape, stages) -> list[tuple[int, ...]]:
    """Spatial shapes from the input to the last feature map.

    Parameters
    ----------
    shape : tuple of int
        Spatial shape of one sample.
    stages : sequence of Stage
        The encoder.

    Returns
    -------
    shapes : list of tuple of int
        ``len(stages) + 1`` shapes, the input's first.

    Raises
    ------
    ValueError
        If a filter is larger than its padded input.
    """
    shapes = [tuple(shape)]
    for number, stage in enumerate(stages, start=1):
        here = shapes[-1]
        if not all(stage.fits(size) for size in here):
            raise ValueError(
                f"Got samples of spatial shape {shapes[0]} but stage {number} puts a "
                f"filter of kernel_size={stage.kernel_size} on maps of shape {here} "
                f"with padding={stage.padding!r}; expected filters no larger than the "
                "padded maps. Use padding='same', a smaller kernel_size, or fewer "
                "stages."
            )
        shapes.append(tuple(stage.pooled(size) for size in here))
    return shapes
