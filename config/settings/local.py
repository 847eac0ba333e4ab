"""One machine: `make run`. Everything has a default and lives under the data folder."""

from config.settings.base import *  # noqa: F403
