"""Names of columns reach scikit-learn from any frame, in any of its releases."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skcae.utils.frames import with_named_columns

ROWS = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_names_of_columns(make):
    frame = make({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    estimator = BaseEstimator()
    validate_data(estimator, with_named_columns(frame), skip_check_array=True)
    assert_array_equal(estimator.feature_names_in_, ["a", "b"])
    assert estimator.n_features_in_ == 2
    other = with_named_columns(frame[["b", "a"]])
    with pytest.raises(ValueError, match="feature names should match"):
        validate_data(estimator, other, reset=False, skip_check_array=True)


def test_what_has_no_columns_stays_as_it_is():
    assert with_named_columns(ROWS) is ROWS
