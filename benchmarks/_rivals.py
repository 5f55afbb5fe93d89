"""What people write today: the same autoencoder in plain PyTorch and in skorch."""

import numpy as np
import torch
from skorch import NeuralNet
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LR, BATCH_SIZE = 1e-3, 128


class HalfSquaredError(nn.Module):
    """Half the mean squared error."""

    def forward(self, output, target):
        """Return the loss."""
        return 0.5 * nn.functional.mse_loss(output, target)


def standardised(X, channel_axis=None):
    """Return samples as a user prepares them: (N, C, ...), mean 0, variance 1."""
    X = X[:, None] if channel_axis is None else np.moveaxis(X, -1, 1)
    axes = (0, *range(2, X.ndim))
    mean, std = X.mean(axes, keepdims=True), X.std(axes, keepdims=True)
    return np.ascontiguousarray((X - mean) / std, dtype=np.float32)


def make_module(n_axes, n_channels, n_filters, stride=1, pool_size=1, tuned=False):
    """Return (encoder, decoder) as one writes them down, or tuned by hand."""
    conv = {1: nn.Conv1d, 2: nn.Conv2d}[n_axes]
    transposed = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}[n_axes]
    pool = {1: nn.MaxPool1d, 2: nn.MaxPool2d}[n_axes]
    channels = [n_channels, *n_filters]
    pairs = list(zip(channels[:-1], channels[1:], strict=True))
    encoder, decoder = [], []
    for n_in, n_out in pairs:
        encoder.append(conv(n_in, n_out, 3, stride=stride, padding=1))
        behind = [nn.ReLU(inplace=tuned)]
        if pool_size > 1:
            behind.insert(0 if tuned else 1, pool(pool_size))
        encoder += behind
    for n_out, n_in in reversed(pairs):
        if pool_size > 1:
            decoder.append(transposed(n_in, n_out, 4, stride=2, padding=1))
        else:
            decoder.append(
                transposed(n_in, n_out, 3, stride=stride, padding=1, output_padding=1)
            )
        decoder.append(nn.ReLU(inplace=tuned))
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder[:-1]))


def copy_weights(module, weights):
    """Start from given weights, in the order of the layers."""
    with torch.no_grad():
        for parameter, weight in zip(module.parameters(), weights, strict=True):
            parameter.copy_(weight)


def dataloader_loop(module, x, epochs):
    """Train as in PyTorch's tutorials; return the mean loss of the last epoch."""
    x = torch.from_numpy(x)
    loader = DataLoader(TensorDataset(x), batch_size=BATCH_SIZE, shuffle=True)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    criterion = HalfSquaredError()
    for _ in range(epochs):
        total = 0.0
        for (batch,) in loader:
            loss = criterion(module(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
    return total / len(x)


def tuned_loop(module, x, epochs):
    """Train with every trick known to help, nothing but the loop."""
    x = torch.from_numpy(x)
    if x.ndim == 4:
        module.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR, fused=True)
    criterion = HalfSquaredError()
    for _ in range(epochs):
        total = 0.0
        for index in torch.randperm(len(x)).split(BATCH_SIZE):
            batch = x[index]
            loss = criterion(module(batch), batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
    return total / len(x)


def skorch_net(module, epochs):
    """Return the net that a skorch user writes."""
    return NeuralNet(
        module,
        HalfSquaredError,
        optimizer=torch.optim.Adam,
        lr=LR,
        batch_size=BATCH_SIZE,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )


def skorch_fit(module, x, epochs):
    """Train with skorch; return the mean loss of the last epoch."""
    net = skorch_net(module, epochs).fit(x, x)
    return net.history[-1, "train_loss"]
