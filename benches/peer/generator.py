"""What a training step of the generator of strokes costs PyTorch, on one thread.

    local/peer/bin/pip install -r benches/peer/requirements.txt
    cargo bench --bench generator -- --python local/peer/bin/python

The Rust program starts this script and asks it by lines of JSON: `{"work": "decoder" | "step", "tensors": "/tmp/x",
"seconds": 2}`. The file of safetensors holds every weight and the batch. The answer has the seconds of a call, over about
that long after a warm-up, and the loss and the length of all gradients at the first call. Asking again for the same file
costs no warm-up.

`decoder` is forward and backward of `LSTMCell` in a loop over rows, with attention over a map before each. `step` is the
whole step: encoder `mini`, decoder, mixtures, divergence, gradients, clipping, Adam. As in `network.py`, it runs
channels-last or contiguous, what is faster here, and frozen batch norms are folded into convolutions with a trained bias.
"""

import copy
import json
import math
import statistics
import sys
import time

from network import NETWORKS, TRIAL, TURNS, WARM_UP, fold, say  # says so where PyTorch is missing

import torch
from torch import nn

RATE = 1e-5  # as in the Rust program: small, so that the weights stay near where they start
CLIP = 1.0  # as the row `ours-g` has it
DIVERGENCE = 1.0


def read(path):
    """Tensors of a file of safetensors, all of them f32."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
        tensors[name] = numbers.reshape(entry["shape"]).clone()
    return tensors


def fill(module, **values):
    """Copies values into parameters and buffers of a module."""
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(value)
    return module


def linear(tensors, name):
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return fill(nn.Linear(weight.shape[1], weight.shape[0]), weight=weight, bias=bias)


class Decoder(nn.Module):
    """A cell that looks at a map before every step."""

    def __init__(self, tensors):
        super().__init__()
        inputs, hidden, bias = (tensors[f"decoder.{name}"] for name in ("weight_ih", "weight_hh", "bias"))
        cell = nn.LSTMCell(inputs.shape[1], hidden.shape[1])
        self.cell = fill(cell, weight_ih=inputs, weight_hh=hidden, bias_ih=bias, bias_hh=torch.zeros_like(bias))
        self.cell.bias_hh.requires_grad_(False)  # one bias is trained, as in the Rust program
        self.query = nn.Parameter(tensors["attention.query"])
        self.score = nn.Parameter(tensors["attention.score"])

    def forward(self, inputs, start, values, keys):
        hidden, cell = start.chunk(2, 1)
        states = []
        for row in inputs.unbind(1):
            asked = (hidden @ self.query.t()).unsqueeze(1)
            shares = (torch.tanh(keys + asked) @ self.score).softmax(1)
            glimpse = torch.bmm(shares.unsqueeze(1), values).squeeze(1)
            hidden, cell = self.cell(torch.cat([row, glimpse], 1), (hidden, cell))
            states.append(hidden)
        return torch.stack(states, 1)


class Generator(nn.Module):
    """The row `ours-g` with `mini`."""

    def __init__(self, tensors):
        super().__init__()
        self.encoder = NETWORKS["mini"]().eval()
        load(self.encoder, tensors)
        names = ("latent.mean", "latent.log_variance", "start", "output")
        self.mean, self.log_variance, self.start, self.output = (linear(tensors, name) for name in names)
        weight = tensors["attention.map.weight"]
        keys = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=weight.shape[2] // 2)
        self.keys = fill(keys, weight=weight, bias=tensors["attention.map.bias"])
        self.decoder = Decoder(tensors)

    def loss(self, batch, noise):
        seen = self.encoder(batch["photos"] * 2 - 1)
        pooled = seen.mean((2, 3))
        mean, log_variance = self.mean(pooled), self.log_variance(pooled)
        z = mean + (log_variance / 2).exp() * noise
        places = lambda x: x.flatten(2).transpose(1, 2).contiguous()
        states = self.decoder(batch["inputs"], self.start(z).tanh(), places(seen), places(self.keys(seen)))
        divergence = (log_variance.exp() + mean.square() - log_variance - 1).mean() / 2
        return stroke_loss(self.output(states), batch["targets"]) + DIVERGENCE * divergence


def load(encoder, tensors):
    """Weights of the Rust program, which has torchvision's names."""
    fill_layer(encoder[0], tensors, "conv1", "bn1")
    for at, block in enumerate(encoder[1:], 1):
        for layer, names in [(block.conv1, ("conv1", "bn1")), (block.conv2, ("conv2", "bn2"))]:
            fill_layer(layer, tensors, *(f"layer{at}.0.{name}" for name in names))
        if not isinstance(block.shortcut, nn.Identity):
            fill_layer(block.shortcut, tensors, f"layer{at}.0.downsample.0", f"layer{at}.0.downsample.1")


