"""The generated cases as an Inspect AI task: one sample an example, an exact scorer."""

import os

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate


@task
def generated():
    return Task(dataset=json_dataset(os.environ["SAMPLES"]), solver=generate(), scorer=exact())
