"""How nets are started, trained and fitted, with skorch.

Gets plain arguments, never an estimator.
"""
