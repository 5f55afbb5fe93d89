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
    x = np.array(X, dtype=np.float32, order="C").reshape(*X.shape[:2], -1)

    def mean(values):
        # In float32, one sum over all samples would be off by a percent.
        return values.mean(axis=2).mean(axis=0, dtype=np.float64)[:, None]

    x -= mean(x).astype(np.float32)
    x /= np.sqrt(mean(np.square(x))).astype(np.float32)
    return x.reshape(X.shape)


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


def twin(workload, cae, tuned=False):
    """Return the module of a fitted transformer as its rivals write it.

    It starts from the same weights, and expects standardised samples.
    """
    ours = cae.module_
    sizes = {key: workload.params.get(key, 1) for key in ("stride", "pool_size")}
    n_axes, n_channels = len(ours.spatial), ours.scaler.mean.numel()
    module = make_module(n_axes, n_channels, workload.stages, tuned=tuned, **sizes)
    with torch.no_grad():
        pairs = zip(module.parameters(), ours.parameters(), strict=True)
        for parameter, weight in pairs:
            parameter.copy_(weight)
    return module


def dataloader_loop(module, x, epochs, device="cpu"):
    """Train as in PyTorch's tutorials; return the mean loss of the last epoch."""
    module.to(device)
    x = torch.from_numpy(x)
    loader = DataLoader(TensorDataset(x), batch_size=BATCH_SIZE, shuffle=True)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    criterion = HalfSquaredError()
    for _ in range(epochs):
        total = 0.0
        for (batch,) in loader:
            batch = batch.to(device)
            loss = criterion(module(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
    return total / len(x)


def tuned_loop(module, x, epochs, device="cpu"):
    """Train with every trick known to help, nothing but the loop."""
    kind = torch.device(device).type
    x = torch.from_numpy(x).to(device)
    module.to(device)
    if x.ndim == 4:
        module.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR, fused=True)
    criterion = HalfSquaredError()
    for _ in range(epochs):
        total = 0.0
        for index in torch.randperm(len(x), device=device).split(BATCH_SIZE):
            batch = x[index]
            with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
                loss = criterion(module(batch), batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total = total + loss.detach() * len(batch)
    return float(total) / len(x)


def skorch_net(module, epochs, device="cpu"):
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
        device=device,
        verbose=0,
    )


def skorch_fit(module, x, epochs, device="cpu"):
    """Train with skorch; return the mean loss of the last epoch."""
    net = skorch_net(module, epochs, device).fit(x, x)
    return net.history[-1, "train_loss"]


def skorch_predict(encoder, device="cpu"):
    """Return skorch's `predict` with an encoder as its module."""
    net = skorch_net(encoder, 0, device).initialize()

    def predict(x):
        return net.predict(x).reshape(len(x), -1)

    return predict


def plain_encode(encoder, device="cpu"):
    """Return the loop that collects batches in a list and joins them."""
    encoder.to(device).eval()

    def encode(x):
        with torch.no_grad():
            maps = [
                encoder(batch.to(device)).cpu()
                for batch in torch.from_numpy(x).split(BATCH_SIZE)
            ]
        return torch.cat(maps).flatten(1).numpy()

    return encode


def tuned_encode(encoder, device="cpu"):
    """Return the loop tuned by hand: preallocated, batches for the cache or the GPU."""
    on_cpu = torch.device(device).type == "cpu"
    batch_size = 64 if on_cpu else 4096
    encoder.to(device).eval()

    @torch.inference_mode()
    def encode(x):
        x = torch.from_numpy(x)
        if x.ndim == 4:
            encoder.to(memory_format=torch.channels_last)
        n_features = encoder(x[:1].to(device)).numel()
        out = torch.empty(len(x), n_features)
        for batch, rows in zip(x.split(batch_size), out.split(batch_size), strict=True):
            rows.copy_(encoder(batch.to(device)).flatten(1))
        return out.numpy()

    return encode
