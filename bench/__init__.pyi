# What a type checker sees of the names that __init__.py looks up when they are first used.
from bench.api.results import Results as Results
from bench.api.results import compare as compare
from bench.api.results import leaderboard as leaderboard
from bench.api.results import load_results as load_results
from bench.api.results import published as published
from bench.api.results import rank as rank
from bench.api.run import run as run
from bench.api.series import forecast as forecast
from bench.api.series import recommend as recommend
from bench.errors import UsageError as UsageError
from bench.execution.limits import Limits as Limits
from bench.metrics import METRICS as METRICS
from bench.schema.record import Run as Run
from bench.schema.record import Spec as Spec
from bench.tasks import TASKS as TASKS
from bench.tasks import Task as Task

__version__: str
