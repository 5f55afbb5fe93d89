"""What every objective of a training has: a loss, and what goes with it."""


class Objective:
    """What a training minimises: a function of the net and one batch.

    Attributes
    ----------
    stage : int or None
        Number of the only stage that is trained, from 0; None: all are.
    ignores_thresholds : bool
        Whether activations are trained without their thresholds, which are to be set
        afterwards.
    """

    stage, ignores_thresholds = None, False

    def loss(self, net, context, *batch):
        """Return the loss of a batch, and what is predicted for it.

        Parameters
        ----------
        net : BaseNet
            Has the module and the criterion.
        context : BatchContext
            The whole batch, of which some samples may be elsewhere.
        *batch : Tensor or tuple of Tensor
            Samples, and targets where there are any.

        Returns
        -------
        loss : Tensor of shape ()
            Mean over the samples at hand.
        output : Tensor
            What skorch's callbacks get as predictions.
        """
        raise NotImplementedError

    def parameters(self, module):
        """Return the parameters that the loss depends on."""
        return list(module.parameters())

    def generators(self):
        """Return what draws random numbers besides the module's layers, by name."""
        return {}

    def after_step(self, net):
        """Change weights that an optimizer's step has left as they must not be."""
