"""What has been drawn."""

import numpy as np


def image_of(axis):
    """Return the only image on axes."""
    (image,) = axis.images
    return np.asarray(image.get_array())
