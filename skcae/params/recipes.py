"""Keyword sets that work well for a kind of data."""

from collections.abc import Mapping
from difflib import get_close_matches

# Small filters, pooling, and training by backpropagation: what a tutorial builds.
TUTORIAL = {
    "whiten": None,
    "n_filters": 64,
    "kernel_size": 3,
    "stride": 1,
    "padding": "same",
    "pool_size": 2,
    "pool_mode": "max",
    "depthwise": False,
    "activation": "relu",
    "threshold": 0.5,
    "corruption": None,
    "corruption_level": 0.3,
    "sparsity": None,
    "sparsity_level": 0.1,
    "crop_size": None,
    "init": "random",
    "layerwise": False,
    "pooling": None,
    "pool_grid": 2,
    "feature_stages": "last",
    "power": 1.0,
    "lr": 0.005,
    "max_epochs": 20,
    "max_samples": None,
}
# Of one value per stage, the first is that of the first stage, and the last one that of
# all further stages.
_STACK = {
    "n_filters": (32, 8),
    "depthwise": (False, True),
    "activation": ("two_sided", "abs"),
    "threshold": 0.5,
    "pool_size": (2, 1),
    "pool_mode": "avg",
    "layerwise": True,
    "sparsity": "winner_take_all",
    "sparsity_level": 0.1,
    "init": "convolutional_kmeans",
    "lr": 0.01,
    "max_epochs": 0,
    "max_samples": 6400,
    "pooling": "avg",
    "feature_stages": "all",
    "power": 0.5,
}
_TEXTBOOK = {"padding": "full", "pool_size": 1, "activation": "tanh"}


class UnknownRecipeError(KeyError):
    """There is no recipe of that name."""

    def __str__(self):
        """Return the message as it is, without the quotes of a key."""
        return self.args[0]


def unknown_recipe(name, names):
    """Return the error that there is no recipe of a name, given all names."""
    alike = get_close_matches(str(name), names, n=1)
    action = f"Did you mean {alike[0]!r}?" if alike else "Choose one of them."
    return UnknownRecipeError(f"Got recipe {name!r}; expected one of {names}. {action}")


class Recipes(Mapping):
    """Keyword arguments of the transformer, by the kind of data.

    Every lookup gives a new dict, to be changed at will: all parameters whose default
    is "auto", with the values that ``recipe=name`` stands for.

    ``"grey"``, ``"colour"``, ``"signal"``, ``"volume"``
        Features for a linear classifier: whitened samples, filters that k-means finds
        wherever they are in windows of the samples, a second stage of a few filters on
        every map, and the pooled maps of both. `max_epochs` trains the filters further,
        by winner-take-all.
    ``"medium"``
        As "grey", with smaller filters: for images of less than 20 pixels a side.
    ``"small"``
        For images of less than 12 pixels a side: one stage, whose filters k-means finds
        among patches.
    ``"tutorial"``
        One layer of 64 filters of side 3 with pooling, trained by backpropagation;
        features are its maps.
    ``"textbook"``
        One layer of 32 filters, zeros of ``kernel_size - 1`` around the samples.
    ``"textbook_stacked"``
        Three such layers, each trained on the pooled code of the one before; features
        are the code of the last.
    ``"textbook_denoising"``
        The first of them, trained to rebuild clean samples from noisy ones.

    Examples
    --------
    >>> import skcae
    >>> params = skcae.recipes["grey"]
    >>> params["n_filters"]
    (32, 8)
    >>> cae = skcae.ConvAutoencoderTransformer(**params | {"n_filters": (16, 8)})
    """

    def __init__(self, recipes):
        self._recipes = {name: TUTORIAL | recipe for name, recipe in recipes.items()}

    def __getitem__(self, name):
        """Return the keyword arguments of one recipe."""
        if name not in self._recipes:
            raise unknown_recipe(name, list(self._recipes))
        return dict(self._recipes[name])

    def __iter__(self):
        """Iterate over the names."""
        return iter(self._recipes)

    def __len__(self):
        """Return the number of recipes."""
        return len(self._recipes)

    def __repr__(self):
        """Show names and keyword arguments."""
        return f"{type(self).__name__}({self._recipes!r})"


recipes = Recipes(
    {
        "grey": _STACK
        | {"kernel_size": 7, "whiten": 1.0, "sparsity_level": 0.03, "pool_grid": 4},
        "medium": _STACK
        | {"kernel_size": 5, "whiten": 1.0, "sparsity_level": 0.03, "pool_grid": 4},
        "colour": _STACK
        | {
            "channel_axis": -1,
            "n_filters": (64, 8),
            "kernel_size": 7,
            "whiten": 0.1,
            "sparsity_level": 0.03,
            "crop_size": 14,
            "pool_grid": (4, 3),
        },
        "small": {
            "n_filters": 128,
            "kernel_size": 3,
            "pool_size": 1,
            "whiten": 0.1,
            "activation": "abs",
            "init": "kmeans",
            "max_epochs": 0,
            "pooling": "avg",
            "pool_grid": 4,
            "power": 0.5,
        },
        "signal": _STACK
        | {"kernel_size": 9, "whiten": 0.1, "threshold": 0.1, "pool_grid": (8, 4)},
        "volume": _STACK
        | {
            "n_filters": (8, 4),
            "kernel_size": 5,
            "whiten": 10.0,
            "crop_size": 14,
            "pool_grid": (4, 2),
        },
        "tutorial": {},
        "textbook": _TEXTBOOK | {"n_filters": 32},
        "textbook_stacked": _TEXTBOOK
        | {"n_filters": (32, 32, 32), "pool_size": 2, "layerwise": True},
        "textbook_denoising": _TEXTBOOK
        | {"n_filters": 32, "corruption": "mask", "corruption_level": 0.3},
    }
)

_FEW_FILTERS = {
    "n_filters": (16, 4),
    "feature_stages": "last",
    "init": "random",
    "sparsity_level": 0.1,
    "max_epochs": 3,
}
# What is fine is not what normal images have in common.
_COARSE = {"whiten": 10.0, "threshold": 1.0}
# What the outlier detector is made of where users pass nothing. A code too narrow for
# anything but what the samples have in common:
DETECTOR_RECONSTRUCTION = {
    "recipe": "tutorial",
    "n_filters": (16, 32),
    "n_components": 16,
    "max_samples": 1280,
}
# Features, by the number of spatial axes.
DETECTOR_FEATURES = {
    1: _FEW_FILTERS
    | {"recipe": "signal", "kernel_size": 15, "whiten": None, "pool_grid": 8},
    2: _FEW_FILTERS | _COARSE | {"recipe": "grey", "pool_grid": 3},
    3: _FEW_FILTERS | _COARSE | {"recipe": "volume", "pool_grid": 2},
}
