"""Training all stages together."""

from .objective import Objective


class Reconstruction(Objective):
    """Rebuild samples through all stages together.

    Parameters
    ----------
    penalty : callable, default=None
        Function of the code that is added to the loss.
    """

    def __init__(self, penalty=None):
        self.penalty = penalty

    def loss(self, net, context, x):
        """Return the loss of a batch, and the output before its activation."""
        module = net.module_
        noisy, target = module.training_input(x)
        if self.penalty is None:
            output = net.output(noisy)
            return net.criterion_(output, target), output
        code = module.encode_trained(noisy)
        output = module.decode_trained(code, x.shape[2:])
        loss = net.criterion_(output, target) + self.penalty(code)
        return loss, output

    def parameters(self, module):
        """Return all parameters but those of a dense code that is not trained."""
        is_computed = module.architecture.computes_dense_code
        others = set(module.dense.parameters()) if is_computed else ()
        return [p for p in module.parameters() if p not in others]
