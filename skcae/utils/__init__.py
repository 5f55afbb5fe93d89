"""Quirks of other libraries, each behind one function.

Knows no concept of this package: no parameter, sample, net or estimator.
"""
