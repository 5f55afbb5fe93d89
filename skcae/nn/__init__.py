"""Torch modules and functions of tensors of shape ``(N, C, *spatial)``.

Knows no skorch, no scikit-learn and no processes.
"""
