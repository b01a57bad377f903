"""From a job to its run: worker processes, pool, limits, cluster."""
