"""The same work as `cargo bench --bench compare`, in PyTorch: three networks, embedding and training step, f32.

    python3 -m venv local/peer && local/peer/bin/pip install -r benches/peer/requirements.txt
    cargo bench --bench compare -- --python local/peer/bin/python

The Rust program starts this script and asks it line by line; by hand, type `mini train 5` on its standard input:

    python network.py --threads 1 --device cpu
    <network> <work> <seconds>   images per second over about that long, after a warm-up, as a line of JSON
    memory                       peak resident MiB of ResNet-18 training steps; ask a fresh process

Networks: `mini` (64 px), `efficientnet-lite0` and `resnet18` (128 px), batches of 32, without torchvision.
Works: `embed` (no gradients, batch norm folded into the convolutions) and `train` (forward, triplet loss on
l2-normalised pooled features, backward, Adam; batch statistics, but for EfficientNet-Lite0, whose frozen running
statistics are folded: a convolution with a trained bias). Each work is tried channels-last and contiguous, and measured
in the layout that is faster here. (oneDNN's convolutions with packed weights and the rectifier inside, as
`torch.compile` would call them, were tried for embedding and are as fast as channels-last. `THP_MEM_ALLOC_ENABLE=1` or
an allocator that keeps its memory embed a third faster with EfficientNet-Lite0; see `--keep-memory` of the driver.)
"""

import argparse
import copy
import gc
import json
import resource
import statistics
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval
except ImportError as error:
    print(json.dumps({"error": f"{error}; pip install -r benches/peer/requirements.txt, or --python PATH"}), flush=True)
    sys.exit(1)

BATCH = 32
SIDE = {"mini": 64, "efficientnet-lite0": 128, "resnet18": 128}
MARGIN = 2.0  # as in the Rust program: unit vectors are at most 2 apart, so no triplet ever stops having a gradient
RATE = 1e-5  # as in the Rust program: small, so that the weights stay near where they start
WARM_UP = 3  # steps: the first ones make buffers and choose algorithms
TRIAL = 0.7  # seconds a form and turn, about 15 steps of the slowest
TURNS = 3  # of every form, alternating; the median counts


class ConvNorm(nn.Module):
    """Convolution, batch norm, activation."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, activation=None, same=False, eps=1e-5, momentum=0.1):
        super().__init__()
        # TensorFlow's SAME at an even size and stride 2 pads one more at the right and at the bottom.
        zeros = kernel - stride
        self.before, self.after = zeros // 2, zeros - zeros // 2
        if not same or stride == 1:
            self.before = self.after = kernel // 2
        padding = self.before if self.before == self.after else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps, momentum)
        self.activation = activation
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out")

    def fold(self):
        """Puts the running statistics into weight and bias, both of which can be trained."""
        self.conv, self.norm = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval()), nn.Identity()

    def forward(self, x):
        if self.before != self.after:
            x = F.pad(x, (self.before, self.after, self.before, self.after))
        x = self.norm(self.conv(x))
        return x if self.activation is None else self.activation(x)


def relu(x):
    return F.relu(x, inplace=True)


def relu6(x):
    return F.relu6(x, inplace=True)


class ResidualBlock(nn.Module):
    """3 x 3, 3 x 3, plus the input."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = ConvNorm(inputs, outputs, 3, stride, activation=relu)
        self.conv2 = ConvNorm(outputs, outputs, 3)
        alike = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if alike else ConvNorm(inputs, outputs, 1, stride)

    def forward(self, x):
        return relu(self.conv2(self.conv1(x)) + self.shortcut(x))


def residual(stem, kernel, pooled, stages):
    """A residual network; `stages` has channels, blocks and first stride of each."""
    layers = [ConvNorm(3, stem, kernel, 2, activation=relu)]
    if pooled:
        layers.append(nn.MaxPool2d(3, 2, 1))
    for outputs, repeats, first in stages:
        for repeat in range(repeats):
            layers.append(ResidualBlock(stem, outputs, 1 if repeat else first))
            stem = outputs
    return nn.Sequential(*layers)


