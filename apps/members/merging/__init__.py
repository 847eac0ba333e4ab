"""Two members who are one person: merged, and taken apart again.

`services` holds the verbs, `asked` what a policy may hold of them, `choosing` which particulars win, `parts` what rooms above
move along, `moving` what this room moves itself.
"""
