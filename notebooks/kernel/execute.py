"""Executes a notebook in the kernel `retrace`, cell by cell, and writes it with its outputs.

The kernel reports a failed `?` and a panic as text on standard error and calls the cell a success; here they are failures,
like an error that the compiler found. `retrace notebook run` starts this.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

import nbformat
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

KERNEL = {"name": "retrace", "display_name": "retrace (Rust)", "language": "rust"}
LANGUAGE = {"name": "rust", "file_extension": ".rs", "mimetype": "text/rust", "codemirror_mode": "rust"}


def fail(number, cell, reason):
    first = cell.source.strip().splitlines()[0]
    sys.exit(f"error: cell {number} ({first}):\n{reason.strip()}")


def errors(cell):
    """What the compiler found in a cell, or what the cell wrote to standard error."""
    found = ["\n".join(out.traceback) or out.evalue for out in cell.outputs if out.output_type == "error"]
    said = [out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stderr"]
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(found + said))


def late_errors(client, number):
    """What a cell wrote to standard error and the kernel passes on only after it has called the cell finished.

    A mark is written behind it, and all is read up to the mark: lines keep their order.
    """
    mark, said = f"end of cell {number}", ""
    client.kc.execute(f'eprintln!("{mark}");', store_history=False)
    while mark not in said:
        message = run_sync(client.kc.get_iopub_msg)(timeout=60)
        if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
            said += message["content"]["text"]
    return said.replace(mark, "")


def execute(notebook, folder):
    client = NotebookClient(notebook, timeout=None, kernel_name=KERNEL["name"], resources={"metadata": {"path": folder}})
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    number, began = 0, time.monotonic()
    with client.setup_kernel(stdout=subprocess.DEVNULL):  # it says where its settings are
        print(f"  kernel started in {time.monotonic() - began:.1f} s", flush=True)
        for position, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            number, started = number + 1, time.monotonic()
            try:
                client.execute_cell(cell, position, execution_count=number)
            except CellExecutionError as error:
                fail(number, cell, errors(cell) or str(error))
            except DeadKernelError:
                fail(number, cell, "the kernel ended")
            said = errors(cell) + late_errors(client, number)
            if said.strip():
                fail(number, cell, said)
            print(f"  cell {number} of {total}: {time.monotonic() - started:.1f} s", flush=True)
    print(f"  all cells: {time.monotonic() - began:.1f} s", flush=True)


def clean(notebook):
    """Leaves of the metadata what is the same on every machine."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for out in cell.get("outputs", []):
            if "metadata" in out:
                out.metadata = nbformat.from_dict({})
            if "execution_count" in out:  # the kernel counts its own start as well
                out.execution_count = cell.execution_count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    notebook = nbformat.read(options.notebook, as_version=4)
    execute(notebook, str(options.notebook.parent))
    clean(notebook)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_suffix(".tmp")
    nbformat.write(notebook, part)
    os.replace(part, options.out)


if __name__ == "__main__":
    main()
