"""Questions to a live model as an Inspect AI task."""

import os

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate


@task
def live():
    return Task(dataset=json_dataset(os.environ["SAMPLES"]), solver=generate(), scorer=exact())
