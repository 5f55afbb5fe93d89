"""Fitted estimators as ONNX graphs.

Knows nothing of training; :mod:`skcae.onnx` is its door.
"""