class InvertedBlock(nn.Module):
    """Widen, convolve each channel alone, narrow; plus the input where the shapes agree."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        wide = [] if expansion == 1 else [lite(inputs, inner, 1, activation=relu6)]
        depthwise = lite(inner, inner, kernel, stride, groups=inner, activation=relu6)
        self.layers = nn.Sequential(*wide, depthwise, lite(inner, outputs, 1))
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        return self.layers(x) + x if self.skip else self.layers(x)


def lite(*arguments, **options):
    return ConvNorm(*arguments, **options, same=True, eps=1e-3, momentum=0.01)


def lite0():
    """EfficientNet-Lite0 up to its last convolution."""
    layers, inputs = [lite(3, 32, 3, 2, activation=relu6)], 32
    for repeats, kernel, stride, expansion, outputs in [
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ]:
        for repeat in range(repeats):
            layers.append(InvertedBlock(inputs, outputs, kernel, 1 if repeat else stride, expansion))
            inputs = outputs
    return nn.Sequential(*layers, lite(inputs, 1280, 1, activation=relu6))


NETWORKS = {
    "mini": lambda: residual(32, 3, False, [(32, 1, 2), (64, 1, 2), (128, 1, 1), (256, 1, 2)]),
    "resnet18": lambda: residual(64, 7, True, [(64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)]),
    "efficientnet-lite0": lite0,
}


def fold(network):
    for module in list(network.modules()):
        if isinstance(module, ConvNorm):
            module.fold()
    return network


def embed(network, pictures):
    return F.normalize(network(pictures).mean((2, 3)))


def triplet_loss(sketches, photos):
    """Mean over other photos of max(margin + d(own) - d(other), 0), with the distances as matrix products."""
    product = sketches @ photos.t()
    square = sketches.square().sum(1, keepdim=True) + photos.square().sum(1) - 2 * product
    distance = (square.abs() + 1e-12).sqrt()
    violation = F.relu(MARGIN + distance.diagonal()[:, None] - distance)
    others = 1 - torch.eye(len(sketches), device=sketches.device)
    return (violation * others).sum() / (len(sketches) * (len(sketches) - 1))


def embedding(network, pictures):
    """One call embeds the batch."""

    def run():
        with torch.inference_mode():
            return embed(network, pictures)

    return run


def training(network, pictures):
    """One call makes a step."""
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)

    def run():
        optimiser.zero_grad(set_to_none=True)
        vectors = embed(network, pictures)
        triplet_loss(vectors[: BATCH // 2], vectors[BATCH // 2 :]).backward()
        optimiser.step()

    return run


def forms(name, work, device):
    """The forms that a work is tried in, by name; and how many numbers the network trains."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    count = sum(p.numel() for p in network.parameters())
    frozen = work == "embed" or name == "efficientnet-lite0"
    network = fold(network) if frozen else network.train()
    network = network.to(device)
    pictures = torch.rand(BATCH, 3, SIDE[name], SIDE[name], device=device) * 2 - 1
    make = {"embed": embedding, "train": training}[work]
    found = {}
    for layout in ("channels_last", "contiguous"):
        layout_of = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}[layout]
        one = copy.deepcopy(network).to(memory_format=layout_of)
        found[layout] = make(one, pictures.to(memory_format=layout_of))
    return found, count


class Peer:
    """Answers requests; keeps the last work, so that asking again costs nothing."""

    def __init__(self, device):
        self.device = device
        self.ready = None

    def synchronise(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def rate(self, run, seconds):
        """Images per second over about `seconds`."""
        self.synchronise()
        begin, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - begin < seconds:
            run()
            steps += 1
        self.synchronise()
        return BATCH * steps / (time.perf_counter() - begin)

    def prepare(self, name, work):
        """Warms every form up and keeps the fastest."""
        self.ready = None
        gc.collect()
        runs, count = forms(name, work, self.device)
        for run in runs.values():
            for _ in range(WARM_UP):
                run()
        turns = [{form: self.rate(run, TRIAL) for form, run in runs.items()} for _ in range(TURNS)]
        trial = {form: round(statistics.median(turn[form] for turn in turns), 2) for form in runs}
        best = max(trial, key=trial.get)
        self.ready = (name, work, runs[best], {"form": best, "trial": trial, "parameters": count})

    def measure(self, name, work, seconds):
        if self.ready is None or self.ready[:2] != (name, work):
            self.prepare(name, work)
        _, _, run, facts = self.ready
        return {"per_s": self.rate(run, seconds), **facts}

    def memory(self):
        """Peak resident memory of training steps of ResNet-18, and before the network was made."""
        before = peak_mib()
        network = NETWORKS["resnet18"]().train().to(self.device, memory_format=torch.channels_last)
        pictures = torch.rand(BATCH, 3, 128, 128, device=self.device).to(memory_format=torch.channels_last)
        run = training(network, pictures)
        for _ in range(WARM_UP):
            run()
        return {"peak_mib": peak_mib(), "before_mib": before}

    def answer(self, line):
        if line.split() == ["memory"]:
            return self.memory()
        name, work, seconds = line.split()
        if name not in NETWORKS or work not in ("embed", "train"):
            raise ValueError(f"expected one of {', '.join(NETWORKS)}, and embed or train; found {line.strip()!r}")
        return self.measure(name, work, float(seconds))


def peak_mib():
    """This process alone: the kernel hands `ru_maxrss` down from the process that started it."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--tf32", choices=["on", "off"], default="off", help="on a GPU")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    if options.device == "cuda" and not torch.cuda.is_available():
        say({"error": f"--device cuda: torch {torch.__version__} sees no GPU"})
        sys.exit(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.tf32 == "on"
    torch.backends.cudnn.benchmark = True
    device = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    say({"versions": f"torch {torch.__version__.split('+')[0]}", "device": device})
    peer = Peer(options.device)
    for line in sys.stdin:
        try:
            say(peer.answer(line))
        except (ValueError, RuntimeError) as error:
            say({"error": str(error)})


if __name__ == "__main__":
    main()
