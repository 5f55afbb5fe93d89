"""Samples that cannot be read, or not by these parameters."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import torch

from ..conftest import make_small
from .conftest import (
    COLOURS,
    DTYPE,
    FINITE,
    FLAT,
    FRAME,
    IMAGES,
    NUMBERS,
    SHAPE,
    Row,
    assert_refused,
    assert_unique,
    refuses,
    spoiled,
)

STACK = "X as {} objects, the first of which is a {}; expected one array"
ROOM = "values too large for dtype.'float32'., .* among samples 0 to 11, .*"


class Endless:
    """Items by number, of which numpy would ask for one after the other."""

    def __getitem__(self, number):
        return IMAGES[0]


DATES = pd.date_range("2020-01-01", periods=12)


def refuses_val(name, X_val, message, kind=ValueError):
    """A row for `fit` with validation samples."""
    name = f"X_val-{name}"
    return Row(name, "fit", (IMAGES,), {}, message, kind, kwargs={"X_val": X_val})


SHAPES = [
    refuses("flat-width", FLAT[:, :63],
            r"Got input_shape=\(8, 8\) \(64 values\) but X has 63 features; pass",
            input_shape=(8, 8)),
    refuses("flat-width-signal", FLAT, r"input_shape=\(63,\) .* but X has 64 features",
            input_shape=(63,)),
    refuses("flat-width-channels", FLAT,
            r"input_shape=\(8, 8, 3\) \(192 values\) but X has 64 features",
            input_shape=(8, 8, 3), channel_axis=-1),
    refuses("nd-other-shape", IMAGES,
            r"input_shape=\(8, 9\) but X holds samples of shape \(8, 8\); expected",
            input_shape=(8, 9)),
    refuses("nd-same-size", IMAGES, r"input_shape=\(64,\) but X holds .* \(8, 8\)",
            input_shape=(64,)),
    refuses("nd-swapped-axes", COLOURS, r"input_shape=\(3, 8, 8\) but X .* \(8, 8, 3\)",
            input_shape=(3, 8, 8), channel_axis=0),
    refuses("axis-of-X", COLOURS, r"Got channel_axis=3 .*\(8, 8, 3\); expected an axis",
            channel_axis=3),
    refuses("axis-too-low", COLOURS, "channel_axis=-4 .* expected an axis between -3",
            channel_axis=-4),
    refuses("axis-of-flat", FLAT, "channel_axis=1 .* expected an axis between -1 and 0",
            channel_axis=1),
    refuses("four-axes", COLOURS[:, None] + np.zeros((8, 1, 1, 1)),
            r"shape \(8, 8, 8, 3\) .* leaves 4 spatial axes; expected 1"),
    refuses("four-axes-and-channels", np.zeros((3, 2, 2, 2, 2, 1)),
            "leaves 4 spatial axes; expected 1", channel_axis=-1),
    refuses("four-axes-flat", FLAT, "leaves 4 spatial axes", input_shape=(2, 2, 4, 4)),
    refuses("no-spatial-axis", FLAT, "leaves 0 spatial axes; expected 1",
            channel_axis=0),
    refuses("no-features", np.empty((5, 0)), r"0 feature\(s\) \(shape=\(5, 0\)\)"),
    refuses("no-width", np.empty((5, 0, 8)), r"0 feature\(s\) \(shape=\(5, 0, 8\)\)"),
    refuses("no-sample", IMAGES[:0],
            r"Got X with 0 sample\(s\) \(shape=\(0, 8, 8\)\); expected at least 2"),
    refuses("no-sample-flat", FLAT[:0], r"X with 0 sample\(s\) \(shape=\(0, 64\)\)"),
    refuses("one-sample", IMAGES[:1], r"1 sample\(s\) .* expected at least 2"),
    refuses("one-sample-flat", FLAT[:1], r"1 sample\(s\) .* expected at least 2"),
    refuses("1-d", FLAT[0], r"Got X of shape \(64,\); expected \(n_samples, n_feat"),
    refuses("0-d", np.float64(3), r"Got X of shape \(\); expected \(n_samples"),
    refuses("none", None, r"Got X of shape \(\); expected \(n_samples"),
    refuses("empty-list", [], r"Got X of shape \(0,\); expected \(n_samples"),
]  # fmt: skip


VALUES = [
    refuses("nan", spoiled(np.nan), FINITE.format("NaN")),
    refuses("nan-flat", spoiled(np.nan).reshape(12, 64), FINITE.format("NaN")),
    refuses("nan-float32", spoiled(np.nan, np.float32), FINITE.format("NaN")),
    refuses("nan-everywhere", IMAGES * np.nan, FINITE.format("NaN")),
    refuses("nan-list", spoiled(np.nan).tolist(), FINITE.format("NaN")),
    refuses("nan-tensor", torch.from_numpy(spoiled(np.nan)), FINITE.format("NaN")),
    refuses("missing-frame", FRAME.mask(FRAME > 2), FINITE.format("NaN")),
    refuses("missing-integers", FRAME.round().astype("Int64").mask(FRAME > 2),
            FINITE.format("NaN")),
    refuses("inf", spoiled(np.inf), FINITE.format("infinity")),
    refuses("minus-inf", spoiled(-np.inf), FINITE.format("infinity")),
    refuses("inf-float16", spoiled(np.inf, np.float16), FINITE.format("infinity")),
    refuses("beyond-float32", spoiled(1e39), FINITE.format("infinity")),
    refuses("below-float32", spoiled(-1e300), FINITE.format("infinity")),
    refuses("no-room-in-float32", spoiled(-1e31), ROOM + r"such as -1e\+31; expected"),
    refuses("fill-value", spoiled(9.96921e36) * 1e-5, ROOM + "such as 9.96"),
    Row("far-from-those-of-fit", "transform", (spoiled(1e13),), {},
        ROOM + r"such as 1e\+13; expected", fitted_on=IMAGES * 1e-3),
    Row("integers-far-from-those-of-fit", "score", (IMAGES.astype(int) * 10**17,), {},
        ROOM + "such as", fitted_on=IMAGES * 1e-3),
    Row("far-from-those-of-partial_fit", "partial_fit", (spoiled(1e13),), {},
        ROOM + r"such as 1e\+13; expected", fitted_on=IMAGES * 1e-3),
    refuses("constant", np.full((5, 8, 8), 3.0),
            "every value is 3 in float32; expected samples that differ"),
    refuses("hardly-varies", IMAGES * 1e-35,
            "a channel whose standard deviation is .*e-36; expected at least 1e-30"),
    refuses("zeros", np.zeros((5, 64)), "every value is 0 in float32; expected"),
    refuses("sparse-matrix", scipy.sparse.csr_matrix(FLAT), "Sparse data was passed",
            TypeError),
    refuses("sparse-array", scipy.sparse.coo_array(FLAT), "Sparse data was passed",
            TypeError),
    refuses("sparse-tensor", torch.zeros(12, 64).to_sparse(),
            "Got X as a torch tensor .*layout torch.sparse_coo .* expected a dense",
            TypeError),
    refuses("meta-tensor", torch.zeros(12, 64, device="meta"),
            "Got X as a torch tensor .*device meta; expected a dense", TypeError),
    refuses("complex", FLAT.astype(complex), DTYPE.format("complex128")),
    refuses("complex-nd", IMAGES + 0j, DTYPE.format("complex64")),
    refuses("complex-list", (FLAT + 0j).tolist(), "(?s)Complex data not supported"),
    refuses("strings", FLAT.astype(str), DTYPE.format("<U"), TypeError),
    refuses("bytes", FLAT.astype("S9"), DTYPE.format("S9"), TypeError),
    refuses("strings-list", [["a", "b"], ["c", "d"]], NUMBERS.format("strings")),
    refuses("text", "pixels", NUMBERS.format("strings")),
    refuses("object-text", np.array([["a", 1.0], ["b", 2.0]], dtype=object),
            NUMBERS.format("could not convert string to float: 'a'")),
    refuses("object-dict", np.array([[{}, 1.0], [{}, 2.0]], dtype=object),
            NUMBERS.format("not 'dict'"), TypeError),
    refuses("dict", {"X": FLAT}, r"Got X of shape \(\); expected \(n_samples"),
    refuses("huge-integers", [[10**400, 1], [2, 3]], NUMBERS.format("int too large")),
    refuses("huge-integers-array", np.array([[10**400, 1], [2, 3]], dtype=object),
            NUMBERS.format("int too large")),
    refuses("items-without-end", Endless(), "as a Endless, .* no length; expected an",
            TypeError),
    Row("features-without-end", "inverse_transform", (Endless(),), {},
        "as a Endless, .* no length; expected an", TypeError, fitted_on=IMAGES),
    refuses("left-out-of-training", np.array([[1.0, 1], [2, 2]]),
            "X of which 1 .* are held out and every value of the others is . in",
            early_stopping=True, validation_fraction=0.5),
    refuses("series-of-arrays", pd.Series(list(IMAGES)), STACK.format(12, "ndarray")),
    refuses("series-of-lists", pl.Series(FLAT.tolist()), STACK.format(12, "ndarray")),
    refuses("ragged", [[1.0, 2.0], [3.0]], NUMBERS.format("inhomogeneous shape")),
    # scikit-learn 1.7 and 1.8 leave texts of pandas 3 as they are.
    refuses("frame-text", FRAME.assign(label="a"),
            NUMBERS.format("to float: 'a'") + "|" + DTYPE.format("object"),
            (TypeError, ValueError)),
    refuses("frame-dates", FRAME.assign(date=DATES),
            NUMBERS.format("Date"), TypeError),
    refuses("frame-repeated", FRAME.rename(columns={"pixel 1": "pixel 0"}),
            "more than one column of the name 'pixel 0'; expected names that differ"),
    refuses("frame-columns", FRAME.rename(columns={"pixel 0": 0}),
            "Feature names are only supported if all", TypeError),
    refuses("dates", FLAT.astype(int).astype("M8[s]"), DTYPE.format("datetime64"),
            TypeError),
    refuses("durations", IMAGES.astype(int).astype("m8[s]"), DTYPE.format("timedelta"),
            TypeError),
    refuses("records", np.zeros(12, dtype=[("a", "f4"), ("b", "f4")]),
            DTYPE.format("'a'"), TypeError),
    refuses_val("shape", IMAGES[:, :7], "Got X_val " + SHAPE.format("7, 8", "8, 8")),
    refuses_val("width", FLAT[:, :63], "X_val has 63 features, but .* expecting 64"),
    refuses_val("nan", spoiled(np.nan), "Input X_val " + FINITE.format("NaN")),
    refuses_val("inf", spoiled(np.inf), "Input X_val " + FINITE.format("infinity")),
    refuses_val("empty", IMAGES[:0], r"Got X_val with 0 sample\(s\) .* at least 1"),
    refuses_val("1-d", FLAT[0], r"Got X_val of shape \(64,\); expected \(n_samples"),
    refuses_val("complex", IMAGES + 0j, "Got X_val of dtype complex64"),
    refuses_val("strings", FLAT.astype(str), "Got X_val of dtype <U", TypeError),
    refuses_val("sparse", scipy.sparse.csr_matrix(FLAT), "passed for X_val", TypeError),
    Row("first-partial_fit-one-sample", "partial_fit", (IMAGES[:1],), {},
        r"Got X with 1 sample\(s\) .* expected at least 2"),
    Row("first-partial_fit-constant", "partial_fit", (np.ones((4, 8)),), {},
        "every value is 1 in float32; expected samples that differ"),
    Row("first-partial_fit-nan", "partial_fit", (spoiled(np.nan),), {},
        FINITE.format("NaN")),
]  # fmt: skip


ROWS = [*SHAPES, *VALUES]


def test_names_of_rows_are_unique():
    assert_unique(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_error_names_what_came_and_what_was_expected(row):
    assert_refused(row)


def test_refused_input_stays_as_it_was():
    X = spoiled(np.nan)
    copy = X.copy()
    with pytest.raises(ValueError, match="NaN"):
        make_small().fit(X)
    np.testing.assert_array_equal(X, copy)
