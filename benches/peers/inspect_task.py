"""The generated cases as an Inspect AI task: its mock model gives the recorded answers back, an exact scorer looks at them."""

import json
import os

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import exact
from inspect_ai.solver import generate

SAMPLES = os.environ["SAMPLES"]


@task
def generated():
    with open(SAMPLES) as lines:
        answers = {sample["input"]: sample["metadata"]["answer"] for sample in map(json.loads, lines)}

    def recorded(messages, *_):
        output = ModelOutput.from_content("mockllm/model", answers[messages[-1].text])
        # Without it, the mock counts tokens with a dictionary that it downloads.
        output.usage = ModelUsage()
        return output

    model = get_model("mockllm/model", custom_outputs=recorded)
    return Task(dataset=json_dataset(SAMPLES), model=model, solver=generate(), scorer=exact())
