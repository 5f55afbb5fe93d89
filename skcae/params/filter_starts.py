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
        Name of the function in `skcae.training.filter_starts`, of patches, the number
        of filters and what draws. None: filters remain random numbers.
    """

    name: str
    function: str | None = None

    @property
    def sees_samples(self) -> bool:
        """Whether filters already fit the samples when they start."""
        return self.function is not None


_ROWS = (
    FilterStart("random"),
    FilterStart("patches", "patch_filters"),
    FilterStart("kmeans", "kmeans_filters"),
)
FILTER_STARTS = {row.name: row for row in _ROWS}
