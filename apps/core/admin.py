"""The admin's base class: placeholder until the shell is built."""

from unfold.admin import ModelAdmin


class ScopedAdmin(ModelAdmin):
    pass
