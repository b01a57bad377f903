"""Compare training steps of other libraries with ours: the same series, sizes, batches and number of steps.

    python -m bench.speed.peers steps       milliseconds per training step, into docs/performance.md
    python -m bench.speed.peers whole       seconds of 20 epochs, compilation included, ours and the reference's code

The peers live in a separate environment (`make peers`), the rest in the one that runs this.
"""
