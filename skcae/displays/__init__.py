"""Pictures of fitted estimators, by scikit-learn's Display protocol.

Knows nothing of training, and computes nothing that an estimator could return.
"""
