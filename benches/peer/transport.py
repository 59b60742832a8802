"""What a pair's transport costs POT (`emd`) and qpth, on one thread.

    local/peer/bin/pip install -r benches/peer/requirements-transport.txt
    cargo bench --bench transport -- --python local/peer/bin/python

The Rust program starts this script and hands it problems as lines of JSON: `{"peer": "pot" | "qpth", "m": 49, "n": 49,
"ridge": 0.001, "seconds": 0.5, "costs": [[...]], "rows": [[...]], "columns": [[...]]}`, a list of numbers a pair. It
answers with milliseconds a pair for the forward pass and for forward and backward, over about that long after a first
call, and the cost of every pair. `emd` gives a plan, which is the gradient, so its two times are one. qpth solves the
programme of the paper's supplement, in f64, all pairs in a batch; without the last equality, which the others imply.
"""

import json
import sys
import time
from importlib.metadata import version

try:
    import numpy as np
    import ot
    import torch
    from qpth.qp import QPFunction
except ImportError as error:
    print(json.dumps({"error": f"{error}; pip install -r benches/peer/requirements-transport.txt, or --python PATH"}), flush=True)
    sys.exit(1)


def pot(task):
    pairs = [[np.array(task[part][i]) for part in ("rows", "columns", "costs")] for i in range(len(task["costs"]))]
    # `emd` asks for equal sums, which f32 gives to seven digits.
    pairs = [(rows, columns * (rows.sum() / columns.sum()), costs.reshape(task["m"], task["n"])) for rows, columns, costs in pairs]
    run = lambda: [(ot.emd(rows, columns, costs) * costs).sum() for rows, columns, costs in pairs]
    return run, run


def qpth(task):
    p, m, n = len(task["costs"]), task["m"], task["n"]
    tensor = lambda part: torch.tensor(task[part], dtype=torch.float64, requires_grad=True)
    costs, rows, columns = tensor("costs"), tensor("rows"), tensor("columns")
    eye = torch.eye(m * n, dtype=torch.float64)
    sums = torch.zeros(m + n, m * n, dtype=torch.float64)
    for i in range(m):
        sums[i, n * i : n * (i + 1)] = 1
    for j in range(n):
        sums[m + j, j::n] = 1
    repeat = lambda x: x.unsqueeze(0).repeat(p, 1, 1)
    ridge, bounds, equalities = repeat(task["ridge"] * eye), repeat(-eye), repeat(sums[:-1])
    zeros = torch.zeros(p, m * n, dtype=torch.float64)

    def forward():
        masses = torch.cat([rows, columns], dim=1)[:, :-1]
        flow = QPFunction(verbose=-1, check_Q_spd=False)(ridge, costs, bounds, zeros, equalities, masses)
        return (costs * flow).sum(1)

    def both():
        found = forward()
        found.sum().backward()
        return found

    return lambda: forward().tolist(), lambda: both().tolist()


def milliseconds(run, pairs, seconds):
    run()
    begin, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - begin < seconds:
        found, calls = run(), calls + 1
    return 1e3 * (time.perf_counter() - begin) / calls / pairs, found


def main():
    torch.set_num_threads(1)
    names = f"POT {ot.__version__}, torch {torch.__version__.split('+')[0]}, qpth {version('qpth')}"
    print(json.dumps({"versions": names}), flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        forward, both = {"pot": pot, "qpth": qpth}[task["peer"]](task)
        forward_ms, found = milliseconds(forward, len(task["costs"]), task["seconds"])
        both_ms = forward_ms if both is forward else milliseconds(both, len(task["costs"]), task["seconds"])[0]
        print(json.dumps({"forward_ms": forward_ms, "both_ms": both_ms, "costs": [float(x) for x in found]}), flush=True)


if __name__ == "__main__":
    main()
