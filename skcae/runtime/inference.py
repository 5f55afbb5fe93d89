"""All samples through a module, batch by batch, into one array."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from sklearn.utils import gen_batches

from ..data.memory_map import release_pages
from ..params.stage import map_sizes
from ..utils.tensor_conversion import fits_torch
from .compilation import compiled_or_plain
from .devices import explains_out_of_memory, is_cpu, release_cached_memory
from .precision import matmul_precision
from .threads import is_worth_threads, one_thread
from .torch_settings import with_inference_mode
from .transfer import as_batch, receive, send

# Values of the largest feature maps of one batch: what a CPU's cache holds.
_CACHED_VALUES = 2**19
_MAX_BATCH_SIZE = 64
# Large matrices are made double precision for every batch that is rebuilt by them.
_LEAST_REBUILT = 16
# Fewer multiplications per batch take less time than the calls of the layers. So
# batches of small samples are larger.
_FREE_MULTIPLICATIONS = 2**24
_MAX_FREE_BATCH_SIZE = 256
# The same for a GPU: 128 MiB give all its cores work, and a few times as much leaves
# room for other processes. It does not depend on the memory that is free, because the
# size of the batches decides the last digits of the results.
_DEVICE_VALUES = 2**25
_MAX_DEVICE_BATCH_SIZE = 4096
# Threads for a GPU: while one reads samples or writes features, the GPU computes the
# batch of the other.
_DEVICE_THREADS = 2


class BatchRunner:
    """Run a function batch by batch, with results that do not depend on the batches.

    The size of a batch decides the order of sums, and so the last digits. Therefore all
    batches have one size, and the last one is filled up. The number of threads would do
    the same: each batch is computed by one thread, and several take different batches.

    Parameters
    ----------
    net : AutoencoderNet
        Its module is run.
    n_samples : int
        How many samples there are.
    spatial : tuple of int or None, default=None
        Spatial shape of the samples; None: the one the module was built for.
    rebuilds : bool, default=False
        Whether samples are rebuilt, too.
    """

    def __init__(self, net, n_samples, spatial=None, *, rebuilds=False):
        self.net = net
        self.module = net.module_.eval()
        self.device = net.device
        self.n_samples = n_samples
        self.n_multiplications, n_values = self.module.cost(spatial)
        # One sample alone is computed by other kernels than several.
        least = 8 if self.module.ends_in_product else 2
        if rebuilds and self.module.code_decoder is not None:
            least = _LEAST_REBUILT
        self.is_on_cpu = is_cpu(net.device)
        most = _FREE_MULTIPLICATIONS // self.n_multiplications
        most = min(max(most, _MAX_BATCH_SIZE), _MAX_FREE_BATCH_SIZE)
        self.batch_size = min(max(_CACHED_VALUES // n_values, least), most)
        if not self.is_on_cpu:
            size = max(_DEVICE_VALUES // n_values, least)
            self.batch_size = min(size, _MAX_DEVICE_BATCH_SIZE)

    @explains_out_of_memory
    @with_inference_mode
    def run(self, work, samples=None):
        """Call ``work(part)`` for every slice of the samples, which it may read."""
        parts = list(gen_batches(self.n_samples, self.batch_size))
        if samples is not None:
            samples.prefetch(parts)
        with (
            one_thread() as n_threads,
            matmul_precision(self.net.precision, self.net.device),
        ):
            if not self.is_on_cpu:
                n_threads = _DEVICE_THREADS
            if (
                n_threads == 1
                or len(parts) == 1
                # torch compiles on one thread at a time.
                or self.net.compile
                or not is_worth_threads(self.n_multiplications * self.batch_size)
            ):
                for part in parts:
                    work(part)
                return
            # Other threads have modes of their own.
            with ThreadPoolExecutor(n_threads) as pool:
                for _ in pool.map(torch.inference_mode()(work), parts):
                    pass

    def method(self, name):
        """Return a method of the module, compiled where the net asks for it."""
        method = getattr(self.module, name)
        return compiled_or_plain(method, self.net) if self.net.compile else method

    def read(self, samples, part):
        """Return samples in the form that reaches the device fastest."""
        if self.is_on_cpu:
            # torch warns of arrays that cannot be written, though it only reads here.
            return (
                samples[part] if samples.is_read_only else samples.view_readonly(part)
            )
        return as_batch(send(samples, part, self.device), samples.layout)

    def apply(self, function, batch):
        """Return ``function`` of one batch as a numpy array."""
        return receive(self.compute(function, batch))

    def fill(self, out, function, samples):
        """Write ``function`` of all samples into an array; return it."""

        def work(part):
            out[part] = self.apply(function, self.read(samples, part))

        self.run(work, samples)
        return out

    def compute(self, function, batch):
        """Return ``function`` of one batch."""
        x = torch.from_numpy(batch) if isinstance(batch, np.ndarray) else batch
        x = x.to(self.device)
        n_missing = self.batch_size - len(x)
        if n_missing:
            x = torch.cat([x, x[:1].expand(n_missing, *x.shape[1:])])
        return function(x)[: len(batch)]


def _allocate(shape, what):
    try:
        return np.empty(shape, dtype=np.float32)
    except MemoryError:
        size = np.prod(shape, dtype=float) * 4 / 2**30
        raise MemoryError(
            f"Got no memory for {what} of shape {shape} ({size:.1f} GiB). Transform "
            "fewer samples at a time, or choose fewer filters, more pooling or "
            "n_components."
        ) from None


def _write_rows(batch, rows):
    """Flatten a batch into rows of an array."""
    if batch.device.type == "cpu" and fits_torch(rows):
        # Straight to its place: maps are in another order than features.
        torch.from_numpy(rows).unflatten(1, batch.shape[1:]).copy_(batch)
    else:
        rows[:] = receive(batch.flatten(1))


def transform(net, samples, n_features, out=None, method="encode"):
    """Return the features of samples, shape (n_samples, n_features), float32.

    They are written into `out` where it is given, and are what a method of the module
    returns, flattened.
    """
    if out is None:
        out = _allocate((len(samples), n_features), "features")
    runner = BatchRunner(net, len(samples), samples.layout.spatial)
    function = runner.method(method)

    def work(part):
        batch = runner.compute(function, runner.read(samples, part))
        _write_rows(batch, out[part])
        release_pages(out)

    runner.run(work, samples)
    return out


def inverse_transform(net, features, layout, code_shape):
    """Return samples of a layout, shape (n_samples, *layout.shape), float32."""
    out = _allocate((len(features), *layout.shape), "samples")
    channels_first = layout.to_channels_first(out)
    runner = BatchRunner(net, len(features), rebuilds=True)
    decode = runner.method("decode")

    def work(part):
        code = np.array(features[part], order="C").reshape(-1, *code_shape)
        channels_first[part] = runner.apply(decode, code)

    runner.run(work)
    return out


def reconstruct(net, samples):
    """Return reconstructions of shape (n_samples, C, *spatial), float32."""
    layout = samples.layout
    shape = (len(samples), layout.n_channels, *layout.spatial)
    out = _allocate(shape, "reconstructions")
    runner = BatchRunner(net, len(samples), rebuilds=True)
    return runner.fill(out, runner.method("forward"), samples)


def feature_maps(net, samples, n_stages):
    """Return the maps behind some stages, shape (n_samples, n_maps, *map), float32.

    With 0 stages they are the samples in the net's units, whitened where it whitens.
    """
    module, spatial = net.module_, samples.layout.spatial
    size = map_sizes(spatial, module.stages)[n_stages]
    out = _allocate((len(samples), module.channels[n_stages], *size), "feature maps")
    runner = BatchRunner(net, len(samples), spatial)

    def maps_of_batch(x):
        return module.maps(module.standardise(x), n_stages)

    return runner.fill(out, maps_of_batch, samples)


def squared_errors(net, samples):
    """Return the summed squared reconstruction error of every sample, float64."""
    return _sums_of_squares(net, samples, lambda x, rebuilt: rebuilt - x)[0]


def squared_errors_and_deviations(net, samples, mean):
    """Return two sums of squares of every sample, which is read once.

    Parameters
    ----------
    net : AutoencoderNet
        Rebuilds the samples.
    samples : Samples
        Of the shape the net was built for.
    mean : ndarray of shape (C, *spatial)
        What deviations are measured from.

    Returns
    -------
    errors, deviations : ndarray of shape (n_samples,), float64
        Of the reconstruction, and of `mean`, from the sample.
    """
    return _sums_of_squares(
        net, samples, lambda x, rebuilt: rebuilt - x, lambda x, rebuilt: x - mean
    )


def _sums_of_squares(net, samples, *functions):
    """Return sums of squares of what functions make of samples and reconstructions."""
    out = np.empty((len(functions), len(samples)))
    runner = BatchRunner(net, len(samples), rebuilds=True)
    rebuild = runner.method("forward")

    def work(part):
        x = samples[part]
        rebuilt = runner.apply(rebuild, x)
        for row, function in zip(out, functions, strict=True):
            values = function(x, rebuilt).reshape(len(x), -1)
            row[part] = np.einsum("ij,ij->i", values, values, dtype=np.float64)

    runner.run(work, samples)
    return out


def mean_loss(net, samples):
    """Return the mean training loss of samples, without corruption."""
    out = np.empty(len(samples))
    runner = BatchRunner(net, len(samples), rebuilds=True)

    def loss_of_batch(x):
        return net.criterion_.of_samples(*runner.module.training_pair(x))

    return float(runner.fill(out, loss_of_batch, samples).mean())


def count_dead_units(net, samples):
    """Count constant units of the code, maps or components.

    Returns
    -------
    n_dead, n_units : int
        Units that are the same everywhere and for all samples, and all units.
    """
    architecture = net.module_.architecture
    n_units = architecture.n_components or architecture.map_shape[0]
    low, high = np.empty((2, len(samples), n_units), dtype=np.float32)
    runner = BatchRunner(net, len(samples))

    def work(part):
        code = runner.apply(runner.module.units, runner.read(samples, part))
        code = code.reshape(*code.shape[:2], -1)
        low[part], high[part] = code.min(axis=2), code.max(axis=2)

    runner.run(work, samples)
    release_cached_memory(net.device)  # a fit ends with this
    return int((low.min(axis=0) == high.max(axis=0)).sum()), n_units
