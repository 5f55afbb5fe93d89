"""Calls that do not fit the fitted transformer."""

import numpy as np
import pytest

from .conftest import (
    COLOURS,
    DTYPE,
    FINITE,
    FLAT,
    FRAME,
    IMAGES,
    KERNEL,
    NUMBERS,
    SHAPE,
    Row,
    assert_refused,
    assert_unique,
    spoiled,
)


def refuses_later(name, method, X, message, kind=ValueError, on=IMAGES, **params):
    """A row for a method of an estimator fitted on `on`."""
    return Row(f"{method}-{name}", method, (X,), params, message, kind, on)


def refuses_warm(name, X, message, on=IMAGES, **changes):
    """A row for a warm start with other data or other parameters."""
    start = {"warm_start": True}
    return Row(
        f"warm-start-{name}", "fit", (X,), start, message, ValueError, on, changes
    )


WIDTH = "X has {} features, but .* is expecting {} features"
WARM = r"Got {}.* in a warm start from .*; expected the architecture"
UNFITTED = "instance is not fitted yet. Call 'fit'"
READERS = ("transform", "score", "score_samples", "partial_fit")
CODE = np.zeros((3, 32), dtype=np.float32)
ROWS = [
    *(Row(f"unfitted-{method}", method, (IMAGES,), {}, UNFITTED)
      for method in ("transform", "inverse_transform", "score", "score_samples")),
    Row("unfitted-names", "get_feature_names_out", (), {}, UNFITTED),
    *(row for method in READERS for row in [
        refuses_later("width", method, FLAT[:, :63], WIDTH.format(63, 64)),
        refuses_later("width-of-flat", method, FLAT[:, :63], WIDTH.format(63, 64),
                      on=FLAT, input_shape=(8, 8)),
        refuses_later("shape", method, IMAGES[:, :7], SHAPE.format("7, 8", "8, 8")),
        refuses_later("axes", method, COLOURS, SHAPE.format("8, 8, 3", "8, 8")),
        refuses_later("channels", method, COLOURS[..., :2],
                      SHAPE.format("8, 8, 2", "8, 8, 3"), on=COLOURS, channel_axis=-1),
        refuses_later("one-image", method, IMAGES[0],
                      WIDTH.format(8, 64) + r".*X\[None\] for one sample"),
        refuses_later("nan", method, spoiled(np.nan), FINITE.format("NaN")),
        refuses_later("empty", method, IMAGES[:0], r"0 sample\(s\) .* at least 1"),
        refuses_later("1-d", method, FLAT[0], r"Got X of shape \(64,\); expected"),
        refuses_later("strings", method, FLAT.astype(str), DTYPE.format("<U"),
                      TypeError),
    ]),
    refuses_later("names", "transform", FRAME.add_suffix("!"), "(?s)feature names sho",
                  on=FRAME),
    refuses_later("columns", "transform", FRAME.iloc[:, ::-1], "(?s)same order",
                  on=FRAME),
    refuses_later("pooled-channels", "transform", COLOURS[..., :2],
                  SHAPE.format("8, 8, 2", "8, 8, 3"), on=COLOURS, channel_axis=-1,
                  pooling="avg"),
    refuses_later("pooled-flat", "transform", FLAT[:, :48], WIDTH.format(48, 64),
                  pooling="max"),
    refuses_later("pooled-no-width", "transform", IMAGES[:, :0],
                  SHAPE.format("0, 8", "8, 8"), pooling="max"),
    refuses_later("pooled-too-small", "transform", IMAGES[:, :, :4],
                  KERNEL.format(1, 5, "8, 4"), pooling="avg", kernel_size=5,
                  padding="valid"),
    refuses_later("pooled-shape", "score", IMAGES[:, :7], SHAPE.format("7, 8", "8, 8"),
                  pooling="avg"),
    refuses_later("width", "inverse_transform", CODE[:, :31],
                  r"Got X of shape \(3, 31\), but .* made 32 features; expected"),
    refuses_later("3-d", "inverse_transform", CODE[None],
                  r"Got X of shape \(1, 3, 32\), but .* made 32 features; expected"),
    refuses_later("1-d", "inverse_transform", CODE[0], r"Got X of shape \(32,\); exp"),
    refuses_later("nan", "inverse_transform", CODE * np.nan,
                  "contains NaN .* samples 0 to 2; expected finite"),
    refuses_later("beyond-float32", "inverse_transform", CODE.astype(float) + 1e300,
                  "contains infinity .* samples 0 to 2; expected finite"),
    refuses_later("empty", "inverse_transform", CODE[:0], r"0 sample\(s\) .* least 1"),
    refuses_later("complex", "inverse_transform", CODE + 0j, DTYPE.format("complex")),
    refuses_later("dates", "inverse_transform", CODE.astype("M8[s]"),
                  DTYPE.format("datetime64"), TypeError),
    refuses_later("strings", "inverse_transform", [["a"]], NUMBERS.format("strings")),
    refuses_later("names", "get_feature_names_out", ["a"], "should have length equal"),
    refuses_warm("shape", IMAGES[:, :7], WARM.format(r".*\(7, 8\)")),
    refuses_warm("axes", FLAT, WARM.format(r".*\(64,\)")),
    refuses_warm("n_filters", IMAGES, WARM.format(".*n_filters=3"), n_filters=3),
    refuses_warm("stages", IMAGES, WARM.format(r"n_filters=\(2, "), n_filters=(2, 2)),
    refuses_warm("activation", IMAGES, WARM.format(".*'tanh'"), activation="tanh"),
    refuses_warm("n_components", IMAGES, WARM.format("n_components=3"), n_components=3),
    refuses_warm("pool_mode", IMAGES, WARM.format("pool_mode='avg'"), pool_mode="avg"),
    refuses_warm("depthwise", IMAGES, WARM.format("depthwise=True"), depthwise=True),
    refuses_warm("whiten", IMAGES, WARM.format("whiten=0.1"), whiten=0.1),
    refuses_warm("tied", IMAGES, WARM.format("tied_weights=True"), tied_weights=True),
    refuses_warm("range", IMAGES, "'lr' parameter of .*Got 0 instead", lr=0),
]  # fmt: skip


def test_names_of_rows_are_unique():
    assert_unique(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_error_names_what_came_and_what_was_expected(row):
    assert_refused(row)
