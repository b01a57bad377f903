"""How fast it is: asv's benchmarks (networks, harness), growth with the number of records, and the peers side by side.

asv imports this folder as the top-level package `speed`: the product is imported by its absolute name, as `bench...`,
and a file of this folder as `from . import ...`.
"""
