"""The table of ways in which filters start: a new one is a row and its function."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FilterStart:
    """How filters start.

    Parameters
    ----------
    name : str
        What users call it.
    function : str, default=None
        Module and function in `skcae.training`, of patches, the number of filters and
        what draws. None: filters remain random numbers.
    sees_windows : bool, default=False
        Whether it gets windows of nearly twice the side of the filters instead of
        patches, and their spatial shape as its second argument.
    """

    name: str
    function: str | None = None
    sees_windows: bool = False

    @property
    def sees_samples(self) -> bool:
        """Whether filters already fit the samples when they start."""
        return self.function is not None


_ROWS = (
    FilterStart("random"),
    FilterStart("patches", "filter_starts.patch_filters"),
    FilterStart("kmeans", "filter_starts.kmeans_filters"),
    FilterStart(
        "convolutional_kmeans",
        "convolutional_kmeans.convolutional_kmeans_filters",
        sees_windows=True,
    ),
)
FILTER_STARTS = {row.name: row for row in _ROWS}
