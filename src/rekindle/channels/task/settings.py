"""What ``[task]`` in ``rekindle.toml`` may say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from rekindle.config import ChannelSettings, Cost, Duration, Place, Settings


class TaskFolderSettings(Settings):
    """A folder that receives one ``.json`` file a task."""

    path: Place = Field("state/tasks", description="Folder, relative to the workspace.")


class TaskSettings(ChannelSettings):
    """What people at the business are to do. `rekindle tasks` lists the queue."""

    outlet: Literal["task_folder", "task_queue"] = Field(
        "task_folder", description="task_folder writes files; task_queue asks people."
    )
    cost: Cost = Field(Decimal(5), description="Of one task, in the currency: somebody's time.")
    open_for: Duration = Field(
        timedelta(days=14), description="So long a task waits for somebody; then it is dropped."
    )
    folder: TaskFolderSettings = TaskFolderSettings()
