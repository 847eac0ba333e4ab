from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "apps.orgs"
    label = "orgs"

    def ready(self) -> None:
        from apps.orgs import reach  # noqa: F401 -- supplies core with the reach of a principal
