"""How channels are scaled, so that the output of the net can reach them."""

from .activations import ACTIVATIONS


def resolve_scale(output_activation, moments):
    """Return centre and unit per channel, so that the output can reach the data.

    Parameters
    ----------
    output_activation : str
        What bounds the reconstruction.
    moments : dict of ndarray
        As `Samples.moments` gives them.

    Returns
    -------
    mean, scale : ndarray of shape (n_channels,)
    """
    low, high = moments["channel_min"], moments["channel_max"]
    least, largest = ACTIVATIONS[output_activation].bounds
    if None not in (least, largest):
        scale = (high - low) / (largest - least)
        mean = (low * largest - high * least) / (largest - least)
    else:
        scale = moments["channel_std"].copy()
        mean = moments["channel_mean"] if least is None else low
    scale[scale == 0] = 1.0
    return mean, scale
