"""The tests: the local settings, with cheap password hashes and a database per test process (tests/databases.py)."""

from config.settings.local import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
