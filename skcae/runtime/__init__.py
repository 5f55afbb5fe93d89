"""Where and how a module is run: device, precision, threads, steps, batches.

Does not know why: no objective, no parameter of an estimator.
"""
