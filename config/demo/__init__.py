"""The demo: a coffee group with two companies, its people, members, rules and a year of what happened.

Everything is made through the services that the studio itself uses, and drawn from one seed: the same seed, size and
last day give the same points.
"""

from config.demo.group import PASSWORD, sign_ins
from config.demo.telling import Told, make_demo

__all__ = ["PASSWORD", "Told", "make_demo", "sign_ins"]
