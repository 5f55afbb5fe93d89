"""How channels are scaled, so that the output of the net can reach them."""

from .activations import ACTIVATIONS


def resolve_scale(output_activation, moments):
    """Return the centre and unit that bring each channel into the output's bounds.

    Parameters
    ----------
    output_activation : str
        Activation of the reconstruction.
    moments : dict of ndarray
        Smallest and largest value, mean and deviation of each channel, see `moments`
        in `skcae.data.statistics`.

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