def fill_layer(layer, tensors, conv, norm):
    fill(layer.conv, weight=tensors[f"encoder.{conv}.weight"])
    names = ("weight", "bias", "running_mean", "running_var")
    fill(layer.norm, **{name: tensors[f"encoder.{norm}.{name}"] for name in names})


def stroke_loss(said, targets):
    """The first part of Eq. 3, mean over sketches; `src/loss/stroke.rs` says what the numbers are."""
    mixtures = (said.shape[2] - 3) // 6
    pens, shares, mean_x, mean_y, log_x, log_y, bend = said.split([3] + [mixtures] * 6, 2)
    log_x, log_y, correlation = log_x.clamp(-7, 5), log_y.clamp(-7, 5), 0.99 * bend.tanh()
    x, y = (targets[..., :1] - mean_x) * (-log_x).exp(), (targets[..., 1:2] - mean_y) * (-log_y).exp()
    rest = 1 - correlation.square()
    square = x.square() + y.square() - 2 * correlation * x * y
    density = -square / (2 * rest) - (log_x + log_y + rest.log() / 2 + math.log(math.tau))
    offsets = torch.logsumexp(shares.log_softmax(2) + density, 2)
    states = (pens.log_softmax(2) * targets[..., 2:]).sum(2)
    is_point = 1 - targets[..., 4]
    points = is_point.sum(1, keepdim=True)
    told = (points + 1).clamp(max=targets.shape[1])  # the first end row counts too
    is_told = (torch.arange(targets.shape[1]) < told).float()
    return -(offsets * is_point / points + states * is_told / told).sum(1).mean()


def length(parameters):
    return math.sqrt(sum(parameter.grad.double().square().sum().item() for parameter in parameters))


def decoder(tensors):
    """Forms of the work by name, and the loss and gradients of a first call."""
    layer = Decoder(tensors)
    given = [tensors[name].requires_grad_() for name in ("start", "values", "keys")]
    trained = [parameter for parameter in layer.parameters() if parameter.requires_grad] + given

    def run():
        for parameter in trained:
            parameter.grad = None
        loss = layer(tensors["inputs"], *given).square().mean()
        loss.backward()
        return loss

    loss = run().item()
    return {"loop": run}, {"loss": loss, "length": length(trained)}


def step(tensors):
    batch = {name: tensors[name] for name in ("photos", "inputs", "targets")}
    generator = Generator(tensors)
    loss = generator.loss(batch, tensors["noise"])
    loss.backward()
    # Of the network as it is: a folded one has other parameters, and so gradients of another length.
    facts = {"loss": loss.item(), "length": length([p for p in generator.parameters() if p.requires_grad])}
    generator.zero_grad(set_to_none=True)
    fold(generator)
    found = {}
    for layout in ("channels_last", "contiguous"):
        layout_of = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}[layout]
        one = copy.deepcopy(generator).to(memory_format=layout_of)
        photos = batch["photos"].to(memory_format=layout_of)
        found[layout] = training(one, {**batch, "photos": photos}, tensors["noise"].shape)
    return found, facts


def training(generator, batch, noise):
    """One call makes a step."""
    trained = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=RATE, fused=True)

    def run():
        optimiser.zero_grad(set_to_none=True)
        generator.loss(batch, torch.randn(noise)).backward()
        nn.utils.clip_grad_norm_(trained, CLIP)
        optimiser.step()

    return run


def seconds(run, limit):
    """Seconds a call, over about `limit`."""
    begin, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - begin < limit:
        run()
        calls += 1
    return (time.perf_counter() - begin) / calls


def prepare(task):
    """The fastest form, warm, and what is said of it."""
    runs, facts = {"decoder": decoder, "step": step}[task["work"]](read(task["tensors"]))
    for run in runs.values():
        for _ in range(WARM_UP):
            run()
    if len(runs) == 1:
        return next(iter(runs.values())), {"form": next(iter(runs)), **facts}
    turns = [{form: seconds(run, TRIAL) for form, run in runs.items()} for _ in range(TURNS)]
    best = min(runs, key=lambda form: statistics.median(turn[form] for turn in turns))
    return runs[best], {"form": best, **facts}


def main():
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    say({"versions": f"torch {torch.__version__.split('+')[0]}"})
    ready = None
    for line in sys.stdin:
        task = json.loads(line)
        if ready is None or ready[0] != task["tensors"]:
            ready = None  # its memory goes first
            ready = (task["tensors"], *prepare(task))
        _, run, facts = ready
        say({"seconds": seconds(run, task["seconds"]), **facts})


if __name__ == "__main__":
    main()
